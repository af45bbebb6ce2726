import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Completion, Effects
from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.expected import UnusableExpectation, named
from serverless_patterns_runtime.fan_in.head import Head
from serverless_patterns_runtime.fan_in.opening import NoSuchEnd
from serverless_patterns_runtime.fan_in.results import ResultGone, Results
from serverless_patterns_runtime.fan_in.settings import BranchSettings
from serverless_patterns_runtime.fan_out_topic.packed import packed
from serverless_patterns_runtime.load_leveled_queue import handler
from tests.simulation.attribute_values import bytes_of_item
from tests.simulation.dynamodb_model import DynamoDB
from tests.simulation.fan_in_account import BUCKET, COMPLETIONS, HEADS, NAMESPACE, Deployed, Outside, tables
from tests.simulation.interleavings import Direct
from tests.simulation.s3_model import S3
from tests.simulation.sqs_model import SQS, Queue

from ..consumer import Clock, Context, RecordedMetrics
from ..sqs_events import NOW, record, text


class Account:
    """A branch's functions over AWS in memory; counts their requests."""

    def __init__(self, **deployed: Any) -> None:
        self.clock = Clock()
        self.deployed = Deployed(**deployed)
        self.dynamodb, self.s3 = DynamoDB(tables(), self.clock), S3([BUCKET])
        urls = [COMPLETIONS, *(f"https://sqs.invalid/{name}" for name in self.deployed.branches)]
        self.queues = {url: Queue(url, 30) for one in urls for url in (one, f"{one}-dead")}
        self.sqs = SQS(list(self.queues.values()), self.clock, random.Random(1))
        self.calls: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()
        self.lines: list[str] = []

    def consume(self, branch: str, record: dict[str, Any], result: Any = "done") -> list[str]:
        effects = self.deployed.branches[branch]
        edge = self.deployed.branch(branch, lambda *_: Effects(result=result) if effects else result, self.outside())
        answer = handler.process({"Records": [record]}, Context(self.clock), edge)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def outside(self) -> Outside:
        services = {"dynamodb": self.dynamodb, "sqs": self.sqs, "s3": self.s3}
        log = Lines(self.lines)
        return Outside(
            *(Counting(Direct(services, name), self.calls) for name in services),
            clock=self.clock,
            sleep=self.clock.sleep,
            random=random.Random(2),
            log=log,
            metrics=RecordedMetrics(),
            count=lambda metric, value, **_: self.counted.update({metric: value}),
        )

    def head(self, key: str) -> dict[str, Any]:
        return self.dynamodb.tables[HEADS].items[(f"{NAMESPACE}#{key}",)]

    def announced(self) -> list[dict[str, str]]:
        return [json.loads(message.body) for message in self.queues[COMPLETIONS].messages]

    def dead(self, branch: str) -> list[dict[str, Any]]:
        messages = self.queues[f"https://sqs.invalid/{branch}-dead"].messages
        return [json.loads(message.attributes["dead-letter"]["StringValue"]) for message in messages]


class Counting:
    def __init__(self, client: Any, calls: Counter[str]) -> None:
        self._client = client
        self._calls = calls

    def __getattr__(self, method: str) -> Any:
        self._calls[method] += 1
        return getattr(self._client, method)


class Lines:
    log_level = 20

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def append_keys(self, **_: Any) -> None: ...

    def append_context_keys(self, **_: Any) -> Any:
        from contextlib import nullcontext

        return nullcontext()

    def info(self, said: str, *, extra: Any = None) -> None:
        self._lines.append(f"{said} {extra}")

    debug = warning = error = info


TWO = {"a": True, "lease": False}


def test_the_first_branch_costs_two_requests_more_and_the_next_ones_one() -> None:
    account = Account(branches={"a": True, "b": True, "c": True})
    asked = []
    for name in "abc":
        account.calls.clear()
        account.consume(name, record({"id": "k"}))
        asked.append(account.calls.total())
    # Each has one for its claim and effects. The last also announces the end, and notes that it did.
    assert asked == [1 + 2, 1 + 1, 1 + 1 + 2]
    assert account.announced() == [{"key": "k", "outcome": "complete"}]
    assert account.counted == {contract.METRIC_COMPLETED: 1}


def test_nothing_of_a_payload_is_logged() -> None:
    account = Account(branches=TWO, deadline=60)
    account.consume("a", record({"id": "k-secret", "card": "4111"}), result={"card": "4111"})
    account.consume("lease", record({"id": "k-secret", "card": "5555"}), result={"card": "5555"})
    assert account.counted == {contract.METRIC_CONFLICTING_RESULTS: 1}
    assert not any(word in line for line in account.lines for word in ("4111", "5555", "k-secret"))


@pytest.mark.parametrize("branch", TWO)
def test_a_message_without_a_key_is_a_dead_letter_in_each_branch(branch: str) -> None:
    account = Account(branches=TWO, key_path="")
    redrive = {"redrive": text(json.dumps({"idempotency_key": "its id", "correlation_id": "c"}))}
    for attributes in ({}, redrive):
        assert account.consume(branch, record({"id": "k"}, attributes=attributes)) == []
    assert [letter["error_type"] for letter in account.dead(branch)] == ["MalformedPayload"] * 2
    assert "idempotency_key" not in account.dead(branch)[0]
    assert account.dynamodb.tables[HEADS].items == {}
    account.consume(branch, record({"id": "k"}, attributes={"idempotency-key": text("k")}))
    assert account.head("k")[contract.DONE] == {"SS": [branch]}


@pytest.mark.parametrize("said", [None, "a", [], ["a", "a"], ["a", 1], [""], {"a": 1}, ["x" * 60_000, "y" * 60_000]])
def test_a_message_that_does_not_say_its_branches_is_a_dead_letter(said: Any) -> None:
    account = Account(branches=TWO, expected_path="order.branches")
    account.consume("a", record({"id": "k", "order": {"branches": said}}))
    (letter,) = account.dead("a")
    assert letter["error_type"] == "UnusableExpectation"
    assert letter["idempotency_key"] == "k"
    assert account.dynamodb.tables[HEADS].items == {}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
@settings(max_examples=60)
def test_whatever_is_said_of_branches_is_names_or_refused(said: Any) -> None:
    try:
        names = named({"to": said}, "to")
    except UnusableExpectation:
        return
    assert names == set(said)
    assert 1 <= len(said) <= contract.MAX_BRANCHES


def test_who_is_expected_is_decided_by_filters() -> None:
    account = Account(branches={"a": True})
    branch = account.deployed.branch("a", lambda *_: Effects(), account.outside())
    subscribers: Any = {
        "a": {"filter": {"kind": ["other"]}},
        "b": {"filter": {"kind": ["placed"]}},
        "c": {"filter": {"total": [{"numeric": [">", 5]}]}, "scope": "body"},
        "d": {"filter": {"kind": ["cancelled"]}},
        "e": {},
    }
    assert branch.branch is not None
    branch.branch.settings = branch.branch.settings._replace(subscribers=subscribers)  # type: ignore[attr-defined]
    type(branch.branch.filters).__init__(branch.branch.filters, branch.branch.settings)  # type: ignore[attr-defined,misc]
    said = record({"id": "k", "total": 7}, attributes={"kind": text("placed")})
    handler.process({"Records": [said]}, Context(account.clock), branch)
    assert set(account.head("k")[contract.EXPECTED]["SS"]) == {"a", "b", "c", "e"}


def test_large_results_go_to_the_bucket_and_come_back() -> None:
    account = Account(branches={"a": True, "lease": False})
    large = {"text": "ü" * 3_000}
    account.consume("a", record({"id": "k"}), result=large)
    account.consume("lease", record({"id": "k"}), result=[1])
    assert len(account.s3.objects[BUCKET]) == 1
    assert len(account.head("k")["result a"]["S"]) < 100
    seen: list[Completion] = []
    edge = account.deployed.completion(lambda completion, _: seen.append(completion), account.outside(), effects=False)
    handler.process({"Records": [record({"key": "k", "outcome": "complete"})]}, Context(account.clock), edge)
    assert seen == [Completion(key="k", results={"a": large, "lease": [1]}, message={"id": "k"})]
    assert "ü" not in repr(seen)
    account.s3.objects[BUCKET] = dict.fromkeys(account.s3.objects[BUCKET], b"{}")
    with pytest.raises(ResultGone):
        edge.open({"key": "k", "outcome": "complete"})  # type: ignore[misc]


@pytest.mark.parametrize(
    "body", [{}, {"key": "k"}, {"key": 1, "outcome": "complete"}, {"key": "k", "outcome": "open"}, [], "k"]
)
def test_what_is_no_announcement_is_refused(body: Any) -> None:
    account = Account(branches={"a": True})
    edge = account.deployed.completion(lambda *_: None, account.outside(), effects=False)
    with pytest.raises(MalformedPayload):
        edge.open(body)  # type: ignore[misc]


def test_an_end_that_was_none_is_refused() -> None:
    account = Account(branches=TWO)
    edge = account.deployed.completion(lambda *_: None, account.outside(), effects=False)
    for prepare in (lambda: None, lambda: account.consume("a", record({"id": "k"}))):
        prepare()
        for outcome in ("complete", "deadline"):
            with pytest.raises(NoSuchEnd):
                edge.open({"key": "k", "outcome": outcome})  # type: ignore[misc]


@pytest.mark.parametrize("number", [2, 16, 100, 1_000])
def test_a_head_has_room_for_all_branches(number: int) -> None:
    """With the longest names, the largest results that stay in it, and each branch late besides."""
    width = contract.MAX_NAMES_BYTES // number
    names = {f"{at:04}".ljust(width, "n") for at in range(number)}
    most = min(contract.INLINE_RESULT_BYTES, contract.INLINE_BYTES // number)
    pointer = len(json.dumps({"s3": "0" * 64}))
    head = Head(
        "k" * 1_024, "0" * 64, frozenset(names), dict.fromkeys(names, "v" * max(most, pointer)), 2**31, "c" * 64
    )
    item = head.item(f"{'n' * 100}#{head.key}") | {contract.LATE: serialize({"late" * 100})}
    assert bytes_of_item(item) < 409_600


def test_an_expired_head_is_none_whether_or_not_it_was_deleted() -> None:
    account = Account(branches={"a": True}, retention=100)
    account.consume("a", record({"id": "k"}))
    first = account.head("k")
    assert first[contract.TIME_TO_LIVE]["N"] == str(NOW + 100)
    account.clock.now += 200
    account.dynamodb.tables["claims"].items.clear()
    account.consume("a", record({"id": "k", "again": True}, sent_at=account.clock.now))
    assert account.head("k")[contract.PAYLOAD] != first[contract.PAYLOAD]


def test_an_open_head_never_expires() -> None:
    account = Account(branches=TWO)
    account.consume("a", record({"id": "k"}))
    assert contract.TIME_TO_LIVE not in account.head("k")
    assert contract.SHARD in account.head("k")


@pytest.mark.parametrize("result", [float("nan"), object(), "\ud800", {1: {2}}])
@pytest.mark.parametrize("branch", TWO)
def test_a_result_without_json_is_a_dead_letter_and_missing(branch: str, result: Any) -> None:
    account = Account(branches=TWO)
    account.consume(branch, record({"id": "k"}), result=result)
    assert account.dead(branch)[0]["error_type"] == "UnusableResult"
    assert contract.DONE not in account.head("k")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")), st.lists))
@settings(max_examples=60)
def test_a_result_comes_back_as_it_was(result: Any) -> None:
    s3 = S3([BUCKET])
    results = Results(lambda: Direct({"s3": s3}, "s3"), BUCKET, NAMESPACE)
    for most in (10, 4_096):
        kept = results.keep("k", "a", result, most)
        assert results.load("k", "a", kept) == result
        assert len(kept.encode()) <= max(most, 74)


def test_the_environment_of_a_branch_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "FAN_IN_BRANCH": "a",
        "FAN_IN_SUBSCRIBERS": packed({"a": {}, "b": {"filter": {"kind": ["x"]}}}),
        "FAN_IN_EXPECTED": "",
        "FAN_IN_DEADLINE_SECONDS": "600",
        "FAN_IN_RETENTION_SECONDS": "1000",
        "FAN_IN_COMPLETIONS_QUEUE_URL": COMPLETIONS,
    }
    assert set(variables) == set(contract.BranchEnv._fields)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    read = BranchSettings.from_environment()
    assert read == ("a", {"a": {}, "b": {"filter": {"kind": ["x"]}}}, "", 600, 1000, COMPLETIONS)
    assert (read.most_branches, read.inline_bytes) == (2, 4_096)
    assert read._replace(expected_path="to").inline_bytes == 65
