"""From a seed to a story of a saga with a provider outside; and what must hold of every one."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

from .faults import ANYWHERE, TASKS, Chosen, Faults, NoFaults
from .outside_definition import LIFETIME_SECONDS, Shape, outside_definition
from .outside_world import REFERENCE, Defines, OutsideWorld, Story
from .saga_invariants import end_of, parked
from .schedules import Violation

__all__ = ["a_story", "judged", "simulate_outside"]

TRACE_LINES = 60


def simulate_outside(
    seed: int,
    *,
    shape: Mapping[str, Any] | None = None,
    story: Mapping[str, Any] | None = None,
    faults: Sequence[str] | None = None,
    defines: Defines = outside_definition,
) -> OutsideWorld:
    """One story, run to its end and judged. Raises Violation."""
    chance = random.Random(f"outside {seed}")
    told = a_story(chance)
    told = replace(told, shape=replace(told.shape, **(shape or {})), **(story or {}))
    kinds = (*ANYWHERE, *TASKS) if faults is None else faults
    budget = chance.choice((0, 0, 1, 3)) if kinds else 0
    met: Faults = Chosen(chance, 0.1, budget, kinds) if budget else NoFaults()
    return judged(OutsideWorld(told, chance.getrandbits(64), met, defines), f"seed {seed}")


def a_story(chance: random.Random) -> Story:
    forward = chance.random() < 0.4
    shape = Shape(
        forward=forward,
        foreign=not forward and chance.random() < 0.3,
        retries=chance.choice((1, 5)),
        breaker=chance.random() < 0.5,
        threshold=chance.choice((1, 3, 50)),
        declares=chance.random() < 0.5,
    )
    return Story(
        shape=shape,
        outage=chance.choice(((0, 0), (0, 0), (0, 60), (0, 600), (0, 30), (1, 5 * 3600), (1, 2 * 86_400))),
        mishaps=chance.choice((0, 1, 1, 3)),
        declines=not forward and chance.random() < 0.1,
        declines_after=chance.choice((None, None, None, 1)) if not forward else None,
        ship=chance.choice(("ok", "ok", "ok", "is refused", "fails")),
        sends_after=chance.choice((0.1, 1.5)),
        slower=chance.choice((0.0, 4.0)),
        resumed_after=chance.choice((0.0, LIFETIME_SECONDS + chance.uniform(-20, 20), 2.5 * 86_400)),
        told_late=shape.foreign and chance.random() < 0.4,
    )


# What must hold.


def never_two_charges(world: OutsideWorld) -> None:
    assert world.provider.charges[REFERENCE] <= 1, f"charged {world.provider.charges[REFERENCE]} times"


def never_refunded_more_than_charged(world: OutsideWorld) -> None:
    charges, refunds = world.provider.charges[REFERENCE], world.provider.refunds[REFERENCE]
    assert refunds <= charges, f"refunded {refunds} of {charges} times"


def money_is_where_the_end_says(world: OutsideWorld) -> None:
    end, given_up = end_of(world), parked(world)
    net = world.provider.charges[REFERENCE] - world.provider.refunds[REFERENCE]
    if "ChargeCard" in given_up:
        return  # somebody looks at it
    expected = 1 if end in (contract.SUCCEEDED, contract.FORWARD_PARKED) else 0
    assert net == expected, f"{end}, and {net} charges stand"


def the_rest_is_all_or_nothing(world: OutsideWorld) -> None:
    end, given_up = end_of(world), parked(world)
    done = end in (contract.SUCCEEDED, contract.FORWARD_PARKED)
    for name in {"ReserveStock"} - given_up:
        assert world.books.net[name] == (1 if done else 0), f"{end}, and {name} was done {world.books.net[name]} times"
    assert world.books.net["Ship"] == (1 if end == contract.SUCCEEDED else 0) or "Ship" in given_up
    for key, stands in world.told.items():
        assert stands == (1 if done else 0) or "Tell" in given_up, f"{end}, and {key} was told {stands} times"


def what_can_be_charged_is(world: OutsideWorld) -> None:
    if world.story.is_gentle and world.faults.spent == 0:
        assert end_of(world) == contract.SUCCEEDED, f"{end_of(world)}, and the card could have been charged"


Invariant = Callable[[OutsideWorld], None]
INVARIANTS: Sequence[Invariant] = (
    never_two_charges,
    never_refunded_more_than_charged,
    money_is_where_the_end_says,
    the_rest_is_all_or_nothing,
    what_can_be_charged_is,
)


def judged(world: OutsideWorld, where: str) -> OutsideWorld:
    try:
        world.run()
        for invariant in INVARIANTS:
            try:
                invariant(world)
            except AssertionError as failure:
                raise AssertionError(f"{invariant.__name__}: {failure}") from failure
    except AssertionError as failure:
        lines = [f"{time:12.3f} {' '.join(map(str, fields))[:300]}" for time, fields in world.trace[-TRACE_LINES:]]
        raise Violation("\n".join([f"{failure}", where, f"    {world.story}", *lines])) from failure
    finally:
        world.close()
    return world
