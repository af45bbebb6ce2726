"""Filters of subscribers: checked at synth as SNS would at deployment, and written as CloudFormation has them."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from aws_cdk import aws_sns as sns

from serverless_patterns._checks import Problems, is_token
from serverless_patterns_runtime.fan_out_topic.contract import Scope
from serverless_patterns_runtime.fan_out_topic.filter_faults import faults
from serverless_patterns_runtime.fan_out_topic.filter_policy import Either, Policy, parsed

__all__ = ["SCOPES", "check_filter", "paths_of", "written"]

SCOPES = {"attributes": "MessageAttributes", "body": "MessageBody"}
"""`FilterPolicyScope` of a subscription."""


def check_filter(problems: Problems, label: str, filter: Mapping[str, Any] | None, scope: Scope) -> None:
    """Record what SNS would refuse of a filter, or would take and never match. Tokens pass."""
    problems.one_of(f"{label} scope", scope, tuple(SCOPES), "say where the filter looks")
    if filter is None or scope not in SCOPES:
        return
    policy = written(filter)
    found = faults(policy, scope, is_token)
    for fault in found:
        problems.add(_at(label, fault.at), fault.must, fault.got, fault.fix)
    if not found:
        for path in _nulls(parsed(policy)):
            problems.add(
                _at(label, path),
                "name values that CloudFormation can write",
                "None",
                "it has no null: leave the property out of the message and write {'exists': False}",
            )


def written(filter: Mapping[str, Any]) -> dict[str, Any]:
    """The filter as JSON for `filter_policy` of a subscription; takes the CDK's own `SubscriptionFilter` too."""
    return _written(filter) if isinstance(filter, Mapping) else filter  # pyright: ignore[reportUnnecessaryIsInstance]


def paths_of(filter: Mapping[str, Any]) -> list[str]:
    """Paths of all that a written filter looks at, sorted."""
    return sorted({*_paths(parsed(filter))})


def _paths(policy: Policy) -> Iterator[str]:
    for part in policy:
        if isinstance(part, Either):
            for member in part.policies:
                yield from _paths(member)
        else:
            yield part.path


def _written(value: Any) -> Any:
    if isinstance(value, sns.SubscriptionFilter):
        return value.conditions
    if isinstance(value, sns.Filter):
        return value.filter_doc.conditions
    if isinstance(value, sns.Policy):
        return _written(value.policy_doc)
    if isinstance(value, Mapping):
        return {name: _written(each) for name, each in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_written(each) for each in cast("list[Any]", value)]
    return _plain(value) if isinstance(value, Decimal) else value


def _plain(number: Decimal) -> int | float:
    return int(number) if number.is_finite() and number == int(number) else float(number)


def _nulls(policy: Policy) -> Iterator[str]:
    for part in policy:
        if isinstance(part, Either):
            for member in part.policies:
                yield from _nulls(member)
        elif None in part.rules:
            yield part.path


def _at(label: str, place: str) -> str:
    return f"{label} at {place}" if place else label
