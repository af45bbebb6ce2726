"""The shape of a filter policy: what is looked at, under which path, in which combinations. Not whether it is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeGuard, cast

__all__ = ["OPERATORS", "OR", "Either", "Field", "Policy", "combinations", "is_or", "parsed"]

OR = "$or"
OPERATORS = ("anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard")


@dataclass(frozen=True)
class Field:
    """One property and what its value may be: one of the rules."""

    path: str
    """Names joined by dots: SNS sees `{"a": {"b": 1}}` and `{"a.b": 1}` as the same."""
    depth: int
    rules: tuple[Any, ...]


@dataclass(frozen=True)
class Either:
    """`$or`: one of several policies."""

    policies: "tuple[Policy, ...]"


Policy = tuple[Field | Either, ...]
"""All of these."""


def parsed(filter: Mapping[str, Any], parent: str = "", depth: int = 1) -> Policy:
    """The shape of a policy that is right (`filter_faults` says what is not)."""
    parts: list[Field | Either] = []
    for name, value in filter.items():
        path = f"{parent}.{name}" if parent else name
        if name == OR and is_or(value):
            parts.append(Either(tuple(parsed(member, parent, depth) for member in value)))
        elif isinstance(value, Mapping):
            parts.extend(parsed(cast("Mapping[str, Any]", value), path, depth + 1))
        else:
            rules = cast("list[Any]", value) if isinstance(value, list | tuple) else [value]
            parts.append(Field(path, depth, tuple(rules)))
    return tuple(parts)


def is_or(value: object) -> "TypeGuard[list[Mapping[str, Any]]]":
    """Whether what is under `$or` means one of several policies; else SNS takes the name for a property's."""
    if not isinstance(value, list) or len(cast("list[object]", value)) < 2:
        return False
    return all(
        isinstance(member, Mapping) and not any(name in OPERATORS for name in cast("Mapping[str, Any]", member))
        for member in cast("list[object]", value)
    )


def combinations(policy: Policy) -> int:
    """SNS's measure of complexity: rules, times how deep they are, multiplied; alternatives are added."""
    return prod(
        len(part.rules) * part.depth if isinstance(part, Field) else sum(map(combinations, part.policies))
        for part in policy
    )
