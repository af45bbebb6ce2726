"""What a plan comes to at worst: seconds, events of an execution's history, results in one document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from serverless_patterns_runtime.saga_state_machine import contract

from ..handler import Handler
from .attempts import (
    EVENTS_OF_A_STATE,
    EVENTS_OF_AN_ATTEMPT,
    LEDGER_BACKOFF,
    LEDGER_TASK_SECONDS,
    PARK_ATTEMPTS,
    PARK_BACKOFF,
    PARK_TIMEOUT_SECONDS,
)
from .foreign import paths_in
from .plan import Node, Planned, PlannedApproval, PlannedChoice, PlannedParallel, PlannedWait, all_steps

_FOREIGN_ERRORS_BYTES = 2 * 32 * 1024  # the most that Step Functions takes as a cause: of an action, and of what undoes
_EVENTS_OF_THE_ENDS = 10
_EVENTS_OF_A_PARALLEL = 4  # entered, started, how it ended, exited
_PARKING_SECONDS = PARK_TIMEOUT_SECONDS * (PARK_ATTEMPTS + 1) + PARK_BACKOFF.delays
_PARKING_EVENTS = EVENTS_OF_A_STATE + EVENTS_OF_AN_ATTEMPT * (1 + PARK_ATTEMPTS)


def longest_seconds(plan: Iterable[Node]) -> int:
    """That an execution can take: all forward, then all back, each at the last moment."""
    return sum(_forward_seconds(node) + _backward_seconds(node) for node in plan)


def longest_recovery_seconds(plan: Sequence[Node], former: Iterable[Planned]) -> int:
    """That the recovery of an execution can take: back over all steps one after the other, or on from the pivot."""
    steps = [*all_steps(plan), *former]
    back = sum(_PARKING_SECONDS + each.longest for each in (step.compensation for step in steps) if each is not None)
    onward = sum(_forward_seconds(node) for node in plan if not node.backward)
    pivots = [step.action for step in steps if step.step.pivot]
    at_work = sum(action.leases * (LEDGER_TASK_SECONDS + action.after_a_lease) for action in pivots)
    asking = LEDGER_TASK_SECONDS * (LEDGER_BACKOFF.again + 1) + LEDGER_BACKOFF.delays
    return 2 * asking + at_work + max(back, onward)


def most_events(plan: Iterable[Node]) -> int:
    """Of an execution's history, in the worst case."""
    return sum(_events(node) for node in plan) + _PARKING_EVENTS + _EVENTS_OF_THE_ENDS


def most_recovery_events(plan: Sequence[Node], former: Iterable[Planned]) -> int:
    """Of the history of a recovery, in the worst case: back over all steps, of every way, or on from the pivot."""
    steps = [*all_steps(plan), *former]
    back = sum(map(_undoing_events, steps))
    onward = sum(_events(node) for node in plan if not node.backward) + _PARKING_EVENTS
    leases = sum(step.action.leases for step in steps if step.step.pivot)
    asking = 2 * (EVENTS_OF_A_STATE + EVENTS_OF_AN_ATTEMPT * (LEDGER_BACKOFF.again + 1)) + EVENTS_OF_AN_ATTEMPT * leases
    return asking + EVENTS_OF_A_STATE + max(back, onward) + _EVENTS_OF_THE_ENDS


def most_results(plan: Iterable[Node], before: int = 0) -> tuple[int, int]:
    """How many results there are behind the plan, and at most on the way: each branch ends with all that it knows."""
    after: int = before
    most: int = before
    for node in plan:
        match node:
            case Planned() | PlannedApproval():
                after += 1
            case PlannedParallel():
                ends: list[tuple[int, int]] = [most_results(branch, after) for branch in node.branches]
                most = max(most, sum(end for end, _ in ends), *(each for _, each in ends))
                after += sum(end - after for end, _ in ends)
            case PlannedChoice():
                ends: list[tuple[int, int]] = [most_results(way, after) for way in node.ways]
                most = max(most, *(each for _, each in ends))
                after = max(end for end, _ in ends)
            case PlannedWait():
                pass
        most = max(most, after)
    return after, most


def most_bytes(plan: Iterable[Node]) -> int:
    """That input and results may have together: beside the errors, which are longer where others say them."""
    foreign = any(not isinstance(step.step.action, Handler) for step in all_steps(plan))
    return contract.MAX_STATE_BYTES - contract.RESERVED_BYTES - (_FOREIGN_ERRORS_BYTES if foreign else 0)


def _forward_seconds(node: Node) -> int:
    match node:
        case Planned():
            return node.action.longest + _PARKING_SECONDS
        case PlannedParallel():
            return max(sum(map(_forward_seconds, branch)) for branch in node.branches) + _PARKING_SECONDS
        case PlannedChoice():
            return max(sum(map(_forward_seconds, way)) for way in node.ways)
        case PlannedWait():
            return node.longest
        case PlannedApproval():
            return node.seconds + 2 * node.asking.longest + node.closing.longest


def _backward_seconds(node: Node) -> int:
    match node:
        case Planned():
            return node.compensation.longest if node.compensation else 0
        case PlannedParallel():
            return max(sum(map(_backward_seconds, branch)) for branch in node.branches)
        case PlannedChoice():
            return max(sum(map(_backward_seconds, way)) for way in node.ways)
        case PlannedWait() | PlannedApproval():
            return 0


def _events(node: Node) -> int:
    match node:
        case Planned():
            looks = 2 * EVENTS_OF_A_STATE if paths_in(node.step.action) else 0
            return node.action.events + looks + _undoing_events(node)
        case PlannedParallel():
            # Where it can only go forward, every branch may park a step. Both ways each has a state that ends it.
            beside = 0 if node.backward else _PARKING_EVENTS
            ways = [sum(map(_events, branch)) + beside + 2 * EVENTS_OF_A_STATE for branch in node.branches]
            return sum(ways) + 2 * _EVENTS_OF_A_PARALLEL + EVENTS_OF_A_STATE
        case PlannedChoice():
            return max(sum(map(_events, way)) for way in node.ways) + 2 * EVENTS_OF_A_STATE
        case PlannedWait():
            return 3 * EVENTS_OF_A_STATE
        case PlannedApproval():
            return 2 * node.asking.events + node.closing.events + 2 * EVENTS_OF_A_STATE


def _undoing_events(step: Planned) -> int:
    if step.compensation is None:
        return 0
    looks = 2 * EVENTS_OF_A_STATE if paths_in(step.undo) else 0
    return step.compensation.events + _PARKING_EVENTS + looks
