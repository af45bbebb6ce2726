"""Scanners find in a table with views, in DynamoDB and in SQL, what its user decides, and nothing else."""

from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_s3 as s3

from serverless_patterns import ApiProxy, IamAuthorizer, Route
from tests.template.cqrs import a_function, by_customer, orders, revenue, sales
from tests.template.databases import in_sql
from tests.template.scanning import PACKS, failed_checks, findings, harden, linted, needs_checkov
from tests.template.stacks import new_stack


def a_hardened_stack() -> Stack:
    """Each policy choice that a scanner asks for, made the way the pages say: keys, network, access logs."""
    stack = new_stack()
    chosen = harden(stack)
    alike = {"security_groups": [chosen.group], "reserved_concurrent_executions": 5}
    table = orders(stack, decide=a_function(**alike), access_logs=s3.Bucket.from_bucket_name(stack, "Logs", "logs"))
    by_customer(table, project=a_function("by_customer", **alike)).query()
    revenue(table, contributes=a_function("revenue", **alike))
    sales(table, build=a_function("sales", **alike))
    return stack


def in_sql_and_hardened() -> Stack:
    stack = new_stack()
    runs = {"security_groups": [harden(stack).group], "reserved_concurrent_executions": 5}
    for kind in ("driver", "data api"):
        in_sql(stack, kind, runs=runs, access_logs=s3.Bucket.from_bucket_name(stack, f"{kind} logs", "logs"))
    return stack


def what_a_newcomer_writes() -> Stack:
    stack = new_stack()
    table = orders(stack)
    view = by_customer(table)
    revenue(table)
    sales(table)
    routes = [Route("GET /customers/{customer_id}/orders", view.query()), Route("POST /orders", table.command("place"))]
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=routes)
    return stack


def what_a_newcomer_writes_in_sql() -> Stack:
    stack = new_stack()
    for kind in ("driver", "data api"):
        in_sql(stack, kind)
    return stack


@pytest.fixture(scope="module")
def hardened() -> list[Stack]:
    return [a_hardened_stack(), in_sql_and_hardened()]


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(hardened: list[Stack], pack: str) -> None:
    assert [findings(stack, pack) for stack in hardened] == [[], []]


OF_THE_API = {"AwsSolutions-APIG2", "AwsSolutions-APIG3", "AwsSolutions-COG4"}


@pytest.mark.parametrize(
    ("pack", "choices"), [("AwsSolutions", {"AwsSolutions-S1"} | OF_THE_API), ("Serverless", set[str]())]
)
def test_cdk_nag_finds_what_a_newcomer_decides(pack: str, choices: set[str]) -> None:
    """Access logs of buckets; of the API that its routes are in, what `ApiProxy`'s page says."""
    assert {*findings(what_a_newcomer_writes(), pack)} == choices
    assert {*findings(what_a_newcomer_writes_in_sql(), pack)} == choices - OF_THE_API


def test_cfn_lint_finds_nothing(hardened: list[Stack]) -> None:
    for stack in (hardened[0], what_a_newcomer_writes(), what_a_newcomer_writes_in_sql()):
        assert linted(stack) == []


@needs_checkov
def test_checkov_finds_what_a_user_decides(hardened: list[Stack], tmp_path: Path) -> None:
    stacks = {"hardened": hardened[0], "hardened in SQL": hardened[1]}
    newcomers = {"newcomer": what_a_newcomer_writes(), "newcomer in SQL": what_a_newcomer_writes_in_sql()}
    # Concurrency of functions, their network, customer keys of tables, logs and variables, access logs.
    choices = ("CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_158", "CKV_AWS_173", "CKV_AWS_18")
    wanted = {(name, check) for name in newcomers for check in choices}
    wanted |= {("newcomer", check) for check in ("CKV_AWS_149", "CKV_AWS_120")}  # customer keys of secrets, a cache
    assert failed_checks(tmp_path, stacks | newcomers) == wanted
