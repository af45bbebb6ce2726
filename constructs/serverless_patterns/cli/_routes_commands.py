"""The commands `route list|set|kill|clear`: options in, exit code out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._placing import at_a_place, somebody_is_there
from serverless_patterns.cli._routes import Wanted, change, list_routes

__all__ = ["route"]


class _Percent(click.FloatRange):
    """What the control function takes: so that nobody is asked about what it refuses."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            percent = float(value)
        except ValueError:
            self.fail(f"PERCENT is a number from 0 to 100 without a sign behind it: 50. It was {value!r}.", param, ctx)
        if not 0 <= percent <= 100:  # not a number neither
            self.fail(f"PERCENT is a number from 0 to 100, not {value}.", param, ctx)
        if round(percent, 2) != percent:
            self.fail(f"PERCENT has two decimals at most, not as many as {value}.", param, ctx)
        return percent


class _RouteName(click.types.StringParamType):
    """As in code; a shell that was given no quotes has taken it apart."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip() or value.strip() in _METHODS:
            self.fail(
                f"ROUTE is one word to the shell, in quotes: 'GET /profile/{{id}}'. It was {value!r}.", param, ctx
            )
        return super().convert(value, param, ctx)


_METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_ROUTE = _RouteName()
_TARGET = (
    "TARGET is the gateway's control function: its name or ARN, or Stack.OutputKey for a CloudFormation output that"
    " holds one of these. ROUTE is written as in code: 'GET /profile/{id}'."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; all else on stderr.")
_CHANGE = (
    click.option("--reason", required=True, help="Why: kept with your name."),
    click.option("--by", help="Who. Default: as AWS knows you, else this machine."),
    click.option("--yes", is_flag=True, help="Do not ask."),
    _JSON,
)


@click.group()
def route() -> None:
    """See and change what share of its callers a migrating route's new side gets."""


@route.command("list", help=f"Show the routes that are migrating, or one of them.\n\n{_TARGET}")
@at_a_place
@click.argument("name", metavar="[ROUTE]", required=False, type=_ROUTE)
@click.option("--history", is_flag=True, help="With the latest changes of each.")
@_JSON
def _list(target: str, place: Place, *, name: str | None, history: bool, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    sys.exit(list_routes(place, target, name, history=history, as_json=as_json))


def _changes(command: Callable[..., None]) -> Callable[..., None]:
    return reduce(lambda wrapped, option: option(wrapped), reversed(_CHANGE), command)


@route.command("set", help=f"Send PERCENT of a route's callers to its new side.\n\n{_TARGET}")
@at_a_place
@click.argument("name", metavar="ROUTE", type=_ROUTE)
@click.argument("percent", type=_Percent(min=0, max=100))
@_changes
def _set(target: str, place: Place, **given: Any) -> None:  # pyright: ignore[reportUnusedFunction]
    _change("set", target, place, **given)


@route.command(
    "kill", help=f"Send callers to legacy, all but forced ones and known keys, until it is cleared.\n\n{_TARGET}"
)
@at_a_place
@click.argument("name", metavar="ROUTE", type=_ROUTE)
@_changes
def _kill(target: str, place: Place, **given: Any) -> None:  # pyright: ignore[reportUnusedFunction]
    _change("kill", target, place, **given)


@route.command(
    "clear",
    help=f"End a kill: PERCENT holds, or what held before. Forget a route that was removed.\n\n{_TARGET}",
)
@at_a_place
@click.argument("name", metavar="ROUTE", type=_ROUTE)
@click.argument("percent", type=_Percent(min=0, max=100), required=False)
@_changes
def _clear(target: str, place: Place, **given: Any) -> None:  # pyright: ignore[reportUnusedFunction]
    _change("clear", target, place, **given)


def _change(
    action: str,
    target: str,
    place: Place,
    *,
    name: str,
    reason: str,
    by: str | None,
    yes: bool,
    as_json: bool,
    percent: float | None = None,
) -> None:
    if not reason.strip():
        raise click.UsageError("--reason needs a word.")
    if not (yes or somebody_is_there()):
        raise click.UsageError(f"There is nobody to ask: add --yes to {action} it, or look with route list.")
    sys.exit(change(place, target, Wanted(action, name, reason, by, percent), ask=not yes, as_json=as_json))
