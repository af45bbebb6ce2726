from collections.abc import Iterator

import pytest

from .domain_server import DomainServer, serving
from .store import OpenSearchStore


@pytest.fixture(scope="session")
def domain_server() -> Iterator[DomainServer]:
    with serving() as server:
        yield server


@pytest.fixture
def domain(domain_server: DomainServer) -> Iterator[DomainServer]:
    yield domain_server
    domain_server.model.__init__()


@pytest.fixture
def store(domain: DomainServer) -> OpenSearchStore:
    made = OpenSearchStore(domain)
    made.sink().prepare(1)
    return made
