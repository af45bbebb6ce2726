"""Every kind of fault at every call of an API's clients, its handler and its function, one at a time; and in pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from .api_invariants import INVARIANTS, check, watch
from .api_ledger import Ask
from .api_schedules import API_MODES
from .api_world import ApiWorld
from .faults import CRASHES, Call, Faults, OneFault, Pair, pairs

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


def calls_of(mode: str, story: str) -> Sequence[Call]:
    """Of the undisturbed run."""
    observer = OneFault(-1, "")
    run(mode, story, observer)
    return observer.calls


def single_faults(mode: str, story: str, kinds: Sequence[str] = ()) -> Iterator[OneFault]:
    for number, call in enumerate(calls_of(mode, story)):
        for kind in call.possible:
            if not kinds or kind in kinds:
                yield OneFault(number, kind)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("mode", API_MODES)
def test_no_single_fault_at_any_call_breaks_an_invariant(mode: str, story: str) -> None:
    fired = 0
    for fault in single_faults(mode, story):
        try:
            run(mode, story, fault)
        except AssertionError as failure:
            raise AssertionError(f"{mode}, {story}: {fault.kind} at call {fault.number}: {failure}") from failure
        assert fault.fired
        fired += 1
    assert fired >= 8


@pytest.mark.parametrize("story", ["one request, and once more", "two at once"])
@pytest.mark.parametrize("mode", API_MODES)
def test_no_pair_of_crashes_breaks_an_invariant(mode: str, story: str) -> None:
    kinds = (*CRASHES, "answer lost")
    fired = 0
    for first, second in pairs(partial(run, mode, story), single_faults(mode, story, kinds), kinds):
        try:
            run(mode, story, Pair(first, second))
        except AssertionError as failure:
            where = f"{first.kind} at call {first.number}, then {second.kind} at call {second.number}"
            raise AssertionError(f"{mode}, {story}: {where}: {failure}") from failure
        assert first.fired
        assert second.fired
        fired += 1
    assert fired >= 8
