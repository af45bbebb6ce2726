"""Names of views, totals and documents: they are in items, keys of objects and tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.cqrs_views.contract import ROW_ABOUT, ROW_PARTITION, ROW_SORT, TIME_TO_LIVE

from .._checks import did_you_mean, is_token
from .._shapes import told
from .arguments import ATTRIBUTE

if TYPE_CHECKING:
    from .._checks import Problems

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")  # Lambda's rule
_OURS = (ROW_ABOUT, ROW_PARTITION, ROW_SORT, TIME_TO_LIVE)


def check_name(problems: Problems, name: Any, taken: Iterable[str]) -> None:
    """Refuse what is no name, and one that this table has already."""
    if not isinstance(name, str) or is_token(name) or not _NAME.fullmatch(name):
        fix = "it is data: choose one that will not change, as 'ByCustomer'"
        problems.add("name", "be a letter, then letters or digits, up to 40", told(name), fix)
        return
    same = [other for other in taken if other.lower() == name.lower()]
    if same:
        problems.add(
            "name", "be its own among views, totals and documents", repr(name), f"{same[0]!r} is there already"
        )


def check_attribute(problems: Problems, argument: str, name: Any, example: str) -> None:
    """Refuse what no member of a row can be named, or what is ours in a row's item."""
    if not isinstance(name, str) or is_token(name) or not ATTRIBUTE.fullmatch(name):
        fix = f"it is a member of the rows, and a parameter in paths: {example!r}"
        problems.add(argument, "be a letter, then letters, digits or _, up to 63", told(name), fix)
    elif name in _OURS or name.startswith("_"):
        names = ", ".join(map(repr, sorted(_OURS)))
        fix = "these names are ours in a row, now or later"
        problems.add(argument, f"be none of {names}, and not begin with '_'", repr(name), fix)


def check_variable(problems: Problems, name: Any) -> None:
    """Refuse a name that no variable can have."""
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name) or name.startswith(("AWS_", "LAMBDA_")):
        fix = "it is the name of a variable, and of the view in read_view(): write 'BY_CUSTOMER'"
        problems.add("name", "be a letter, then letters, digits or _ (two or more)", told(name), fix)


def check_command(problems: Problems, name: Any, known: Iterable[str]) -> None:
    """Refuse a command that `decide` does not know."""
    names = [*known]
    if not isinstance(name, str) or not name:
        problems.add("name", "be the name of a command", told(name), "as 'place'")
    elif names and name not in names:
        got = f"{name!r}{did_you_mean(name, names)}"
        problems.add("name", f"be one of commands, {', '.join(map(repr, sorted(names)))}", got, "add it there")
