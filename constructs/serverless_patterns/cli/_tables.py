"""Tables and times, the same in a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich import box
from rich.table import Table
from rich.text import Text

from serverless_patterns.cli._report import plain

__all__ = ["moment", "table"]

_WIDTH, _LEAST_LAST, _GAP = 120, 40, 3
"""Characters of a table, of its last column in any case, between its columns; `--json` has all of it."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """The last column is cut, where others leave it too little room."""
    shown = [[plain(cell) for cell in row] for row in rows]
    others = [max(len(row[at]) for row in [columns, *shown]) for at in range(len(columns) - 1)]
    room = max(_WIDTH - sum(others) - _GAP * len(others), _LEAST_LAST)
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        result.add_column(column, overflow="fold")
    for *cells, last in shown:
        result.add_row(*map(Text, [*cells, last if len(last) <= room else f"{last[: room - 1]}…"]))
    return result


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
