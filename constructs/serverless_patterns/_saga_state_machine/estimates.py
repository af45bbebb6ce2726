"""What a plan comes to at worst: seconds, and events of an execution's history."""

from __future__ import annotations

from collections.abc import Iterable

from .attempts import EVENTS_OF_A_STATE, EVENTS_OF_AN_ATTEMPT, PARK_ATTEMPTS, PARK_BACKOFF, PARK_TIMEOUT_SECONDS
from .plan import Node

_EVENTS_OF_THE_ENDS = 10
_PARKING_SECONDS = PARK_TIMEOUT_SECONDS * (PARK_ATTEMPTS + 1) + PARK_BACKOFF.delays
_PARKING_EVENTS = EVENTS_OF_A_STATE + EVENTS_OF_AN_ATTEMPT * (1 + PARK_ATTEMPTS)


def longest_seconds(plan: Iterable[Node]) -> int:
    """That an execution can take: all forward, then all back, each at the last moment."""
    return sum(_forward_seconds(node) + _backward_seconds(node) for node in plan)


def most_events(plan: Iterable[Node]) -> int:
    """Of an execution's history, in the worst case."""
    return sum(_events(node) for node in plan) + _PARKING_EVENTS + _EVENTS_OF_THE_ENDS


def _forward_seconds(node: Node) -> int:
    return node.action.longest + _PARKING_SECONDS


def _backward_seconds(node: Node) -> int:
    return node.compensation.longest if node.compensation else 0


def _events(node: Node) -> int:
    back = node.compensation.events + _PARKING_EVENTS if node.compensation else 0
    return node.action.events + back
