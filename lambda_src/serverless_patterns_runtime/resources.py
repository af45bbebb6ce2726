"""What a business function reads by itself: rows, secrets and parameters, by the names that its Handler gave them.

Writes are not here: they are `Effects`, so that they happen once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.errors import UnusableResource

__all__ = ["NO_RESOURCES", "GivenResources", "ReadableTable", "Resources", "unknown"]


class ReadableTable(Protocol):
    def get(self, /, **key: Any) -> dict[str, Any] | None:
        """The item with exactly this key, as of now; None when there is none.

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
        item = self.table.get(**key)
        return None if item is None else deserialize_item(serialize_item(item))


def unknown(kind: str, name: str, known: Mapping[str, object]) -> NoReturn:
    """Raises UnusableResource."""
    has = ", ".join(sorted(known)) or "none"
    raise UnusableResource(
        f"the function asks for the {kind} {name!r}, which it was not given (it has: {has}): "
        f"add it to Handler({kind}s=...), in a unit test to Invocation.fake({kind}s=...)"
    )
