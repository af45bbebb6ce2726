"""`pytest tests/simulation --seed=N` (or SEED=N) replays one schedule; `--schedules=N` runs more than the default."""

import os

import pytest

from serverless_patterns_runtime.load_leveled_queue import handler

from .virtual_time import here


@pytest.fixture(autouse=True)
def _edge_of_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """What init made, for as long as its sandbox lives."""
    monkeypatch.setattr(handler, "_edge", lambda: here()[1].sandbox.state)


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
