"""Effects without AWS: commit them to tables in memory, with every condition enforced.

stock = Table(key=("product_id",), items=[{"product_id": 1, "on_hand": 5}])
commit(fulfil(order), {"ORDERS": Table(key=("order_id",)), "STOCK": stock})
assert stock.get(product_id=1) == {"product_id": 1, "on_hand": 2}

And what was published: `published(invocation, "ORDER_EVENTS") == [Message({"order_id": "1", "kind": "placed"})]`.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.api_proxy.fake_route import Answered, answer
from serverless_patterns_runtime.api_proxy.keeping import answer_of_effects, kept_text
from serverless_patterns_runtime.attribute_values import serialize, serialize_item
from serverless_patterns_runtime.condition_truth import holds
from serverless_patterns_runtime.cqrs_queries.given_views import Totals, View
from serverless_patterns_runtime.cqrs_table.decided import decided
from serverless_patterns_runtime.cqrs_views.projected import contributed, projected
from serverless_patterns_runtime.effects import (
    Check,
    Delete,
    Effects,
    Put,
    Update,
    Write,
    check_number_of,
    refusal_of,
    unknown_table,
)
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.expressions import transaction_item
from serverless_patterns_runtime.limits import check_item, check_levels, check_requests, check_together, item_size
from serverless_patterns_runtime.resources import GivenResources
from serverless_patterns_runtime.update_result import updated

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.invocation import Invocation

__all__ = [
    "Answered",
    "Table",
    "Totals",
    "View",
    "answer",
    "commit",
    "contributed",
    "decided",
    "projected",
    "published",
]

Item = dict[str, Any]

Key = tuple[tuple[str, Any], ...]
"""Type and content of each key attribute, equal where DynamoDB holds them to be equal: 1 and 1.0, not 1 and true."""


class Table:
    """A DynamoDB table as far as effects can tell: items under a partition key, and a sort key if there is one."""

    def __init__(self, *, key: Sequence[str], items: Iterable[Mapping[str, Any]] = ()) -> None:
        self.key_names = tuple(key)
        self._items: dict[Key, Item] = {}
        for item in items:
            self._items[self.key_of(item)] = copy.deepcopy(dict(item))

    @property
    def items(self) -> list[Item]:
        """Copies, in the order in which they were first written."""
        return [copy.deepcopy(item) for item in self._items.values()]

    def get(self, /, **key: Any) -> Item | None:
        """A copy of the item with exactly this key."""
        self._check_key_alone(key)
        return self.find(self.key_of(key))

    def find(self, key: Key) -> Item | None:
        return copy.deepcopy(self._items.get(key))

    def key_of(self, item: Mapping[str, Any]) -> Key:
        """Raises UncommittableEffects when the item does not have the table's key."""
        missing = [name for name in self.key_names if name not in item]
        if missing:
            raise UncommittableEffects(f"the key attribute {missing[0]!r} is missing")
        return tuple(_key_part(name, item[name]) for name in self.key_names)

    def key_of_write(self, write: Write) -> Key:
        if isinstance(write, Put):
            return self.key_of(write.item)
        self._check_key_alone(write.key)
        return self.key_of(write.key)

    def _check_key_alone(self, key: Mapping[str, Any]) -> None:
        others = sorted(key.keys() - set(self.key_names))
        if others:
            names = ", ".join(map(repr, self.key_names))
            raise UncommittableEffects(f"the key of the table is {names}, got also {others[0]!r}")

    def replace(self, key: Key, item: Item | None) -> None:
        if item is None:
            self._items.pop(key, None)
        else:
            self._items[key] = item


def commit(effects: Effects | None, tables: Mapping[str, Table]) -> Any:
    """Carry out all writes, or none, and return `effects.result`.

    Raises what a deployed function would raise: the `otherwise` of the first refused write, PermanentError where it
    has none, UncommittableEffects for what DynamoDB could never take, and for a table that `tables` does not have.
    None, from a function annotated `-> Effects | None`, is nothing to do. The result is checked as an answer behind an
    API that is kept under a key: UnusableResult for what has no JSON, and for more than 300 KB.
    """
    if not isinstance(effects, Effects | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        kind = type(effects).__name__
        raise TypeError(f"commit takes the Effects that a function returned, got {kind}: for another result use answer")
    effects = effects or Effects()
    kept_text(answer_of_effects(effects))
    _check(effects.writes, tables)
    changes: list[tuple[Table, Key, Item | None]] = []
    touched: set[tuple[str, Key]] = set()
    together = 0
    for position, write in enumerate(effects.writes, start=1):
        table = tables[write.table]
        key = table.key_of_write(write)
        if (write.table, key) in touched:
            raise UncommittableEffects(f"write {position} is a second one on the same item of {write.table}")
        touched.add((write.table, key))
        old = table.find(key)
        if write.condition is not None and not holds(write.condition, old or {}):
            raise refusal_of(write, position)
        new = _after(write, old)
        if isinstance(write, Put | Update):
            written = serialize_item(new or {})
            check_item(written, f"the item of write {position} ({type(write).__name__} {write.table})")
            together += item_size(written)
        changes.append((table, key, new))
    check_together(together)
    for table, key, new in changes:
        table.replace(key, new)
    return effects.result


def published(invocation: "Invocation", topic: str, *, as_sent: bool = False) -> list["Message"]:
    """What `publish(topic, ..., invocation=invocation)` was given so far, in that order, with `Invocation.fake()`.

    With `as_sent` as subscribers and their filters see it: with the attributes that the topic takes from the body, the
    key and the correlation id.
    """
    if not isinstance(invocation.resources, GivenResources):
        raise TypeError("published looks at an Invocation.fake(): what a deployed function publishes is at its topic")
    invocation.resources.topic(topic)
    of = invocation.resources.sent if as_sent else invocation.resources.published
    return list(of[topic])


def _check(writes: Sequence[Write], tables: Mapping[str, Table]) -> None:
    """Refuse what no item or condition could make right."""
    for write in writes:
        if write.table not in tables:
            raise unknown_table(write, tables)
    requests = [transaction_item(write, write.table) for write in writes]
    check_number_of(requests)
    check_requests(requests)
    check_levels(requests)


def _after(write: Write, old: Item | None) -> Item | None:
    match write:
        case Put():
            return copy.deepcopy(dict(write.item))
        case Delete():
            return None
        case Check():
            return old
        case Update():
            return updated(write, old or dict(write.key))


def _key_part(name: str, value: Any) -> tuple[str, Any]:
    ((kind, content),) = serialize(value).items()
    if kind not in ("S", "N", "B") or not content:
        raise UncommittableEffects(f"the key attribute {name!r} is a text, number or bytes, and not empty")
    return kind, Decimal(content) if kind == "N" else content
