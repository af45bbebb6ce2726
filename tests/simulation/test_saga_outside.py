"""Sagas with a provider outside: never two charges, also when what was parked is resumed after the key is forgotten."""

from collections import Counter

import pytest

from serverless_patterns_runtime.saga_state_machine import contract

from .outside_definition import Shape
from .outside_removals import OUTSIDE_REMOVALS, OutsideRemoval
from .outside_schedules import judged, simulate_outside
from .outside_world import REFERENCE, OutsideWorld, Story
from .saga_invariants import end_of, parked
from .searching import others_found

SCHEDULES = 150
"""Unless `--schedules` says otherwise."""
SEEDS = 60
"""Schedules within which a violation must show."""

STEPS = ("Tell", "ReserveStock", "ChargeCard", "Ship")
GONE = [f"{kind} {step}" for step in STEPS for kind in ("action", "compensation")]


def test_no_story_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    ends, resumed = Counter[str](), 0
    for each in [seed] if seed is not None else range(schedules or SCHEDULES):
        world = simulate_outside(each)
        ends[end_of(world)] += 1
        resumed += world.resumed
    if seed is None:
        assert len(ends) == 4, f"a story that never comes: {ends}"
        assert resumed >= 10


def test_a_charge_that_was_accepted_is_found_when_its_key_is_forgotten() -> None:
    story = Story(
        shape=Shape(forward=True),
        mishaps=1,
        kinds=("acts, then fails",),
        outage=(5, 4 * 3600),
        resumed_after=3 * 86_400,
    )
    world = judged(OutsideWorld(story, 1), "")
    assert end_of(world) == contract.SUCCEEDED
    assert world.execution.ended is not None
    assert world.execution.ended.output["results"]["ChargeCard"] == "found"
    assert world.provider.charges[REFERENCE] == 1


def test_a_charge_that_never_was_is_parked_again_when_nobody_may_send_it() -> None:
    story = Story(shape=Shape(forward=True), outage=(0, 4 * 3600), resumed_after=3 * 86_400)
    world = judged(OutsideWorld(story, 1), "")
    assert (end_of(world), parked(world)) == (contract.FORWARD_PARKED, {"ChargeCard"})
    assert world.provider.charges[REFERENCE] == 0


def test_while_the_key_lives_what_was_parked_is_sent_again() -> None:
    story = Story(shape=Shape(forward=True), outage=(0, 3600), resumed_after=5 * 3600)
    world = judged(OutsideWorld(story, 1), "")
    assert world.resumed
    assert end_of(world) == contract.SUCCEEDED


def test_an_outcome_that_settles_later_is_waited_for_and_nothing_is_undone() -> None:
    world = judged(OutsideWorld(Story(mishaps=1, kinds=("settles later",)), 3), "")
    assert end_of(world) == contract.SUCCEEDED
    assert world.books.runs_of("compensation", "ReserveStock") == []
    assert ("action", "ChargeCard", "Unsettled") in world.outcomes


def test_an_outage_of_ten_minutes_uses_up_no_try_and_few_calls() -> None:
    shape = Shape(breaker=True, retries=1, threshold=1)
    world = judged(OutsideWorld(Story(shape=shape, outage=(0, 600)), 1), "")
    assert end_of(world) == contract.SUCCEEDED
    assert len([time for time, _ in world.provider.calls]) <= 12


@pytest.mark.parametrize("ship", ["ok", "is refused"])
@pytest.mark.parametrize("gone", GONE)
def test_a_function_that_a_deployment_took_away_leaves_nothing_unseen(gone: str, ship: str) -> None:
    """The saga goes back, or what cannot be undone is parked, and what can be is."""
    world = judged(OutsideWorld(Story(shape=Shape(foreign=True), gone=gone, ship=ship), 1), gone)
    kind, step = gone.split()
    end = end_of(world)
    if kind == "action":
        assert end == contract.COMPENSATED
    elif ship != "ok" and step != "Ship":
        assert (end, parked(world)) == (contract.COMPENSATION_PARKED, {step})


def test_a_function_behind_the_pivot_that_is_gone_is_parked() -> None:
    world = judged(OutsideWorld(Story(shape=Shape(forward=True), gone="action Ship"), 1), "")
    assert (end_of(world), parked(world)) == (contract.FORWARD_PARKED, {"Ship"})
    assert world.provider.charges[REFERENCE] == 1


@pytest.mark.parametrize("removal", OUTSIDE_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_story_breaks_an_invariant(removal: OutsideRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)

    def story(seed: int) -> OutsideWorld:
        return simulate_outside(seed, shape=removal.shape, story=removal.story, faults=(), defines=removal.defines)

    others = others_found(removal.violates, (lambda seed=seed: story(seed) for seed in range(SEEDS)))
    if others is not None:
        pytest.fail(f"{SEEDS} stories did not miss it; they found {others or 'nothing'}")


@pytest.mark.parametrize("removal", OUTSIDE_REMOVALS, ids=lambda removal: removal.name)
def test_with_it_the_same_stories_break_none(removal: OutsideRemoval) -> None:
    for seed in range(3):
        simulate_outside(seed, shape=removal.shape, story=removal.story, faults=())


def test_no_two_removals_have_one_name() -> None:
    names = [removal.name for removal in OUTSIDE_REMOVALS]
    assert len(set(names)) == len(names) >= 12
