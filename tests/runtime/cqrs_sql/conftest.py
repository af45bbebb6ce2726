from collections.abc import Callable, Iterator

import pytest

from serverless_patterns_runtime.cqrs_views.sink import Sink

from .postgres_server import CannotStart, Server, running
from .sinks import DynamoDbStore, SqlStore, Store


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    try:
        with running() as server:
            yield server
    except CannotStart as reason:
        pytest.skip(f"no PostgreSQL server: {reason}")


@pytest.fixture(params=["dynamodb", "sql", "data-api"])
def new_store(request: pytest.FixtureRequest) -> Callable[[str | None], Store]:
    """Of a view with a sort key of this type."""
    if request.param == "dynamodb":
        return DynamoDbStore
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


@pytest.fixture(params=["sql", "data-api"])
def sql_store(request: pytest.FixtureRequest, postgres: Server) -> SqlStore:
    made = SqlStore(postgres, request.param)
    made.sink().prepare(1)
    return made
