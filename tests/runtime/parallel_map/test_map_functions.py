"""The functions of a map, one by one: what is kept, told, refused, logged; hostile items, inputs and objects."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import FailedItem, Gathered
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.parallel_map import contract, gather_handler
from serverless_patterns_runtime.parallel_map.failures import fail, reason_of
from serverless_patterns_runtime.parallel_map.items import Items, Unreadable, payload_of
from tests.runtime.parallel_map.pages import NAME, Context, Pages, name_of_error, refuse, some_pages
from tests.simulation.aws_errors import ServiceError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MORE = "more items failed than are tolerated: see the dead letters"
TOLD = {"outcome": "succeeded", "items": 2, "processed": 2, "failed": 0}


def items(path: str = "$.pages", key: str = "$.id", format: str = "input", **more: Any) -> Items:
    return Items(path, key, format, "bucket", 10, **more)


# Items and their keys.


@settings(max_examples=200)
@given(value=JSON)
def test_an_item_of_any_kind_has_a_key_that_can_be_one_or_none(value: Any) -> None:
    key = items().item(NAME, 3, value).key
    assert key is None or 0 < len(key) <= contract.KEY_CHARACTERS
    assert items(key="").item(NAME, 3, value).key == "3"


@pytest.mark.parametrize(
    ("id", "key"),
    [
        ("p1", "p1"),
        (7, "7"),
        ("", None),
        (None, None),
        (True, None),
        (1.5, None),
        ([], None),
        ("x" * 513, None),
        ("\ud800", None),
        ("#5", None),
        ("#", "#"),
        ("#5a", "#5a"),
        ("##5", "##5"),
    ],
)
def test_keys(id: Any, key: str | None) -> None:
    assert items().item(NAME, 0, {"id": id}).key == key


def test_an_item_without_a_key_is_refused_for_ever() -> None:
    with pytest.raises(MalformedPayload, match="no key"):
        items().item(NAME, 0, {"id": None}).claim("Pages")


@settings(max_examples=100)
@given(value=JSON)
def test_a_payload_is_the_same_after_any_number_of_parsers(value: Any) -> None:
    assert payload_of(json.loads(json.dumps(value))) == payload_of(value)


def test_a_hundred_is_a_hundred_however_it_is_written() -> None:
    assert payload_of({"n": 100}) == payload_of({"n": 100.0}) == payload_of({"n": 1e2})


@settings(max_examples=100)
@given(value=JSON)
def test_an_input_of_any_kind_has_items_or_is_unreadable(value: Any) -> None:
    try:
        found = items().all(NAME, value)
    except Unreadable:
        return
    assert [item.value for item in found] == value["pages"]


@pytest.mark.parametrize(
    ("text", "format", "values"),
    [
        (b'[{"id": 1}]', "json", [{"id": 1}]),
        (b'\xef\xbb\xbf[{"id": 1}]', "json", [{"id": 1}]),
        (b'{"id": 1}\n\n{"id": 2}\n', "jsonl", [{"id": 1}, {"id": 2}]),
        ('{"id": "a\u2028b"}'.encode(), "jsonl", [{"id": "a\u2028b"}]),
        (b"[]", "json", []),
        (b"", "jsonl", []),
        (b'{"id": 1}', "json", None),
        (b"[1,", "json", None),
        (b"{\n}", "jsonl", None),
        (b"\xff\xfe", "json", None),
        (b"[" * 100_000, "json", None),
        (None, "json", None),
    ],
)
def test_objects(text: bytes | None, format: str, values: Any) -> None:
    pages = Pages({"manifest": "k"}, text=text, format=format)
    found = pages.gathering.edge.items
    if values is None:
        with pytest.raises(Unreadable):
            found.all(NAME, {"manifest": "k"})
    else:
        assert [item.value for item in found.all(NAME, {"manifest": "k"})] == values


@pytest.mark.parametrize("key", [None, "", 7, [], {}])
def test_an_input_that_names_no_object_is_unreadable(key: Any) -> None:
    with pytest.raises(Unreadable):
        Pages({}, text=b"[]", format="json").gathering.edge.items.all(NAME, {"manifest": key})


# The function behind the items.


def test_a_result_is_kept_and_nothing_of_it_leaves() -> None:
    pages = Pages({"pages": some_pages(1)})
    assert pages.process(0, {"id": "p0", "says": "hello"}) == {}
    assert pages.process(0, {"id": "p0", "says": "hello"}) == {"replayed": True}
    assert pages.effects == {"Pages#document-7#p0": 1}


def test_another_item_under_the_same_key_is_refused() -> None:
    pages = Pages({})
    pages.process(0, {"id": "p0"})
    with pytest.raises(Exception, match="used before") as refused:
        pages.process(1, {"id": "p0", "says": 2})
    assert type(refused.value).__name__ == "PermanentError"


def test_a_result_that_is_too_large_is_refused_before_anything_is_committed() -> None:
    pages = Pages({})
    with pytest.raises(Exception, match="at most 32,768 bytes") as refused:
        pages.process(0, {"id": "p0", "says": "x" * 40_000})
    assert (type(refused.value).__name__, pages.effects) == ("PermanentError", {})


@pytest.mark.parametrize(
    "event", [None, [], {}, {"execution": "", "index": 0, "item": 1}, {"execution": "e", "index": "0"}]
)
def test_what_is_no_event_of_a_map_is_refused(event: Any) -> None:
    from serverless_patterns_runtime.parallel_map import completion_handler, handler

    pages = Pages({})
    for process, works in ((handler.process, pages.works), (completion_handler.process, pages.ends)):
        with pytest.raises(Exception, match="no event") as refused:
            process(event, Context(), works)  # type: ignore[arg-type]
        assert type(refused.value).__name__ == "PermanentError"
    with pytest.raises(Exception, match="no event"):
        gather_handler.process(event, Context(), pages.gathering)


def test_a_late_attempt_is_refused_and_counted() -> None:
    pages = Pages({"pages": some_pages(1)})
    pages.bury(0, {"id": "p0"}, {"Error": "States.Timeout", "Cause": ""})
    with pytest.raises(Exception, match="too late"):
        pages.process(0, {"id": "p0"})
    assert pages.lines[-1]["outcome"] == "LateResults"
    assert pages.effects == {}


def test_the_reason_of_an_ordinary_error_is_its_type_and_the_function_s_own_line() -> None:
    def looks_up(page: Any, _invocation: Any) -> Any:
        return json.loads(page["says"])

    pages = Pages({"pages": [{"id": "a"}, {"id": "b", "says": "{"}]}, looks_up)
    for index, item in enumerate(pages.given["pages"]):
        with pytest.raises(Exception, match="the last time with") as raised:
            pages.process(index, item)
        cause = json.dumps({"errorMessage": str(raised.value), "errorType": type(raised.value).__name__})
        pages.bury(index, item, {"Error": type(raised.value).__name__, "Cause": cause})
    line = looks_up.__code__.co_firstlineno + 1
    assert [(why["error_type"], why["reason"]) for _, why in pages.letters] == [
        (name, f"failed, the last time with {name} at test_map_functions.py:{line} looks_up")
        for name in ("KeyError", "JSONDecodeError")
    ]


def test_logs_hold_nothing_of_an_item() -> None:
    def fails(page: Any, _invocation: Any) -> Any:
        raise RuntimeError(f"about {page}")

    pages = Pages({"pages": [{"id": "secret"}]}, fails)
    with pytest.raises(Exception, match="fails"):
        pages.process(0, {"id": "secret"})
    pages.bury(0, {"id": "secret"}, {"Error": "RuntimeError", "Cause": ""})
    pages.complete(pages.gather())
    assert "secret" not in json.dumps(pages.lines)


# Burying and gathering.


def test_a_dead_letter_is_the_item_unchanged_with_its_reason() -> None:
    item = {"id": "ä", "n": 1.50, "deep": [None, {"x": "\u0000"}]}
    pages = Pages({"pages": [item]}, refuse)
    cause = json.dumps({"errorMessage": "PermanentError: an empty page", "errorType": "PermanentError"})
    pages.bury(0, item, {"Error": "PermanentError", "Cause": cause})
    told = {"receive_count": 1, "correlation_id": NAME, "idempotency_key": "ä"}
    assert pages.letters == [(item, {"reason": "an empty page", "error_type": "PermanentError", **told})]
    pages.bury(0, item, {"Error": "PermanentError", "Cause": cause})
    assert len(pages.letters) == 1


@pytest.mark.parametrize(
    ("words", "attempts"), [(" (attempt 3)", 3), ("", 4), (" (attempt three)", 4), (" (attempt 3) or so", 4)]
)
def test_a_dead_letter_says_how_many_attempts_there_were(words: str, attempts: int) -> None:
    """An error says which it ended, in words that are not the reason's; of one that died, it is what `retry` allows."""
    pages = Pages({"pages": some_pages(1)})
    cause = json.dumps({"errorMessage": f"failed{words}", "errorType": "KeyError"})
    pages.bury(0, {"id": "p0"}, {"Error": "KeyError", "Cause": cause}, attempts=4)
    ((_, why),) = pages.letters
    reason = f"failed{words}" if attempts == 4 else "failed"
    assert (why["receive_count"], why["reason"]) == (attempts, reason)


@pytest.mark.parametrize(("retries", "attempt"), [({"retries": 2}, 3), ({}, 1)])
def test_an_item_s_error_says_which_attempt_it_ended(retries: dict[str, int], attempt: int) -> None:
    pages = Pages({"pages": some_pages(1)}, refuse)
    with pytest.raises(Exception, match=rf"^PermanentError: an empty page \(attempt {attempt}\)$"):
        pages.process(0, {"id": "p0"}, **retries)


def test_an_item_that_was_processed_after_all_is_not_buried() -> None:
    pages = Pages({"pages": some_pages(1)})
    pages.process(0, {"id": "p0"})
    pages.bury(0, {"id": "p0"}, {"Error": "States.Timeout", "Cause": ""})
    assert pages.letters == []
    assert pages.gather()["processed"] == 1


def test_an_item_without_a_key_is_a_dead_letter_by_its_position() -> None:
    pages = Pages({"pages": [{"id": None}]})
    with pytest.raises(Exception, match="no key"):
        pages.process(0, {"id": None})
    assert pages.gather() == {"outcome": "failed", "items": 1, "processed": 0, "failed": 1, "reason": MORE}
    assert pages.letters[0][1]["idempotency_key"] == "#0"


def test_an_item_without_a_key_is_not_known_by_the_key_of_another() -> None:
    values = [{"id": "a"}, {"n": 3}, {"id": "1"}, {"id": 1}, {"id": "#1"}]
    pages = Pages({"pages": values})
    pages.process(0, values[0])
    pages.process(2, values[2])
    gathered = pages.complete(pages.gather())
    assert [*gathered.results] == ["a", "1"]
    assert [(item.index, item.key) for item in gathered.failed] == [(1, "#1"), (3, "1"), (4, "#4")]
    assert [why["idempotency_key"] for _, why in pages.letters] == ["#1", "1", "#4"]


def test_an_item_that_is_no_text_keeps_nobody_else_from_an_end() -> None:
    pages = Pages({"manifest": "k"}, text=b'{"id": "a", "says": "\\ud800"}\n{"id": "b"}\n', format="jsonl")
    pages.process(1, {"id": "b"})
    told = pages.gather()
    assert told == {"outcome": "failed", "items": 2, "processed": 1, "failed": 1, "reason": MORE}
    assert [item for item, _ in pages.letters] == [{"id": "a", "says": "\ud800"}]
    gathered = pages.complete(told)
    assert ([*gathered.results], [item.index for item in gathered.failed]) == (["b"], [0])


@pytest.mark.parametrize(("length", "fits"), [(1_046_000, True), (1_048_576, False), (3_000_000, False)])
def test_an_item_that_no_queue_takes_is_a_dead_letter_that_says_where_it_is(length: int, fits: bool) -> None:
    items = [{"id": "a", "says": "x" * length}, {"id": "b"}]
    pages = Pages({"manifest": "k"}, text=json.dumps(items).encode(), format="json")
    told = pages.gather()
    assert told == {"outcome": "failed", "items": 2, "processed": 0, "failed": 2, "reason": MORE}
    size = len(json.dumps(items[0], separators=(",", ":")))
    assert pages.letters[0][0] == (items[0] if fits else {"too-large": {"index": 0, "bytes": size}})
    assert pages.letters[0][1]["idempotency_key"] == "a"
    assert pages.letters[1][0] == items[1]
    assert [item.item for item in pages.complete(told).failed] == items


def test_two_items_with_one_key_alike_are_done_once_and_both_count() -> None:
    same = [{"id": "p0"}, {"id": "p0"}]
    pages = Pages({"pages": same})
    for index, item in enumerate(same):
        pages.process(index, item)
    assert pages.gather() == TOLD
    assert pages.effects == {"Pages#document-7#p0": 1}


def test_two_items_with_one_key_that_differ_are_one_result_and_one_dead_letter() -> None:
    pages = Pages({"pages": [{"id": "p0"}, {"id": "p0", "says": 2}]})
    pages.process(0, {"id": "p0"})
    assert pages.gather() == {"outcome": "failed", "items": 2, "processed": 1, "failed": 1, "reason": MORE}
    assert [item for item, _ in pages.letters] == [{"id": "p0", "says": 2}]


@pytest.mark.parametrize(
    ("tolerated", "failed", "outcome"),
    [(0, 0, "succeeded"), (0, 1, "failed"), (25, 1, "succeeded"), (24.9, 1, "failed"), (100, 4, "succeeded")],
)
def test_the_outcome_is_decided_by_the_share_that_failed(tolerated: float, failed: int, outcome: str) -> None:
    pages = Pages({"pages": some_pages(4)}, tolerated=tolerated)
    for index in range(failed, 4):
        pages.process(index, {"id": f"p{index}"})
    why = {"reason": MORE} if outcome == "failed" else {}
    assert pages.gather() == {"outcome": outcome, "items": 4, "processed": 4 - failed, "failed": failed} | why


def test_the_first_outcome_counts_whoever_asks_again() -> None:
    pages = Pages({"pages": some_pages(2)})
    first = pages.gather("ABORTED")
    assert first["outcome"] == "aborted"
    assert pages.gather("RUNNING") == pages.gather("TIMED_OUT") == first


def test_reasons_of_items_that_nobody_began() -> None:
    reasons = {}
    for status, more in (
        ("ABORTED", {}),
        ("RUNNING", {"error": {"Error": "States.DataLimitExceeded", "Cause": "too much"}}),
    ):
        pages = Pages({"pages": some_pages(1)})
        pages.gather(status, **more)
        reasons[status, str(more)] = pages.letters[0][1]["reason"]
    said = " ".join(reasons.values())
    assert "ended as ABORTED" in said
    assert "ended with States.DataLimitExceeded: too much" in said


@pytest.mark.parametrize("status", ["RUNNING", "ABORTED", "FAILED"])
def test_all_items_of_a_list_that_is_too_long_have_one_reason(status: str) -> None:
    pages = Pages({"pages": some_pages(45)}, most=40)
    gathered = pages.complete(pages.gather(status, error={"Error": contract.ITEMS_REFUSED, "Cause": ""}))
    refused = "the map takes at most 40 items, and there are more: it did not begin"
    assert {why["reason"] for _, why in pages.letters} == {item.reason for item in gathered.failed} == {refused}
    assert (len(pages.letters), gathered.reason) == (45, refused)


def test_all_items_beyond_the_most_of_an_object_have_one_reason() -> None:
    text = b"".join(b'{"id": %d}\n' % at for at in range(45))
    pages = Pages({"manifest": "k"}, text=text, format="jsonl", most=40)
    for index in range(40):
        pages.process(index, {"id": index})
    gathered = pages.complete(pages.gather())
    assert {why["reason"] for _, why in pages.letters} == {
        "the map takes at most 40 items, and this is one beyond them"
    }
    assert (len(gathered.failed), gathered.reason) == (5, MORE)


@pytest.mark.parametrize(
    ("given_", "text", "reason"),
    [
        ({}, None, "there is no list at $.pages of the input"),
        ({"manifest": 7}, b"[]", "there is no key of an object at $.manifest of the input"),
        (
            {"manifest": "none"},
            b"",
            "the object, whose key is at $.manifest of the input, is not in the bucket, or its key does not begin with"
            " the prefix of S3Items",
        ),
        ({"manifest": "k"}, b"{}", "the object, whose key is at $.manifest of the input, holds no list"),
        ({"manifest": "k"}, b"[1", "the object, whose key is at $.manifest of the input, is no json"),
    ],
)
def test_where_there_is_no_list_the_end_says_so(given_: Any, text: bytes | None, reason: str) -> None:
    none = given_.get("manifest") == "none"
    pages = Pages(given_, text=None if none else text, format="input" if text is None else "json")
    told = pages.gather()
    assert told == {"outcome": "failed", "items": 0, "processed": 0, "failed": 0, "reason": reason}
    assert pages.gather("FAILED") == told
    assert (pages.complete(told).reason, pages.letters) == (reason, [])


@pytest.mark.parametrize("refusal", ["NoSuchKey", "AccessDenied"])
def test_an_object_that_is_not_there_may_be_said_to_be_forbidden(refusal: str) -> None:
    """Without leave to list a bucket, nobody is told what is not in it."""
    pages = Pages({"manifest": "none"}, format="json", refusal=refusal)
    assert "is not in the bucket" in pages.gather()["reason"]


def test_an_object_that_s3_does_not_give_now_is_asked_for_again() -> None:
    pages = Pages({"manifest": "k"}, format="json", refusal="SlowDown")
    with pytest.raises(Exception, match="the last time with ClientError"):
        pages.gather()


@pytest.mark.parametrize(("given_", "why"), [({}, "no list at"), ({"pages": some_pages(1)}, "ended as ABORTED")])
def test_an_execution_that_died_says_so_unless_it_had_no_list(given_: Any, why: str) -> None:
    pages = Pages(given_)
    gathered = pages.complete(pages.gather("ABORTED"))
    assert (gathered.outcome, why in gathered.reason) == ("aborted", True)


def test_gathering_goes_on_where_it_was_when_its_time_was_over() -> None:
    pages, rounds = Pages({"pages": some_pages(120)}), 0

    def begun() -> str:
        budget = iter(range(40, -1, -1))
        return name_of_error(lambda: pages.gather(seconds=lambda: float(next(budget))))

    while name := begun():
        assert name == contract.STILL_GATHERING
        rounds += 1
    told = pages.gather()
    assert (told["failed"], len(pages.letters)) == (120, 120)
    assert rounds > 2


@pytest.mark.parametrize("operation", ["BatchGetItem", "UpdateItem", "PutItem"])
def test_what_dynamodb_does_not_take_now_is_asked_again(operation: str) -> None:
    pages = Pages({"pages": some_pages(2)})
    pages.dynamodb.refuse = lambda asked: ServiceError("ThrottlingException") if asked == operation else None
    assert name_of_error(pages.gather) == "Contended"
    pages.dynamodb.refuse = lambda _: None
    assert pages.gather()["failed"] == 2


def test_a_table_that_never_tells_of_all_items_is_asked_again() -> None:
    pages = Pages({"pages": some_pages(2)})
    pages.model.batch_get_item = lambda RequestItems: {"Responses": {}, "UnprocessedKeys": RequestItems}  # type: ignore[method-assign]
    assert name_of_error(pages.gather) == Contended.__name__


# The end.


def test_the_end_is_told_once_with_results_failures_and_input() -> None:
    given_ = {"document": "d1", "pages": some_pages(3)}
    pages = Pages(given_)
    pages.process(0, {"id": "p0"})
    pages.process(2, {"id": "p2"})
    told = pages.gather()
    gathered = pages.complete(told)
    failed = FailedItem(
        index=1, key="p1", item={"id": "p1"}, reason="no attempt at the item came to an end", error_type="NotProcessed"
    )
    assert gathered == Gathered(
        key=NAME,
        outcome="failed",
        reason=MORE,
        items=3,
        processed=2,
        results={"p0": 1, "p2": 1},
        failed=[failed],
        input=given_,
    )
    pages.complete(told)
    assert pages.effects["Pages#document-7"] == 1


def test_results_that_are_large_together_are_all_told() -> None:
    pages = Pages({"pages": [{"id": f"p{at}", "says": "x" * 30_000} for at in range(60)]})
    for index, item in enumerate(pages.given["pages"]):
        pages.process(index, item)
    gathered = pages.complete(pages.gather())
    assert sum(map(len, gathered.results.values())) == 60 * 30_000


def test_nothing_is_told_while_an_item_is_open() -> None:
    pages = Pages({"pages": some_pages(2)})
    assert name_of_error(lambda: pages.complete(TOLD)) == "Contended"
    assert pages.gathered == []


def test_a_gathered_and_a_failed_item_show_nothing_of_the_items() -> None:
    failed = FailedItem(index=1, key="secret", item={"secret": 1}, reason="secret", error_type="E")
    assert "secret" not in repr(Gathered.fake({"secret": "secret"}, failed=[failed], input="secret"))


# What Step Functions is told, and tells.


@settings(max_examples=100)
@given(name=st.text(), cause=st.text() | JSON.map(json.dumps))
def test_whatever_a_catch_has_written_there_is_a_reason(name: str, cause: str) -> None:
    kind, reason = reason_of({"Error": name, "Cause": cause})
    assert len(reason) <= contract.REASON_CHARACTERS
    assert reason or not (name and cause)
    assert kind == name or name == contract.PERMANENT_ERROR


def test_an_error_s_words_stay_inside() -> None:
    assert name_of_error(lambda: fail(ValueError("the card is 4711"))) == "ValueError"
    with pytest.raises(Exception, match=r"^failed, the last time with ValueError$"):
        fail(ValueError("the card is 4711"))


def test_a_reason_is_no_longer_than_it_may_be() -> None:
    with pytest.raises(Exception, match=r"^MalformedPayload: xx") as raised:
        fail(MalformedPayload("x" * 5_000), attempt=2)
    assert len(str(raised.value)) == contract.REASON_CHARACTERS + len(" (attempt 2)")
    _, reason = reason_of({"Error": "States.Runtime", "Cause": "x" * 5_000})
    assert len(reason) == contract.REASON_CHARACTERS


def test_an_error_that_a_module_keeps_keeps_no_item() -> None:
    kept = ValueError("again and again")

    def works_on(item: Any) -> None:
        assert item
        raise kept

    for number in range(2):
        try:
            works_on({"secret": number})
        except ValueError as error:
            with pytest.raises(Exception, match="ValueError"):
                fail(error)
        assert kept.__traceback__ is None
