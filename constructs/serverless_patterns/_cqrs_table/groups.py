"""Views whose functions run alike share one projector: DynamoDB lets two readers at a shard, and no third."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_

from .._checks import seconds

if TYPE_CHECKING:
    from .._checks import Problems
    from ..handler import Handler

MOST_GROUPS = 2
_PURE = ("tables", "secrets", "parameters", "grants", "provisioned_concurrent_executions")  # none of them has any
_NOT_COMPARED = ("function", "returns_effects", *_PURE)
_STRUCTURE = ("code", "requirements", "runtime", "architecture", "vpc", "vpc_subnets", "security_groups", "layers")
_FIX = "give it the same code and arguments as the others have: a project is pure, and needs nothing of its own"


class Group(NamedTuple):
    """Views that one projector fills."""

    handler: Handler
    """How all of them run."""

    views: list[str]

    elsewhere: bool = False
    """Their rows are in another store than DynamoDB: what keeps it waiting keeps no other view waiting."""


def suffix_of(handler: Handler, decide: Handler, *, elsewhere: bool = False) -> str:
    """What sets the ids of its group apart: nothing for one with the code of `decide`, wherever it is in the app."""
    if all(_told(getattr(handler, field)) == _told(getattr(decide, field)) for field in _STRUCTURE):
        return "Elsewhere" if elsewhere else ""
    parts = [
        handler.code.name,
        "" if handler.requirements is None else handler.requirements.name,
        handler.architecture.name,
        "" if handler.vpc is None else handler.vpc.node.path,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:6] + ("Elsewhere" if elsewhere else "")


def check_group(
    problems: Problems,
    argument: str,
    handler: Handler,
    decide: Handler,
    groups: Iterable[Group],
    *,
    elsewhere: bool = False,
) -> None:
    """Refuse a third reader of the stream, and views that differ where they have to be alike."""
    known = [*groups]
    if any(group.elsewhere == elsewhere and _differences(handler, group.handler) == [] for group in known):
        return
    mine = suffix_of(handler, decide, elsewhere=elsewhere)
    for group in known:
        if suffix_of(group.handler, decide, elsewhere=group.elsewhere) == mine:
            named = ", ".join(map(repr, sorted(group.views)))
            differs = " and ".join(_differences(handler, group.handler))
            problems.add(argument, f"run as that of {named}, whose projector it shares", f"another {differs}", _FIX)
            return
    if len(known) >= MOST_GROUPS:
        named = "; ".join(sorted(", ".join(map(repr, sorted(group.views))) for group in known))
        must = f"run as one of the {MOST_GROUPS} projectors that there are ({named})"
        problems.add(argument, must, "a third one, which would starve the stream", _FIX)


def same_group(one: Handler, other: Handler) -> bool:
    """Whether they say the same of how they run."""
    return not _differences(one, other)


def _differences(one: Handler, other: Handler) -> list[str]:
    mine, theirs = vars(one), vars(other)
    return sorted(name for name in mine if name not in _NOT_COMPARED and _told(mine[name]) != _told(theirs.get(name)))


def _told(value: Any) -> Any:
    """What can be compared: jsii gives another object for the same thing."""
    if isinstance(value, Duration):
        return seconds(value)
    return value.name if isinstance(value, lambda_.Runtime | lambda_.Architecture) else value
