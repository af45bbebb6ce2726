"""How a run went over time: three charts on one time axis, and the figures behind them."""

from collections.abc import Iterable
from typing import Any

from showing import timeline
from showing.charts import Axis, Mark, Note, Series, Span, chart
from showing.timeline import Point

from demo.outcome import Outcome

SECONDS_WORTH_A_NOTE = 5


class History:
    """All times are seconds since the first message was sent."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._zero, _ = outcome.phases["send"]
        *_, (_, end) = outcome.phases.values()
        samples = outcome.samples
        self._waiting = self._since((sample.at, sample.waiting) for sample in samples)
        self._received = self._since((sample.at, sample.received) for sample in samples)
        self._depth = self._since((sample.at, sample.waiting + sample.received) for sample in samples)
        self._dead = self._since((sample.at, sample.dead) for sample in samples)
        self._running = self._since(timeline.in_flight(outcome.invocations))
        self._age = self._since(timeline.oldest_age(outcome.sent_at, outcome.settled_at, end))

    def charts(self) -> str:
        """Three figures in HTML."""
        axis, cap = self._axis(), self._outcome.cap
        messages = [  # stacked: what has been received, and on top of it what waits
            Series("waiting", self._depth, "waiting", "area"),
            Series("received, not yet acknowledged", self._received, "received", "area"),
            Series("dead letters", self._dead, "dead"),
        ]
        running = [Series("invocations", self._running, "running", "step")]
        return "".join(
            [
                chart("Messages", messages, axis, height=250, notes=self._notes()),
                chart("Invocations in flight", running, axis, limit=(cap, f"cap: {cap}")),
                chart("Age of the oldest message, seconds", [Series("age", self._age, "age", "area")], axis),
            ]
        )

    def figures(self) -> dict[str, Any]:
        """What the page shows beside the cursor: for each chart, the values by name."""
        return {
            "until": self._axis().until,
            "charts": [
                {"waiting": self._waiting, "received": self._received, "dead letters": self._dead},
                {"in flight": self._running},
                {"oldest, s": [(at, round(age, 1)) for at, age in self._age]},
            ],
        }

    def _axis(self) -> Axis:
        spans = [
            Span(start - self._zero, end - self._zero, name) for name, (start, end) in self._outcome.phases.items()
        ]
        marks = [
            Mark(fault.at - self._zero, str(number), fault.name)
            for number, fault in enumerate(self._outcome.faults, 1)
            if fault.fired
        ]
        return Axis(until=max(span.end for span in spans), spans=spans, marks=marks)

    def _notes(self) -> list[Note]:
        """Why it is quiet after a kill."""
        start, end = timeline.longest_idle(self._running)
        killed = any(run.died and run.end - self._zero < start for run in self._outcome.invocations)
        if not killed or end - start < SECONDS_WORTH_A_NOTE:
            return []
        return [Note(start, end, "messages of the killed function, invisible until their timeout")]

    def _since(self, points: Iterable[Point]) -> list[Point]:
        return [(round(at - self._zero, 3), value) for at, value in points if at >= self._zero]
