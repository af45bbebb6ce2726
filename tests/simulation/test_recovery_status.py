"""Whoever polls a saga is told how it is: dead, recovered, parked, resumed. And each safeguard is needed."""

import itertools
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.saga_state_machine import contract, status
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions

from .recovery_schedules import simulate_recovery
from .recovery_status import PolledWorld
from .searching import others_found

SCHEDULES = 60
SEEDS = 300
"""Schedules within which a violation must show."""

Patch = pytest.MonkeyPatch


def polled(seed: int, **more: Any) -> PolledWorld:
    return cast(PolledWorld, simulate_recovery(seed, makes=PolledWorld, **more))


def test_whatever_is_told_is_true_and_in_the_end_how_it_ended(seed: int | None, schedules: int | None) -> None:
    told: Counter[str] = Counter()
    for each in [seed] if seed is not None else range(schedules or SCHEDULES):
        told.update(one.body["status"] for one in polled(each, troubles=each % 3).told)
    every = {contract.RUNNING, contract.ABORTED, contract.RECOVERING, *contract.PARKED_ENDS}
    assert seed is not None or set(told) >= every | {contract.SUCCEEDED, contract.COMPENSATED}


def told_of_its_own_end(patch: Patch) -> None:
    patch.setattr(status, "recoveries_of", lambda *_: iter(()))


def told_of_the_first_recovery(patch: Patch) -> None:
    original = status.recoveries_of
    patch.setattr(status, "recoveries_of", lambda *given: itertools.islice(original(*given), 1))


def told_of_recoveries_that_have_ended(patch: Patch) -> None:
    original = status.recoveries_of
    patch.setattr(status, "recoveries_of", lambda *given: (one for one in original(*given) if one.status != "RUNNING"))


def busy_is_none(patch: Patch) -> None:
    original = CallersExecutions.look

    def look(self: CallersExecutions, name: str) -> Any:
        try:
            return original(self, name)
        except Contended:
            return None

    patch.setattr(CallersExecutions, "look", look)


TOLD_RECOVERED = "told (ABORTED|\\w+_PARKED)"
REMOVALS: dict[str, tuple[Callable[[Patch], None], str, dict[str, Any]]] = {
    "what a recovery makes of it counts": (told_of_its_own_end, TOLD_RECOVERED, {}),
    "the latest recovery counts": (told_of_the_first_recovery, f"{TOLD_RECOVERED}, while it was", {"resumes": 2}),
    "a recovery that runs counts": (told_of_recoveries_that_have_ended, f"{TOLD_RECOVERED}, while it was RECO", {}),
    "a service that is busy is not one that knows of none": (busy_is_none, TOLD_RECOVERED, {"troubles": 9}),
}


@pytest.mark.parametrize("name", REMOVALS)
def test_without_it_somebody_is_told_what_is_not_true(name: str, monkeypatch: Patch) -> None:
    take_out, violates, more = REMOVALS[name]
    take_out(monkeypatch)
    assert others_found(violates, (partial(polled, seed, **more) for seed in range(SEEDS))) is None
