"""What a demo prints: a line for each thing that happens, and tables in the end."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console as Terminal
from rich.markup import escape
from rich.table import Table

from showing.check import Check


class Console:
    def __init__(self) -> None:
        self._started = time.monotonic()
        self._terminal = Terminal(highlight=False, soft_wrap=True)

    def tell(self, line: str) -> None:
        """One line, with the seconds since the start."""
        self._terminal.print(f"[dim]{time.monotonic() - self._started:5.1f} s[/dim]  {escape(line)}")

    def fail(self, reason: str) -> None:
        self._terminal.print(f"[bold red]the demo could not run:[/bold red] {escape(reason)}")

    def show_checks(self, checks: Sequence[Check], page: Path) -> None:
        """The checks, the verdict, and where to look."""
        marks = {True: "[green]ok[/green]", False: "[bold red]FAILED[/bold red]"}
        rows = [(escape(one.name), shown(one.value), shown(one.expected), marks[one.ok]) for one in checks]
        self.show_table(["Check", "Value", "Expected", ""], rows, figures={"Value", "Expected"})
        for one in checks:
            if one.why and not one.ok:
                self.show_text(f"{one.name}: {one.why}")
        failed = sum(not check.ok for check in checks)
        verdict = f"[bold red]{failed} failed[/bold red]" if failed else "[bold green]all hold[/bold green]"
        self._terminal.print(f"{len(checks)} checks: {verdict}. Report: {page}")

    def show_table(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        figures: Iterable[str] = (),
        whole: Iterable[str] = (),
    ) -> None:
        """Cells are markup. Columns that are `figures` are set right; `whole` are not wrapped."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in headings:
            table.add_column(heading, justify="right" if heading in {*figures} else "left", no_wrap=heading in {*whole})
        for row in rows:
            table.add_row(*row)
        self._terminal.print(table)

    def show_text(self, text: str) -> None:
        """As it is."""
        self._terminal.print(text, markup=False)


def shown(value: Any) -> str:
    """A value as markup."""
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else escape(str(value))
