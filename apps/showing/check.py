"""One thing that must hold: a figure, and what it has to be."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    value: Any
    expected: Any
    why: str = ""
    """Of one that does not hold: what is amiss, and where it was seen last."""


def equal(name: str, value: Any, expected: Any) -> Check:
    return Check(name, value == expected, value, expected)


def at_least(name: str, value: float, least: float) -> Check:
    return Check(name, value >= least, value, f">= {least}")


def at_most(name: str, value: float, most: float) -> Check:
    return Check(name, value <= most, value, f"<= {most}")
