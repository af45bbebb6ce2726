"""The commands `view status|rebuild|cancel|parked|retry`: options in, exit code out."""

from __future__ import annotations

import sys

import click

from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._placing import at_a_place, somebody_is_there
from serverless_patterns.cli._views import Rebuilt, cancel, parked, rebuild, retry, status
from serverless_patterns_runtime.cqrs_views.contract import MOST_SEGMENTS

__all__ = ["view"]

_TARGET = (
    "TARGET is the table's control function: its name or ARN, or Stack.OutputKey for a CloudFormation output that holds"
    " one of these. VIEW is the view's name in code."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; all else on stderr.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def view() -> None:
    """See how the views of a table stand, rebuild them, and go on with what was parked."""


@view.command("status", help=f"Show how each view stands, or one of them.\n\n{_TARGET}")
@at_a_place
@click.argument("name", metavar="[VIEW]", required=False)
@_JSON
def _status(target: str, place: Place, *, name: str | None, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    sys.exit(status(place, target, name, as_json=as_json))


@view.command("rebuild", help=f"Fill a view anew, and have it read once it is found to be right.\n\n{_TARGET}")
@at_a_place
@click.argument("name", metavar="VIEW")
@click.option("--tolerate-refused", "tolerant", is_flag=True, help="Park aggregates that cannot be projected.")
@click.option("--segments", type=click.IntRange(1, MOST_SEGMENTS), help="In so many parts. Default: by its size.")
@click.option("--by", help="Who. Default: as AWS knows you, else this machine.")
@click.option("--no-wait", is_flag=True, help="Do not stay until it is done.")
@_YES
@_JSON
def _rebuild(  # pyright: ignore[reportUnusedFunction]
    target: str,
    place: Place,
    *,
    name: str,
    tolerant: bool,
    segments: int | None,
    by: str | None,
    no_wait: bool,
    yes: bool,
    as_json: bool,
) -> None:
    _check_somebody(yes, "rebuild it")
    wanted = Rebuilt(name, by, segments, tolerant=tolerant, wait=not no_wait)
    sys.exit(rebuild(place, target, wanted, ask=not yes, as_json=as_json))


@view.command("cancel", help=f"End the rebuild of a view. What is read stays as it is.\n\n{_TARGET}")
@at_a_place
@click.argument("name", metavar="VIEW")
@click.option("--by", help="Who. Default: as AWS knows you, else this machine.")
@_YES
@_JSON
def _cancel(target: str, place: Place, *, name: str, by: str | None, yes: bool, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    _check_somebody(yes, "cancel it")
    sys.exit(cancel(place, target, name, by, ask=not yes, as_json=as_json))


@view.command("parked", help=f"Show which changes are not in the views, and why.\n\n{_TARGET}")
@at_a_place
@click.argument("name", metavar="[VIEW]", required=False)
@_JSON
def _parked(target: str, place: Place, *, name: str | None, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    sys.exit(parked(place, target, name, as_json=as_json))


@view.command("retry", help=f"Try what is parked again, once its cause is mended.\n\n{_TARGET}")
@at_a_place
@click.argument("name", metavar="[VIEW]", required=False)
@_YES
@_JSON
def _retry(target: str, place: Place, *, name: str | None, yes: bool, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    _check_somebody(yes, "try it again")
    sys.exit(retry(place, target, name, ask=not yes, as_json=as_json))


def _check_somebody(yes: bool, what: str) -> None:
    if not (yes or somebody_is_there()):
        raise click.UsageError(f"There is nobody to ask: add --yes to {what}, or look with view status.")
