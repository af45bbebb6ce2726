"""`view status|rebuild|cancel|parked|retry`: how views stand, and what people do about it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from serverless_patterns.cli import _report, _views_report
from serverless_patterns.cli._asked_function import VIEWS, AskedFunction
from serverless_patterns.cli._placing import who
from serverless_patterns.cli._progress import progress

if TYPE_CHECKING:
    from rich.console import Console

    from serverless_patterns.cli._aws import Place
    from serverless_patterns_runtime.cqrs_views.control_contract import (
        Listed,
        ParkedShown,
        Rebuilding,
        Retrying,
        Status,
        ViewShown,
    )

__all__ = ["Rebuilt", "cancel", "parked", "rebuild", "retry", "status"]

LOOK_SECONDS = 2.0
"""Between two looks at what was begun."""


class Rebuilt(NamedTuple):
    view: str
    by: str | None
    """None: as AWS knows who gives the command."""
    segments: int | None
    tolerant: bool
    wait: bool


def status(place: Place, target: str, view: str | None, *, as_json: bool) -> int:
    """Returns the exit code. Raises TargetError, Unanswered, and what the clients raise; so do the others."""
    answer = _status(_control(place, target), view)
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _show(_report.console(), answer)
    return 0


def rebuild(place: Place, target: str, wanted: Rebuilt, *, ask: bool, as_json: bool) -> int:
    control, console = _control(place, target), _report.console(stderr=as_json)
    _show_standing(console, _status(control, wanted.view))  # examples would be those of the rebuild before
    if ask and not click.confirm(f"Rebuild {_report.plain(wanted.view)}?", err=as_json):
        console.print("Nothing was begun.")
        return 1
    asked: dict[str, Any] = {"view": wanted.view, "by": wanted.by or who(place), "tolerant": wanted.tolerant}
    asked |= {} if wanted.segments is None else {"segments": wanted.segments}
    begun = cast("Rebuilding", control.ask(request="rebuild", **asked))
    if not wanted.wait:
        if as_json:
            click.echo(json.dumps(begun))
        else:
            _report.show(console, [_views_report.begun_line(begun)])
        return 0
    ended = _followed(control, console, begun)
    if as_json:
        click.echo(json.dumps(ended))
    else:
        _report.show(console, _views_report.ended_lines(ended, begun["generation"]))
    return 0 if ended["live"] == begun["generation"] else 1


def cancel(place: Place, target: str, view: str, by: str | None, *, ask: bool, as_json: bool) -> int:
    control, console = _control(place, target), _report.console(stderr=as_json)
    _show_standing(console, _status(control, view))
    if ask and not click.confirm(f"Cancel the rebuild of {_report.plain(view)}?", err=as_json):
        console.print("Nothing was cancelled.")
        return 1
    answer = control.ask(request="cancel", view=view, by=by or who(place))
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _report.show(console, [f"The rebuild of {_report.plain(view)} is cancelled: what was read is read."])
    return 0


def parked(place: Place, target: str, view: str | None, *, as_json: bool) -> int:
    found = _listed(_control(place, target), view)
    if as_json:
        click.echo(json.dumps({"parked": found}))
    else:
        _show_parked(_report.console(), found)
    return 0


def retry(place: Place, target: str, view: str | None, *, ask: bool, as_json: bool) -> int:
    control, console = _control(place, target), _report.console(stderr=as_json)
    found = _listed(control, view)
    _show_parked(console, found)
    if found and ask and not click.confirm("Try them again?", err=as_json):
        console.print("Nothing was tried.")
        return 1
    replayed, left = _tried(control, view) if found else (0, 0)
    if as_json:
        click.echo(json.dumps({"replayed": replayed, "left": left}))
    elif found:
        _report.show(console, [_views_report.retried_line(replayed, left)])
    return 1 if left else 0


def _tried(control: AskedFunction, view: str | None) -> tuple[int, int]:
    one = {} if view is None else {"view": view}
    begun = cast("list[Retrying]", control.ask(request="retry", **one)["retries"])
    executions = ",".join(each["execution"] for each in begun)
    while begun and any(each["status"] == "RUNNING" for each in begun):
        time.sleep(LOOK_SECONDS)
        begun = cast("list[Retrying]", control.ask(request="retry", execution=executions)["retries"])
    return sum(each["replayed"] for each in begun), sum(each["left"] for each in begun)


def _followed(control: AskedFunction, console: Console, begun: Rebuilding) -> ViewShown:
    """How the view stands once the rebuild has ended. Ctrl-C ends the command, not the rebuild."""
    generation, began = begun["generation"], False
    with progress(console, "Percent scanned and compared", 100) as show:
        while True:
            answer = _status(control, begun["view"])
            (standing,) = answer["views"]
            told = standing["progress"]
            if told is not None and told["generation"] == generation:
                began = True
                show(_views_report.percent(told))
            over = standing["building"] != generation and (began or _is_over(standing, generation))
            if over:
                return standing
            time.sleep(LOOK_SECONDS)


def _is_over(standing: ViewShown, generation: int) -> bool:
    """Of one whose beginning was not seen."""
    return standing["live"] is not None and standing["live"] >= generation


def _control(place: Place, target: str) -> AskedFunction:
    return AskedFunction(place.lambda_(), place.cloudformation, target, VIEWS)


def _status(control: AskedFunction, view: str | None) -> Status:
    return cast("Status", control.ask(request="status", **({} if view is None else {"view": view})))


def _listed(control: AskedFunction, view: str | None) -> list[ParkedShown]:
    found: list[ParkedShown] = []
    asked: dict[str, Any] = {} if view is None else {"view": view}
    while True:
        answer = cast("Listed", control.ask(request="parked", **asked))
        found += answer["parked"]
        if not answer["after"]:
            return found
        asked["after"] = answer["after"]


def _show_standing(console: Console, answer: Status) -> None:
    console.print(_views_report.views_shown(console, answer, time.time()))
    console.print()


def _show(console: Console, answer: Status) -> None:
    _show_standing(console, answer)
    _report.show(console, _views_report.examples(answer))


def _show_parked(console: Console, found: list[ParkedShown]) -> None:
    if not found:
        console.print("Nothing is parked.")
        return
    console.print(_views_report.parked_shown(console, found, time.time()))
    console.print()
    _report.show(console, [f"{len(found):,} parked."])
