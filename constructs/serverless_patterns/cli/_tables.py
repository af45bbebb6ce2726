"""Tables and times, the same in a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from serverless_patterns.cli._report import plain

__all__ = ["moment", "table", "whole"]

_ANY_WIDTH = 100_000
_WIDTH, _LEAST_LAST, _GAP = 120, 40, 3
"""Characters of a table, of its last column in any case, between its columns; `--json` has all of it."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """The last column is cut, where others leave it too little room."""
    shown = _plain(rows)
    others = [max(len(row[at]) for row in [columns, *shown]) for at in range(len(columns) - 1)]
    room = max(_WIDTH - sum(others) - _GAP * len(others), _LEAST_LAST)
    return _table(columns, [[*cells, last if len(last) <= room else f"{last[: room - 1]}…"] for *cells, last in shown])


def whole(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """Nothing is cut, and no word is broken: a table where there is room for it, else a few lines for each row."""
    shown = _plain(rows)
    wide = _table(columns, shown)
    if console.measure(wide, options=console.options.update(max_width=_ANY_WIDTH)).maximum <= console.width:
        return wide
    return Group(*(part for row in shown for part in _lines(columns, row)))


def _lines(columns: Sequence[str], row: Sequence[str]) -> Iterator[RenderableType]:
    """The first cell, the others by name, and the last, which is somebody's words."""
    first, *others, last = row
    yield Text(first)
    said = ", ".join(
        f"{column.lower()} {cell}" for column, cell in zip(columns[1:-1], others, strict=True) if cell != "-"
    )
    yield from (Padding(Text(text), (0, 0, 0, 2)) for text in (said, last) if text != "-")


def _plain(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    return [[plain(cell) for cell in row] for row in rows]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        result.add_column(column, overflow="fold")
    for row in rows:
        result.add_row(*map(Text, row))
    return result


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
