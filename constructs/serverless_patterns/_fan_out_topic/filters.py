"""Filters of subscribers: checked at synth as SNS would at deployment, and written as CloudFormation has them."""

from collections.abc import Mapping
from typing import Any

from serverless_patterns._checks import Problems, is_token
from serverless_patterns_runtime.fan_out_topic.contract import Scope
from serverless_patterns_runtime.fan_out_topic.filter_faults import faults

__all__ = ["check_filter"]


def check_filter(problems: Problems, label: str, filter: Mapping[str, Any] | None, scope: Scope) -> None:
    """Record what SNS would refuse of a filter, or would take and never match. Tokens pass."""
    problems.one_of(f"{label} scope", scope, ("attributes", "body"), "say where the filter looks")
    if filter is None or scope not in ("attributes", "body"):
        return
    for fault in faults(filter, scope, _unknown):
        problems.add(f"{label}{f' at {fault.at}' if fault.at else ''}", fault.must, fault.shown, fault.fix)


def _unknown(value: object) -> bool:
    return is_token(value)
