"""A history is what comes of choices. Hypothesis makes them where the smallest history that goes wrong is wanted; a
seed does where any is good enough: at a tenth of the time, and the same ones whatever hypothesis has learnt since."""

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

__all__ = ["Choices", "Seeded", "all_hold"]

Chosen = TypeVar("Chosen")


class Choices(Protocol):
    def of(self, options: Sequence[Chosen]) -> Chosen:
        """The first is the simplest."""
        ...

    def some(self, one: "Callable[[Choices], Chosen]", least: int, most: int) -> list[Chosen]: ...


class Seeded:
    def __init__(self, seed: int | str) -> None:
        self._chance = random.Random(seed)

    def of(self, options: Sequence[Chosen]) -> Chosen:
        return self._chance.choice(options)

    def some(self, one: Callable[[Choices], Chosen], least: int, most: int) -> list[Chosen]:
        return [one(self) for _ in range(self._chance.randint(least, min(most, 2 * least + 3)))]


class Drawn:
    """By hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def of(self, options: Sequence[Chosen]) -> Chosen:
        return options[self._draw(_below(len(options)))]

    def some(self, one: Callable[[Choices], Chosen], least: int, most: int) -> list[Chosen]:
        return self._draw(st.lists(_made(one), min_size=least, max_size=most))


@cache  # to make a strategy takes longer than to draw from it
def _below(number: int) -> st.SearchStrategy[int]:
    return st.integers(0, number - 1)


@st.composite
def _made(draw: st.DrawFn, make: Callable[[Choices], Chosen]) -> Chosen:
    return make(Drawn(draw))


def all_hold(make: Callable[[Choices], Any], judged: Callable[[Any], object], number: int, seed: int | None) -> None:
    """So many histories, the same in every run; with a seed others. Raises what the smallest raises that goes wrong."""

    @settings(
        max_examples=number,
        derandomize=seed is None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(_made(make))
    def hold(history: Any) -> None:
        judged(history)

    (hold if seed is None else seeded(seed)(hold))()
