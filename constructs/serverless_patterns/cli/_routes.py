"""`route list|set|kill|clear`: what share of its callers a migrating route's new side gets."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from serverless_patterns.cli import _report, _routes_report
from serverless_patterns.cli._asked_function import CONTROL, AskedFunction
from serverless_patterns.cli._placing import who
from serverless_patterns_runtime.strangler_gateway.control_contract import MAX_BY

if TYPE_CHECKING:
    from rich.console import Console

    from serverless_patterns.cli._aws import Place
    from serverless_patterns_runtime.strangler_gateway.control_contract import Change, Listing

__all__ = ["Wanted", "change", "list_routes"]


class Wanted(NamedTuple):
    action: str
    route: str
    reason: str
    by: str | None
    """None: as AWS knows who gives the command."""
    percent: float | None = None

    def question(self) -> str:
        name = _report.plain(self.route)
        match self.action:
            case "set":
                return f"Send {self.percent:g} percent of the callers of {name} to its new side?"
            case "kill":
                return f"Send all callers of {name} to legacy?"
            case _:
                share = "" if self.percent is None else f", and send {self.percent:g} percent to its new side"
                return f"Clear {name}{share}?"


def list_routes(place: Place, target: str, route: str | None, *, history: bool, as_json: bool) -> int:
    """Returns the exit code. Raises TargetError, Unanswered, and what the clients raise; so does the other."""
    answer = _listed(_control(place, target), route, history=history)
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _show(_report.console(), answer)
    return 0


def change(place: Place, target: str, wanted: Wanted, *, ask: bool, as_json: bool) -> int:
    control = _control(place, target)
    console = _report.console(stderr=as_json)
    _show(console, _listed(control, wanted.route, history=False))
    if ask and not click.confirm(wanted.question(), err=as_json):
        console.print("Nothing was changed.")
        return 1
    told: Mapping[str, Any] = {"route": wanted.route, "reason": wanted.reason, "by": (wanted.by or who(place))[:MAX_BY]}
    share = {} if wanted.percent is None else {"percent": wanted.percent}
    answer = cast("Change", control.ask(action=wanted.action, **told, **share))
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _report.show(console, [_routes_report.changed_line(answer)])
    return 0


def _control(place: Place, target: str) -> AskedFunction:
    return AskedFunction(place.lambda_(), place.cloudformation, target, CONTROL)


def _listed(control: AskedFunction, route: str | None, *, history: bool) -> Listing:
    one = {} if route is None else {"route": route}
    return cast("Listing", control.ask(action="list", history=history, **one))


def _show(console: Console, answer: Listing) -> None:
    if answer["routes"]:
        console.print(_routes_report.routes_shown(console, answer, time.time()))
        if any(route["stage"] != "migrating" for route in answer["routes"]):
            console.print(_routes_report.IN_BRACKETS)
    else:
        console.print("No route is migrating.")
    console.print()
    if any(route.get("history") for route in answer["routes"]):
        console.print(_routes_report.history_shown(console, answer))
        console.print()
