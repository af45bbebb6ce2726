"""Views of a CqrsTable in PostgreSQL: what is deployed."""

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Match, Template
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.template.cqrs import by_customer, orders, revenue, sales
from tests.template.databases import (
    a_cluster,
    a_data_api_sink,
    a_sink,
    a_vpc,
    in_sql,
)
from tests.template.stacks import new_stack, refusal
from tests.template.test_stability import masked


@pytest.fixture
def stack() -> Stack:
    return new_stack()


@pytest.fixture
def vpc(stack: Stack) -> Any:
    return a_vpc(stack)


@pytest.fixture
def cluster(stack: Stack, vpc: Any) -> Any:
    return a_cluster(stack, vpc)


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
        for part in ("sql", "orders_by_customer", "public", "connecting:connect", "Endpoint.Address", "5432", "shop"):
            assert part in told


@pytest.mark.parametrize("kind", ["driver", "data api"])
def test_all_that_fill_it_know_by_which_words_its_store_is_told_from_others(
    stack: Stack, vpc: Any, cluster: Any, kind: str
) -> None:
    sink = a_sink(vpc, cluster) if kind == "driver" else a_data_api_sink(cluster)
    by_customer(orders(stack), sink=sink)
    template = Template.from_stack(stack)
    told = [
        json.dumps(function["Properties"]["Environment"]["Variables"]["VIEW_TABLES"])
        for handler in ("projector_handler", "rebuild_handler", "control_handler")
        for function in functions(template, handler).values()
    ]
    assert len(told) == 3
    assert len(set(told)) == 1
    for part in ("shop", "public.orders_by_customer", "Cluster", "data-api " if kind == "data api" else "sql "):
        assert part in told[0]


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
    by_customer(orders(stack), sink=a_data_api_sink(cluster))
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
    by_customer(table, "Reported", sink=a_data_api_sink(cluster))
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
        by_customer(table, name, sink=a_data_api_sink(cluster, table=name.lower()))
    ((_, function),) = functions(Template.from_stack(stack), "projector_handler").items()
    assert {"SINK_One", "SINK_Two"} <= function["Properties"]["Environment"]["Variables"].keys()


def test_rows_in_sql_are_not_read_by_what_reads_dynamodb(stack: Stack, cluster: Any) -> None:
    table = orders(stack)
    view = by_customer(table, sink=a_data_api_sink(cluster))
    for asked in (
        view.query,
        lambda: view.reader("ROWS"),
        lambda: view.grant_query(table.command_function),
        lambda: view.table,
    ):
        assert "its rows are in the store of its sink: read them there" in refusal(asked)
    said = refusal(lambda: sales(table))
    assert "sources must have their rows in DynamoDB, got 'ByCustomer', whose rows are in its sink" in said


@pytest.mark.parametrize("kind", ["driver", "data api"])
def test_the_functions_of_a_view(kind: str, snapshot: SnapshotAssertion) -> None:
    """And what they may do, where the database is another stack's."""
    stack = new_stack()
    in_sql(stack, kind)
    kept = ("Lambda::Function", "IAM::Policy", "EC2::SecurityGroup", "EC2::SecurityGroupIngress")
    found = masked(stack).items()
    shown: Any = {
        id: it
        for id, it in found
        if it["Type"].removeprefix("AWS::") in kept and any(part in id for part in ("Projector", "Rebuild"))
    }
    for it in shown.values():
        if it["Type"] == "AWS::Lambda::Function":
            del it["Properties"]["Environment"]["Variables"]["VIEWS"]  # packed: another zlib packs otherwise
    assert shown == snapshot(extension_class=JSONSnapshotExtension)
