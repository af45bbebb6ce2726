"""`pytest tests/simulation --seed=N` (or SEED=N) replays one schedule; `--schedules=N` runs more than the default."""

import os

import pytest

from serverless_patterns_runtime.load_leveled_queue import consumption

from .executor_model import SimulatedExecutor


@pytest.fixture(autouse=True)
def _threads_of_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped code's threads become the schedule's: only one runs, and the seed says which."""
    monkeypatch.setattr(consumption, "ThreadPoolExecutor", SimulatedExecutor)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("simulation")
    group.addoption("--seed", type=int, default=None, help="replay one seed of every seeded test, with its trace")
    group.addoption("--schedules", type=int, default=None, help="schedules per seeded test, instead of its default")


def _number(config: pytest.Config, option: str, variable: str) -> int | None:
    given = config.getoption(option)
    if given is not None:
        return int(given)
    return int(os.environ[variable]) if variable in os.environ else None


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int | None:
    return _number(pytestconfig, "--seed", "SEED")


@pytest.fixture(scope="session")
def schedules(pytestconfig: pytest.Config) -> int | None:
    return _number(pytestconfig, "--schedules", "SCHEDULES")
