"""Views of a CqrsTable in PostgreSQL: what is deployed, and everything that is refused."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Match, Template

from serverless_patterns import DataApiSink, SqlSink
from tests.template.cqrs import a_function, by_customer, orders, revenue, sales
from tests.template.stacks import HANDLERS, new_stack, refusal

NAMES = {"database": "shop", "table": "orders_by_customer"}


def a_vpc(stack: Stack, id: str = "Vpc") -> Any:
    return ec2.Vpc(stack, id, max_azs=2, restrict_default_security_group=False)


def a_cluster(stack: Stack, vpc: Any) -> Any:
    version = rds.AuroraPostgresEngineVersion.VER_16_6
    return rds.DatabaseCluster(
        stack,
        "Cluster",
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=version),
        writer=rds.ClusterInstance.serverless_v2("Writer"),
        vpc=vpc,
        enable_data_api=True,
    )


@pytest.fixture
def stack() -> Stack:
    return new_stack()


@pytest.fixture
def vpc(stack: Stack) -> Any:
    return a_vpc(stack)


@pytest.fixture
def cluster(stack: Stack, vpc: Any) -> Any:
    return a_cluster(stack, vpc)


def a_sink(vpc: Any, cluster: Any, **arguments: Any) -> SqlSink:
    given = {**NAMES, "vpc": vpc, "server": cluster, "secret": cluster.secret, "driver": "shopping:connect"}
    return SqlSink(cluster.cluster_endpoint.hostname, **{**given, **arguments})


def refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    return refusal(lambda: call(*arguments, **named))


def functions(template: Template, handler: str) -> dict[str, Any]:
    return template.find_resources(
        "AWS::Lambda::Function",
        {"Properties": {"Handler": f"serverless_patterns_runtime.cqrs_views.{handler}.lambda_handler"}},
    )


def described(function: dict[str, Any]) -> str:
    return json.dumps(function["Properties"]["Environment"]["Variables"]["SINK_ByCustomer"])


def test_projector_and_rebuild_are_in_the_vpc_and_told_of_the_database(stack: Stack, vpc: Any, cluster: Any) -> None:
    by_customer(orders(stack), sink=a_sink(vpc, cluster))
    template = Template.from_stack(stack)
    for handler in ("projector_handler", "rebuild_handler"):
        ((_, function),) = functions(template, handler).items()
        assert function["Properties"]["VpcConfig"]["SubnetIds"]
        told = described(function)
        for part in ("sql", "orders_by_customer", "public", "shopping:connect", "Endpoint.Address", "5432", "shop"):
            assert part in told
        assert function["Properties"]["Environment"]["Variables"]["VIEW_TABLES"] == "{}"


def test_the_database_lets_the_functions_in_and_nobody_else(stack: Stack, vpc: Any, cluster: Any) -> None:
    by_customer(orders(stack), sink=a_sink(vpc, cluster, port=5433))
    rules = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroupIngress")
    assert len(rules) == 2
    for rule in rules.values():
        assert (rule["Properties"]["FromPort"], rule["Properties"]["ToPort"]) == (5433, 5433)
        assert "SourceSecurityGroupId" in rule["Properties"]


def test_functions_read_the_secret_and_write_no_table_of_dynamodb(stack: Stack, vpc: Any, cluster: Any) -> None:
    by_customer(orders(stack), sink=a_sink(vpc, cluster))
    template = Template.from_stack(stack)
    policies = json.dumps(template.find_resources("AWS::IAM::Policy"))
    assert policies.count("secretsmanager:GetSecretValue") == 2
    assert "rds-data" not in policies
    assert not template.find_resources("AWS::DynamoDB::Table", {"Properties": {"KeySchema": Match.array_with(
        [{"AttributeName": "pk", "KeyType": "HASH"}]
    )}})  # fmt: skip


def test_a_user_who_signs_in_by_iam_may_connect_as_that_user(stack: Stack, vpc: Any, cluster: Any) -> None:
    by_customer(orders(stack), sink=a_sink(vpc, cluster, secret=None, user="projector"))
    template = Template.from_stack(stack)
    policies = json.dumps(template.find_resources("AWS::IAM::Policy"))
    assert policies.count("rds-db:connect") == 2
    assert "secretsmanager" not in policies
    assert "projector" in described(next(iter(functions(template, "projector_handler").values())))


def test_the_data_api_needs_no_vpc_and_four_actions(stack: Stack, cluster: Any) -> None:
    by_customer(orders(stack), sink=DataApiSink(cluster, secret=cluster.secret, **NAMES))
    template = Template.from_stack(stack)
    for handler in ("projector_handler", "rebuild_handler"):
        ((_, function),) = functions(template, handler).items()
        assert "VpcConfig" not in function["Properties"]
        assert "data-api" in described(function)
    statements = [
        statement
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "rds-data" in json.dumps(statement)
    ]
    assert len(statements) == 2
    for statement in statements:
        assert statement["Action"] == [
            f"rds-data:{name}"
            for name in ("BeginTransaction", "CommitTransaction", "ExecuteStatement", "RollbackTransaction")
        ]
        assert "cluster" in json.dumps(statement["Resource"])
        assert statement["Resource"] != "*"


def test_views_in_sql_and_views_in_dynamodb_have_projectors_of_their_own(stack: Stack, cluster: Any) -> None:
    table = orders(stack)
    by_customer(table)
    by_customer(table, "Reported", sink=DataApiSink(cluster, secret=cluster.secret, **NAMES))
    revenue(table)
    assert table.views["ByCustomer"].projector_function is table.views["Revenue"].projector_function
    assert table.views["Reported"].projector_function is not table.views["Revenue"].projector_function
    template = Template.from_stack(stack)
    told = [one["Properties"]["Environment"]["Variables"] for one in functions(template, "projector_handler").values()]
    assert sorted("SINK_Reported" in variables for variables in told) == [False, True]
    template.resource_count_is("AWS::Lambda::EventSourceMapping", 2)


def test_two_views_in_one_database_share_a_projector(stack: Stack, cluster: Any) -> None:
    table = orders(stack)
    for name in ("One", "Two"):
        by_customer(table, name, sink=DataApiSink(cluster, secret=cluster.secret, database="shop", table=name.lower()))
    ((_, function),) = functions(Template.from_stack(stack), "projector_handler").items()
    assert {"SINK_One", "SINK_Two"} <= function["Properties"]["Environment"]["Variables"].keys()


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
    ],
)
def test_a_data_api_sink_that_cannot_be_is_refused(arguments: dict[str, Any], text: str, cluster: Any) -> None:
    assert text in refused(DataApiSink, **{"cluster": cluster, "secret": cluster.secret, **NAMES, **arguments})


def test_what_does_not_fit_the_sink_is_refused_with_the_view(stack: Stack, vpc: Any, cluster: Any) -> None:
    table = orders(stack)
    assert "sink must be a SqlSink or a DataApiSink, got 'sql'" in refused(by_customer, table, sink="sql")
    other = a_function("by_customer", vpc=a_vpc(stack, "Other"))
    said = refused(by_customer, table, project=other, sink=a_sink(vpc, cluster))
    assert "project vpc must be the sink's" in said
    said = refused(by_customer, table, sink=a_sink(vpc, cluster, certificates="rds.pem"))
    assert f"sink certificates must be a file in {HANDLERS}, got 'rds.pem'" in said


def test_two_views_have_no_table_in_common(stack: Stack, cluster: Any) -> None:
    table = orders(stack)
    by_customer(table, "One", sink=DataApiSink(cluster, secret=cluster.secret, **NAMES))
    said = refused(by_customer, table, "Two", sink=DataApiSink(cluster, secret=cluster.secret, **NAMES))
    assert "sink table must be another than that of any other view, got that of 'One'" in said


def test_rows_in_sql_are_not_read_by_what_reads_dynamodb(stack: Stack, cluster: Any) -> None:
    table = orders(stack)
    view = by_customer(table, sink=DataApiSink(cluster, secret=cluster.secret, **NAMES))
    for asked in (view.query, lambda: view.reader("ROWS"), lambda: view.grant_query(cluster), lambda: view.table):
        assert "its rows are in the store of its sink: read them there, in SQL" in refusal(asked)
    said = refused(sales, table)
    assert "sources must have their rows in DynamoDB, got 'ByCustomer', whose rows are in SQL" in said
