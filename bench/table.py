"""The figures as a table for a terminal."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.figure import Figure

__all__ = ["render"]

WIDTH = 150


def render(figures: Sequence[Figure]) -> str:
    table = Table(title="Ours beside the peer, from one run")
    for heading in ("figure", "value", "goal", "", "peer", "floor", "unit", "measured"):
        table.add_column(heading, justify="right" if heading in ("value", "goal", "peer", "floor") else "left")
    for figure in figures:
        reached = {None: "skipped" if figure.skipped else "", True: "met", False: "MISSED"}[figure.reached]
        table.add_row(
            figure.name,
            _number(figure.value),
            _goal(figure),
            reached,
            _number(figure.peer),
            _number(figure.floor),
            figure.unit,
            figure.skipped or figure.measured,
        )
    output = io.StringIO()
    Console(file=output, width=WIDTH).print(table)
    return output.getvalue()


def _goal(figure: Figure) -> str:
    sign = {"lower": "<=", "higher": ">="}[figure.better]
    return "" if figure.goal is None else f"{sign} {_number(figure.goal)}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.3f}".rstrip("0").rstrip(".")
