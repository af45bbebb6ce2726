"""How far a long step is: a bar in a terminal, a line now and then in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["progress"]

_SECONDS_BETWEEN_LINES = 5


@contextmanager
def progress(console: Console, title: str, total: int) -> Generator[Callable[[int], None]]:
    """Gives a function to call with the number done; `total` may turn out to be wrong."""
    if not console.is_terminal:
        yield _lines(console, title, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done, total=max(total, done))


def _lines(console: Console, title: str, total: int) -> Callable[[int], None]:
    last = monotonic()

    def show(done: int) -> None:
        nonlocal last
        if monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = monotonic()
            console.print(f"{title}: {done:,} of {max(total, done):,}")

    return show
