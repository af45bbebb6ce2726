"""For all tests: the layer that they look at, deploy and run is built from the source that they import; a database."""

import gc
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.runtime.cqrs_sql.postgres_server import Server
    from tests.sharing_out import SharingOut

ROOT = Path(__file__).parent.parent

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
"""A machine may have much else to do: nothing that hypothesis draws is late by a wall clock."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # once, before there are workers
        subprocess.run([sys.executable, ROOT / "tools/layers.py"], check=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays to the end: a tenth of all time went to looking for garbage among it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's, which is loaded by what has several workers
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "SharingOut":
    from tests.sharing_out import SharingOut

    return SharingOut(config, log)


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[Server]":
    """One for all who want it."""
    from tests.runtime.cqrs_sql.postgres_server import CannotStart, running

    try:
        with running() as server:
            yield server
    except CannotStart as reason:
        pytest.skip(f"no PostgreSQL server: {reason}")


@pytest.fixture
def postgres(postgres_server: "Server") -> "Iterator[Server]":
    """Whose sessions end with the test: a server takes no more than some dozens."""
    yield postgres_server
    postgres_server.end_sessions()
