import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime.errors import Expired, MalformedPayload, PermanentError
from serverless_patterns_runtime.load_leveled_queue.dead_letters import DeadLetters
from serverless_patterns_runtime.load_leveled_queue.message import Message

from .. import scripted_aws
from ..sqs_events import binary, golden, record, text

URL = "https://sqs.invalid/123456789012/dead"
LIMIT = 1_048_576
ERROR = PermanentError("out of stock")


def sent(
    made: dict[str, Any], error: PermanentError = ERROR, key: str | None = "A-1", *, url: str = URL
) -> dict[str, Any]:
    sqs = scripted_aws.sqs()
    DeadLetters(sqs, url).send(Message(made), error, key)
    (request,) = sqs.requests("SendMessage")
    assert sqs.operations == ["SendMessage"]
    return request


def reason(request: dict[str, Any]) -> dict[str, Any]:
    attribute = request["MessageAttributes"]["dead-letter"]
    assert attribute["DataType"] == "String"
    return json.loads(attribute["StringValue"])


def size(request: dict[str, Any]) -> int:
    """As SQS counts it: body, attribute names, types and values."""
    return len(request["MessageBody"].encode()) + sum(
        len(name.encode()) + len(value["DataType"].encode()) + len(content(value))
        for name, value in request["MessageAttributes"].items()
    )


def content(value: dict[str, Any]) -> bytes:
    return value["BinaryValue"] if "BinaryValue" in value else value["StringValue"].encode()


def attributes(count: int) -> dict[str, Any]:
    return {f"a{number:02}": text(str(number)) for number in range(count)}


def redriven(request: dict[str, Any]) -> dict[str, Any]:
    """The record that the queue delivers after a redrive of this dead letter, with no room for what was displaced."""
    said = reason(request)
    kept = {"idempotency_key": said["idempotency_key"], "correlation_id": said["correlation_id"]}
    kept |= {"displaced": said["displaced"]} if "displaced" in said else {}
    back = {
        name: binary(base64.b64encode(value["BinaryValue"]).decode(), value["DataType"])
        if "BinaryValue" in value
        else text(value["StringValue"], value["DataType"])
        for name, value in request["MessageAttributes"].items()
        if name != "dead-letter"
    }
    return record(request["MessageBody"], attributes=back | {"redrive": text(json.dumps(kept))})


def test_the_dead_letter_of_a_golden_message_is_the_message_and_a_reason():
    request = sent(golden("sqs_standard")["Records"][1], Expired("expired: 90 s old, where max_age is 60 s"))
    assert request == {
        "QueueUrl": URL,
        "MessageBody": '{"order_id": "A-2", "lines": [], "ship_name": "Hanari Carnes é中\U0001f600"}',
        "MessageAttributes": {
            "correlation-id": {"DataType": "String", "StringValue": "web-7f3a.1"},
            "kind": {"DataType": "String.tier", "StringValue": "priority"},
            "signature": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x10"},
            "thumbnail": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG\r\n"},
            "weight": {"DataType": "Number", "StringValue": "12.5"},
            "dead-letter": {
                "DataType": "String",
                "StringValue": json.dumps(
                    {
                        "reason": "expired: 90 s old, where max_age is 60 s",
                        "error_type": "Expired",
                        "receive_count": 3,
                        "correlation_id": "web-7f3a.1",
                        "idempotency_key": "A-1",
                    }
                ),
            },
        },
    }


def test_a_message_too_broken_to_hold_a_key_says_so_by_having_none():
    request = sent(record("{", message_id="m-1"), MalformedPayload("not valid JSON at character 1"), None)
    assert reason(request) == {
        "reason": "not valid JSON at character 1",
        "error_type": "MalformedPayload",
        "receive_count": 1,
        "correlation_id": "m-1",
    }


@pytest.mark.parametrize(
    "body", ["", " {} \n", "{", "\ufeff{}", "a\r\n\tb", "é中\U0001f600", '{"a":1,"a":2}', "\ufffd"]
)
def test_the_body_stays_as_it_was_byte_for_byte(body: str):
    assert sent(record(body))["MessageBody"] == body


@pytest.mark.parametrize("name", ["sqs_standard", "sqs_fair_standard", "sqs_fifo"])
def test_a_trace_goes_on_in_the_dead_letter_queue(name: str):
    for made in golden(name)["Records"]:
        header = made["attributes"].get("AWSTraceHeader")
        expected = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}} if header else None
        assert sent(made).get("MessageSystemAttributes") == expected


# --- FIFO


def test_a_fifo_dead_letter_keeps_its_group_and_never_the_original_deduplication_id():
    made = golden("sqs_fifo")["Records"][0]
    request = sent(made, url=URL + ".fifo")
    assert request["MessageGroupId"] == "customer-1"
    assert (
        request["MessageDeduplicationId"]
        == hashlib.sha256(b"11d6ee51-4cc7-4302-9e22-7cd8afdaadf5:1795251590123").hexdigest()
    )
    assert request["MessageDeduplicationId"] != made["attributes"]["MessageDeduplicationId"]


def test_dead_lettering_one_stay_in_the_queue_twice_is_one_dead_letter():
    first = sent(record({}, message_id="m", group="g", receives=1), url=URL + ".fifo")
    again = sent(record({}, message_id="m", group="g", receives=2), url=URL + ".fifo")
    assert first["MessageDeduplicationId"] == again["MessageDeduplicationId"]


def test_the_next_stay_in_the_queue_is_another_dead_letter():
    """Within five minutes SQS would take an equal id for a duplicate, say that all is well, and drop the message."""
    first = sent(record({}, message_id="m", group="g", sent_at=1000), url=URL + ".fifo")
    redelivered = sent(record({}, message_id="m", group="g", sent_at=1001), url=URL + ".fifo")
    other = sent(record({}, message_id="n", group="g", sent_at=1000), url=URL + ".fifo")
    ids = {request["MessageDeduplicationId"] for request in (first, redelivered, other)}
    assert len(ids) == 3


def test_a_standard_queue_s_dead_letter_keeps_its_tenant_and_has_no_deduplication_id():
    request = sent(golden("sqs_fair_standard")["Records"][0])
    assert request["MessageGroupId"] == "tenant-1"
    assert "MessageDeduplicationId" not in request


# --- Ten attributes


def test_nine_attributes_leave_room_for_the_reason():
    request = sent(record({}, attributes=attributes(9)))
    assert len(request["MessageAttributes"]) == 10
    assert "displaced" not in reason(request)


def test_a_tenth_attribute_makes_room_and_is_kept_in_the_reason():
    request = sent(record({}, attributes=attributes(9) | {"zz": binary("AP8=", "Binary.key")}))
    assert sorted(request["MessageAttributes"]) == sorted([*attributes(9), "dead-letter"])
    assert reason(request)["displaced"] == {"zz": {"DataType": "Binary.key", "BinaryValue": "AP8="}}


def test_what_we_added_on_the_way_is_not_taken_for_the_sender_s():
    ours = {
        "dead-letter": text('{"reason": "the time before"}'),
        "redrive": text('{"idempotency_key": "k", "correlation_id": "c"}'),
    }
    request = sent(record({}, attributes=attributes(8) | ours))
    assert sorted(request["MessageAttributes"]) == sorted([*attributes(8), "dead-letter"])
    assert reason(request)["reason"] == "out of stock"


def test_attributes_survive_any_number_of_redrives():
    original = attributes(8) | {"key": binary("AP8="), "zz": text("é\n\U0001f600", "String.tier")}
    first = sent(record({}, attributes=original))
    current = first
    for _ in range(3):
        current = sent(redriven(current))
        assert current["MessageAttributes"].keys() == first["MessageAttributes"].keys()
        assert reason(current)["displaced"] == reason(first)["displaced"]
        for name in original:
            assert current["MessageAttributes"].get(name) == first["MessageAttributes"].get(name)


def test_a_redrive_attribute_that_no_redrive_wrote_does_not_keep_a_message_out_of_the_dead_letter_queue():
    spoofed = {"idempotency_key": "k", "correlation_id": "c", "displaced": {"a": 5, "b": {"DataType": 7}}}
    request = sent(record({}, attributes={"redrive": text(json.dumps(spoofed))}))
    assert list(request["MessageAttributes"]) == ["dead-letter"]


@pytest.mark.parametrize("body", ["{}", "x" * (LIMIT - 40_000)])
def test_a_forged_redrive_cannot_add_more_attributes_than_a_message_holds(body: str):
    displaced = {f"d{number}": {"DataType": "String", "StringValue": "x"} for number in range(500)}
    forged = text(json.dumps({"idempotency_key": "k", "correlation_id": "c", "displaced": displaced}))
    request = sent(record(body, attributes=attributes(3) | {"redrive": forged}))
    assert sorted(request["MessageAttributes"]) == sorted([*attributes(3), "dead-letter"])


def test_a_forged_redrive_cannot_overwrite_what_the_message_says():
    displaced = {"a00": {"DataType": "String", "StringValue": "forged"}}
    forged = text(json.dumps({"idempotency_key": "k", "correlation_id": "c", "displaced": displaced}))
    request = sent(record({}, attributes=attributes(1) | {"redrive": forged}))
    assert request["MessageAttributes"]["a00"] == {"DataType": "String", "StringValue": "0"}


# --- One mebibyte


def test_a_long_reason_is_cut():
    request = sent(record({}), PermanentError("x" * 5_000))
    assert reason(request)["reason"] == "x" * 1_000


def test_a_reason_of_any_characters_is_plain_ascii_json_which_sqs_accepts():
    value = sent(record({}), PermanentError("é\n\0\ud800\U0001f600\x1b[31m"))["MessageAttributes"]["dead-letter"]
    assert value["StringValue"].isascii()
    assert value["StringValue"].isprintable()


def test_a_reason_is_shortened_to_the_room_that_a_large_body_leaves():
    room = len("dead-letter") + len("String") + 250
    request = sent(record("x" * (LIMIT - room)), PermanentError("y" * 900))
    assert size(request) <= LIMIT
    assert 0 < len(reason(request)["reason"]) < 900
    assert reason(request)["error_type"] == "PermanentError"


@pytest.mark.parametrize("body", ["x" * LIMIT, "é" * (LIMIT // 2), "x" * (LIMIT - 60)])
def test_a_body_that_leaves_no_room_goes_with_its_attributes_unchanged(body: str):
    assert sent(record(body))["MessageAttributes"] == {}


def test_attributes_that_leave_no_room_stay_all_ten():
    original = attributes(9) | {"zz": text("z" * 2_000)}
    taken = sum(len(name) + len("String") + len(value["stringValue"]) for name, value in original.items())
    request = sent(record("x" * (LIMIT - taken), attributes=original))
    assert sorted(request["MessageAttributes"]) == sorted(original)
    assert size(request) == LIMIT


names = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
values = st.builds(
    text, st.text(min_size=1, max_size=40), st.sampled_from(["String", "String.x", "Number"])
) | st.builds(lambda content: binary(base64.b64encode(content).decode()), st.binary(min_size=1, max_size=40))


@settings(max_examples=60)
@given(
    attributes=st.dictionaries(names, values, max_size=10),
    room=st.integers(0, 2_500),
    character=st.sampled_from("xé中\U0001f600"),
    message=st.text(max_size=1_200),
)
def test_whatever_fits_into_the_queue_fits_into_the_dead_letter_queue(
    attributes: dict[str, Any], room: int, character: str, message: str
):
    taken = size(sent_unchanged := {"MessageBody": "", "MessageAttributes": for_sending(attributes)})
    body = character * ((LIMIT - taken - room) // len(character.encode()))
    request = sent(record(body, attributes=attributes), PermanentError(message))
    assert request["MessageBody"] == body
    assert size(request) <= LIMIT
    assert len(request["MessageAttributes"]) <= 10
    restored = dict(request["MessageAttributes"])
    if "dead-letter" in restored and "dead-letter" not in attributes:
        del restored["dead-letter"]
        restored |= for_sending_again(reason(request).get("displaced", {}))
    ours = {"dead-letter", "redrive"}
    expected = {name: value for name, value in sent_unchanged["MessageAttributes"].items() if name not in ours}
    assert {name: value for name, value in restored.items() if name not in ours} == expected


def for_sending(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"DataType": value["dataType"], "BinaryValue": base64.b64decode(value["binaryValue"])}
        if "binaryValue" in value
        else {"DataType": value["dataType"], "StringValue": value["stringValue"]}
        for name, value in attributes.items()
    }


def for_sending_again(displaced: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value | {"BinaryValue": base64.b64decode(value["BinaryValue"])} if "BinaryValue" in value else value
        for name, value in displaced.items()
    }


def test_what_sqs_answers_is_not_swallowed():
    sqs = scripted_aws.sqs()
    sqs.script("SendMessage", refused := scripted_aws.error("SendMessage", "KmsAccessDenied", "no"))
    with pytest.raises(type(refused)) as raised:
        DeadLetters(sqs, URL).send(Message(record({})), ERROR, "A-1")
    assert raised.value is refused
