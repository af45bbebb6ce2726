"""What a person reads of sagas: tables and lines, the same in a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from rich import box
from rich.table import Table
from rich.text import Text

from serverless_patterns.cli._report import age, plain
from serverless_patterns_runtime.saga_recovery.contract import ListAnswer, ShowAnswer

__all__ = ["execution_lines", "listed_lines", "listed_table", "steps_table", "trail_lines"]

_ERROR_SHOWN = 120
"""Characters; `--json` has all of it."""


def listed_table(answer: ListAnswer, now: float) -> Table:
    result = _table("Execution", "Outcome", "Started", "Latest recovery", "Error")
    for one in answer["executions"]:
        ago = age(now - one["started"])
        result.add_row(
            *_texts(one["execution"], one["outcome"], ago, one["recovery"] or "-", (one["error"] or "-")[:_ERROR_SHOWN])
        )
    return result


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


def steps_table(answer: ShowAnswer) -> Table:
    result = _table("Step", "Status", "Error")
    for step in answer["steps"]:
        result.add_row(*_texts(step["step"], step["status"], step["error"] or "-"))
    return result


def trail_lines(answer: ShowAnswer) -> Iterator[str]:
    """What was done about it, and who asked for it."""
    asked = {line["recovery"]: line for line in answer["audit"]}
    for recovery in answer["recoveries"]:
        line = asked.get(recovery["name"])
        who = f", asked for by {plain(line['by'])}: {plain(line['reason'])}" if line else ""
        yield f"Recovery {plain(recovery['name'])}: {recovery['outcome']}, began {_time(recovery['started'])}{who}"


def _table(*columns: str) -> Table:
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        result.add_column(column, overflow="fold")
    return result


def _texts(*cells: str) -> Iterable[Text]:
    return [Text(plain(cell)) for cell in cells]


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
