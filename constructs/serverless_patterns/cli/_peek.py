"""`peek`: what is in a dead-letter queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console

from serverless_patterns.cli import _json, _report
from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._clock import Clock
from serverless_patterns.cli._interrupts import Interrupts
from serverless_patterns.cli._progress import progress
from serverless_patterns.cli._queues import Queues
from serverless_patterns.cli._route import Route
from serverless_patterns.cli._survey import Survey, survey

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

__all__ = ["peek", "read"]


def peek(place: Place, target: str, *, limit: int | None, with_bodies: bool, as_json: bool) -> int:
    """Returns the exit code."""
    console = _report.console(stderr=as_json)
    sqs = place.sqs()
    route = Queues(sqs, place.cloudformation).route(target)
    with Interrupts() as interrupts:
        found = read(console, sqs, route, interrupts, limit=limit, keep_bodies=with_bodies)
    if as_json:
        click.echo(json.dumps(_json.peeked(found, route, with_bodies=with_bodies)))
    else:
        _report.show(console, _report.route_lines(route))
        _report.show_survey(console, found, route, limited=limit is not None or interrupts())
        _report.show(console, _report.bodies(found.letters) if with_bodies else ())
    if interrupts():
        click.echo("Interrupted: not all messages were read.", err=True)
    return 1 if interrupts() else 0


def read(
    console: Console,
    sqs: SQSClient,
    route: Route,
    interrupts: Interrupts,
    *,
    limit: int | None = None,
    keep_bodies: bool = False,
) -> Survey:
    total = int(route.dead_letters.attributes.get("ApproximateNumberOfMessages", 0))
    with progress(console, "Reading", total if limit is None else min(limit, total)) as show:
        return survey(
            sqs,
            route,
            clock=Clock(sleep=interrupts.sleep),
            limit=limit,
            keep_bodies=keep_bodies,
            interrupted=interrupts,
            on_progress=lambda found: show(len(found.letters)),
        )
