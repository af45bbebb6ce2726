"""An aggregate as its item has it, read with the schema of this code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from serverless_patterns_runtime.attribute_values import AttributeValue, deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_table import contract

__all__ = ["Aggregate", "Schema", "UnknownSchema", "condition_of", "plain", "version_of"]

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
        about = item.pop(contract.ABOUT, {contract.VERSION: None})
        if not isinstance(about, dict) or contract.VERSION not in about:
            raise UnknownSchema(f"the item has an attribute {contract.ABOUT} that is not ours")
        about = cast("dict[str, Any]", about)
        deleted = bool(about.get(contract.DELETED))
        state = None if deleted else schema.read(item, about.get(contract.SCHEMA, 1))
        return cls(item[key_attribute], about[contract.VERSION], state, about.get(contract.AT))

    def image(self, key_attribute: str, schema: Schema, command: str) -> dict[str, AttributeValue]:
        """The item to write. Raises UncommittableEffects for what DynamoDB has no type for."""
        about: dict[str, Any] = {
            contract.VERSION: self.version,
            contract.AT: self.at,
            contract.COMMAND: command,
        }
        about |= {contract.DELETED: True} if self.state is None else {contract.SCHEMA: schema.version}
        return serialize_item({**(self.state or {}), key_attribute: self.key, contract.ABOUT: about})


def condition_of(known: Aggregate | None, key_attribute: str) -> dict[str, Any]:
    """Of a write: that the aggregate is still as it was read. None: there was no item."""
    names = {"#key": key_attribute, "#about": contract.ABOUT, "#version": contract.VERSION}
    if known is None:
        return {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": _of(names, "#key")}
    if known.version is None:
        return {
            "ConditionExpression": "attribute_exists(#key) AND attribute_not_exists(#about)",
            "ExpressionAttributeNames": _of(names, "#key", "#about"),
        }
    return {
        "ConditionExpression": "#about.#version = :read",
        "ExpressionAttributeNames": _of(names, "#about", "#version"),
        "ExpressionAttributeValues": {":read": {"N": str(known.version)}},
    }


def _of(names: Mapping[str, str], *used: str) -> dict[str, str]:
    return {name: names[name] for name in used}


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
