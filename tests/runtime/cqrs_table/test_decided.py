"""What a unit test of a CqrsTable's functions is given: the checks of deployed ones, without AWS."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime import Command, Decision, Invocation, PermanentError
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.cqrs_views.sink import Unstorable
from serverless_patterns_runtime.cqrs_views.views import UnusableRows
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.testing import contributed, decided, projected

PLACE = Command.fake("place", {"price": 4.1, "lines": [{"of": "tea"}]}, key="o-1", at=1_700_000_000_001)


def decide(state: dict[str, Any] | None, command: Command) -> Decision:
    if state is not None:
        raise PermanentError(f"{state['order_id']} is there")
    return Decision({"price": command.body["price"], "count": Decimal(3)}, result={"at": (command.at, 4.1)})


def test_a_decision_is_as_everybody_reads_it() -> None:
    decision = decided(decide, None, PLACE, key="order_id")
    assert decision.state == {"order_id": "o-1", "price": Decimal("4.1"), "count": 3}
    assert type(decision.state["count"]) is int
    assert decision.result == {"at": [1_700_000_000_001, 4.1]}


def test_a_state_is_given_as_it_is_read_and_a_deleted_one_is_none() -> None:
    given: list[Any] = []

    def withdraw(state: dict[str, Any], command: Command, invocation: Invocation) -> Decision:
        given.extend((state, command.body, invocation.remaining() > 0))
        state.clear()
        return Decision(None)

    before = {"count": Decimal(3), "order_id": "o-1"}
    assert decided(withdraw, before, Command.fake("withdraw", key="o-1"), key="order_id") == Decision(None)
    assert given[1:] == [None, True]
    assert before == {"count": 3, "order_id": "o-1"}


def test_what_decide_refuses_has_the_status_of_a_caller() -> None:
    with pytest.raises(PermanentError, match="o-1 is there") as refused:
        decided(decide, {}, PLACE, key="order_id")
    assert refused.value.status == 409


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "nothing": (lambda: None, UnusableResult, "returned a value of type NoneType: return Decision"),
    "another key": (lambda: Decision({"order_id": "o-2"}), UnusableResult, "another order_id: an aggregate keeps"),
    "a name of ours": (lambda: Decision({"_aggregate": 1}), UnusableResult, "that name is not yours"),
    "no type": (lambda: Decision({"a": object()}), UncommittableEffects, "no type"),
    "too deep": (lambda: Decision({"a": _deep(40)}), UncommittableEffects, "at most 32 levels"),
    "too large": (lambda: Decision({"a": "x" * 410_000}), PermanentError, "an aggregate holds at most"),
    "no JSON": (lambda: Decision({}, result={1, "a"}), UnusableResult, "has no JSON"),
    "a large result": (lambda: Decision({}, result="x" * 270_000), UnusableResult, "at most 256 KB"),
}


@pytest.mark.parametrize(("made", "error", "text"), WRONG.values(), ids=WRONG)
def test_what_no_deployed_decide_may_return_fails(made: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        decided(lambda state, command: made(), None, PLACE, key="order_id")  # noqa: ARG005


def test_the_state_of_another_aggregate_is_a_mistake_of_the_test() -> None:
    with pytest.raises(ValueError, match="the state's order_id is not the command's key"):
        decided(decide, {"order_id": "o-2"}, PLACE, key="order_id")


def _deep(levels: int) -> Any:
    return {"a": _deep(levels - 1)} if levels else 1


def rows_of(made: Any, **arguments: Any) -> list[dict[str, Any]]:
    return projected(lambda state: made, {"a": 1}, **{"partition_key": "p", "sort_key": "s", **arguments})  # noqa: ARG005


def test_rows_are_as_a_query_shows_them() -> None:
    rows = [{"p": "ada", "s": "2", "n": 1.5}, {"p": 7, "s": "1", "n": Decimal(2)}]
    assert rows_of(rows) == [{"p": "ada", "s": "2", "n": Decimal("1.5")}, {"p": 7, "s": "1", "n": 2}]
    assert rows_of([{"p": "ada", "s": 2}], sort_key_type="NUMBER") == [{"p": "ada", "s": 2}]
    assert rows_of([{"p": "ada"}], sort_key=None) == [{"p": "ada"}]


@pytest.mark.parametrize(
    ("made", "error", "text"),
    [
        ({"p": "ada"}, UnusableRows, "returns a list, got dict"),
        ([{"p": "ada"}], UnusableRows, "a row has no 's', which is a key of the view"),
        ([{"p": "ada", "s": 5}], UnusableRows, "'s' is text, as the view's sort_key_type says, got a number"),
        ([{"p": "ada", "s": "1", "_row": 1}], UnusableRows, "they are the view's own"),
        ([{"p": "ada", "s": "1"}, {"p": "ada", "s": "1"}], UnusableRows, "two rows of one aggregate"),
        ([{"p": "ada", "s": "1", "t": "x" * 410_000}], Unstorable, "a row"),
        ([{"p": "ada", "s": "1", "source": "x" * 410_000}], Unstorable, "a row"),
        ([{"p": "ada", "s": "1", "version": _deep(40)}], Unstorable, "levels"),
        ([{"p": "ada", "s": "1", "t": object()}], Unstorable, "no type"),
    ],
)
def test_rows_that_would_be_parked_fail(made: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        rows_of(made)


def test_amounts_are_without_zeros_and_what_would_be_parked_fails() -> None:
    state = {"lines": [{"of": "tea", "count": Decimal(2)}]}
    assert contributed(lambda it: {it["lines"][0]["of"]: {"sold": it["lines"][0]["count"], "free": 0}}, state) == {
        "tea": {"sold": 2}
    }
    with pytest.raises(UnusableRows, match="an amount is an int or a Decimal, got float"):
        contributed(lambda _: {"tea": {"sold": 1.5}}, state)
    with pytest.raises(UncommittableEffects, match="digits"):
        contributed(lambda _: {"tea": {"sold": 10**40 + 1}}, state)
    with pytest.raises(UncommittableEffects, match="a contribution"):
        contributed(lambda _: {"tea": {"x" * 410_000: 1}}, state)
