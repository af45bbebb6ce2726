"""A seed is a schedule: the same one every time, in another process too."""

import pytest

from .faults import NoFaults
from .invariants import Invariant
from .other_processes import printed_by
from .schedules import GENTLE_PROFILE, MODES, WILD_PROFILE, Profile, Violation, simulate


@pytest.mark.parametrize("mode", MODES)
def test_a_seed_gives_the_same_history_twice(mode: str) -> None:
    first, second = (simulate(mode, 3, WILD_PROFILE).history for _ in range(2))
    assert first.trace == second.trace
    assert first.dead == second.dead


def test_a_seed_does_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = (
        "from tests.simulation.schedules import *; from tests.simulation.virtual_time import here;"
        "from serverless_patterns_runtime.load_leveled_queue import handler;"
        "handler._edge = lambda: here()[1].sandbox.state; w = simulate('leases', 3, WILD_PROFILE);"
        "print([(round(t, 6), *map(str, f)) for t, f in w.history.trace])"
    )
    assert len(printed_by(code)) == 1


def test_a_violation_says_its_seed_and_shows_what_happened() -> None:
    def nothing_may_happen(_: object) -> None:
        raise AssertionError("something happened")

    never: Invariant = nothing_may_happen
    profile = Profile("impossible", lambda *_: 0, [never], [])
    with pytest.raises(Violation) as raised:
        simulate("effects", 5, profile)
    report = str(raised.value)
    assert report.startswith("something happened\n")
    assert "--seed=5" in report
    assert "TransactWriteItems" in report


def test_without_mishaps_nothing_is_counted_as_one() -> None:
    assert NoFaults().spent == 0
    assert simulate("effects", 1, Profile("calm", lambda *_: 0, GENTLE_PROFILE.invariants, [])).faults.spent == 0
