"""Every kind of fault at every call of a map's functions, one at a time; and every place at which it may die."""

from collections.abc import Sequence
from typing import Any

import pytest

from .faults import Faults, NoFaults, struck_once
from .map_definition import MapPlan
from .map_invariants import check_map
from .map_world import NEVER, Death, MapWorld

SEED = 7
ITEMS = (
    {"id": "a", "does": "ok"},
    {"id": "b", "does": "is refused"},
    {"id": "c", "does": "fails once"},
)


def run(plan: MapPlan, items: Sequence[Any], faults: Faults, death: Death = NEVER) -> MapWorld:
    world = MapWorld(plan, items, SEED, faults, death=death)
    try:
        world.run()
        check_map(world)
    finally:
        world.close()
    return world


MODES = pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])
MAPS = pytest.mark.parametrize(
    "where", [{}, {"distributed": True}, {"distributed": True, "in_s3": True}], ids=["inline", "distributed", "s3"]
)


@MODES
@MAPS
def test_no_single_fault_loses_an_item_or_its_end(effects: bool, where: dict[str, bool]) -> None:
    plan = MapPlan(effects=effects, **where)

    def judged(fault: Faults) -> None:
        world = run(plan, ITEMS, fault)
        assert (world.told[-1].outcome, world.told[-1].processed) == ("failed", 2)

    assert struck_once(judged) >= 100


@MODES
@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_wherever_it_dies_what_is_left_is_closed_and_the_end_is_told_once(effects: bool, status: str) -> None:
    plan, ended = MapPlan(effects=effects), set[str]()
    happens = run(plan, ITEMS, NoFaults()).happened
    for at in range(1, happens + 1):
        try:
            world = run(plan, ITEMS, NoFaults(), Death(at, status, events=2))
        except AssertionError as failure:
            raise AssertionError(f"dead at {at}: {failure}") from failure
        ended.add(world.told[-1].outcome)
    assert len(ended) >= (1 if status == "FAILED" else 2)


@pytest.mark.parametrize(
    ("given", "items"),
    [({"pages": []}, 0), ({"pages": {}}, 0), ({"pages": "x"}, 0), ({}, 0), ([], 0), ({"pages": None}, 0)],
)
@MODES
def test_what_is_no_list_has_an_end_too(given: Any, items: int, effects: bool) -> None:
    world = MapWorld(MapPlan(effects=effects), [], SEED, given=given)
    try:
        world.run()
        assert world.told
        assert (world.told[-1].items, world.told[-1].input) == (items, given)
        wanted = "succeeded" if given == {"pages": []} else "failed"
        assert {told.outcome for told in world.told} == {wanted}
        assert world.done["Pages#document-7"] >= 1
    finally:
        world.close()


def test_an_on_complete_that_always_fails_leaves_a_failed_completion() -> None:
    world = MapWorld(MapPlan(), ITEMS[:1], SEED, completes="is refused")
    try:
        world.run()
        (completion,) = world.completions
        assert completion.ended is not None
        assert (completion.ended.status, completion.ended.error) == ("FAILED", "PermanentError")
        assert world.main.ended is not None
        assert world.main.ended.status == "FAILED"
    finally:
        world.close()
