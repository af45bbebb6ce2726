"""What a person reads of sagas: tables and lines, the same in a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from serverless_patterns.cli._report import age, plain
from serverless_patterns.cli._tables import moment, table
from serverless_patterns_runtime.saga_recovery.contract import ListAnswer, ShowAnswer

__all__ = ["execution_lines", "listed_lines", "listed_table", "steps_table", "trail_lines"]


def listed_table(answer: ListAnswer, now: float) -> Table:
    rows = [
        (one["execution"], one["outcome"], age(now - one["started"]), one["recovery"] or "-", one["error"] or "-")
        for one in answer["executions"]
    ]
    return table(("Execution", "Outcome", "Started", "Latest recovery", "Error"), rows)


def listed_lines(answer: ListAnswer) -> Iterator[str]:
    number = len(answer["executions"])
    yield f"{number:,} execution{'' if number == 1 else 's'}." if number else "Nothing needs a person."
    if not answer["complete"]:
        yield "The guardian had no time for all of them: there may be more."


def execution_lines(answer: ShowAnswer) -> Iterator[str]:
    yield f"Execution  {plain(answer['execution'])}"
    yield f"Outcome    {plain(answer['outcome'])}"
    yield f"Started    {moment(answer['started'])}"
    if answer["error"]:
        yield f"Error      {plain(answer['error'])}"
    if answer["undone_for"]:
        yield f"Went back  {plain(answer['undone_for'])}"


def steps_table(answer: ShowAnswer) -> Table:
    rows = [(step["step"], step["status"], step["error"] or "-") for step in answer["steps"]]
    return table(("Step", "Status", "Error"), rows)


def trail_lines(answer: ShowAnswer) -> Iterator[str]:
    """What was done about it, and who asked for it."""
    asked = {line["recovery"]: line for line in answer["audit"]}
    for recovery in answer["recoveries"]:
        line = asked.get(recovery["name"])
        who = f", asked for by {plain(line['by'])}: {plain(line['reason'])}" if line else ""
        yield f"Recovery {plain(recovery['name'])}: {recovery['outcome']}, began {moment(recovery['started'])}{who}"
