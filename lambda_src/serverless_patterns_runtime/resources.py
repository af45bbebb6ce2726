"""What a business function reads by itself: rows, secrets and parameters, by the names that its Handler gave them.

Writes are not here: they are `Effects`, so that they happen once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn, Protocol

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize, serialize_item
from serverless_patterns_runtime.errors import UncommittableEffects, UnusableResource

__all__ = ["NO_RESOURCES", "GivenResources", "ReadableTable", "Resources", "may_be_there", "unknown"]

MAX_KEY_BYTES = 2048
"""Of a partition key; of a sort key DynamoDB takes half of it."""


class ReadableTable(Protocol):
    def get(self, /, **key: Any) -> dict[str, Any] | None:
        """The item with exactly this key, as of now; None when there is none, or none can have it: text too long.

        Numbers are `Decimal`, whatever they were when they were written.
        """
        ...


class Resources(Protocol):
    def table(self, name: str) -> ReadableTable: ...
    def secret(self, name: str) -> str: ...
    def parameter(self, name: str) -> str: ...


@dataclass(frozen=True)
class GivenResources:
    """What a unit test gives a function. Nothing that it was not given."""

    tables: Mapping[str, ReadableTable]
    secrets: Mapping[str, str]
    parameters: Mapping[str, str]

    def table(self, name: str) -> ReadableTable:
        if name not in self.tables:
            unknown("table", name, self.tables)
        return _AsStored(self.tables[name])

    def secret(self, name: str) -> str:
        if name not in self.secrets:
            unknown("secret", name, self.secrets)
        return self.secrets[name]

    def parameter(self, name: str) -> str:
        if name not in self.parameters:
            unknown("parameter", name, self.parameters)
        return self.parameters[name]


NO_RESOURCES = GivenResources({}, {}, {})


@dataclass(frozen=True)
class _AsStored:
    """A table in memory whose items come back as DynamoDB would give them."""

    table: ReadableTable

    def get(self, /, **key: Any) -> dict[str, Any] | None:
        item = self.table.get(**key) if may_be_there(key) else None
        return None if item is None else deserialize_item(serialize_item(item))


def may_be_there(key: Mapping[str, Any]) -> bool:
    """Whether DynamoDB could hold an item with this key. Callers choose keys: what it would refuse is not there."""
    for value in key.values():
        if isinstance(value, str | bytes):
            content = value.encode(errors="replace") if isinstance(value, str) else value
            if not 1 <= len(content) <= MAX_KEY_BYTES:
                return False
        if isinstance(value, str | int | float | Decimal):
            try:
                serialize(value)
            except UncommittableEffects:
                return False
    return True


def unknown(kind: str, name: str, known: Mapping[str, object]) -> NoReturn:
    """Raises UnusableResource."""
    has = ", ".join(sorted(known)) or "none"
    raise UnusableResource(
        f"the function asks for the {kind} {name!r}, which it was not given (it has: {has}): "
        f"add it to Handler({kind}s=...), in a unit test to Invocation.fake({kind}s=...)"
    )
