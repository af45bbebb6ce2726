"""Every kind of fault at every call of an API's clients, its handler and its function, one at a time; and in pairs."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from .api_invariants import INVARIANTS, check, watch
from .api_ledger import Ask
from .api_schedules import API_MODES
from .api_world import ApiWorld
from .faults import CRASHES, Faults, struck_once, struck_twice

SEED = 7

STORIES: dict[str, Sequence[Ask]] = {
    "one request, and once more": [Ask("a", again=1)],
    "two at once": [Ask("a"), Ask("b", at=0.05, again=1)],
    "another body": [Ask("a"), Ask("b", at=0.05, amount=7)],
    "strangers": [Ask("a"), Ask("b", caller="bob"), Ask("c", path="/refunds")],
    "fails once": [Ask("a", does="fails once", again=1)],
    "says 503 once": [Ask("a", does="says 503 once", again=1)],
    "is refused": [Ask("a", does="is refused")],
    "reads its own writes": [Ask("a", does="reads its own writes", again=1)],
    "guards itself": [Ask("a", does="guards itself", again=1)],
    "hangs once": [Ask("a", does="hangs once"), Ask("b", does="hangs once", at=3.0)],
}


def run(mode: str, story: str, faults: Faults) -> ApiWorld:
    world = ApiWorld(replace(API_MODES[mode], timeout=6.0), SEED, faults)
    watch(world)
    world.ask(STORIES[story])
    try:
        world.run()
        check(world, INVARIANTS)
    finally:
        world.close()
    return world


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("mode", API_MODES)
def test_no_single_fault_at_any_call_breaks_an_invariant(mode: str, story: str) -> None:
    assert struck_once(partial(run, mode, story)) >= 8


@pytest.mark.parametrize("story", ["one request, and once more", "two at once"])
@pytest.mark.parametrize("mode", API_MODES)
def test_no_pair_of_crashes_breaks_an_invariant(mode: str, story: str) -> None:
    assert struck_twice(partial(run, mode, story), (*CRASHES, "answer lost")) >= 8
