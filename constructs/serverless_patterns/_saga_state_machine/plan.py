"""A saga's nodes in their order, with every number filled in: what the definition and the estimates are made from.

A plan is a list of nodes, and a node may hold lists of nodes. Whoever goes through one matches on its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

from ..saga_step import Retry, SagaStep
from .attempts import Attempts, attempts_of

if TYPE_CHECKING:
    from ..handler import Handler

_ACTION_RETRY = Retry()
_COMPENSATION_RETRY = Retry(13, longest_delay=Duration.hours(1))


@dataclass(frozen=True)
class Planned:
    """One step, and whether it is before the pivot, or the pivot."""

    step: SagaStep
    backward: bool

    @property
    def name(self) -> str:
        """The step's."""
        return self.step.name

    @property
    def undo(self) -> Handler | None:
        """What runs when the saga goes back over it."""
        return self.step.compensation if self.backward else None

    @property
    def action(self) -> Attempts:
        """Of the action."""
        return attempts_of(self.step.timeout, self.step.action, self.step.retry or _ACTION_RETRY, self.step.action)

    @property
    def compensation(self) -> Attempts | None:
        """Of the compensation, which may have to wait for the action's function too."""
        if self.undo is None:
            return None
        return attempts_of(
            self.step.timeout, self.undo, self.step.compensation_retry or _COMPENSATION_RETRY, self.step.action
        )


Node = Planned
"""Whatever a plan may hold."""


def planned(steps: Sequence[SagaStep]) -> list[Node]:
    """The nodes; without a pivot all are undone when one fails."""
    pivot = next((at for at, step in enumerate(steps) if step.pivot), len(steps) - 1)
    return [Planned(step, at <= pivot) for at, step in enumerate(steps)]


def all_steps(plan: Iterable[Node]) -> list[Planned]:
    """Every step, wherever it is, in the order in which they are written: backwards, the way of a flat undoing."""
    return list(plan)
