"""What is wrong with a filter policy: what SNS would refuse at deployment, or take and never match.

Constraints as the Amazon SNS Developer Guide has them (Filter policy constraints, AND/OR logic, String value matching).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.fan_out_topic.contract import Scope
from serverless_patterns_runtime.fan_out_topic.filter_policy import OPERATORS, OR, combinations, is_or, parsed
from serverless_patterns_runtime.fan_out_topic.filter_rule_faults import Fault, fault, rule_faults, wildcard_points
from serverless_patterns_runtime.fan_out_topic.message_attributes import is_name

__all__ = ["MAX_COMBINATIONS", "MAX_KEYS", "MAX_POLICY_BYTES", "Fault", "faults"]

MAX_KEYS = 5
MAX_COMBINATIONS = 150
MAX_POLICY_BYTES = 256 * 1024
MAX_WILDCARD_POINTS = 100


class Asked(NamedTuple):
    """What one look at a policy goes by."""

    scope: Scope
    unknown: Callable[[object], bool]
    """Whether a value is known only later (a token of the CDK): it passes."""


def faults(filter: object, scope: Scope, unknown: Callable[[object], bool] = lambda _: False) -> list[Fault]:
    """Everything that is wrong, in the policy's order; empty: SNS takes it, and some message matches it."""
    asked = Asked(scope, unknown)
    found = list(_policy("", filter, asked, depth=1))
    return found or list(_whole(cast("Mapping[str, Any]", filter)))


def _policy(at: str, policy: object, asked: Asked, depth: int) -> Iterator[Fault]:
    if not isinstance(policy, Mapping):
        yield fault(at, "be an object: lists of rules by name", policy, 'write it as {"kind": ["placed"]}')
        return
    members = cast("Mapping[object, object]", policy)
    if not members:
        yield fault(
            at, "name at least one property", members, "leave the filter out, and the subscriber gets every message"
        )
    if not at and len(members) > MAX_KEYS:
        yield Fault(
            at,
            f"have at most {MAX_KEYS} keys at the top",
            f"{len(members)} keys",
            "split the subscriber, or publish one attribute that says what it is about",
        )
    for name, value in members.items():
        where = f"{at}.{name}" if at else str(name)
        if not isinstance(name, str) or not name:
            yield fault(where, "have names that are texts", name, "name a property of the message")
        elif name == OR:
            yield from _or(where, value, asked, depth)
        elif asked.scope == "attributes" and not asked.unknown(name) and not is_name(name):
            bare = name.removeprefix("$.")
            fix = f"write {bare!r}" if is_name(bare) else 'look into the body: filter_scope="body"'
            yield fault(where, "be named as SNS lets an attribute be", name, fix)
        elif isinstance(value, Mapping):
            yield from _nested(where, cast("Mapping[str, Any]", value), asked, depth)
        else:
            yield from _rules(where, value, asked)


def _or(where: str, value: object, asked: Asked, depth: int) -> Iterator[Fault]:
    if not is_or(value):
        yield fault(
            where,
            f"be a list of at least two policies, none of which has a name of {', '.join(OPERATORS)}",
            value,
            'write it as "$or": [{"kind": ["placed"]}, {"urgent": [True]}]; else SNS looks for a property called $or',
        )
        return
    for index, member in enumerate(value):
        yield from _policy(f"{where}[{index}]", member, asked, depth)


def _nested(where: str, value: Mapping[str, Any], asked: Asked, depth: int) -> Iterator[Fault]:
    if len(value) == 1 and next(iter(value)) in OPERATORS:
        yield fault(where, "be a list of rules", value, f"put it into a list: [{json.dumps(value, default=str)}]")
    elif asked.scope == "attributes":
        yield fault(
            where,
            "be a list of rules: attributes have nothing inside",
            value,
            'look into the body: filter_scope="body"',
        )
    else:
        yield from _policy(where, value, asked, depth + 1)


def _rules(where: str, rules: object, asked: Asked) -> Iterator[Fault]:
    if asked.unknown(rules):
        return
    if not isinstance(rules, list | tuple):
        yield fault(where, "be a list of rules", rules, f"put it into a list: [{rules!r}]")
        return
    several = cast("list[object]", rules)
    if not several:
        yield fault(where, "have at least one rule", several, "leave the name out, and any value will do")
    for index, rule in enumerate(several):
        if not asked.unknown(rule):
            yield from rule_faults(f"{where}[{index}]", rule, asked.scope, asked.unknown)


def _whole(filter: Mapping[str, Any]) -> Iterator[Fault]:
    """What only the whole policy can have too much of."""
    policy = parsed(filter)
    if (count := combinations(policy)) > MAX_COMBINATIONS:
        yield Fault(
            "",
            f"have at most {MAX_COMBINATIONS} combinations (the rules of each name times its depth, multiplied;"
            " alternatives are added)",
            f"{count:,}",
            "split the subscriber, or match a prefix instead of a list of values",
        )
    if (points := wildcard_points(policy)) > MAX_WILDCARD_POINTS:
        yield Fault(
            "",
            f"have wildcards of at most {MAX_WILDCARD_POINTS} points (of each name: 1 for a pattern with one *, else 3"
            " for each *; added, times the number of patterns)",
            f"{points:,}",
            "match prefixes or suffixes where they do",
        )
    size = len(json.dumps(filter, ensure_ascii=False, separators=(",", ":"), default=str).encode())
    if size > MAX_POLICY_BYTES:
        yield Fault("", f"have at most {MAX_POLICY_BYTES:,} bytes as JSON", f"{size:,} bytes", "split the subscriber")
