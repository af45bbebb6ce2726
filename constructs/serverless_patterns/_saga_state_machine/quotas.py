"""What Step Functions allows of one state machine: of the saga's own, and of the one that recovers it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._checks import Problems
from .definition import definition
from .estimates import most_events, most_recovery_events
from .plan import Node, all_approvals, all_steps
from .recovery import recovery
from .retired import Retired
from .states import Resources

_MOST_BYTES = 1_048_576  # of a definition
_MOST_EVENTS = 25_000  # of a history
_ARN = "a" * 256  # of each, assumed


def check_quotas(problems: Problems, plan: Sequence[Node], namespace: str, retired: Retired) -> None:
    """Refuse a saga that could not be deployed, or whose executions Step Functions would end in their midst."""
    fix = "retry less, or split the saga: at the quota Step Functions ends an execution, and nothing is undone"
    _check_events(problems, "need", most_events(plan), fix)
    named = {one.name: _ARN for one in [*all_steps(plan), *retired.planned, *all_approvals(plan)]}
    resources = Resources("aws", _ARN, namespace, named, named)
    size = _size(definition(plan, resources))
    _check_size(problems, "make", size, "split the saga, or declare fewer errors")
    if problems.have("steps"):
        return  # a recovery has the same states
    fix = "a recovery goes back over the steps of every way of a choice, and over retired ones: "
    fix += "retry less, drop what is in retired_steps, or split the saga"
    _check_events(problems, "recover with", most_recovery_events(plan, retired.planned), fix)
    asked = [approval.name for approval in retired.approvals]
    size = _size(recovery(tuple(plan), retired.planned, resources, _ARN, asked))
    _check_size(problems, "make a recovery with", size, fix)


def _check_events(problems: Problems, what: str, events: int, fix: str) -> None:
    if events > _MOST_EVENTS:
        problems.add("steps", f"{what} at most {_MOST_EVENTS:,} events of history", f"{events:,} at worst", fix)


def _check_size(problems: Problems, what: str, size: int, fix: str) -> None:
    if size > _MOST_BYTES:
        problems.add("steps", f"{what} a definition of at most {_MOST_BYTES:,} bytes", f"about {size:,}", fix)


def _size(told: Mapping[str, Any]) -> int:
    return len(json.dumps(told))
