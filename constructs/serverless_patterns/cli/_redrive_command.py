"""`redrive`: shows what is there, asks, and sends it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import click
from rich.console import Console

from serverless_patterns.cli import _json, _report
from serverless_patterns.cli._aws import AWS_ERRORS, Place, explain
from serverless_patterns.cli._clock import Clock
from serverless_patterns.cli._interrupts import Interrupts
from serverless_patterns.cli._outcome import Outcome
from serverless_patterns.cli._peek import read
from serverless_patterns.cli._progress import progress
from serverless_patterns.cli._queues import Queues, TargetError
from serverless_patterns.cli._redrive import Redrive
from serverless_patterns.cli._route import Queue, Route
from serverless_patterns.cli._selection import Selection
from serverless_patterns.cli._survey import Survey

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

__all__ = ["Request", "checked_route", "redrive"]


@dataclass(frozen=True, kw_only=True)
class Request:
    target: str
    to: str | None
    selection: Selection
    limit: int | None
    rate: float
    """Messages a second."""
    dry_run: bool
    ask: bool
    as_json: bool


def redrive(place: Place, request: Request) -> int:
    """Returns the exit code. Raises TargetError, click.Abort, and what the clients raise before the first sending."""
    console = _report.console(stderr=request.as_json)
    sqs = place.sqs()
    route, queue = checked_route(Queues(sqs, place.cloudformation), request)
    _report.show(console, _report.route_lines(route))
    with Interrupts() as interrupts:
        found = read(console, sqs, route, interrupts)
    if interrupts():
        console.print("Interrupted. Nothing was moved.")
        return 1
    _report.show_survey(console, found, route, limited=False, selection=request.selection)
    outcome = _not_begun(found, route, request)
    if outcome.selected and not request.dry_run and _agreed(found, queue, request):
        outcome = _run(console, sqs, route, queue, found, request)
    else:
        _report.show(console, _not_run(outcome, found, queue, request))
    if request.as_json:
        click.echo(json.dumps({**_json.described(found, route), "dry_run": request.dry_run, **_json.redriven(outcome)}))
    return 0 if outcome.complete or request.dry_run else 1


def checked_route(queues: Queues, request: Request) -> tuple[Route, Queue]:
    route = queues.route(request.target, request.to)
    name = route.dead_letters.name
    if route.queue is None:
        sources = ", ".join(queues.sources_of(route.dead_letters))
        known = f"several queues use it: {sources}" if sources else "no queue says that it uses it"
        hint = "" if sources else " Items of a ParallelMap go into a new execution instead: peek shows them."
        raise TargetError(f"Where do the messages of {name} belong? ({known}) Add --to with a queue.{hint}")
    if route.queue.arn == route.dead_letters.arn:
        raise TargetError(f"{name} would send its messages to itself. Add --to with another queue.")
    if route.queue.fifo != route.dead_letters.fifo:
        raise TargetError(f"{route.queue.name} and {name} must both be FIFO, or neither.")
    return route, route.queue


def _not_begun(found: Survey, route: Route, request: Request) -> Outcome:
    selected = len(found.selected(request.selection))
    outcome = Outcome(selected=selected if request.limit is None else min(request.limit, selected))
    _leave_unknown_ids(outcome, found, request.selection)
    if not selected and found.letters and route.dead_letters.fifo:
        outcome.unseen = max(0, found.visible - len(found.letters))
    return outcome


def _leave_unknown_ids(outcome: Outcome, found: Survey, selection: Selection) -> None:
    known = [*(letter.message_id for letter in found.letters), *outcome.moved]
    for beginning in selection.message_ids:
        if not any(message_id.startswith(beginning) for message_id in known):
            outcome.left[beginning] = "not in the dead-letter queue, or hidden"


def _expected(found: Survey, queue: Queue, request: Request) -> int:
    """How many will be sent back. On FIFO about as many: the survey shows only the heads of the groups."""
    count = len(found.selected(request.selection))
    if queue.fifo and request.selection.everything:
        count = max(count, found.visible)
    return count if request.limit is None else min(count, request.limit)


def _agreed(found: Survey, queue: Queue, request: Request) -> bool:
    count = _expected(found, queue, request)
    takes = _report.age(count / request.rate)
    question = f"Send {_report.messages(count)} back to {queue.name}, {request.rate:g} a second ({takes})?"
    return not request.ask or click.confirm(question, err=request.as_json)


def _not_run(outcome: Outcome, found: Survey, queue: Queue, request: Request) -> Iterator[str]:
    yield from _report.left_lines(outcome)
    if outcome.selected and request.dry_run:
        yield f"Dry run: {_report.messages(outcome.selected)} would go back to {queue.name}."
    elif found.letters:
        yield "Nothing was moved." if outcome.selected else "None of them is selected. Nothing was moved."


def _run(console: Console, sqs: SQSClient, route: Route, queue: Queue, found: Survey, request: Request) -> Outcome:
    begun = monotonic()
    expected = _expected(found, queue, request)
    with Interrupts() as interrupts, progress(console, "Sending back", expected) as show:
        run = Redrive(
            sqs,
            route,
            found,
            request.selection,
            limit=request.limit,
            rate=request.rate,
            clock=Clock(sleep=interrupts.sleep),
            interrupted=interrupts,
            on_progress=lambda outcome: show(len(outcome.moved)),
        )
        try:
            run.run()
        except AWS_ERRORS as error:
            run.outcome.stopped = explain(error)
    _leave_unknown_ids(run.outcome, found, request.selection)
    _report.show(console, _report.outcome_lines(run.outcome, route, monotonic() - begun))
    return run.outcome
