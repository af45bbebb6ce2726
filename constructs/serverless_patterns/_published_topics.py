"""Which topics a business function publishes to, as far as its source tells, and whether it was given them."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from ._calls_in_source import calls, first_text
from ._checks import did_you_mean
from ._late_errors import refuse_late
from ._source import module_file, parsed
from ._told import names_told, topics_told

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import aws_lambda as lambda_

    from .handler import Handler

_PUBLISH = ("publish",)


def check_topics(function: lambda_.Function, handler: Handler) -> None:
    """Refuse, at synth, to publish to a topic that the function was not given: each such message is a dead letter.

    Late: a fan-in's own function is given the topic when that is there. What `customize` adds nobody sees: it passes.
    """
    module_name, _, name = handler.function.partition(":")
    file = module_file(handler.code, module_name)
    module = None if file is None else parsed(file)
    if file is None or module is None or handler.customize is not None:
        return
    if not any(calls(module, name, _PUBLISH, called_too=True)):
        return
    refuse_late(function, lambda: _missing(module, name, file, function))


def _missing(module: ast.Module, name: str, file: Path, function: lambda_.Function) -> list[str]:
    seen = cast("lambda_.IFunction", function)
    given, known = topics_told(seen), names_told(seen)  # a variable may tell of another app's topic
    messages: dict[str, str] = {}
    # Another Handler of other topics may share what it calls.
    for call in calls(module, name, _PUBLISH, called_too=not given):
        topic = first_text(call, "topic", module)
        if topic is not None and topic not in {*given, *known, *messages}:
            messages[topic] = _message(topic, f"{ast.unparse(call.func)}(...) in {file}:{call.lineno}", given)
    return [*messages.values()]


def _message(topic: str, where: str, given: Collection[str]) -> str:
    had = sorted(given)
    got = f"{', '.join(map(repr, had)) or 'none'}{did_you_mean(topic, had)}"
    fix = f"pass grants=[topic.publisher({topic!r})] to its Handler: nothing else tells it which topic that is"
    return f"grants must hold the publisher {topic!r} of {where}, got {got}: {fix}"
