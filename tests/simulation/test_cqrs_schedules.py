"""Histories of aggregates under whatever can go wrong: views are the fold of the log."""

from collections import Counter

import pytest

from serverless_patterns_runtime.cqrs_views.contract import METRIC_EXPIRED, METRIC_REMOVED

from .choosing import all_hold
from .cqrs_history import Change, History, Outage, Remove, Retry, history
from .cqrs_schedules import simulate_views
from .cqrs_world import Plan

HISTORIES = 120


def test_no_history_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    seen: Counter[str] = Counter()

    def judged(told: History) -> None:
        world = simulate_views(told)
        seen.update({*world.ledger.reasons, *+world.ledger.counted})
        seen["mishaps"] += world.faults.spent
        seen["given up by the poller"] += world.mapping.given_up > 0
        seen["came again"] += world.mapping.again > 0
        seen["rebuilt"] += any(fields[-1] == "is live" for _, fields in world.ledger.trace)

    all_hold(history, judged, schedules or HISTORIES, seed)
    if seed is None and schedules is None:
        reasons = ("refused", "contested", "unversioned", "unavailable")
        happened = ("given up by the poller", "came again", "rebuilt", METRIC_EXPIRED, METRIC_REMOVED)
        assert all(seen[what] >= 2 for what in (*reasons, *happened)), seen
        assert seen["mishaps"] >= HISTORIES


FOUND = {
    "nothing is counted any more since a change that is parked, and nothing is left of its aggregate": History(
        [
            (0.0, Change("o0", "ada", {"c": 1})),
            (1.0, Outage(500.0)),
            (0.0, Change("o0", "ada", {})),
            (0.0, Remove("o0", by_time=False)),
        ],
        plan=Plan(shards=1, retries=100, delay=0.5),
    ),
    "an aggregate is gone since a change that was refused, and nothing else names a row from before it": History(
        [
            (0.0, Change("o0", "ada", {"b": 1, "c": 1})),
            (60.0, Change("o0", "ada", {"c": 1}, bad=True)),
            (0.0, Change("o0", "ada", {"a": 1, "c": 1})),
            (0.0, Remove("o0", by_time=False)),
            (60.0, Retry()),
        ],
        plan=Plan(shards=1, retries=100, delay=0.5),
    ),
}


@pytest.mark.parametrize("told", FOUND.values(), ids=FOUND)
def test_what_went_wrong_once_does_not_again(told: History) -> None:
    simulate_views(told)
