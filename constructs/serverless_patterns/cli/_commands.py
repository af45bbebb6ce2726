"""The commands: options in, exit code out (0 done, 1 something is left, 2 a wrong call)."""

from __future__ import annotations

import sys
from typing import Any

import click

from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._peek import peek
from serverless_patterns.cli._placing import at_a_place, somebody_is_there
from serverless_patterns.cli._redrive_command import Request, redrive
from serverless_patterns.cli._report import ID_LENGTH
from serverless_patterns.cli._routes_commands import route
from serverless_patterns.cli._saga_commands import saga
from serverless_patterns.cli._selection import Selection
from serverless_patterns.cli._view_commands import view

__all__ = ["commands", "somebody_is_there"]

_TARGET = (
    "TARGET is a queue or its dead-letter queue: a name, a URL, an ARN, or Stack.OutputKey for a CloudFormation output"
    " that holds one of these."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cdk-serverless-patterns")
def commands() -> None:
    """Look into dead-letter queues and sagas, and go on with what was left there; move routes from a monolith;
    rebuild views."""


@commands.command("peek", help=f"Show what is in a dead-letter queue, by reason. Nothing is moved.\n\n{_TARGET}")
@at_a_place
@click.option("--limit", type=click.IntRange(min=1), help="Read so many messages at most.")
@click.option("--bodies", is_flag=True, help="Show the messages' bodies too. They may hold personal data.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout instead of a table.")
def _peek(target: str, place: Place, *, limit: int | None, bodies: bool, as_json: bool) -> None:  # pyright: ignore[reportUnusedFunction]
    sys.exit(peek(place, target, limit=limit, with_bodies=bodies, as_json=as_json))


@commands.command("redrive", help=f"Send dead letters back to their queue.\n\n{_TARGET}")
@at_a_place
@click.option("--to", help="Another queue to send them to, in any form that TARGET takes.")
@click.option("--reason", help="Only those whose reason contains this text, in any case.")
@click.option("--error-type", help="Only those with exactly this error type.")
@click.option("--message-id", multiple=True, help="Only this one: its id, or 8 characters of it or more. Repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="So many at most.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True, help="Messages a second."
)
@click.option("--dry-run", is_flag=True, help="Show what would be sent back, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout at the end; all else on stderr.")
def _redrive(  # pyright: ignore[reportUnusedFunction]
    target: str,
    place: Place,
    *,
    reason: str | None,
    error_type: str | None,
    message_id: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    **rest: Any,
) -> None:
    if any(len(part) < ID_LENGTH for part in message_id):
        raise click.UsageError(f"--message-id needs {ID_LENGTH} characters of the id or more.")
    if not (yes or dry_run or somebody_is_there()):
        raise click.UsageError("There is nobody to ask: add --yes to send them back, or --dry-run to only look.")
    selection = Selection(reason=reason, error_type=error_type, message_ids=message_id)
    sys.exit(redrive(place, Request(target=target, selection=selection, ask=not yes, dry_run=dry_run, **rest)))


commands.add_command(saga)
commands.add_command(route)
commands.add_command(view)
