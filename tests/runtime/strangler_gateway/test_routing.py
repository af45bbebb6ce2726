"""Which side answers, and what becomes of a request whose side does not."""

from collections.abc import Iterator

import pytest

from .raw_server import RawServer, raw_server
from .router import ROUTE, Router, get


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server() as made:
        yield made


@pytest.fixture
def legacy(server: RawServer) -> RawServer:
    server.forget()
    return server


def test_what_is_not_listed_goes_to_legacy(legacy: RawServer):
    router = Router(legacy)
    router.shares.said = 100
    assert router.send(get("/other")).body == b"ok"
    assert router.functions.events == []


def test_at_0_and_at_100_percent_it_is_one_side_for_all(legacy: RawServer):
    router = Router(legacy)
    assert router.send(get("/profile/5"), "/profile/{id}").body == b"ok"
    router.shares.said = 100
    assert router.send(get("/profile/5"), "/profile/{id}").body == b"new"
    assert router.shares.noted == [(ROUTE, False)]
