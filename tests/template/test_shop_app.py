"""The reference app as CloudFormation is told it: scanners find nothing that it has not decided, and data is kept."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from app import Shop
from aws_cdk import App
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from cfnlint.api import lint_all
from decisions import AGAINST, AGAINST_IN_TREE

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".cache/checkov/bin/checkov"


@pytest.fixture(scope="module")
def shop() -> Shop:
    """With the flags of cdk.json, as `make synth` and `make deploy` see it."""
    return Shop(App(context=json.loads((ROOT / "cdk.json").read_text())["context"]), "Shop")


@pytest.fixture(scope="module")
def template(shop: Shop) -> dict[str, Any]:
    return Template.from_stack(shop).to_json()


def resources(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {id: it for id, it in template["Resources"].items() if it["Type"] == f"AWS::{kind}"}


@pytest.mark.parametrize("pack", [AwsSolutionsChecks, ServerlessChecks])
def test_cdk_nag_finds_nothing(shop: Shop, pack: Any) -> None:
    report = pack(shop.node.root).validate_scope(shop.node.root)
    assert [violation.rule_name for violation in report.violations] == []


def test_cdk_nag_would_ask_for_exactly_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.acknowledge_decisions", lambda _: None)
    undecided = Shop(App(), "Shop")
    found = {
        violation.rule_name
        for pack in (AwsSolutionsChecks, ServerlessChecks)
        for violation in pack(undecided.node.root).validate_scope(undecided.node.root).violations
    }
    assert found == {rule for rules in AGAINST_IN_TREE.values() for rule in rules}


def test_cfn_lint_finds_nothing(template: dict[str, Any]) -> None:
    assert [str(it) for it in lint_all(json.dumps(template)) if it.rule.severity != "informational"] == []


@pytest.mark.skipif(not CHECKOV.is_file(), reason="checkov has an environment of its own, which `make test` sets up")
def test_checkov_finds_nothing_but_what_was_decided(template: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(json.dumps(template))
    command = [CHECKOV, "-d", tmp_path, "--framework", "cloudformation", "--skip-download", "-o", "json"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert report["results"]["failed_checks"] == []
    assert report["results"]["parsing_errors"] == []
    skipped = {check["check_id"] for check in report["results"]["skipped_checks"]}
    decided = {check for checks in AGAINST.values() for check in checks}
    assert decided <= skipped  # a decision about nothing is a leftover


def test_every_decision_has_its_reason_in_the_template(template: dict[str, Any]) -> None:
    for kind, reasons in AGAINST.items():
        found = resources(template, kind.removeprefix("AWS::"))
        assert found
        for resource in found.values():
            skips = {skip["id"]: skip["comment"] for skip in resource["Metadata"]["checkov"]["skip"]}
            assert reasons.items() <= skips.items()


def test_orders_stock_payments_and_checkouts_are_kept_and_can_be_restored(template: dict[str, Any]) -> None:
    tables = {
        id: it
        for id, it in resources(template, "DynamoDB::GlobalTable").items()
        if id.startswith(("Orders", "Stock", "Payments", "Checkouts"))
    }
    assert len(tables) == 4
    for table in tables.values():
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
        (replica,) = table["Properties"]["Replicas"]
        assert replica["DeletionProtectionEnabled"] is True
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_every_alarm_tells_who_is_on_call(template: dict[str, Any]) -> None:
    (topic,) = resources(template, "SNS::Topic")
    alarms = resources(template, "CloudWatch::Alarm")
    assert alarms
    assert all(alarm["Properties"]["AlarmActions"] == [{"Ref": topic}] for alarm in alarms.values())


def test_the_outputs_are_those_that_the_demo_and_the_docs_name(template: dict[str, Any]) -> None:
    assert set(template["Outputs"]) == {
        "ApiUrl",
        "SigningKeySecret",
        "PaymentsTable",
        "FulfilmentQueueUrl",
        "FulfilmentDeadLettersUrl",
        "FulfilmentFunction",
        "OrdersTable",
        "StockTable",
        "CheckoutsTable",
        "CheckoutStateMachine",
        "CheckoutGuardian",
        "ReserveStockFunction",
        "ChargeCardFunction",
        "ShipFunction",
    }


def test_alarms_may_publish_to_the_topic(template: dict[str, Any]) -> None:
    """A topic that has a policy, here for TLS, lets nobody publish whom the policy does not name."""
    (policy,) = resources(template, "SNS::TopicPolicy").values()
    (allowed,) = [it for it in policy["Properties"]["PolicyDocument"]["Statement"] if it["Effect"] == "Allow"]
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
