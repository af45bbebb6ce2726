"""How a sink signs in, and that nothing goes over a line that is not encrypted."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials

from serverless_patterns_runtime.cqrs_sql import drivers
from serverless_patterns_runtime.cqrs_sql.building import sql_sink
from serverless_patterns_runtime.cqrs_sql.contract import DRIVER_ARGUMENTS
from serverless_patterns_runtime.cqrs_sql.credentials import TokenCredentials, User
from serverless_patterns_runtime.cqrs_sql.drivers import Connector, Tls
from serverless_patterns_runtime.cqrs_sql.statement import Statement, placed
from serverless_patterns_runtime.cqrs_views.sink import SinkUnavailable

from .postgres_server import Server
from .sinks import SqlStore, change

HERE = SimpleNamespace(user=lambda: User("projector", "secret"), forget=lambda: None)


def connector(driver: str, tls: Tls | None) -> Connector:
    return Connector(driver, "db.example", 5432, "shop", HERE, tls)


def test_a_server_without_tls_is_not_spoken_to(postgres: Server) -> None:
    store = SqlStore(postgres)
    told: Any = {name: value for name, value in store.told().items() if name != "tls"}
    sink = sql_sink(told, "S", "us", lambda _: store.secrets)
    with pytest.raises(SinkUnavailable):
        sink.write(1, [change(1)])


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        (Tls(None), {"sslmode": "verify-full", "sslrootcert": "system"}),
        (Tls("/var/task/rds.pem"), {"sslmode": "verify-full", "sslrootcert": "/var/task/rds.pem"}),
        (None, {"sslmode": "disable"}),
    ],
)
def test_libpq_checks_the_certificate_and_its_name(
    driver: str, tls: Tls | None, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    module = SimpleNamespace(connect=lambda **arguments: given.update(arguments))
    monkeypatch.setattr(drivers.importlib, "import_module", {driver: module}.__getitem__)
    connector(driver, tls)()
    assert {name: value for name, value in given.items() if name.startswith("ssl")} == expected
    assert (given["user"], given["password"], given["dbname"]) == ("projector", "secret", "shop")
    assert ("prepare_threshold" in given) == (driver == "psycopg")


def test_a_function_of_the_users_own_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    module = SimpleNamespace(connect=lambda **arguments: given.update(arguments))
    monkeypatch.setattr(drivers.importlib, "import_module", {"connecting": module}.__getitem__)
    connector("connecting:connect", Tls(None))()
    assert tuple(given) == DRIVER_ARGUMENTS
    context = given.pop("ssl_context")
    assert context.check_hostname
    assert given == {
        "host": "db.example", "port": 5432, "user": "projector", "password": "secret", "database": "shop",
    }  # fmt: skip


def test_a_token_is_a_signed_address_without_its_scheme() -> None:
    signer = lambda: (Credentials("AKID", "SECRET", "SESSION"), "eu-central-1")  # noqa: E731
    user = TokenCredentials(signer, "db.example", 5432, "projector").user()
    assert user.name == "projector"
    assert "SECRET" not in user.password
    address = urlsplit(f"https://{user.password}")
    assert address.netloc == "db.example:5432"
    asked = parse_qs(address.query)
    assert (asked["Action"], asked["DBUser"], asked["X-Amz-Expires"]) == (["connect"], ["projector"], ["900"])
    assert asked["X-Amz-Credential"][0].endswith("/eu-central-1/rds-db/aws4_request")
    assert "X-Amz-Signature" in asked


def test_a_user_is_logged_without_the_password() -> None:
    assert "secret" not in repr(User("projector", "secret"))


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("format", ("a %s, %s, %s", (1, 2, 1))),
        ("qmark", ("a ?, ?, ?", (1, 2, 1))),
        ("numeric", ("a :1, :2, :1", (1, 2))),
        ("named", ("a :x, :y, :x", {"x": 1, "y": 2})),
        ("pyformat", ("a %(x)s, %(y)s, %(x)s", {"x": 1, "y": 2})),
    ],
)
def test_each_driver_is_spoken_to_in_its_own_paramstyle(style: str, expected: Any) -> None:
    assert placed(Statement("a :x, :y, :x", {"x": 1, "y": 2}), style) == expected
