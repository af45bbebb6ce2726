"""What no subscriber gets is kept, as it came, or comes back: whatever goes wrong, nothing is lost."""

import io
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.fan_out_topic.contract import Subscriber
from serverless_patterns_runtime.fan_out_topic.packed import packed
from serverless_patterns_runtime.fan_out_topic.unmatched_edge import UnmatchedEdge, filters
from serverless_patterns_runtime.fan_out_topic.unmatched_handler import process
from serverless_patterns_runtime.telemetry import Logger

from .. import scripted_aws
from ..consumer import Clock, Context
from ..sqs_events import binary, record, text

_services = itertools.count(1)

QUEUE = "https://sqs.invalid/123456789012/unmatched"
SUBSCRIBERS: dict[str, Subscriber] = {
    "Inventory": {"filter": {"kind": ["placed"]}},
    "Fraud": {"filter": {"total": [{"numeric": [">", 1000]}]}, "scope": "body"},
}
PLACED, CANCELLED = {"kind": text("placed")}, {"kind": text("cancelled")}


def lost(_: Any = None) -> ConnectionClosedError:
    return ConnectionClosedError(endpoint_url="https://aws.invalid")


@dataclass
class Matcher:
    """One warm function; `consume` is one invocation, its answer is the ids that come back."""

    queue_url: str = QUEUE
    subscribers: dict[str, Subscriber] = field(default_factory=lambda: SUBSCRIBERS)

    def __post_init__(self) -> None:
        self.sqs, self.clock, self.counts = scripted_aws.sqs(), Clock(), list[int]()
        self._stream = io.StringIO()
        self.edge = UnmatchedEdge(
            sqs=self.sqs,
            queue_url=self.queue_url,
            filters=filters(self.subscribers),
            logger=Logger(service=f"matcher-{next(_services)}", level="INFO", stream=self._stream),
            counted=self.counts.append,
        )

    def consume(self, *records: dict[str, Any]) -> list[str]:
        answer = process({"Records": list(records)}, Context(self.clock), self.edge)
        assert set(answer) == {"batchItemFailures"}
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def kept(self) -> list[dict[str, Any]]:
        return self.sqs.requests("SendMessage")

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


def test_a_message_that_one_subscriber_gets_is_neither_kept_nor_counted():
    matcher = Matcher()
    assert matcher.consume(record({}, attributes=PLACED), record({"total": 1001}, attributes=CANCELLED)) == []
    assert matcher.sqs.calls == []
    assert matcher.counts == []


def test_a_message_that_no_subscriber_gets_is_kept_as_it_came_and_counted():
    matcher = Matcher()
    attributes = {
        **CANCELLED,
        "correlation-id": text("c-1"),
        "tags": text('["a","b"]', "String.Array"),
        "weight": text("1.50", "Number"),
        "picture": binary("AAEC"),
    }
    body = '{"total" : 5,  "note":"\\u00e9é"}'
    assert matcher.consume(record(body, attributes=attributes)) == []
    (kept,) = matcher.kept()
    del kept["MessageSystemAttributes"]
    assert kept == {
        "QueueUrl": QUEUE,
        "MessageBody": body,
        "MessageAttributes": {
            "kind": {"DataType": "String", "StringValue": "cancelled"},
            "correlation-id": {"DataType": "String", "StringValue": "c-1"},
            "tags": {"DataType": "String.Array", "StringValue": '["a","b"]'},
            "weight": {"DataType": "Number", "StringValue": "1.50"},
            "picture": {"DataType": "Binary", "BinaryValue": b"\x00\x01\x02"},
        },
    }
    assert matcher.counts == [1]
    assert [(line["outcome"], line["correlation_id"]) for line in matcher.log] == [("unmatched", "c-1")]


def test_what_has_no_correlation_id_gets_the_message_id_when_there_is_room_for_it():
    matcher = Matcher()
    ten = {f"a{number}": text("x") for number in range(10)}
    nine = dict(list(ten.items())[:9])
    matcher.consume(record({}, message_id="m-9", attributes=nine), record({}, message_id="m-10", attributes=ten))
    first, second = (kept["MessageAttributes"] for kept in matcher.kept())
    assert first["correlation-id"] == {"DataType": "String", "StringValue": "m-9"}
    assert len(first) == len(second) == 10
    assert set(second) == set(ten)


def test_without_a_queue_a_message_is_only_counted():
    matcher = Matcher(queue_url="")
    assert matcher.consume(record({}), record({}, attributes=PLACED), record({})) == []
    assert matcher.sqs.calls == []
    assert sum(matcher.counts) == 2


@pytest.mark.parametrize("body", ["", "{", "no json", "[1]", '"text"', "null", "NaN", "[" * 100_000])
def test_a_body_that_is_no_json_object_is_kept_too(body: str):
    matcher = Matcher()
    assert matcher.consume(record(body)) == []
    assert [kept["MessageBody"] for kept in matcher.kept()] == [body]


def test_a_message_that_could_not_be_kept_comes_back_and_is_not_counted():
    matcher = Matcher()
    matcher.sqs.script("SendMessage", {}, lost, {})
    assert matcher.consume(*(record({}, message_id=name) for name in "abc")) == ["b"]
    assert sum(matcher.counts) == 2
    assert [line["outcome"] for line in matcher.log] == ["unmatched", "failed", "unmatched"]


def test_no_log_line_quotes_a_message():
    matcher = Matcher()
    matcher.sqs.script("SendMessage", {}, scripted_aws.error("SendMessage", "InvalidMessageContents", "4111 bad"))
    matcher.consume(record({"card": "4111"}), record({"card": "4111"}))
    assert "4111" not in json.dumps(matcher.log)


def test_an_attribute_that_cannot_be_read_keeps_its_message_in_the_queue():
    matcher = Matcher()
    broken = {"kind": {"dataType": "Binary", "stringListValues": [], "binaryListValues": []}}
    assert matcher.consume(record({}, message_id="a", attributes=broken), record({}, message_id="b")) == ["a"]


def test_what_is_not_begun_in_half_the_time_comes_back():
    matcher = Matcher()

    def slow(_: Any) -> dict[str, Any]:
        matcher.clock.now += 8
        return {}

    matcher.sqs.always("SendMessage", slow)
    assert matcher.consume(*(record({}, message_id=name) for name in "abcd")) == ["c", "d"]


def test_an_event_that_is_not_of_a_queue_acknowledges_nothing():
    with pytest.raises(KeyError):
        process({"detail": {}}, Context(Clock()), Matcher().edge)


def test_a_group_stops_at_what_comes_back_and_the_others_go_on():
    matcher = Matcher(queue_url=f"{QUEUE}.fifo")
    matcher.sqs.script("SendMessage", lost, {}, {})
    names = [("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")]
    assert matcher.consume(*(record({}, message_id=name, group=group) for name, group in names)) == ["a1", "a2"]
    assert [kept["MessageGroupId"] for kept in matcher.kept()] == ["a", "b", "b"]


def test_a_group_stops_even_before_a_message_that_a_subscriber_gets():
    """Its order among those that are acknowledged says nothing, but Lambda asks for it of a FIFO queue."""
    matcher = Matcher(queue_url=f"{QUEUE}.fifo")
    matcher.sqs.script("SendMessage", lost)
    first, second = record({}, message_id="a1", group="a"), record({}, message_id="a2", group="a", attributes=PLACED)
    assert matcher.consume(first, second) == ["a1", "a2"]


def test_a_group_of_a_fair_standard_queue_does_not_stop():
    matcher = Matcher()
    matcher.sqs.script("SendMessage", lost, {})
    fair = [record({}, message_id=name, MessageGroupId="tenant") for name in ("a", "b")]
    assert matcher.consume(*fair) == ["a"]


def test_a_kept_message_of_a_group_is_the_same_over_its_receives_and_another_each_time_it_was_sent():
    matcher = Matcher(queue_url=f"{QUEUE}.fifo")
    matcher.consume(record({}, message_id="a", group="g", MessageDeduplicationId="d", receives=1))
    matcher.consume(record({}, message_id="a", group="g", MessageDeduplicationId="d", receives=2))
    matcher.consume(record({}, message_id="b", group="g", MessageDeduplicationId="d"))
    first, again, other = (kept["MessageDeduplicationId"] for kept in matcher.kept())
    assert first == again != other
    assert "d" not in (first, other)


def test_a_trace_goes_on_in_the_queue_of_unmatched_messages():
    matcher = Matcher()
    matcher.consume(record({}, AWSTraceHeader="Root=1-5759e988-bd862e3fe1be46a994272793"))
    (kept,) = matcher.kept()
    assert kept["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"].startswith("Root=1-")


sends = st.sampled_from(["well", "lost", "stored, answer lost", "throttled"])
messages = st.tuples(st.sampled_from([None, "placed", "cancelled"]), st.sampled_from("xy"), sends, st.integers(0, 2000))


@given(st.lists(messages, min_size=1, max_size=10), st.booleans())
def test_whatever_aws_does_a_message_is_matched_kept_or_back(plan: list[tuple[Any, str, str, int]], fifo: bool):
    matcher = Matcher(queue_url=f"{QUEUE}.fifo" if fifo else QUEUE)
    stored: list[str] = []

    def send(request: dict[str, Any]) -> Any:
        body = json.loads(request["MessageBody"])
        if body["does"] in ("well", "stored, answer lost"):
            stored.append(body["name"])
        return {
            "well": {},
            "throttled": scripted_aws.error("SendMessage", "RequestThrottled"),
        }.get(body["does"], lost())

    matcher.sqs.always("SendMessage", send)
    records = [
        record(
            {"name": f"m{at}", "does": does, "total": total},
            message_id=f"m{at}",
            group=group if fifo else None,
            attributes={"kind": text(kind)} if kind else {},
        )
        for at, (kind, group, does, total) in enumerate(plan)
    ]
    back = matcher.consume(*records)
    unmatched = {f"m{at}" for at, (kind, _, _, total) in enumerate(plan) if kind != "placed" and total <= 1000}
    acknowledged = {each["messageId"] for each in records} - set(back)
    assert unmatched & acknowledged <= set(stored)
    assert set(stored) <= unmatched
    assert sum(matcher.counts) == len(unmatched & acknowledged)
    if fifo:
        for group in "xy":
            fates = [f"m{at}" in back for at, (_, of, _, _) in enumerate(plan) if of == group]
            assert fates == sorted(fates), "what follows in a group overtook what comes back"


def test_the_function_starts_from_its_variables_and_counts_for_its_topic_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SUBSCRIBERS", packed(SUBSCRIBERS))
    monkeypatch.setenv("UNMATCHED_QUEUE_URL", "")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "matcher-from-environment")
    monkeypatch.setenv("TOPIC_NAME", "Shop-OrderEvents-1")
    edge = UnmatchedEdge.from_environment()
    assert edge.sqs is None
    assert len(edge.filters) == 2
    edge.counted(3)
    told = json.loads(capsys.readouterr().out)
    assert (told["Unmatched"], told["topic"]) == ([3], "Shop-OrderEvents-1")
    (metrics,) = told["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("ServerlessPatterns", [["topic"]])
    monkeypatch.delenv("UNMATCHED_QUEUE_URL")
    with pytest.raises(KeyError):
        UnmatchedEdge.from_environment()
