"""A seed is a schedule of a saga: the same one every time, in another process too."""

import subprocess
import sys
from pathlib import Path

import pytest

from .saga_schedules import simulate_saga
from .saga_world import SagaWorld
from .schedules import Violation

SEED = 12


def test_a_seed_gives_the_same_history_twice() -> None:
    first, second = (simulate_saga(SEED) for _ in range(2))
    assert [str(event) for event in first.trace] == [str(event) for event in second.trace]
    assert first.books.order == second.books.order
    assert first.execution.entered == second.execution.entered


def test_a_seed_does_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = (
        f"from tests.simulation.saga_schedules import *; w = simulate_saga({SEED});"
        "print([(round(t, 6), *map(str, f)) for t, f in w.trace])"
    )
    root = Path(__file__).parents[2]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": number, "PYTHONPATH": f"{root}:{root / 'lambda_src'}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    }
    assert len(outputs) == 1


def test_a_violation_says_its_seed_and_shows_what_happened() -> None:
    def nothing_may_happen(_: SagaWorld) -> None:
        raise AssertionError("something happened")

    with pytest.raises(Violation) as raised:
        simulate_saga(SEED, invariants=[nothing_may_happen])
    report = str(raised.value)
    assert report.startswith("nothing_may_happen: something happened\n")
    assert f"--seed={SEED}" in report
    assert "invoked" in report
