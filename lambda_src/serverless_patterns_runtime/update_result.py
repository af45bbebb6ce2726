"""What an Update makes of an item, worked out in Python by DynamoDB's rules: for tests without AWS."""

import copy
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any

from serverless_patterns_runtime.attribute_values import MAX_DIGITS, serialize
from serverless_patterns_runtime.effects import Update
from serverless_patterns_runtime.errors import UncommittableEffects

__all__ = ["updated"]

Item = dict[str, Any]

_NUMBERS = Context(prec=MAX_DIGITS)
_MISSING = object()  # an attribute that is there may be None: DynamoDB's NULL


def updated(update: Update, item: Item) -> Item:
    """The item afterwards, a copy. Raises UncommittableEffects where DynamoDB would refuse the update every time."""
    _check_paths([*update.set, *update.add, *update.remove], update)
    result = copy.deepcopy(item)
    for name, value in update.set.items():
        parent, last = _parent(result, name)
        parent[last] = copy.deepcopy(value)
    for name, amount in update.add.items():
        parent, last = _parent(result, name)
        parent[last] = _sum(name, parent.get(last, _MISSING), amount)
    for name in update.remove:
        parent, last = _parent(result, name)
        parent.pop(last, None)
    return result


def _check_paths(names: Sequence[str], update: Update) -> None:
    for position, name in enumerate(names):
        if name in update.key:
            raise UncommittableEffects(f"an Update cannot change {name!r}: it is part of the key")
        for other in names[position + 1 :]:
            if f"{name}.".startswith(f"{other}.") or f"{other}.".startswith(f"{name}."):
                raise UncommittableEffects(f"an Update names {name!r} and {other!r}, of which one holds the other")


def _parent(item: Item, name: str) -> tuple[Item, str]:
    *path, last = name.split(".")
    for part in path:
        if not isinstance(item.get(part), dict):
            raise UncommittableEffects(f"the path {name!r} leads through {part!r}, which is not a map in the item")
        item = item[part]
    return item, last


def _sum(name: str, old: Any, amount: Any) -> Any:
    kind = _kind(amount)
    if kind not in ("N", "NS", "SS", "BS") or (old is not _MISSING and _kind(old) != kind):
        raise UncommittableEffects(f"add to {name!r} takes a number, or a set for a set of its kind")
    if kind != "N":
        return {*(() if old is _MISSING else old), *amount}
    if old is _MISSING:
        return amount
    if isinstance(old, int) and isinstance(amount, int):
        return old + amount
    return _NUMBERS.add(_decimal(old), _decimal(amount))


def _kind(value: Any) -> str:
    (kind,) = serialize(value)
    return kind


def _decimal(number: float | Decimal) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
