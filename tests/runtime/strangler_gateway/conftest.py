"""One raw server for all tests of a file; each test begins with none of the requests of the one before."""

from collections.abc import Iterator

import pytest

from .raw_server import RawServer, raw_server


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server() as made:
        yield made


@pytest.fixture
def legacy(server: RawServer) -> RawServer:
    server.forget()
    return server
