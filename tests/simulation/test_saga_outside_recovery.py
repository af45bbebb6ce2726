"""Never two charges, whenever a saga dies, and also when it is resumed after its key is forgotten."""

from collections import Counter
from dataclasses import replace

import pytest

from serverless_patterns_runtime.saga_state_machine import contract

from .outside_definition import Shape
from .outside_recovery import OutsideRecovery, check_outside_recovery, unsettled
from .outside_removals import OUTSIDE_REMOVALS
from .outside_world import REFERENCE, Story
from .recovery_world import Death
from .saga_invariants import end_of

DAYS = 86_400.0
SETTLES_LATER = Story(mishaps=2, sends_after=1.0)
FORWARD = Shape(forward=True)
ACCEPTED = Story(shape=FORWARD, mishaps=1, kinds=("acts, then fails",), outage=(5, 4 * 3600), resumed_after=3 * DAYS)
STORIES = {
    "all is well": Story(),
    "it settles later": SETTLES_LATER,
    "it settles later, and is shipped never": replace(SETTLES_LATER, ship="is refused"),
    "behind the pivot": replace(SETTLES_LATER, shape=FORWARD),
    "somebody's function": replace(SETTLES_LATER, shape=Shape(foreign=True), told_late=True),
    "down for a while": Story(shape=Shape(breaker=True), outage=(0, 120), mishaps=1),
}


def run(story: Story, seed: int, death: Death | None = None) -> OutsideRecovery:
    world = OutsideRecovery(story, seed, death=death)
    try:
        world.run()
        check_outside_recovery(world)
    finally:
        world.close()
    return world


@pytest.mark.parametrize("story", STORIES)
def test_wherever_it_dies_the_money_is_where_the_end_says(story: str) -> None:
    ends = Counter[str]()
    for at in (0, 1, 2, 4, 7, 9, 12, 14, 16, 18, 20, 24, 28, 35, 45, 60):
        try:
            world = run(STORIES[story], at, Death(at))
        except AssertionError as failure:
            raise AssertionError(f"dead at {at}: {failure}") from failure
        ends[end_of(world)] += bool(world.answers or world.machines.runs("Recovery"))
    assert ends[contract.COMPENSATED] + ends[contract.SUCCEEDED] >= 4, ends


def test_what_was_accepted_is_found_when_it_is_resumed_days_later() -> None:
    world = run(ACCEPTED, 1)
    assert world.resumed
    assert (end_of(world), unsettled(world)) == (contract.SUCCEEDED, set())
    assert world.provider.charges[REFERENCE] == 1


@pytest.mark.parametrize(
    "name", ["a key is not given when it may be forgotten", "a key's life begins with its first use"]
)
def test_without_that_safeguard_it_is_charged_twice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (removal,) = [each for each in OUTSIDE_REMOVALS if each.name == name]
    removal.take_out(monkeypatch)
    with pytest.raises(AssertionError, match="charged 2 times"):
        run(ACCEPTED, 1)


def test_what_was_never_charged_is_parked_again_for_who_may_charge_it() -> None:
    world = run(Story(shape=FORWARD, outage=(0, 4 * 3600), resumed_after=3 * DAYS), 1)
    assert world.resumed
    assert (end_of(world), unsettled(world)) == (contract.FORWARD_PARKED, {"ChargeCard"})
    assert world.provider.charges[REFERENCE] == 0


def test_a_refund_that_was_accepted_unheard_is_found_days_later_and_not_sent_again() -> None:
    story = Story(
        ship="is refused",
        mishaps=1,
        kinds=("acts, then fails",),
        strikes=("refund",),
        outage=(4, 8 * 3600),
        resumed_after=3 * DAYS,
    )
    ends = Counter[str]()
    for seed in range(12):
        world = run(story, seed)
        ends[end_of(world)] += world.resumed
        assert world.provider.refunds[REFERENCE] <= 1
    assert ends[contract.COMPENSATED] >= 4, ends


def test_a_refund_that_nobody_has_heard_of_is_not_sent_with_a_forgotten_key() -> None:
    world = run(Story(ship="is refused", outage=(0.6, 8 * 3600), resumed_after=3 * DAYS), 1)
    assert world.resumed
    assert (end_of(world), unsettled(world)) == (contract.COMPENSATION_PARKED, {"ChargeCard"})
    assert (world.provider.charges[REFERENCE], world.provider.refunds[REFERENCE]) == (1, 0)
