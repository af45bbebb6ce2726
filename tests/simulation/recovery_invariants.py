"""What must hold of every saga whose execution died, or was parked and resumed, whatever else went wrong."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from serverless_patterns_runtime.saga_recovery.contract import DEAD_STATUSES, SETTLED_AT
from serverless_patterns_runtime.saga_state_machine import contract

from .recovery_world import MAIN, RECOVERY, SWEEP_SECONDS, RecoveryWorld
from .saga_definition import NAMESPACE
from .saga_invariants import (
    Invariant,
    all_or_nothing,
    check_saga,
    end_of,
    keys_are_a_step_s_own,
    never_twice,
    parked,
    parked_is_kept,
    results_are_those_that_count,
)
from .saga_world import NAME

__all__ = ["check_recovery"]

PARKED = (contract.COMPENSATION_PARKED, contract.FORWARD_PARKED)


def every_death_is_recovered(world: RecoveryWorld) -> None:
    main, recoveries = world.main.ended, world.machines.runs(RECOVERY)
    assert main is not None
    died = main.status in DEAD_STATUSES and main.error not in PARKED
    if died:
        assert recoveries, f"died of {main.error or main.status}, and nobody recovered it"
    if not died and not world.answers:
        assert not recoveries, "recovered, and had not died"
    assert end_of(world) in (contract.SUCCEEDED, contract.COMPENSATED, *PARKED)


def in_time(world: RecoveryWorld) -> None:
    """By the next sweep, even when nobody was told; each mishap costs one sweep more at most."""
    main, recoveries = world.main.ended, world.machines.runs(RECOVERY)
    if main is not None and main.status in DEAD_STATUSES and main.error not in PARKED and recoveries:
        late = world.machines.started_at(recoveries[0]) - world.machines.ended_at(world.main)  # type: ignore[arg-type]
        bound = SWEEP_SECONDS * (1 + world.faults.spent) + 10
        assert late <= bound, f"recovered {late} seconds after it died, of {bound}"


def one_recovery_at_a_time(world: RecoveryWorld) -> None:
    recoveries = world.machines.runs(RECOVERY)
    for before, after in pairwise(recoveries):
        assert world.machines.started_at(after) >= world.machines.ended_at(before), "two recoveries at once"


def undone_in_reverse(world: RecoveryWorld) -> None:
    """But for what was parked: that comes later."""
    names = [plan.name for plan in world.plans]
    order = [(what, step) for what, step in world.books.order if step not in world.ever_parked]
    undone = [names.index(step) for what, step in order if what == "undo"]
    assert undone == sorted(undone, reverse=True), f"undone out of order: {order}"
    first = next((at for at, (what, _) in enumerate(order) if what == "undo"), len(order))
    assert all(what == "undo" for what, _ in order[first:]), f"a step was done while the saga was undone: {order}"


def only_forward_behind_the_pivot(world: RecoveryWorld) -> None:
    """Once the pivot is done and stays so, nothing is undone."""
    if end_of(world) in (contract.SUCCEEDED, contract.FORWARD_PARKED):
        assert not any(what == "undo" for what, _ in world.books.order), f"undone, and then {end_of(world)}"


def what_is_settled_is_known(world: RecoveryWorld) -> None:
    end, left = end_of(world), parked(world)
    assert bool(left) == (end in PARKED), f"{end}, and parked: {left}"
    for name in world.ever_parked - left:
        item = world.claims()[(contract.parked_key(NAMESPACE, NAME, name),)]
        assert SETTLED_AT in item, f"{name} was parked, and nothing says that it is settled"


def what_was_done_is_known_behind_the_pivot(world: RecoveryWorld) -> None:
    names = [plan.name for plan in world.plans]
    for run in world.books.runs_of_kind("action"):
        before = set(names[: names.index(run.plan.name)])
        assert set(run.step.results) == before, f"{run.plan.name} was told of {set(run.step.results)}"


def who_asked_is_kept(world: RecoveryWorld) -> None:
    began = [answer for answer in world.answers if answer.get("began")]
    marks = [item for key, item in world.claims().items() if key[0].startswith("guarded#")]
    told = [line["M"] for item in marks for line in item.get("audit", {"L": []})["L"]]
    kept = {line["recovery"]["S"] for line in told}
    assert {answer["recovery"] for answer in began} <= kept, "resumed, and nobody wrote down who"
    assert all(line["by"]["S"] in ("ann", "bob") and line["reason"]["S"] for line in told)


INVARIANTS: Sequence[Callable[[RecoveryWorld], None] | Invariant] = [
    every_death_is_recovered,
    in_time,
    one_recovery_at_a_time,
    what_is_settled_is_known,
    all_or_nothing,
    never_twice,
    undone_in_reverse,
    only_forward_behind_the_pivot,
    parked_is_kept,
    results_are_those_that_count,
    keys_are_a_step_s_own,
    what_was_done_is_known_behind_the_pivot,
    who_asked_is_kept,
]


def check_recovery(world: RecoveryWorld) -> None:
    check_saga(world, INVARIANTS)  # type: ignore[arg-type]


__all__ += ["MAIN"]
