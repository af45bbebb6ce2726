"""What must hold of every saga, whatever went wrong."""

import json
from collections.abc import Callable, Sequence

from serverless_patterns_runtime.saga_recovery.contract import SETTLED_AT
from serverless_patterns_runtime.saga_state_machine import contract

from .saga_definition import NAMESPACE, Plan
from .saga_ledger import result_of
from .saga_world import SagaWorld

MOST_GENTLE = 3
"""Mishaps that an action's five retries bear, two of which it may need for itself."""

__all__ = ["SAGA_INVARIANTS", "Invariant", "check_saga", "end_of"]


def end_of(world: SagaWorld) -> str:
    ended = world.execution.ended
    assert ended is not None
    if ended.status == "FAILED":
        assert ended.error in (contract.COMPENSATION_PARKED, contract.FORWARD_PARKED), f"died of {ended.error}"
        return ended.error
    assert ended.output["status"] in (contract.SUCCEEDED, contract.COMPENSATED)
    return ended.output["status"]


def parked(world: SagaWorld) -> set[str]:
    """Steps that wait for a person."""
    keys = {plan.name: (contract.parked_key(NAMESPACE, world.name, plan.name),) for plan in world.plans}
    claims = world.claims()
    return {name for name, key in keys.items() if key in claims and SETTLED_AT not in claims[key]}


def behind_the_pivot(world: SagaWorld) -> set[str]:
    names = [plan.name for plan in world.plans]
    pivot = next((at for at, plan in enumerate(world.plans) if plan.pivot), len(names) - 1)
    return set(names[pivot + 1 :])


def all_or_nothing(world: SagaWorld) -> None:
    net, given_up = world.books.net, parked(world)
    end = end_of(world)
    for plan in world.plans:
        if plan.name in given_up:
            continue
        if end == contract.FORWARD_PARKED:
            expected = 1 if _is_before(world, plan, given_up) else 0
        else:
            expected = 1 if end == contract.SUCCEEDED else 0
        assert net[plan.name] == expected, f"{end}, and {plan.name} was done {net[plan.name]} times"


def _is_before(world: SagaWorld, plan: Plan, given_up: set[str]) -> bool:
    names = [plan.name for plan in world.plans]
    (stuck,) = given_up
    return names.index(plan.name) < names.index(stuck)


def never_twice(world: SagaWorld) -> None:
    assert world.books.most <= 1, "a step was done twice"
    assert world.books.least >= 0, "a step was undone that had not been done"


def undone_in_reverse(world: SagaWorld) -> None:
    names = [plan.name for plan in world.plans]
    order = world.books.order
    undone = [names.index(step) for what, step in order if what == "undo"]
    assert undone == sorted(undone, reverse=True), f"undone out of order: {order}"
    done = [names.index(step) for what, step in order if what == "do"]
    assert done == sorted(done), f"done out of order: {order}"
    first = next((at for at, (what, _) in enumerate(order) if what == "undo"), len(order))
    assert all(what == "undo" for what, _ in order[first:]), f"a step was done while the saga was undone: {order}"


def ends_as_it_must(world: SagaWorld) -> None:
    """What cannot go through does not, what cannot be undone is parked, and nothing else is."""
    end, given_up = end_of(world), parked(world)
    healthy = {"ok", "fails once", "fails twice", "hangs once"}
    gentle = world.faults.spent <= MOST_GENTLE
    # These depend on how often the function is asked.
    either_way = {"is declined first", "is declined again"}
    broken = [plan.name for plan in world.plans if plan.does not in healthy | either_way]
    if broken:
        assert end != contract.SUCCEEDED, f"succeeded without {broken[0]}"
    elif gentle and all(plan.does in healthy and plan.retries for plan in world.plans):
        assert end == contract.SUCCEEDED, f"{end}, and every step could have been done"
    stubborn = {plan.name for plan in world.plans if plan.undo in ("fails always", "is refused")}
    forward = behind_the_pivot(world)
    if end == contract.FORWARD_PARKED:
        assert len(given_up & forward) == len(given_up) == 1, f"parked: {given_up}"
        assert not any(what == "undo" for what, _ in world.books.order), "undone behind the pivot"
    else:
        assert bool(given_up) == (end == contract.COMPENSATION_PARKED), f"{end}, parked: {given_up}"
        if gentle:
            assert given_up <= stubborn, f"parked, and could have been undone: {given_up - stubborn}"


def parked_is_kept(world: SagaWorld) -> None:
    for name in parked(world):
        item = world.claims()[(contract.parked_key(NAMESPACE, world.name, name),)]
        assert "expires_at" not in item, "what is parked expires"
        assert json.loads(item["error"]["S"])["Error"], "parked without its error"
        assert json.loads(item["state"]["S"])["order_id"] == "7", "parked without its input"


def results_are_those_that_count(world: SagaWorld) -> None:
    for run in world.books.runs:
        for name, result in run.step.results.items():
            recorded = world.books.recorded.get(contract.action_key(NAMESPACE, world.name, name))
            assert result == result_of(recorded), f"{run.plan.name} was given another result of {name}"
        if run.kind == "compensation":
            assert run.step.result == result_of(run.before), f"{run.plan.name} was undone by another result"
            assert run.step.error is not None, "undone without a reason"


def keys_are_a_step_s_own(world: SagaWorld) -> None:
    for run in world.books.runs:
        key = contract.action_key(NAMESPACE, world.name, run.plan.name)
        assert run.step.action_key == key, f"{run.plan.name} is known by {run.step.action_key}"
        expected = key if run.kind == "action" else contract.compensation_key(NAMESPACE, world.name, run.plan.name)
        assert run.key == expected, f"{run.kind} {run.plan.name} calls with the key {run.key}"


def what_is_final_is_not_tried_again(world: SagaWorld) -> None:
    if world.faults.spent:
        return
    for plan in world.plans:
        if plan.does in ("is declined", "is refused"):
            assert len(world.books.runs_of("action", plan.name)) <= 1, f"{plan.name} was tried again"


Invariant = Callable[[SagaWorld], None]

SAGA_INVARIANTS: list[Invariant] = [
    all_or_nothing,
    never_twice,
    undone_in_reverse,
    ends_as_it_must,
    parked_is_kept,
    results_are_those_that_count,
    keys_are_a_step_s_own,
    what_is_final_is_not_tried_again,
]


def check_saga(world: SagaWorld, invariants: Sequence[Invariant] = SAGA_INVARIANTS) -> None:
    for invariant in invariants:
        try:
            invariant(world)
        except AssertionError as failure:
            raise AssertionError(f"{invariant.__name__}: {failure}") from failure
