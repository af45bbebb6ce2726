"""`saga list`, `saga show`, `saga resume`: what needs a person, how far it is, and on with it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, cast

import click

from serverless_patterns.cli import _report, _saga_report
from serverless_patterns.cli._asked_function import GUARDIAN, AskedFunction
from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._placing import who
from serverless_patterns_runtime.saga_recovery.contract import SETTLED_OUTCOMES

if TYPE_CHECKING:
    from rich.console import Console

    from serverless_patterns_runtime.saga_recovery.contract import ListAnswer, ResumeAnswer, ShowAnswer

__all__ = ["list_open", "resume", "show"]


def list_open(place: Place, target: str, *, settled: bool, as_json: bool) -> int:
    """Returns the exit code. Raises TargetError, Unanswered, and what the clients raise; so do the others."""
    answer = cast("ListAnswer", _guardian(place, target).ask(task="list", all=settled))
    if as_json:
        click.echo(json.dumps(answer))
    else:
        console = _report.console()
        if answer["executions"]:
            console.print(_saga_report.listed_table(answer, time.time()))
            console.print()
        _report.show(console, _saga_report.listed_lines(answer))
    return 0 if answer["complete"] else 1


def show(place: Place, target: str, execution: str, *, as_json: bool) -> int:
    answer = cast("ShowAnswer", _guardian(place, target).ask(task="show", execution=execution))
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _show(_report.console(), answer)
    return 0


def resume(place: Place, target: str, execution: str, *, reason: str, ask: bool, as_json: bool) -> int:
    guardian = _guardian(place, target)
    console = _report.console(stderr=as_json)
    _show(console, cast("ShowAnswer", guardian.ask(task="show", execution=execution)))
    if ask and not click.confirm(f"Resume {_report.plain(execution)}?", err=as_json):
        console.print("Nothing was resumed.")
        return 1
    question = {"task": "resume", "execution": execution, "by": who(place), "reason": reason}
    answer = cast("ResumeAnswer", guardian.ask(**question))
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _report.show(console, [_resumed(answer)])
    return 1 if answer["outcome"] in SETTLED_OUTCOMES else 0


def _guardian(place: Place, target: str) -> AskedFunction:
    return AskedFunction(place.lambda_(), place.cloudformation, target, GUARDIAN)


def _show(console: Console, answer: ShowAnswer) -> None:
    _report.show(console, _saga_report.execution_lines(answer))
    console.print()
    console.print(_saga_report.steps_table(answer))
    console.print()
    _report.show(console, _saga_report.trail_lines(answer))


def _resumed(answer: ResumeAnswer) -> str:
    name = _report.plain(answer["recovery"])
    if answer["began"]:
        return f"Recovery {name} has begun: saga show tells how it goes."
    if answer["outcome"] in SETTLED_OUTCOMES:
        return f"There is nothing to resume: {name} has come to a good end, {answer['outcome']}."
    return f"Recovery {name} was begun before: saga show tells how it goes."
