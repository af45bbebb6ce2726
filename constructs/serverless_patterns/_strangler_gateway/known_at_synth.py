"""Values that the router reads from a file, which CloudFormation does not fill in: no tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration

from .._checks import is_token
from .._shapes import told

if TYPE_CHECKING:
    from .._checks import Problems

_FIX = "the router reads it from a file, which CloudFormation does not fill in: write the value"


def check_percent(problems: Problems, argument: str, value: Any, *, least: float, fix: str) -> None:
    """Refuse anything but a number from `least` to 100 with two decimals at most."""
    if is_known(problems, argument, value) and not _is_percent(value, least):
        problems.add(argument, f"be a number from {least:g} to 100, with two decimals at most", told(value), fix)


def check_whole(problems: Problems, argument: str, value: Any, low: int, high: int, fix: str) -> None:
    """Refuse anything but an `int` from `low` to `high`."""
    if is_known(problems, argument, value):
        problems.whole_number(argument, value, low, high, fix)


def check_length(problems: Problems, argument: str, value: Any, low: int, high: int, fix: str) -> None:
    """Refuse anything but a `Duration` of `low` to `high` seconds."""
    if isinstance(value, Duration) and value.is_unresolved():
        problems.add(argument, "be known at synth", "a token", _FIX)
    else:
        problems.duration(argument, value, low, high, fix)


def is_known(problems: Problems, argument: str, value: Any) -> bool:
    """Whether it is no token; one is a problem."""
    if is_token(value):
        problems.add(argument, "be known at synth", "a token", _FIX)
        return False
    return True


def length_of(duration: Duration) -> float:
    """Seconds, also parts of one."""
    return duration.to_milliseconds() / 1000


def _is_percent(value: Any, least: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 100:
        return False
    return round(value, 2) == value
