"""An aggregate as its item has it, read with the schema of this code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from serverless_patterns_runtime.attribute_values import AttributeValue, deserialize_item
from serverless_patterns_runtime.cqrs_table import contract

__all__ = ["Aggregate", "Schema", "UnknownSchema"]

State = dict[str, Any]


class UnknownSchema(Exception):
    """Newer code has written this state."""


@dataclass(frozen=True)
class Schema:
    version: int
    """What this code writes."""

    upcast: Callable[[State, int], State] | None = None
    """Takes a state and its schema version; gives the state of the next version."""

    def read(self, state: State, schema: int) -> State:
        """The state as this code knows it. Raises UnknownSchema, and what `upcast` raises."""
        if schema > self.version:
            raise UnknownSchema(f"the state has schema version {schema}, and this code knows {self.version}")
        for older in range(schema, self.version):
            if self.upcast is None:
                raise UnknownSchema(f"the state has schema version {older}, and there is no upcast")
            state = self.upcast(state, older)
        return state


@dataclass(frozen=True)
class Aggregate:
    """One version of an aggregate."""

    key: str
    version: int | None
    """None: the item was written by somebody else, without a version."""
    state: State | None
    """With the key in it. None: it is deleted."""
    at: int | None = None
    """When the change was decided, epoch milliseconds."""

    @classmethod
    def from_image(cls, image: Mapping[str, AttributeValue], key_attribute: str, schema: Schema) -> "Aggregate":
        """Raises UnknownSchema, and what `upcast` raises."""
        item = plain(deserialize_item(image))
        about = cast("dict[str, Any]", item.pop(contract.ABOUT, {}))
        deleted = bool(about.get(contract.DELETED))
        state = None if deleted else schema.read(item, about.get(contract.SCHEMA, 1))
        return cls(item[key_attribute], about.get(contract.VERSION), state, about.get(contract.AT))


def version_of(image: Mapping[str, AttributeValue]) -> int | None:
    """Without reading the state: None where there is none."""
    about = image.get(contract.ABOUT, {}).get("M", {})
    return int(about[contract.VERSION]["N"]) if contract.VERSION in about else None


def plain(value: Any) -> Any:
    """Whole numbers as int: what a function wrote as 3 comes back as 3. Others stay Decimal."""
    match value:
        case Decimal() if value == value.to_integral_value():
            return int(value)
        case dict():
            return {name: plain(member) for name, member in cast("dict[str, Any]", value).items()}
        case list():
            return [plain(member) for member in cast("list[Any]", value)]
        case set():
            return {plain(member) for member in cast("set[Any]", value)}
        case _:
            return value
