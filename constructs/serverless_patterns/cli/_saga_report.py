"""What a person reads of sagas: tables and lines, the same in a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from rich import box
from rich.table import Table
from rich.text import Text

from serverless_patterns.cli._report import age, plain
from serverless_patterns_runtime.saga_recovery.contract import ListAnswer, ShowAnswer

__all__ = ["execution_lines", "listed_lines", "listed_table", "steps_table", "trail_lines"]

_WIDTH, _LEAST_ERROR, _GAP = 120, 40, 3
"""Characters of a table, of its errors in any case, between its columns; `--json` has all of an error."""


def listed_table(answer: ListAnswer, now: float) -> Table:
    rows = [
        (one["execution"], one["outcome"], age(now - one["started"]), one["recovery"] or "-", one["error"] or "-")
        for one in answer["executions"]
    ]
    return _table(("Execution", "Outcome", "Started", "Latest recovery", "Error"), rows)


def listed_lines(answer: ListAnswer) -> Iterator[str]:
    number = len(answer["executions"])
    yield f"{number:,} execution{'' if number == 1 else 's'}." if number else "Nothing needs a person."
    if not answer["complete"]:
        yield "The guardian had no time for all of them: there may be more."


def execution_lines(answer: ShowAnswer) -> Iterator[str]:
    yield f"Execution  {plain(answer['execution'])}"
    yield f"Outcome    {plain(answer['outcome'])}"
    yield f"Started    {_time(answer['started'])}"
    if answer["error"]:
        yield f"Error      {plain(answer['error'])}"
    if answer["undone_for"]:
        yield f"Went back  {plain(answer['undone_for'])}"


def steps_table(answer: ShowAnswer) -> Table:
    rows = [(step["step"], step["status"], step["error"] or "-") for step in answer["steps"]]
    return _table(("Step", "Status", "Error"), rows)


def trail_lines(answer: ShowAnswer) -> Iterator[str]:
    """What was done about it, and who asked for it."""
    asked = {line["recovery"]: line for line in answer["audit"]}
    for recovery in answer["recoveries"]:
        line = asked.get(recovery["name"])
        who = f", asked for by {plain(line['by'])}: {plain(line['reason'])}" if line else ""
        yield f"Recovery {plain(recovery['name'])}: {recovery['outcome']}, began {_time(recovery['started'])}{who}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """The last column is cut, where others leave it too little room."""
    shown = [[plain(cell) for cell in row] for row in rows]
    others = [max(len(row[at]) for row in [columns, *shown]) for at in range(len(columns) - 1)]
    room = max(_WIDTH - sum(others) - _GAP * len(others), _LEAST_ERROR)
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        result.add_column(column, overflow="fold")
    for *cells, last in shown:
        result.add_row(*map(Text, [*cells, last if len(last) <= room else f"{last[: room - 1]}…"]))
    return result


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
