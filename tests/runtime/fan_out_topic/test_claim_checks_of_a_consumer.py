"""A branch behind its queue is given the payload, under the key of the small body; or the message comes to an end."""

import json
from typing import Any

import pytest

from serverless_patterns_runtime import Invocation, Message
from serverless_patterns_runtime.fan_in.opening import Completions
from serverless_patterns_runtime.load_leveled_queue.opening import deployed_opening

from ..consumer import Consumer
from ..sqs_events import record
from .sns import MOST_BYTES, World
from .test_claim_check import BUCKET, Store

LARGE = {"order_id": "7", "lines": ["x" * MOST_BYTES]}


class Branch:
    def __init__(self, **settings: Any) -> None:
        sent = World(claim_check_bucket=BUCKET, claim_check_keep=[], key="order_id")
        sent.publish(Message(LARGE))
        self.body: str = sent.sns.published[0]["Message"]
        self.store = Store(sent.objects)
        self.given: list[tuple[Any, str]] = []
        self.consumer = Consumer(self._take, idempotency_key="order_id", **settings)
        self.consumer.edge = self.consumer.edge._replace(open=self.store.checks.open)

    def _take(self, payload: Any, invocation: Invocation) -> None:
        self.given.append((payload, invocation.idempotency_key))


def test_the_function_is_given_the_payload_under_the_key_of_the_body() -> None:
    branch = Branch()
    assert branch.consumer.consume(record(branch.body)) == []
    assert branch.given == [(LARGE, "7")]


def test_a_message_that_is_no_claim_check_is_given_as_it_is() -> None:
    branch = Branch()
    branch.consumer.consume(record({"order_id": "8"}))
    assert branch.given == [({"order_id": "8"}, "8")]
    assert branch.store.client.calls == []


def test_what_is_not_in_s3_comes_back_and_in_the_end_its_dead_letter_says_so() -> None:
    branch = Branch(count_attempts=True, max_receive_count=3)
    branch.store.objects = {}
    branch.consumer.dynamodb.always("UpdateItem", {"Attributes": {"attempts": {"NS": ["1", "2", "3"]}}})
    first, last = record(branch.body, receives=1), record(branch.body, receives=3)
    uncounted = Branch()
    uncounted.store.objects = {}
    assert uncounted.consumer.consume(first) == [first["messageId"]]
    assert uncounted.consumer.dead_letters() == []
    assert branch.consumer.consume(last) == []
    (letter,) = branch.consumer.dead_letters()
    assert letter["reason"]["reason"] == "failed 3 times, the last time with ClaimCheckMissing"
    assert branch.given == []


@pytest.mark.parametrize("change", [{"bucket": "another"}, {"key": "secret"}, {"sha256": "0" * 64}, {"size": 1}])
def test_a_forged_check_is_a_dead_letter_at_once_with_the_reason(change: dict[str, Any]) -> None:
    branch = Branch()
    body = json.loads(branch.body)
    body["claim-check"] |= change
    assert branch.consumer.consume(record(body)) == []
    (letter,) = branch.consumer.dead_letters()
    assert letter["reason"]["error_type"] == "InvalidClaimCheck"
    assert branch.given == []


# By its variables.


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Any:
    def given(**said: str) -> None:
        for name, value in {"AWS_DEFAULT_REGION": "eu-central-1", **said}.items():
            monkeypatch.setenv(name, value)

    return given


def test_without_a_bucket_nothing_is_opened(variables: Any) -> None:
    variables()
    assert deployed_opening() is None


def test_with_one_claim_checks_are(variables: Any) -> None:
    variables(CLAIM_CHECK_BUCKET=BUCKET)
    opening: Any = deployed_opening()
    assert opening.__self__.bucket == BUCKET


def test_what_completes_a_fan_in_opens_the_message_as_its_branches_do(variables: Any) -> None:
    store = {"FAN_IN_TABLE_NAME": "t", "FAN_IN_NAMESPACE": "n", "FAN_IN_BUCKET": "b"}
    variables(FAN_IN_COMPLETES="true", CLAIM_CHECK_BUCKET=BUCKET, **store)
    completions: Any = deployed_opening()
    assert isinstance(completions.__self__, Completions)
    assert completions.__self__.open_message.__self__.bucket == BUCKET
