"""What an item may hold: most are known to be small enough without their exact size."""

from collections.abc import Callable
from typing import Any

import pytest

from serverless_patterns_runtime import limits
from serverless_patterns_runtime.attribute_values import serialize, serialize_item
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.limits import MAX_LEVELS, check_item, check_levels, item_size

MOST = 500

MADE: dict[str, Callable[[int], Any]] = {
    "four bytes": lambda number: "\U0001f600" * number,
    "one byte": lambda number: "x" * number,
    "binary": bytes,
    "nothing, in a list": lambda number: [None] * number,
    "lists": lambda number: [[]] * number,
    "maps": lambda number: [{}] * number,
    "short names": lambda number: {str(name): True for name in range(number)},
    "a set of text": lambda number: {f"\u00e9{name}" for name in range(number + 1)},
    "a set of numbers": lambda number: set(range(number + 1)),
    "negative numbers": lambda number: [-7] * number,
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())
def test_whatever_is_just_too_large_is_refused_and_nothing_else(
    make: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ITEM", MOST)
    items = (serialize_item({"a": make(number)}) for number in range(MOST + 2))
    fits = None
    for item in items:
        if item_size(item) > MOST:
            with pytest.raises(UncommittableEffects, match="a row holds at most 400 KB"):
                check_item(item, "a row")
            break
        check_item(item, "a row")
        fits = item
    assert fits is not None


@pytest.mark.parametrize("kind", ["L", "M"])
def test_whatever_is_just_too_deep_is_refused(kind: str) -> None:
    value = serialize(1)
    for _ in range(MAX_LEVELS - 1):
        value = {kind: [value] if kind == "L" else {"m": value}}
    check_item({"a": value}, "a row")
    check_levels([{"Put": {"Item": {"a": value}}}])
    deeper = {"a": {"L": [value]}}
    with pytest.raises(UncommittableEffects, match="at most 32 levels"):
        check_item(deeper, "a row")
    with pytest.raises(UncommittableEffects, match="at most 32 levels"):
        check_levels([{"Put": {"ExpressionAttributeValues": deeper}}])
