"""Effects without AWS: commit them to tables in memory, with every condition enforced.

stock = Table(key=("product_id",), items=[{"product_id": 1, "on_hand": 5}])
commit(fulfil(order), {"ORDERS": Table(key=("order_id",)), "STOCK": stock})
assert stock.get(product_id=1) == {"product_id": 1, "on_hand": 2}
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.condition_truth import holds
from serverless_patterns_runtime.effects import Check, Delete, Effects, Put, Update, Write
from serverless_patterns_runtime.errors import PermanentError, UncommittableEffects

__all__ = ["Table", "commit"]

MAX_WRITES = 99

Item = dict[str, Any]


class Table:
    """A DynamoDB table as far as effects can tell: items under a partition key, and a sort key if there is one."""

    def __init__(self, *, key: Sequence[str], items: Iterable[Mapping[str, Any]] = ()) -> None:
        self.key_names = tuple(key)
        self._items: dict[tuple[Any, ...], Item] = {}
        for item in items:
            self._items[self.key_of(item)] = copy.deepcopy(dict(item))

    @property
    def items(self) -> list[Item]:
        """Copies, in the order in which they were first written."""
        return [copy.deepcopy(item) for item in self._items.values()]

    def get(self, **key: Any) -> Item | None:
        return copy.deepcopy(self._items.get(self.key_of(key)))

    def key_of(self, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """Raises UncommittableEffects when the item does not have the table's key."""
        missing = [name for name in self.key_names if name not in item]
        if missing:
            raise UncommittableEffects(f"the key attribute {missing[0]!r} is missing")
        return tuple(item[name] for name in self.key_names)

    def replace(self, key: tuple[Any, ...], item: Item | None) -> None:
        if item is None:
            self._items.pop(key, None)
        else:
            self._items[key] = item


def commit(effects: Effects, tables: Mapping[str, Table]) -> Any:
    """Carry out all writes, or none, and return `effects.result`.

    Raises what a deployed function would raise: the `otherwise` of the first refused write, PermanentError where it
    has none, UncommittableEffects for what DynamoDB could never take. KeyError: a table that `tables` does not have.
    """
    if len(effects.writes) > MAX_WRITES:
        raise UncommittableEffects(f"effects hold at most {MAX_WRITES} writes (DynamoDB's limit)")
    changes: list[tuple[Table, tuple[Any, ...], Item | None]] = []
    touched: set[tuple[str, tuple[Any, ...]]] = set()
    for position, write in enumerate(effects.writes, start=1):
        table = tables[write.table]
        key = table.key_of(write.item if isinstance(write, Put) else write.key)
        if (write.table, key) in touched:
            raise UncommittableEffects(f"write {position} is a second one on the same item of {write.table}")
        touched.add((write.table, key))
        old = table.get(**dict(zip(table.key_names, key, strict=True)))
        if write.condition is not None and not holds(write.condition, old or {}):
            raise write.otherwise or PermanentError(
                f"write {position} ({type(write).__name__} {write.table}) was refused: its condition does not hold"
            )
        new = _after(write, old)
        serialize_item(new or {})
        changes.append((table, key, new))
    for table, key, new in changes:
        table.replace(key, new)
    return effects.result


def _after(write: Write, old: Item | None) -> Item | None:
    match write:
        case Put():
            return copy.deepcopy(dict(write.item))
        case Delete():
            return None
        case Check():
            return old
        case Update():
            return _updated(write, old or dict(write.key))


def _updated(update: Update, old: Item) -> Item:
    item = copy.deepcopy(old)
    for name, value in update.set.items():
        parent, last = _parent(item, name)
        parent[last] = copy.deepcopy(value)
    for name, amount in update.add.items():
        parent, last = _parent(item, name)
        parent[last] = _sum(parent.get(last), amount)
    for name in update.remove:
        parent, last = _parent(item, name)
        parent.pop(last, None)
    return item


def _parent(item: Item, name: str) -> tuple[Item, str]:
    *path, last = name.split(".")
    for part in path:
        if not isinstance(item.get(part), dict):
            raise UncommittableEffects(f"the path {name!r} leads through {part!r}, which is not a map in the item")
        item = item[part]
    return item, last


def _sum(old: Any, amount: Any) -> Any:
    if isinstance(amount, set | frozenset):
        return set(amount) if old is None else old | amount  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if old is None:
        return amount
    if isinstance(old, float) or isinstance(amount, float):
        return Decimal(str(old)) + Decimal(str(amount))
    return old + amount
