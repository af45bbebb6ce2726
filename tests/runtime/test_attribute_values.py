import collections
import datetime
import enum
import math
from decimal import Decimal
from typing import Any

import pytest
from botocore.compat import OrderedDict
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.attribute_values import MAX_DIGITS, serialize, serialize_item, size_of
from serverless_patterns_runtime.errors import UncommittableEffects


class Tier(enum.StrEnum):
    GOLD = "gold"


class Level(enum.IntEnum):
    HIGH = 3


Point = collections.namedtuple("Point", "x y")


def name_of(value: object) -> str:
    """Its repr as far as that is the same in every process."""
    return repr(sorted(value, key=repr) if isinstance(value, set) else value).partition(" at 0x")[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {"NULL": True}),
        (True, {"BOOL": True}),
        (False, {"BOOL": False}),
        ("", {"S": ""}),
        ("é\U0001f600\0", {"S": "é\U0001f600\0"}),
        (0, {"N": "0"}),
        (-7, {"N": "-7"}),
        (10**37, {"N": "1" + "0" * 37}),
        (10**100, {"N": "1" + "0" * 100}),
        (0.1, {"N": "0.1"}),
        (0.15, {"N": "0.15"}),
        (1e22, {"N": "1E+22"}),
        (1e-7, {"N": "1E-7"}),
        (-0.0, {"N": "0"}),
        (Decimal("0E-500"), {"N": "0"}),
        (Decimal("12.50"), {"N": "12.50"}),
        (Decimal("1E+3"), {"N": "1E+3"}),
        (b"", {"B": b""}),
        (b"\x00\xff", {"B": b"\x00\xff"}),
        (bytearray(b"a"), {"B": b"a"}),
        ([], {"L": []}),
        ([1, [None]], {"L": [{"N": "1"}, {"L": [{"NULL": True}]}]}),
        ((1, "a"), {"L": [{"N": "1"}, {"S": "a"}]}),
        (Point(1, 2), {"L": [{"N": "1"}, {"N": "2"}]}),
        ({}, {"M": {}}),
        ({"a": {"b": 1}}, {"M": {"a": {"M": {"b": {"N": "1"}}}}}),
        (OrderedDict(a=1), {"M": {"a": {"N": "1"}}}),
        ({"b", "a"}, {"SS": ["a", "b"]}),
        (frozenset([1]), {"NS": ["1"]}),
        ({1, 2.5, Decimal("3")}, {"NS": ["1", "2.5", "3"]}),
        ({b"b", b"a"}, {"BS": [b"a", b"b"]}),
        (Tier.GOLD, {"S": "gold"}),
        (Level.HIGH, {"N": "3"}),
    ],
    ids=name_of,
)
def test_a_value_becomes_what_dynamodb_takes(value: object, expected: dict[str, Any]):
    assert serialize(value) == expected
    assert serialize_item({"x": value}) == {"x": expected}


def test_a_float_and_a_decimal_of_the_same_number_are_one_member_of_a_set():
    assert serialize({0.1, Decimal("0.1")}) == {"NS": ["0.1"]}


NO_SET = "a DynamoDB set is not empty and holds strings only, numbers only or bytes only"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "DynamoDB has no type for a object"),
        (datetime.date(2026, 11, 21), "DynamoDB has no type for a date"),
        (1j, "DynamoDB has no type for a complex"),
        (iter([1]), "DynamoDB has no type for a list_iterator"),
        (PermissionError("canary"), "DynamoDB has no type for a PermissionError"),
        (math.nan, "DynamoDB has no number for nan"),
        (math.inf, "DynamoDB has no number for inf"),
        (Decimal("-Infinity"), "DynamoDB has no number for -Infinity"),
        (Decimal("sNaN"), "DynamoDB has no number for sNaN"),
        (int("1" * 39), "DynamoDB keeps 38 significant digits, a number has 39"),
        (Decimal("0." + "1" * 39), "DynamoDB keeps 38 significant digits, a number has 39"),
        (10**126, "DynamoDB keeps numbers from 1E-130 to below 1E+126, got one of the order 1E+126"),
        (1e300, "DynamoDB keeps numbers from 1E-130 to below 1E+126, got one of the order 1E+300"),
        (1e-200, "DynamoDB keeps numbers from 1E-130 to below 1E+126, got one of the order 1E-200"),
        (set(), NO_SET),
        ({1, "a"}, NO_SET),
        ({True}, NO_SET),
        ({None}, NO_SET),
        ({(1,)}, NO_SET),
        ({1: "a"}, "a map in DynamoDB has text for keys, got a key of type int"),
        ({"a": {None: "a"}}, "a map in DynamoDB has text for keys, got a key of type NoneType"),
        ({b"a": 1}, "a map in DynamoDB has text for keys, got a key of type bytes"),
        ("\ud800", "text for DynamoDB must be valid Unicode, got a lone surrogate"),
        ({"\ud800": 1}, "text for DynamoDB must be valid Unicode, got a lone surrogate"),
        ({"a", "\udfff"}, "text for DynamoDB must be valid Unicode, got a lone surrogate"),
    ],
    ids=name_of,
)
def test_what_dynamodb_could_never_take_is_refused_for_good(value: object, message: str):
    with pytest.raises(UncommittableEffects) as raised:
        serialize({"x": [value]})
    assert str(raised.value) == message


@given(st.integers(-(10**MAX_DIGITS) + 1, 10**MAX_DIGITS - 1))
def test_an_integer_of_38_digits_is_kept_exactly(value: int):
    assert int(serialize(value)["N"]) == value


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e125, max_value=1e125))
def test_a_float_is_kept_as_it_prints(value: float):
    if value and abs(value) < 1e-130:
        with pytest.raises(UncommittableEffects):
            serialize(value)
    else:
        assert float(serialize(value)["N"]) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**20), max_value=10**20))
def test_a_decimal_is_kept_exactly(value: Decimal):
    assert Decimal(serialize(value)["N"]) == value


def test_trailing_and_leading_zeros_are_no_digits():
    assert serialize(Decimal("0." + "0" * 60 + "1")) == {"N": "1E-61"}
    serialize(Decimal("1" * 38 + "0" * 20))
    serialize(int("9" * 38 + "0" * 80))


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("é", 2),
        (b"abc", 3),
        (True, 1),
        (None, 1),
        (1234, 3),
        (-12345, 4),
        (0, 1),
        (0.05, 2),
        (Decimal("1.20E+90"), 2),
        ({10, 234}, 5),
        (["a"], 5),
        ({"é": "a"}, 7),
        ({"aa", "b"}, 3),
        ({"é"}, 2),
        ({b"aa"}, 2),
    ],
)
def test_a_value_s_size_is_about_what_dynamodb_counts(value: object, size: int):
    assert size_of(serialize(value)) == size
