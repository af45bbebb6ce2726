"""What one generation of a view holds, as a rebuild compares it with its aggregates, and drops it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate

__all__ = ["Found", "Holding", "Place"]

Place = list[Any]
"""Of something that the generation holds of an aggregate, as JSON: the key of a row; empty for a contribution."""


class Found(NamedTuple):
    """A page of what a generation holds."""

    places: Mapping[str, Sequence[Place]]
    """By the aggregate that they come from; nothing of what is gone."""
    resume: str | None


class Holding(Protocol):
    """Of one view. Raises SinkUnavailable."""

    def prepare(self, generation: int) -> None: ...

    def publish(self, generation: int) -> None: ...

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None: ...

    def differences(
        self, generation: int, aggregates: Mapping[str, Aggregate | None], places: Mapping[str, Sequence[Place]]
    ) -> Mapping[str, str]:
        """By aggregate, what the generation should hold of it and does not, or at one of these places should not, and
        does. What is newer than the aggregate as given is no difference, nor what cannot be projected or is contested.
        """
        ...

    def found(self, generation: int, segment: int, segments: int, resume: str | None) -> Found:
        """Some of what one of so many parts of the generation holds."""
        ...
