"""Scanners find in a table with views what its user decides, and nothing else."""

from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_s3 as s3

from serverless_patterns import ApiProxy, IamAuthorizer, Route
from tests.template.cqrs import a_function, by_customer, orders, revenue, sales
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


def what_a_newcomer_writes() -> Stack:
    stack = new_stack()
    table = orders(stack)
    view = by_customer(table)
    revenue(table)
    sales(table)
    routes = [Route("GET /customers/{customer_id}/orders", view.query()), Route("POST /orders", table.command("place"))]
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=routes)
    return stack


@pytest.fixture(scope="module")
def hardened() -> Stack:
    return a_hardened_stack()


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(hardened: Stack, pack: str) -> None:
    assert findings(hardened, pack) == []


OF_THE_API = {"AwsSolutions-APIG2", "AwsSolutions-APIG3", "AwsSolutions-COG4"}


@pytest.mark.parametrize(
    ("pack", "choices"), [("AwsSolutions", {"AwsSolutions-S1"} | OF_THE_API), ("Serverless", set[str]())]
)
def test_cdk_nag_finds_what_a_newcomer_decides(pack: str, choices: set[str]) -> None:
    """Access logs of buckets; of the API that its routes are in, what `ApiProxy`'s page says."""
    assert {*findings(what_a_newcomer_writes(), pack)} == choices


def test_cfn_lint_finds_nothing(hardened: Stack) -> None:
    for stack in (hardened, what_a_newcomer_writes()):
        assert linted(stack) == []


@needs_checkov
def test_checkov_finds_what_a_user_decides(hardened: Stack, tmp_path: Path) -> None:
    failed = failed_checks(tmp_path, {"hardened": hardened, "newcomer": what_a_newcomer_writes()})
    # Concurrency of functions, their network, customer keys of tables, logs, variables and secrets, access logs.
    choices = ("CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_149", "CKV_AWS_158", "CKV_AWS_173", "CKV_AWS_18")
    assert failed == {("newcomer", check) for check in (*choices, "CKV_AWS_120")}  # the last one: caches of an API
