from collections.abc import Callable, Iterator

import pytest

from serverless_patterns_runtime.cqrs_views.sink import Sink

from ..cqrs_open_search.domain_server import DomainServer, serving
from ..cqrs_open_search.store import OpenSearchStore
from .postgres_server import Server
from .sinks import OPENED, DynamoDbStore, SqlStore, Store


@pytest.fixture(scope="session")
def domain() -> Iterator[DomainServer]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture(params=["dynamodb", "sql", "data-api", "open-search"])
def new_store(request: pytest.FixtureRequest) -> Callable[[str | None], Store]:
    """Of a view with a sort key of this type."""
    if request.param == "dynamodb":
        return DynamoDbStore
    if request.param == "open-search":
        domain = request.getfixturevalue("domain")
        return lambda sort: OpenSearchStore(domain, sort)
    server = request.getfixturevalue("postgres")
    return lambda sort: SqlStore(server, request.param, sort)


@pytest.fixture
def store(new_store: Callable[[str | None], Store]) -> Store:
    made = new_store("S")
    for generation in (1, 2, 11):
        made.sink().prepare(generation)
    return made


@pytest.fixture
def two_sinks(store: Store) -> tuple[Sink, Sink]:
    return store.sink(), store.sink()


@pytest.fixture(params=["sql", "data-api", "open-search"])
def shared_store(request: pytest.FixtureRequest) -> Store:
    """What several connections write at once."""
    if request.param == "open-search":
        made: Store = OpenSearchStore(request.getfixturevalue("domain"))
    else:
        made = SqlStore(request.getfixturevalue("postgres"), request.param)
    made.sink().prepare(1)
    return made


@pytest.fixture(params=["sql", "data-api"])
def sql_store(request: pytest.FixtureRequest, postgres: Server) -> SqlStore:
    made = SqlStore(postgres, request.param)
    made.sink().prepare(1)
    return made
