"""Which topics a business function publishes to, and which views it reads, as far as its source tells.

And whether it was given them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple, cast

from ._calls_in_source import calls, first_text
from ._checks import did_you_mean
from ._late_errors import refuse_late
from ._source import module_file, parsed
from ._told import Asked, names_asked_by, names_told

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import aws_lambda as lambda_

    from .handler import Handler

    _Late = Callable[[], list[str]]


class _Kind(NamedTuple):
    asked: Asked
    call: str
    """What the function calls, with the name first."""
    parameter: str
    """Of the name."""
    grant: str
    """Of the construct: what gives the function that name."""
    of: str
    """What a user would call the construct."""
    thing: str


_KINDS = (
    _Kind("topic", "publish", "topic", "publisher", "topic", "which topic that is"),
    _Kind("view", "read_view", "name", "reader", "by_customer", "which view that is"),
)


def check_names(function: lambda_.Function, handler: Handler) -> None:
    """Refuse, at synth, to ask for a topic or a view that the function was not given: each such call would fail.

    Late: a fan-in's own function is given the topic when that is there. What `customize` adds nobody sees: it passes.
    """
    module_name, _, name = handler.function.partition(":")
    file = module_file(handler.code, module_name)
    module = None if file is None else parsed(file)
    if file is None or module is None or handler.customize is not None:
        return
    for kind in _KINDS:
        if any(calls(module, name, (kind.call,), called_too=True)):
            refuse_late(function, _late(kind, module, name, file, function))


def _late(kind: _Kind, module: ast.Module, name: str, file: Path, function: lambda_.Function) -> _Late:
    return lambda: _missing(kind, module, name, file, function)


def _missing(kind: _Kind, module: ast.Module, name: str, file: Path, function: lambda_.Function) -> list[str]:
    seen = cast("lambda_.IFunction", function)
    given, known = names_asked_by(seen, kind.asked), names_told(seen)  # a variable may tell of another app's
    messages: dict[str, str] = {}
    # Another Handler with names of its own may share what it calls.
    for call in calls(module, name, (kind.call,), called_too=not given):
        asked = first_text(call, kind.parameter, module)
        if asked is not None and asked not in {*given, *known, *messages}:
            messages[asked] = _message(kind, asked, f"{ast.unparse(call.func)}(...) in {file}:{call.lineno}", given)
    return [*messages.values()]


def _message(kind: _Kind, asked: str, where: str, given: Collection[str]) -> str:
    had = sorted(given)
    got = f"{', '.join(map(repr, had)) or 'none'}{did_you_mean(asked, had)}"
    fix = f"pass grants=[{kind.of}.{kind.grant}({asked!r})] to its Handler: nothing else tells it {kind.thing}"
    return f"grants must hold the {kind.grant} {asked!r} of {where}, got {got}: {fix}"
