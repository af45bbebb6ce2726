"""When the function ran, read from its own log: START, END and REPORT lines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

Point = tuple[float, float]
"""A second and a value that holds from then on."""

_REPORT = re.compile(r"^REPORT RequestId: (?P<id>\S+)\s+Duration: (?P<ms>[\d.]+) ms")


@dataclass(frozen=True)
class Invocation:
    """One run of the function, in epoch seconds."""

    request_id: str
    start: float
    end: float


def invocations(events: Iterable[tuple[float, str]]) -> list[Invocation]:
    """From log events (epoch seconds, message). Every run has one REPORT line, also one that was killed."""
    found = []
    for at, message in events:
        if report := _REPORT.match(message):
            found.append(Invocation(report["id"], at - float(report["ms"]) / 1000, at))
    return sorted(found, key=lambda run: run.start)


def in_flight(runs: Iterable[Invocation]) -> list[Point]:
    """How many ran at once, at every change. An end counts before a start at the same instant."""
    changes = sorted([(run.start, 1) for run in runs] + [(run.end, -1) for run in runs])
    points: list[Point] = []
    level = 0
    for at, change in changes:
        level += change
        points.append((at, level))
    return points


def peak(points: Iterable[Point]) -> float:
    return max((value for _, value in points), default=0)


def oldest_age(sent: dict[str, float], done: dict[str, float], until: float, step: float = 0.25) -> list[Point]:
    """Age in seconds of the oldest message that was sent but not done, every `step` seconds up to `until`.

    `sent` and `done` say when, by message; one that is not in `done` stays until the end.
    """
    waiting = sorted((at, done.get(message, until)) for message, at in sent.items())
    points: list[Point] = []
    at = waiting[0][0] if waiting else until
    while at <= until:
        waiting = [(start, end) for start, end in waiting if end > at]
        ages = [at - start for start, _ in waiting if start <= at]
        points.append((at, max(ages, default=0.0)))
        at += step
    return points
