import copy
import dataclasses
from typing import Any

import pytest

from serverless_patterns_runtime import Attr
from serverless_patterns_runtime.conditions import (
    AllOf,
    AnyOf,
    BeginsWith,
    Between,
    Comparison,
    Condition,
    Contains,
    Exists,
    IsIn,
    Not,
    NotExists,
    Path,
    Size,
)

A, B = Attr("a") == 1, Attr("b") == 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (Attr("a") == 1, Comparison(Path("a"), "=", 1)),
        (Attr("a") != 1, Comparison(Path("a"), "<>", 1)),
        (Attr("a") < 1, Comparison(Path("a"), "<", 1)),
        (Attr("a") <= 1, Comparison(Path("a"), "<=", 1)),
        (Attr("a") > 1, Comparison(Path("a"), ">", 1)),
        (Attr("a") >= 1, Comparison(Path("a"), ">=", 1)),
        (1 == Attr("a"), Comparison(Path("a"), "=", 1)),  # noqa: SIM300
        (1 <= Attr("a"), Comparison(Path("a"), ">=", 1)),  # noqa: SIM300
        (1 > Attr("a"), Comparison(Path("a"), "<", 1)),  # noqa: SIM300
        (Attr("a") == Attr("b"), Comparison(Path("a"), "=", Path("b"))),
        (Attr("a") == None, Comparison(Path("a"), "=", None)),  # noqa: E711
        (Attr("a").size() > Attr("b").size(), Comparison(Size(Path("a")), ">", Size(Path("b")))),
        (Attr("a.b").exists(), Exists(Path("a.b"))),
        (Attr("a").not_exists(), NotExists(Path("a"))),
        (Attr("a").begins_with("x"), BeginsWith(Path("a"), "x")),
        (Attr("a").contains("x"), Contains(Path("a"), "x")),
        (Attr("a").between(1, Attr("b")), Between(Path("a"), 1, Path("b"))),
        (Attr("a").size().between(1, 2), Between(Size(Path("a")), 1, 2)),
        (Attr("a").is_in([1, Attr("b")]), IsIn(Path("a"), (1, Path("b")))),
        (A & B, AllOf((A, B))),
        (A | B, AnyOf((A, B))),
        (~A, Not(A)),
        (A & ~B | A, AnyOf((AllOf((A, Not(B))), A))),
    ],
)
def test_an_expression_is_the_condition_that_it_reads_as(written: Any, meant: Condition):
    assert written == meant
    assert repr(written) == repr(meant)


def test_equal_conditions_are_equal_and_others_are_not():
    def make(name: str, value: int) -> Condition:
        return (Attr(name) >= value) & ~Attr("b").exists()

    assert make("a", 3) == make("a", 3)
    assert hash(make("a", 3)) == hash(make("a", 3))
    assert make("a", 3) != make("a", 4)
    assert make("a", 3) != make("b", 3)
    assert (A & B) != (A | B)
    assert Attr("a").exists() != Attr("a").not_exists()
    assert copy.deepcopy(make("a", 3)) == make("a", 3)


def test_a_condition_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        A.right = 2  # type: ignore[attr-defined]


NO_TRUTH = r"^a condition has no truth value here: combine conditions with & \| ~, not with and, or, not$"


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: A and B,
        lambda: A or B,
        lambda: not A,
        lambda: bool(Attr("a").exists()),
        lambda: 0 < Attr("a") < 5,
        lambda: [value for value in (1, 2) if Attr("a") == value],
        lambda: Attr("a") in [Attr("b")],
        lambda: Attr("a") == 1 if A else None,
    ],
)
def test_a_condition_used_as_a_truth_value_is_an_error(mistake: Any):
    with pytest.raises(TypeError, match=NO_TRUTH):
        mistake()


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: A & True,
        lambda: A | None,
        lambda: True & A,
        lambda: A & Attr("b"),
        lambda: Attr("a") & B,
        lambda: (Attr("a") == 1) & "b",
    ],
)
def test_a_condition_combines_with_conditions_only_and_says_so_at_once(mistake: Any):
    with pytest.raises(TypeError, match=r"unsupported operand type"):
        mistake()


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b"])
def test_an_attribute_needs_a_name(name: str):
    with pytest.raises(ValueError, match="an attribute needs a name") as raised:
        Attr(name)
    assert str(raised.value) == f"an attribute needs a name such as 'status' or 'address.city', got {name!r}"


@pytest.mark.parametrize("count", [0, 101])
def test_is_in_takes_as_many_options_as_dynamodb(count: int):
    with pytest.raises(ValueError, match="is_in") as raised:
        Attr("a").is_in(range(count))
    assert str(raised.value) == f"is_in takes 1 to 100 options (DynamoDB's limit), got {count}"
    Attr("a").is_in(range(1))
    Attr("a").is_in(range(100))


def test_is_in_does_not_take_text_for_its_letters():
    with pytest.raises(ValueError, match="is_in") as raised:
        Attr("status").is_in("OPEN")
    assert str(raised.value) == "is_in takes a list of options, got the text 'OPEN': write ['OPEN']"


def test_attributes_cannot_be_members_of_sets():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Attr("a"))
