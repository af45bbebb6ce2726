"""Histories of aggregates under whatever can go wrong: views are the fold of the log."""

from collections import Counter

import pytest

from serverless_patterns_runtime.cqrs_views.contract import METRIC_EXPIRED, METRIC_REMOVED

from .cqrs_schedules import simulate_views

SEEDS = 120


def test_no_history_breaks_an_invariant(request: pytest.FixtureRequest) -> None:
    seed = request.config.getoption("--seed")
    schedules = request.config.getoption("--schedules") or SEEDS
    seen: Counter[str] = Counter()
    for number in range(schedules) if seed is None else [seed]:
        world = simulate_views(number)
        seen += world.ledger.reasons
        seen += world.ledger.counted
        seen["mishaps"] += world.faults.spent
        seen["given up by the poller"] += world.mapping.given_up
        seen["came again"] += world.mapping.again
        seen["rebuilt"] += sum(fields[-1] == "is live" for _, fields in world.ledger.trace)
    if seed is None:
        reasons = ("refused", "contested", "unversioned", "unavailable")
        happened = ("given up by the poller", "came again", "rebuilt", METRIC_EXPIRED, METRIC_REMOVED)
        assert all(seen[what] >= 5 for what in (*reasons, *happened)), seen
        assert seen["mishaps"] >= schedules
