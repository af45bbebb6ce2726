"""The shipped consumer's dead letters and the redrive, one after the other: what both know stays."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns.cli._redrive import Redrive
from serverless_patterns.cli._survey import survey
from serverless_patterns_runtime import PermanentError
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.load_leveled_queue.dead_letters import DeadLetters
from serverless_patterns_runtime.load_leveled_queue.message import Message
from tests.runtime.two_queues import Stored, TwoQueues

TEXT = st.text("aé 😀", min_size=1, max_size=10).map(lambda value: {"DataType": "String", "StringValue": value})
BINARY = st.binary(min_size=1, max_size=10).map(lambda value: {"DataType": "Binary", "BinaryValue": value})
NAMES = st.sampled_from([*"abcdefghijklm", "correlation-id"])


def record(stored: Stored) -> dict[str, Any]:
    """As the poller gives it to the consumer."""
    system = {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(stored.sent_at * 1000)), **stored.system}
    attributes = {
        name: {
            "dataType": value["DataType"],
            **({"stringValue": value["StringValue"]} if "StringValue" in value else {}),
            **({"binaryValue": base64.b64encode(value["BinaryValue"]).decode()} if "BinaryValue" in value else {}),
        }
        for name, value in stored.attributes.items()
    }
    return {"messageId": stored.id, "body": stored.body, "attributes": system, "messageAttributes": attributes}


def identity(message: Message) -> tuple[str, str]:
    return message.request(key_path="", namespace="n").claim.key, message.correlation_id


def natively(sqs: TwoQueues, stored: Stored) -> None:
    stored.system["DeadLetterQueueSourceArn"] = sqs.queue.arn
    sqs.dead.messages.append(stored)


def by_the_runtime(sqs: TwoQueues, stored: Stored) -> None:
    message = Message(record(stored))
    DeadLetters(sqs.client, sqs.dead.url).send(message, PermanentError("no"), identity(message)[0])


@settings(max_examples=60)
@given(
    attributes=st.dictionaries(NAMES, st.one_of(TEXT, BINARY), max_size=9),
    key=st.none() | TEXT,
    ways=st.lists(st.sampled_from([natively, by_the_runtime]), min_size=1, max_size=6),
    fifo=st.booleans(),
)
def test_key_correlation_and_content_survive_any_number_of_dead_letterings_and_redrives(
    attributes: dict[str, Any], key: dict[str, Any] | None, ways: list[Any], fifo: bool
) -> None:
    sqs = TwoQueues(fifo=fifo)
    attributes = attributes if key is None else {**attributes, "idempotency-key": key}
    stored = sqs.put(sqs.queue, '{"order": 1}', attributes, **({"MessageGroupId": "g"} if fifo else {}))
    before = identity(Message(record(stored)))
    assert before[0] == (stored.id if key is None else key["StringValue"])
    for dead_letter in ways:
        dead_letter(sqs, sqs.queue.messages.pop())
        sqs.sleep(1)
        route = sqs.route()
        found = survey(sqs.client, route, clock=sqs.clock())
        assert Redrive(sqs.client, route, found, clock=sqs.clock()).run().complete
        sqs.sleep(1)
    [stored] = sqs.queue.messages
    message = Message(record(stored))
    assert identity(message) == before
    assert message.body == '{"order": 1}'
    assert message.group == ("g" if fifo else None)
    by_the_runtime(sqs, stored)  # it restores what made room, and so shows the attributes as first sent
    letters = survey(sqs.client, sqs.route(), clock=sqs.clock(), keep_bodies=True).letters
    assert letters[0].attributes == attributes


@pytest.mark.parametrize("said", [{"StringValue": "a\tb"}, {"BinaryValue": b"k"}])
def test_a_key_that_the_consumer_refused_does_not_come_back_to_be_refused_again(said: dict[str, Any]) -> None:
    sqs = TwoQueues()
    attribute = {"DataType": "Binary" if "BinaryValue" in said else "String", **said}
    stored = sqs.put(sqs.queue, "{}", {"idempotency-key": attribute})
    with pytest.raises(MalformedPayload):
        identity(Message(record(stored)))
    DeadLetters(sqs.client, sqs.dead.url).send(Message(record(stored)), MalformedPayload("no"), None)
    sqs.queue.messages.pop()
    route = sqs.route()
    assert Redrive(sqs.client, route, survey(sqs.client, route, clock=sqs.clock()), clock=sqs.clock()).run().complete
    [back] = sqs.queue.messages
    assert (
        identity(Message(record(back)))[0] == json.loads(back.attributes["redrive"]["StringValue"])["idempotency_key"]
    )


@pytest.mark.parametrize("length", [1_048_400, 1_048_500, 1_048_576])
def test_a_message_that_left_no_room_for_its_reason_is_still_shown(length: int) -> None:
    sqs = TwoQueues()
    by_the_runtime(sqs, sqs.put(sqs.queue, '"' + "x" * (length - 2) + '"'))
    [letter] = survey(sqs.client, sqs.route(), clock=sqs.clock()).letters
    assert letter.reason in ("no", "no reason recorded")
