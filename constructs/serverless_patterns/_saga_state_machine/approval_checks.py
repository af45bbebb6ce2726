"""What can be wrong with an approval by itself, seen at synth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._checks import Problems, seconds
from .._shapes import told
from ..handler import Handler
from .attempts import handler_timeout

if TYPE_CHECKING:
    from ..saga_approval import SagaApproval

_SHORTEST_SECONDS, _LONGEST_SECONDS = 60, 364 * 86_400  # an execution may take a year


def check_approval(problems: Problems, node: SagaApproval) -> None:
    """Check who is told, and how long deciding may take."""
    _check_notify(problems, f"{node.name!r} notify", node.notify)
    fix = "long enough for a person; a saga may take a year"
    _check_length(problems, f"{node.name!r} timeout", node.timeout, _LONGEST_SECONDS, fix)
    most = seconds(node.timeout)
    if node.remind_after is not None and most is not None:
        fix = "leave it out for half of the timeout; the whole timeout is no reminder"
        _check_length(problems, f"{node.name!r} remind_after", node.remind_after, most, fix)


def _check_notify(problems: Problems, argument: str, notify: Any) -> None:
    if not isinstance(notify, Handler):
        fix = "wrap your Python function in a Handler: it is given an ApprovalRequest"
        problems.add(argument, "be a Handler", told(notify), fix)
        return
    if notify.returns_effects:
        fix = "it tells people, and may be called again: keep what you need by a step before"
        problems.add(argument, "return nothing", f"{notify} -> Effects", fix)
    if seconds(handler_timeout(notify)) is None:
        fix = "the task's time-out is reckoned from it"
        problems.add(f"{argument} timeout", "be known at synth", "a token", fix)


def _check_length(problems: Problems, argument: str, given: Any, most: int, fix: str) -> None:
    problems.duration(argument, given, _SHORTEST_SECONDS, most, fix)
    if getattr(given, "is_unresolved", bool)():
        problems.add(argument, "be known at synth", "a token", "write its number")
