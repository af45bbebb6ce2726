from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Attr, Check
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.condition_truth import holds
from serverless_patterns_runtime.conditions import Condition
from serverless_patterns_runtime.expressions import transaction_item

from ..simulation import dynamodb_model

ITEM: dict[str, Any] = {
    "zero": 0,
    "three": 3,
    "tenth": 0.1,
    "text": "straße",
    "empty": "",
    "digits": "10",
    "bytes": b"\x00\xff",
    "yes": True,
    "null": None,
    "list": [1, "a", 0.5],
    "letters": {"a", "b"},
    "numbers": {1, 2.5},
    "map": {"city": "Bern", "deep": {"x": None}},
}

a = Attr

TABLE: list[tuple[Condition, bool]] = [
    # Equality is of value and type
    (a("three") == 3, True),
    (a("three") == 3.0, True),
    (a("three") == Decimal("3.00"), True),
    (a("three") == "3", False),
    (a("tenth") == 0.1, True),
    (a("tenth") == Decimal("0.1"), True),
    (a("tenth") == Decimal("0.1000000000000000055511151231257827"), False),
    (a("yes") == True, True),  # noqa: E712
    (a("yes") == 1, False),
    (a("zero") == False, False),  # noqa: E712
    (a("zero") == -0.0, True),
    (a("null") == None, True),  # noqa: E711
    (a("text") == "straße", True),
    (a("text") == "STRASSE", False),
    (a("bytes") == b"\x00\xff", True),
    (a("bytes") == bytearray(b"\x00\xff"), True),
    (a("empty") == "", True),
    (a("list") == [1, "a", 0.5], True),
    (a("list") == (1, "a", Decimal("0.5")), True),
    (a("list") == [True, "a", 0.5], False),
    (a("list") == ["a", 1, 0.5], False),
    (a("list") == [1, "a"], False),
    (a("letters") == {"b", "a"}, True),
    (a("letters") == ["a", "b"], False),
    (a("letters") == {"a"}, False),
    (a("numbers") == {Decimal("1.0"), Decimal("2.5")}, True),
    (a("map") == {"deep": {"x": None}, "city": "Bern"}, True),
    (a("map") == {"city": "Bern"}, False),
    (a("map.deep") == {"x": False}, False),
    # Inequality is its opposite, also for what is missing
    (a("three") != 3, False),
    (a("three") != "3", True),
    (a("yes") != 1, True),
    (a("none") != 3, True),
    (a("none") != None, True),  # noqa: E711
    (a("none") != a("nothing"), True),
    (a("none") == a("nothing"), False),
    (~(a("none") == 3), True),
    # Order: numbers by value, text and bytes by their bytes, nothing else
    (a("three") > 2.9, True),
    (a("three") >= 3, True),
    (a("three") > 3, False),
    (a("three") <= Decimal("3.0000001"), True),
    (a("digits") < "9", True),
    (a("digits") < 9, False),
    (a("digits") > 9, False),
    (a("text") > "stras", True),
    (a("text") < "strasse", False),
    (a("text") < "z", True),
    (a("bytes") < b"\x01", True),
    (a("bytes") < b"\x00", False),
    (a("none") < 3, False),
    (a("none") >= 3, False),
    (~(a("none") < 3), True),
    (a("three") < a("none"), False),
    # Ranges and lists of options
    (a("three").between(3, 4), True),
    (a("three").between(1, 2), False),
    (a("three").between("1", "4"), False),
    (a("none").between(0, 9), False),
    (a("digits").between("1", "2"), True),
    (a("tenth").between(a("zero"), a("three")), True),
    (a("three").is_in([1, 3.0]), True),
    (a("three").is_in(["3"]), False),
    (a("three").is_in([a("zero"), a("three")]), True),
    (a("none").is_in([None]), False),
    (a("yes").is_in([1]), False),
    # Existence
    (a("null").exists(), True),
    (a("empty").exists(), True),
    (a("none").exists(), False),
    (a("none").not_exists(), True),
    (a("map.city").exists(), True),
    (a("map.deep.x").exists(), True),
    (a("map.deep.y").exists(), False),
    (a("map.city.x").exists(), False),
    (a("text.x").exists(), False),
    (a("list.0").exists(), False),
    # Text inside
    (a("text").begins_with("str"), True),
    (a("text").begins_with(""), True),
    (a("text").begins_with("Str"), False),
    (a("three").begins_with("3"), False),
    (a("none").begins_with(""), False),
    (a("list").begins_with("a"), False),
    (a("text").contains("aß"), True),
    (a("text").contains(""), True),
    (a("text").contains(3), False),
    (a("list").contains("a"), True),
    (a("list").contains(1), True),
    (a("list").contains(True), False),
    (a("list").contains(Decimal("0.5")), True),
    (a("letters").contains("a"), True),
    (a("letters").contains("ab"), False),
    (a("numbers").contains(2.5), True),
    (a("numbers").contains("1"), False),
    (a("three").contains(3), False),
    (a("map").contains("city"), False),
    (a("none").contains("a"), False),
    # Size
    (a("empty").size() == 0, True),
    (a("digits").size() == 2, True),
    (a("bytes").size() == 2, True),
    (a("list").size() == 3, True),
    (a("letters").size() == 2, True),
    (a("map").size() == 2, True),
    (a("map.deep").size() < a("map").size(), True),
    (a("three").size() > 0, False),
    (a("yes").size() >= 0, False),
    (a("none").size() >= 0, False),
    (a("digits").size() == "2", False),
    # Logic
    ((a("three") == 3) & (a("none") == 3), False),
    ((a("three") == 3) | (a("none") == 3), True),
    (~((a("three") == 3) & (a("none") == 3)), True),
    (~(a("three") == 3) | (a("zero") == 0), True),
]


class Invalid(Exception):
    """DynamoDB refuses the expression as such."""


def dynamodb_says(condition: Condition, item: dict[str, Any]) -> bool:
    """The simulation's DynamoDB reads the expression that a deployed function would send."""
    model = dynamodb_model.DynamoDB({"T": dynamodb_model.Table({"id": "N"})}, lambda: 0)
    model.put_item(TableName="T", Item=serialize_item({"id": 1} | item))
    try:
        model.transact_write_items(TransactItems=[transaction_item(Check("T", {"id": 1}, condition=condition), "T")])
    except dynamodb_model.ServiceError as refused:
        codes = [reason["Code"] for reason in refused.fields.get("CancellationReasons", [])]
        if codes == ["ConditionalCheckFailed"]:
            return False
        raise Invalid(refused.message) from None
    return True


def name_of(value: Condition | bool) -> str:
    """Its repr, with the members of a set in one order."""
    return "" if isinstance(value, bool) else repr(value).replace("{'b', 'a'}", "{'a', 'b'}")


@pytest.mark.parametrize(("condition", "expected"), TABLE, ids=name_of)
def test_a_condition_holds_exactly_when_dynamodb_s_rules_say_so(condition: Condition, expected: bool):
    assert holds(condition, ITEM) is expected
    assert dynamodb_says(condition, ITEM) is expected


@pytest.mark.parametrize("condition", [a("x") == 1, a("x") < 1, a("x").exists(), a("x").size() > 0, a("x.y") == 1])
def test_nothing_holds_for_an_item_that_is_not_there(condition: Condition):
    assert not holds(condition, {})
    assert holds(~condition, {})


def test_what_is_no_condition_is_an_error():
    with pytest.raises(TypeError, match=r"^not a condition: bool$"):
        holds(True, {})  # type: ignore[arg-type]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.1, 0.5, -0.0, 1.0, Decimal("0.10"), Decimal("1")])
    | st.sampled_from(["", "a", "ab", "b", "1"])
    | st.sampled_from([b"", b"a", b"ab"])
)
sets = st.sets(st.sampled_from(["a", "ab", ""]), min_size=1) | st.sets(st.sampled_from([1, 2.5, -1]), min_size=1)
values = scalars | sets | st.lists(scalars | sets, max_size=3) | st.dictionaries(st.sampled_from("xy"), scalars)
items = st.dictionaries(st.sampled_from("abc"), values)
attributes = st.sampled_from(["a", "b", "c", "a.x", "b.y"]).map(Attr)
measures = attributes | attributes.map(lambda attribute: attribute.size())
ordered = st.integers(-3, 3) | st.sampled_from([0.1, "", "a", "b", b"a", Decimal("0.1")])
comparisons = st.one_of(
    st.builds(lambda one, other: one == other, measures, values | measures),
    st.builds(lambda one, other: one != other, measures, values | measures),
    st.builds(lambda one, other: one < other, measures, ordered | measures),
    st.builds(lambda one, other: one <= other, measures, ordered | measures),
    st.builds(lambda one, other: one > other, measures, ordered | measures),
    st.builds(lambda one, other: one >= other, measures, ordered | measures),
    st.builds(lambda one, low, high: one.between(low, high), measures, measures, measures),
    st.builds(lambda one, options: one.is_in(options), measures, st.lists(values | measures, min_size=1, max_size=3)),
    st.builds(lambda one: one.exists(), attributes),
    st.builds(lambda one: one.not_exists(), attributes),
    st.builds(lambda one, prefix: one.begins_with(prefix), attributes, st.sampled_from(["", "a", "ab"])),
    st.builds(lambda one, value: one.contains(value), attributes, scalars),
)
conditions = st.recursive(
    comparisons,
    lambda parts: (
        st.builds(lambda one, other: one & other, parts, parts)
        | st.builds(lambda one, other: one | other, parts, parts)
        | st.builds(lambda part: ~part, parts)
    ),
    max_leaves=4,
)


@settings(max_examples=300)
@given(conditions, items)
def test_two_readers_of_dynamodb_s_rules_agree_on_every_condition(condition: Condition, item: dict[str, Any]):
    try:
        expected = dynamodb_says(condition, item)
    except Invalid:
        return
    assert holds(condition, item) is expected
