"""The commands `saga list|show|resume`: options in, exit code out."""

from __future__ import annotations

import sys

import click

from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._placing import at_a_place, somebody_is_there
from serverless_patterns.cli._saga import list_open, resume, show

__all__ = ["saga"]

_TARGET = (
    "TARGET is the saga's guardian: the function's name or ARN, or Stack.OutputKey for a CloudFormation output that"
    " holds one of these."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; all else on stderr.")


@click.group()
def saga() -> None:
    """See which executions of a saga need a person, and resume them."""


@saga.command("list", help=f"Show executions that are parked, dead or being recovered.\n\n{_TARGET}")
@at_a_place
@click.option("--all", "settled", is_flag=True, help="Those too that were recovered.")
@_JSON
def _list(target: str, place: Place, *, settled: bool, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    sys.exit(list_open(place, target, settled=settled, as_json=as_json))


@saga.command("show", help=f"Show the steps of one execution, and what was done about it.\n\n{_TARGET}")
@at_a_place
@click.argument("execution")
@_JSON
def _show(target: str, place: Place, *, execution: str, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    sys.exit(show(place, target, execution, as_json=as_json))


@saga.command("resume", help=f"Recover an execution again, once its cause is mended.\n\n{_TARGET}")
@at_a_place
@click.argument("execution")
@click.option("--reason", required=True, help="Why: kept with your name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
def _resume(target: str, place: Place, *, execution: str, reason: str, yes: bool, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    if not reason.strip():
        raise click.UsageError("--reason needs a word.")
    if not (yes or somebody_is_there()):
        raise click.UsageError("There is nobody to ask: add --yes to resume it, or look with saga show.")
    sys.exit(resume(place, target, execution, reason=reason, ask=not yes, as_json=as_json))
