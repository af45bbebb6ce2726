"""What the function did and when, read from its own log."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]
"""A second and a value that holds from then on."""

_REPORT = re.compile(r"^REPORT RequestId: (?P<id>\S+)\s+Duration: (?P<ms>[\d.]+) ms")
SETTLED = ("Succeeded", "Duplicate", "Refused")
_DIED = "Worker process died"  # the embedded cloud's words for a function whose process is gone


class Event(NamedTuple):
    """A line in CloudWatch Logs."""

    at: float
    """Epoch seconds."""
    stream: str
    message: str


@dataclass(frozen=True)
class Invocation:
    """One run of the function, in epoch seconds."""

    request_id: str
    start: float
    end: float
    died: bool = False


@dataclass(frozen=True)
class Handled:
    """What the function says became of a message that it received."""

    at: float
    message_id: str
    correlation_id: str
    outcome: str
    """`Succeeded`, `Duplicate`, `Refused`, or one after which the message comes back."""
    receive_count: int

    @property
    def settled(self) -> bool:
        """Whether the message does not come back."""
        return self.outcome in SETTLED


def invocations(events: Iterable[Event]) -> list[Invocation]:
    """Every run has one REPORT line, also one that was killed."""
    events = list(events)
    dead_streams = {event.stream for event in events if event.message.startswith(_DIED)}
    found = []
    for event in events:
        if report := _REPORT.match(event.message):
            start = event.at - float(report["ms"]) / 1000
            # The embedded cloud gives every run a stream of its own.
            found.append(Invocation(report["id"], start, event.at, died=event.stream in dead_streams))
    return sorted(found, key=lambda run: run.start)


def handled(events: Iterable[Event]) -> list[Handled]:
    """One structured line for each message and receive, in order of time."""
    found = []
    for event in events:
        line = _structured(event.message)
        if "outcome" in line and "message_id" in line:
            ids = line["message_id"], line["correlation_id"]
            found.append(Handled(event.at, *ids, line["outcome"], int(line["receive_count"])))
    return sorted(found, key=lambda line: line.at)


def story(lines: Iterable[Handled]) -> str:
    """What became of a message, by its lines."""
    return ", then ".join(f"{line.outcome} at receive {line.receive_count}" for line in lines) or "no line in the log"


def _structured(message: str) -> Mapping[str, str]:
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


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


def longest_idle(points: Sequence[Point]) -> tuple[float, float]:
    """From when to when nothing ran between two runs, at the longest; `(0, 0)` without such a pause."""
    pauses = [(at, following) for (at, level), (following, _) in pairwise(points) if level == 0]
    return max(pauses, key=lambda pause: pause[1] - pause[0], default=(0.0, 0.0))


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
