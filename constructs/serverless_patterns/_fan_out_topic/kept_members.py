"""What a claim check leaves in the body: SNS's filters, and who is expected, see nothing else of a large message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from .filters import paths_of, written

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.contract import Scope

    from .._checks import Problems

_UNSEEN = "of a large message the body has no more than what is kept"


def check_filter_kept(
    problems: Problems, filter: Mapping[str, Any] | None, scope: Scope, keep: Collection[str], key: str | None
) -> None:
    """Refuse a filter by which SNS would silently hold back every large message.

    Args:
        problems: Takes what is wrong.
        filter: A policy that SNS takes.
        scope: Where it looks.
        keep: Names of the members that stay.
        key: Path of the key, which stays too.
    """
    if not isinstance(filter, Mapping) or scope != "body":
        return  # nothing is hidden from it, or it is refused as it is
    for path in paths_of(written(filter)):
        _check_kept(problems, f"filter at {path}", path, keep, key)


def check_expected_kept(problems: Problems, expected: str | None, keep: Collection[str], key: str | None) -> None:
    """Refuse an expression that finds nobody in a large message, which is then a dead letter in each branch."""
    if expected is not None:
        _check_kept(problems, "fan_in expected", expected, keep, key)


def _check_kept(problems: Problems, argument: str, path: str, keep: Collection[str], key: str | None) -> None:
    if path == key or any(path == name or path.startswith(f"{name}.") for name in keep):
        return
    fix = f"{_UNSEEN}: pass ClaimCheck(keep=[{path.partition('.')[0]!r}, ...])"
    problems.add(argument, "look at what claim_check keeps", repr(path), fix)
