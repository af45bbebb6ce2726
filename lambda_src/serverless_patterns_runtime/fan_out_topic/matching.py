"""Whether a message passes a subscription's filter, as SNS decides it: to test filters, and to know who gets a message.

The rules are those of the Amazon SNS Developer Guide (Filter policy constraints, String value matching, Numeric value
matching, Key matching, AND/OR logic). Where the guide is silent, `docs/decisions/0042` says what is taken and why.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, cast

from serverless_patterns_runtime.fan_out_topic.contract import Scope
from serverless_patterns_runtime.fan_out_topic.filter_faults import faults
from serverless_patterns_runtime.fan_out_topic.filter_numbers import in_range, same_number
from serverless_patterns_runtime.fan_out_topic.filter_policy import Either, Policy, parsed
from serverless_patterns_runtime.fan_out_topic.message import WRAP, Message
from serverless_patterns_runtime.fan_out_topic.message_leaves import has_leaves, leaves
from serverless_patterns_runtime.fan_out_topic.wildcards import wildcard_matches

__all__ = ["Filter", "matches"]

_SCOPES: tuple[Scope, ...] = ("attributes", "body")
_MEANT = {"messageattributes": "write 'attributes'", "messagebody": "write 'body'"}
"""SNS's own words."""


def matches(filter: Mapping[str, Any] | None, message: Message, filter_scope: Scope = "attributes") -> bool:
    """Whether a subscriber with this filter gets the message.

    `filter` and `filter_scope` are what `add_subscriber` takes by these names; no filter: every message.
    Raises ValueError for a filter that SNS refuses, or another scope; TypeError for what is no `Message`.
    """
    if not isinstance(message, Message):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"matches looks at a Message, got a value of type {type(message).__name__}: {WRAP}")
    if filter_scope not in _SCOPES:
        meant = _MEANT.get(str(filter_scope).lower(), "say where the filter looks")
        raise ValueError(f"filter_scope must be one of {', '.join(map(repr, _SCOPES))}, got {filter_scope!r}: {meant}")
    return Filter(filter, filter_scope).matches(message)


class Filter:
    """A filter that is looked at once and asked often."""

    def __init__(self, filter: Mapping[str, Any] | None, scope: Scope = "attributes") -> None:
        """Raises ValueError for a filter that SNS refuses."""
        if filter is not None and (wrong := [str(fault) for fault in faults(filter, scope)]):
            raise ValueError("; ".join(wrong))
        self._policy: Policy = parsed(filter) if filter is not None else ()
        self._scope = scope
        self._paths = tuple(_paths(self._policy))

    def matches(self, message: Message) -> bool:
        """Whether a subscriber with this filter gets the message."""
        if not self._policy:
            return True
        found = leaves(message, self._scope, self._paths)
        return _all(self._policy, found) and (bool(found) or has_leaves(message, self._scope))


def _paths(policy: Policy) -> Iterator[str]:
    for part in policy:
        if isinstance(part, Either):
            for member in part.policies:
                yield from _paths(member)
        else:
            yield part.path


def _all(policy: Policy, found: Mapping[str, list[Any]]) -> bool:
    return all(
        any(_all(member, found) for member in part.policies)
        if isinstance(part, Either)
        else any(_passes(rule, found.get(part.path, [])) for rule in part.rules)
        for part in policy
    )


def _passes(rule: Any, values: list[Any]) -> bool:
    if isinstance(rule, Mapping) and "exists" in rule:
        return any(value is not None and value != "" for value in values) if rule["exists"] else not values
    return any(_fits(rule, value) for value in values)


def _fits(rule: Any, value: Any) -> bool:
    if not isinstance(rule, Mapping):
        return _same(rule, value)
    ((operator, operand),) = cast("Mapping[str, Any]", rule).items()
    if operator == "anything-but":
        return not _any_of(operand, value)
    if operator == "numeric":
        return in_range(operand, value)
    return isinstance(value, str) and _string(operator, operand, value)


def _any_of(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        ((operator, texts),) = cast("Mapping[str, Any]", operand).items()
        return isinstance(value, str) and any(_string(operator, text, value) for text in _list(texts))
    return any(_same(one, value) for one in _list(operand))


def _same(rule: Any, value: Any) -> bool:
    if rule is None or isinstance(rule, bool):
        return value is rule
    if isinstance(rule, str):
        return isinstance(value, str) and value == rule
    return same_number(rule, value)


def _string(operator: str, operand: Any, value: str) -> bool:
    match operator:
        case "prefix":
            return value.startswith(operand)
        case "suffix":
            return value.endswith(operand)
        case "equals-ignore-case":
            return value.lower() == operand.lower()
        case "wildcard":
            return wildcard_matches(operand, value)
        case _:
            return _in_network(operand, value)


def _list(operand: Any) -> list[Any]:
    return list(operand) if isinstance(operand, list | tuple) else [operand]  # pyright: ignore[reportUnknownArgumentType]


def _in_network(cidr: str, value: str) -> bool:
    try:
        return ip_address(value) in _network(cidr)
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _network(cidr: str) -> Any:
    return ip_network(cidr, strict=False)
