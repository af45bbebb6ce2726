"""Everything that is refused, or warned of, in a sink for views in PostgreSQL."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from serverless_patterns import Handler, SqlSink
from tests.template.cqrs import a_function, by_customer, orders
from tests.template.databases import (
    NAMES,
    a_cluster,
    a_data_api_sink,
    a_sink,
    a_vpc,
    an_imported_cluster,
    an_imported_secret,
)
from tests.template.stacks import HANDLERS, new_stack, refusal, warnings


@pytest.fixture
def stack() -> Stack:
    return new_stack()


@pytest.fixture
def vpc(stack: Stack) -> Any:
    return a_vpc(stack)


@pytest.fixture
def cluster(stack: Stack, vpc: Any) -> Any:
    return a_cluster(stack, vpc)


def refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    return refusal(lambda: call(*arguments, **named))


def test_the_library_of_the_driver_is_enough(stack: Stack, vpc: Any, cluster: Any, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"pg8000==1.31.6 --hash=sha256:{hashlib.sha256(b'').hexdigest()}\n")
    sink = a_sink(vpc, cluster, driver="pg8000.dbapi")
    said = refused(by_customer, orders(stack), sink=sink)
    assert "project requirements must bring pg8000, the sink's driver, got none" in said
    handler = a_function("by_customer", requirements=lock)
    sink.check(problems := _Problems(), handler)
    assert not problems.found


class _Problems:
    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, *words: str) -> None:
        self.found.append(" ".join(words))


NAMED = "be lower-case letters, digits and _, a letter first, up to 48"
REFUSED: list[tuple[dict[str, Any], str]] = [
    *(({"table": name}, f"table must {NAMED}, got {name!r}") for name in ("", "Orders", "o-1", "a" * 49, '"', 5)),
    ({"schema": "my schema"}, f"schema must {NAMED}, got 'my schema'"),
    ({"database": ""}, "database must be a name, got ''"),
    *(({"port": port}, f"port must be a whole number from 1 to 65,535, got {port!r}") for port in (0, 70_000, "5432")),
    ({"driver": "mysql"}, "driver must be pg8000.dbapi, psycopg, psycopg2 or module:function, got 'mysql'"),
    ({"user": "projector"}, "secret must be given, or else user, got both"),
    ({"secret": None}, "secret must be given, or else user, got none"),
    (
        {"secret": None, "user": "projector", "server": None},
        "server must have grant_connect for a user without a secret, got None",
    ),
    ({"security_groups": "sg-1"}, "security_groups must be a list, got a value of type str"),
    ({"security_groups": ["sg-1"]}, "security_groups must hold ec2.SecurityGroups, got 'sg-1'"),
    ({"vpc": "vpc-1"}, "vpc must be an ec2.Vpc, got 'vpc-1': pass the one that the database is in"),
    ({"vpc": None}, "vpc must be an ec2.Vpc, got None"),
    ({"server": "shop"}, "server must be what has connections, got 'shop': pass the proxy, cluster or instance"),
    ({"secret": "hunter2"}, "secret must be a secret with username and password, got a value of type str"),
    ({"secret": None, "user": 5}, "user must be a name, got 5"),
    ({"certificates": 5}, "certificates must be a name, got 5"),
    ({"driver": 5}, "driver must be pg8000.dbapi, psycopg, psycopg2 or module:function, got 5"),
]


@pytest.mark.parametrize(("arguments", "text"), REFUSED)
def test_a_sink_that_cannot_be_is_refused(arguments: dict[str, Any], text: str, vpc: Any, cluster: Any) -> None:
    assert text in refused(a_sink, vpc, cluster, **arguments)


def test_a_host_that_is_none_is_refused(vpc: Any) -> None:
    assert "host must be a name, got ''" in refused(SqlSink, "", vpc=vpc, user=None, **NAMES)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"table": "Orders"}, f"table must {NAMED}, got 'Orders'"),
        ({"secret": None}, "secret must be given, got None"),
        ({"cluster": "arn"}, "cluster must be a cluster of Aurora, got 'arn'"),
        ({"secret": "hunter2"}, "secret must be a secret with username and password, got a value of type str"),
    ],
)
def test_a_data_api_sink_that_cannot_be_is_refused(arguments: dict[str, Any], text: str, cluster: Any) -> None:
    said = refused(a_data_api_sink, cluster, **arguments)
    assert text in said
    assert "hunter2" not in said


def test_another_database_than_postgresql_is_refused(stack: Stack, vpc: Any) -> None:
    mysql = rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.VER_3_08_0)
    other = a_cluster(stack, vpc, "Other", engine=mysql)
    assert "cluster must be PostgreSQL, got MYSQL, of Shop/Other" in refused(a_data_api_sink, other)
    assert "server must be PostgreSQL, got MYSQL, of Shop/Other" in refused(a_sink, vpc, other)


@pytest.mark.parametrize("said", [{"enable_data_api": False}, {"enable_data_api": None}], ids=str)
def test_a_cluster_whose_data_api_is_off_is_refused(stack: Stack, vpc: Any, said: dict[str, Any]) -> None:
    cluster = a_cluster(stack, vpc, **said)
    assert refused(by_customer, orders(stack), sink=a_data_api_sink(cluster)) == (
        "Shop/Orders.view('ByCustomer'): sink cluster must have its Data API on, got one where it is off, Shop/Cluster:"
        " write DatabaseCluster(..., enable_data_api=True)"
    )


def test_a_data_api_that_is_switched_on_before_the_view_is_on(stack: Stack, vpc: Any) -> None:
    cluster = a_cluster(stack, vpc, enable_data_api=None)
    sink = a_data_api_sink(cluster)
    cluster.node.default_child.enable_http_endpoint = True
    by_customer(orders(stack), sink=sink)
    assert unknown(stack) == []


def unknown(stack: Stack) -> list[str]:
    return [text for text in warnings(stack) if "Data API" in text]


def test_of_an_imported_cluster_nobody_knows_unless_it_is_said(stack: Stack) -> None:
    secret = an_imported_secret(stack)
    table = orders(stack)
    known = an_imported_cluster(stack, "Known", data_api_enabled=True)
    by_customer(table, "One", sink=a_data_api_sink(known, secret=secret, table="one"))
    assert unknown(stack) == []
    by_customer(table, "Two", sink=a_data_api_sink(an_imported_cluster(stack), secret=secret, table="two"))
    (text,) = unknown(stack)
    assert text.startswith("whether the Data API of Shop/Theirs is on is not known here")


def nobody_let_in(stack: Stack) -> list[str]:
    return [text for text in warnings(stack) if text.startswith("nothing lets the functions of this view connect")]


def test_functions_that_nothing_lets_in_are_warned_of(stack: Stack, vpc: Any, cluster: Any) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-12345678")
    by_customer(orders(stack, "One"), sink=a_sink(vpc, cluster))
    by_customer(orders(stack, "Two"), sink=a_sink(vpc, cluster, server=None, security_groups=[group]))
    assert nobody_let_in(stack) == []
    by_customer(orders(stack, "Three"), sink=a_sink(vpc, cluster, server=None))
    (text,) = nobody_let_in(stack)
    assert "to the database of orders_by_customer, at port 5432: pass the proxy, cluster or instance" in text


WITH_ALL = "host, port, user, password, database, ssl_context"
DRIVERS: list[tuple[str, ...]] = [
    (f"def conect({WITH_ALL}): ...", "be a function defined at the top of", "got 'connect' (did you mean 'conect'?)"),
    (f"async def connect({WITH_ALL}): ...", "be an ordinary function, got async connect"),
    ("def connect(sources): ...", f"take {WITH_ALL}, got no {WITH_ALL}; sources, which nobody gives by name in"),
    ("def connect(host, port, user, password, database): ...", f"take {WITH_ALL}, got no ssl_context in connect"),
    (f"def connect(host, /, {WITH_ALL.removeprefix('host, ')}): ...", "got no host; host, which nobody gives by name"),
    (f"def connect({WITH_ALL}, *, retries): ...", "got retries, which nobody gives by name in connect"),
    ("def connect(", "be in valid Python, got"),
]


def a_driver(code: Path, source: str) -> Handler:
    (code / "orders.py").write_text("def by_customer(order): ...\n")
    (code / "connecting.py").write_text(source)
    return Handler(code, "orders:by_customer")


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver[0])
def test_a_driver_that_cannot_be_called_is_refused(
    driver: tuple[str, ...], stack: Stack, vpc: Any, cluster: Any, tmp_path: Path
) -> None:
    source, *texts = driver
    said = refused(by_customer, orders(stack), project=a_driver(tmp_path, source), sink=a_sink(vpc, cluster))
    assert said.startswith("Shop/Orders.view('ByCustomer'): sink driver must ")
    for text in texts:
        assert text in said


def test_a_driver_in_another_module_is_refused(stack: Stack, vpc: Any, cluster: Any) -> None:
    said = refused(by_customer, orders(stack), sink=a_sink(vpc, cluster, driver="conecting:connect"))
    assert f"sink driver must name a module in {HANDLERS}, got 'conecting' (did you mean 'connecting'?)" in said


@pytest.mark.parametrize(
    "source",
    [
        f"def connect({WITH_ALL}): ...",
        "def connect(*, host, port, **more): ...",
        "def connect(**to): ...",
        f"def connect({WITH_ALL}, retries=3): ...",
        "from drivers import connect",
        "connect = make()",
    ],
)
def test_a_driver_that_can_be_called_is_not(source: str, stack: Stack, vpc: Any, cluster: Any, tmp_path: Path) -> None:
    by_customer(orders(stack), project=a_driver(tmp_path, source), sink=a_sink(vpc, cluster))


def test_what_does_not_fit_the_sink_is_refused_with_the_view(stack: Stack, vpc: Any, cluster: Any) -> None:
    table = orders(stack)
    assert "sink must be a SqlSink, a DataApiSink or an OpenSearchSink, got 'sql'" in refused(
        by_customer, table, sink="sql"
    )
    other = a_function("by_customer", vpc=a_vpc(stack, "Other"))
    said = refused(by_customer, table, project=other, sink=a_sink(vpc, cluster))
    assert "project vpc must be the sink's" in said
    inside, group = a_function("by_customer", vpc=vpc), ec2.SecurityGroup.from_security_group_id(stack, "In", "sg-1")
    said = refused(by_customer, table, project=inside, sink=a_sink(vpc, cluster, security_groups=[group]))
    assert "sink security_groups must be left out beside project vpc" in said
    said = refused(by_customer, table, sink=a_sink(vpc, cluster, certificates="rds.pem"))
    assert f"sink certificates must be a file in {HANDLERS}, got 'rds.pem'" in said


def test_two_views_have_no_table_in_common(stack: Stack, cluster: Any) -> None:
    table = orders(stack)
    by_customer(table, "One", sink=a_data_api_sink(cluster))
    said = refused(by_customer, table, "Two", sink=a_data_api_sink(cluster))
    assert "sink table must be another than that of any other view, got that of 'One'" in said
