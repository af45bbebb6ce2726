"""Long steps say what they are doing, to whoever wants to hear it."""

from collections.abc import Callable

__all__ = ["Progress", "silence"]

Progress = Callable[[str], None]
"""Takes one line, made for people: `print`."""


def silence(_line: str) -> None:
    """Progress that nobody wants to hear."""
