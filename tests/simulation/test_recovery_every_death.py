"""A saga that dies at every point of its way, and one mishap at every call of who sees to it."""

from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest

from serverless_patterns_runtime.saga_state_machine import contract

from .faults import CRASHES, Call, Faults, NoFaults, OneFault, Pair
from .recovery_invariants import check_recovery
from .recovery_world import RECOVERY, Death, RecoveryWorld
from .saga_definition import Plan
from .saga_invariants import end_of
from .saga_ledger import DECLINED

SEED = 7
NAMES = ("ReserveStock", "ChargeCard", "Ship")
MODES = pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])
ENDS = (("ABORTED", None), ("TIMED_OUT", None), ("FAILED", "States.Runtime"))
MOST_POINTS = 400


def saga(*, effects: bool, failing: int = 99, does: str = "ok", undo: str = "clean", pivot: int = 1) -> list[Plan]:
    return [
        Plan(
            name=name,
            effects=effects,
            does=does if at == failing else "ok",
            retries=1,
            undo_retries=1,
            undo=undo if at == 0 else "clean",
            pivot=at == pivot,
            declares=(DECLINED,) if at <= pivot else (),
        )
        for at, name in enumerate(NAMES)
    ]


def run(plans: Sequence[Plan], death: Death, faults: Faults | None = None, resumes: int = 0) -> RecoveryWorld:
    world = RecoveryWorld(plans, SEED, faults or NoFaults(), death=death, resumes=resumes)
    try:
        world.run()
        check_recovery(world)
    except AssertionError as failure:
        raise AssertionError(f"{death}: {failure}") from failure
    finally:
        world.close()
    return world


def every_death(plans: Sequence[Plan], *, resumes: int = 0, faults: Faults | None = None) -> Counter[str]:
    """How it ended, by the point of death: told of to nobody, to one, to many, in turn."""
    ends: Counter[str] = Counter()
    for at in range(MOST_POINTS):
        status, error = ENDS[at % 3]
        world = run(plans, Death(at, status, error, events=(0, 1, 3)[at % 3 - at // 3 % 3]), faults, resumes)
        ends[end_of(world)] += 1
        if world.happened < at:
            break
    else:
        raise AssertionError("it never came to its end")
    return ends


@pytest.mark.parametrize("pivot", [0, 1, 2, 9])
@MODES
def test_a_healthy_saga_is_all_or_nothing_wherever_it_dies(effects: bool, pivot: int) -> None:
    ends = every_death(saga(effects=effects, pivot=pivot))
    assert set(ends) == {contract.SUCCEEDED, contract.COMPENSATED}
    assert ends.total() >= 12


@pytest.mark.parametrize("does", ["is declined", "fails after", "hangs"])
@pytest.mark.parametrize("failing", range(3), ids=NAMES)
@MODES
def test_a_failing_saga_is_undone_wherever_it_dies(effects: bool, failing: int, does: str) -> None:
    ends = every_death(saga(effects=effects, failing=failing, does=does))
    expected = {contract.COMPENSATED} if failing < 2 else {contract.COMPENSATED, contract.FORWARD_PARKED}
    assert set(ends) <= expected


@pytest.mark.parametrize(("failing", "undo"), [(1, "is refused"), (2, "clean")])
@MODES
def test_what_is_parked_wherever_it_dies_is_resumed_by_two_at_once(effects: bool, failing: int, undo: str) -> None:
    ends = every_death(saga(effects=effects, failing=failing, does="is refused", undo=undo), resumes=2)
    assert set(ends) <= {contract.COMPENSATED, contract.SUCCEEDED}


MISHAPS = {*CRASHES, "carried out late", "throttled", "not invoked", "result lost", "invoked late", "invoked twice"}


@MODES
def test_no_single_mishap_keeps_a_dead_saga_from_being_recovered(effects: bool) -> None:
    """Of the guardian, of the ledger, and of what the recovery calls; and then of who resumes what it has parked."""
    plans = saga(effects=effects, undo="is refused", pivot=9)[:2]
    observer = OneFault(-1, "")
    run(plans, Death(5), observer, resumes=1)
    first = next(at for at, call in enumerate(observer.calls) if call.service == "stepfunctions")
    fired = 0
    for number, call in enumerate(observer.calls[first:], first):
        for kind in sorted(MISHAPS & {*call.possible}):
            fault = OneFault(number, kind)
            try:
                run(plans, Death(5), fault, resumes=1)
            except AssertionError as failure:
                raise AssertionError(f"{kind} at call {number}, {call.operation}: {failure}") from failure
            fired += fault.fired
    assert fired >= 50


def test_no_pair_of_deaths_of_the_guardian_keeps_a_saga_from_being_recovered() -> None:
    plans = saga(effects=True)[:2]
    observer = OneFault(-1, "")
    run(plans, Death(6), observer)
    calls = [number for number, call in enumerate(observer.calls) if _is_of_the_recovery(call)]
    assert len(calls) >= 5
    for first, second, kind in product(calls, range(1, 7), CRASHES[1:]):
        faults = Pair(OneFault(first, kind), OneFault(first + second, kind))
        run(plans, Death(6), faults)


def _is_of_the_recovery(call: Call) -> bool:
    return call.service == "stepfunctions" or "guarded#" in str(call.arguments)


def test_a_recovery_begins_within_five_minutes_when_nobody_is_told() -> None:
    world = run(saga(effects=True), Death(6, events=0))
    (recovery,) = world.machines.runs(RECOVERY)
    assert world.machines.started_at(recovery) - world.machines.ended_at(world.main) < 310  # pyright: ignore
