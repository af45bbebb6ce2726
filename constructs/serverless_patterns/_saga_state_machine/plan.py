"""A saga's nodes in their order, with every number filled in: what the definition and the estimates are made from.

A plan is a list of nodes, and a node may hold lists of nodes. Whoever goes through one matches on its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration

from .._checks import seconds
from ..saga_approval import SagaApproval
from ..saga_flow import SagaChoice, SagaParallel, SagaWait
from ..saga_step import Retry, SagaStep
from .attempts import Attempts, attempts_of, attempts_without_claims

if TYPE_CHECKING:
    from ..saga_step import Doing

SagaNode = SagaStep | SagaParallel | SagaChoice | SagaWait | SagaApproval
"""What a user puts into a saga."""

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
    def undo(self) -> Doing | None:
        """What runs when the saga goes back over it."""
        return self.step.compensation if self.backward else None

    @property
    def action(self) -> Attempts:
        """Of the action."""
        return attempts_of(self.step, self.step.action, self.step.retry or _ACTION_RETRY)

    @property
    def compensation(self) -> Attempts | None:
        """Of the compensation, which may have to wait for the action's function too."""
        if self.undo is None:
            return None
        return attempts_of(self.step, self.undo, self.step.compensation_retry or _COMPENSATION_RETRY)


@dataclass(frozen=True)
class PlannedParallel:
    """Branches beside each other."""

    name: str
    branches: tuple[Plan, ...]
    backward: bool


@dataclass(frozen=True)
class PlannedChoice:
    """One of several ways."""

    name: str
    conditions: tuple[Mapping[str, Any], ...]
    """As rendered; the way of the first that holds is taken."""
    ways: tuple[Plan, ...]
    """One for each condition, and last the one without."""
    backward: bool


@dataclass(frozen=True)
class PlannedWait:
    """For `longest` seconds, or until the timestamp at a path."""

    name: str
    until: str | None
    longest: int
    backward: bool


@dataclass(frozen=True)
class PlannedApproval:
    """Somebody's decision. Always before the pivot, and in no branch."""

    approval: SagaApproval
    condition: Mapping[str, Any] | None
    """As rendered: ask only if it holds."""
    backward: bool = True

    @property
    def name(self) -> str:
        """The approval's."""
        return self.approval.name

    @property
    def seconds(self) -> int:
        """That deciding may take."""
        return seconds(self.approval.timeout) or 0

    @property
    def waits(self) -> tuple[int, int]:
        """Seconds until the reminder, and from then on; 0: there is none."""
        first = self.seconds // 2 if self.approval.remind_after is None else seconds(self.approval.remind_after) or 0
        return first, self.seconds - first

    @property
    def asking(self) -> Attempts:
        """Of the function that tells who may decide."""
        return attempts_without_claims(self.approval.notify, _ACTION_RETRY)

    @property
    def closing(self) -> Attempts:
        """Of the same function when nobody has decided."""
        return attempts_without_claims(self.approval.notify, _COMPENSATION_RETRY)


Node = Planned | PlannedParallel | PlannedChoice | PlannedWait | PlannedApproval
"""Whatever a plan may hold. Its first state has its name."""

Plan = tuple[Node, ...]


def planned(nodes: Sequence[SagaNode]) -> Plan:
    """The nodes; without a pivot all are undone when one fails. Of a checked description."""
    pivot = next((at for at, node in enumerate(nodes) if isinstance(node, SagaStep) and node.pivot), len(nodes) - 1)
    return tuple(_planned(node, backward=at <= pivot) for at, node in enumerate(nodes))


def all_steps(plan: Iterable[Node]) -> list[Planned]:
    """Every step, wherever it is, in the order in which they are written: backwards, the way of a flat undoing."""
    steps: list[Planned] = []
    for node in plan:
        match node:
            case Planned():
                steps.append(node)
            case PlannedParallel():
                steps += [step for branch in node.branches for step in all_steps(branch)]
            case PlannedChoice():
                steps += [step for way in node.ways for step in all_steps(way)]
            case PlannedWait() | PlannedApproval():
                pass
    return steps


def all_approvals(plan: Iterable[Node]) -> list[PlannedApproval]:
    """Every approval, wherever it is."""
    found: list[PlannedApproval] = []
    for node in plan:
        match node:
            case PlannedApproval():
                found.append(node)
            case PlannedChoice():
                found += [approval for way in node.ways for approval in all_approvals(way)]
            case Planned() | PlannedParallel() | PlannedWait():
                pass
    return found


def has_undo(node: Node) -> bool:
    """Whether going back over it can mean anything."""
    return any(step.undo is not None for step in all_steps([node]))


def begins(plan: Iterable[Node]) -> bool:
    """Whether every way through it begins with a step, after waits: its result makes the document's `saga`."""
    first = next((node for node in plan if not isinstance(node, PlannedWait)), None)
    match first:
        case Planned():
            return True
        case PlannedParallel():
            return all(begins(branch) for branch in first.branches)
        case PlannedChoice():
            return all(begins(way) for way in first.ways)
        case PlannedApproval() | None:
            return False


def branches_of(parallel: SagaParallel) -> list[Sequence[SagaNode]]:
    """A node by itself is a branch of one."""
    return [[branch] if isinstance(branch, SagaNode) else branch for branch in parallel.branches]


def name_of(node: SagaNode) -> str:
    """Of a checked description: a parallel may have none of its own."""
    if not isinstance(node, SagaParallel) or node.name is not None:
        return str(node.name)
    return f"Parallel{name_of(branches_of(node)[0][0])}"


def _planned(node: SagaNode, *, backward: bool) -> Node:
    def all_of(nodes: Iterable[SagaNode]) -> Plan:
        return tuple(_planned(each, backward=backward) for each in nodes)

    match node:
        case SagaStep():
            return Planned(node, backward)
        case SagaParallel():
            return PlannedParallel(name_of(node), tuple(map(all_of, branches_of(node))), backward)
        case SagaChoice():
            conditions = tuple(condition.render_condition() for condition, _ in node.when)
            ways = [*(steps for _, steps in node.when), node.otherwise]
            return PlannedChoice(node.name, conditions, tuple(map(all_of, ways)), backward)
        case SagaApproval():
            return PlannedApproval(node, None if node.when is None else node.when.render_condition(), backward)
        case SagaWait():
            longest = seconds(node.duration or node.longest) or 0
            return PlannedWait(node.name, node.until, longest, backward)
