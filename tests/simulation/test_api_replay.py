"""A seed is a schedule of an API: the same one every time, in another process too."""

import pytest

from .api_schedules import API_MODES, simulate_api
from .api_world import ApiWorld
from .other_processes import printed_by
from .schedules import Violation


@pytest.mark.parametrize("mode", API_MODES)
def test_a_seed_gives_the_same_history_twice(mode: str) -> None:
    first, second = (simulate_api(mode, 3) for _ in range(2))
    assert [str(event) for event in first.trace] == [str(event) for event in second.trace]
    assert [reply.lasting for reply in first.books.replies] == [reply.lasting for reply in second.books.replies]


def test_a_seed_does_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = (
        "from tests.simulation.api_schedules import *; w = simulate_api('leases', 3);"
        "print([(round(t, 6), *map(str, f)) for t, f in w.trace])"
    )
    assert len(printed_by(code)) == 1


def test_a_violation_says_its_seed_and_shows_what_happened() -> None:
    def nothing_may_happen(_: ApiWorld) -> None:
        raise AssertionError("something happened")

    with pytest.raises(Violation) as raised:
        simulate_api("effects", 5, invariants=[nothing_may_happen])
    report = str(raised.value)
    assert report.startswith("something happened\n")
    assert "--seed=5" in report
    assert "TransactWriteItems" in report
