"""The reference app as CloudFormation is told it: scanners find nothing that it has not decided, and data is kept."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from app import Shop
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from cfnlint.api import lint_all
from decisions import AGAINST, AGAINST_FOR_SITE, AGAINST_IN_TREE, AGAINST_IN_TREE_FOR_SITE
from migration import Site
from stacks.deciding import Reasons

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".cache/checkov/bin/checkov"


def made(kind: type[Stack], id: str) -> Stack:
    """With the flags of cdk.json, as `make synth` and `make deploy` see it."""
    return kind(App(context=json.loads((ROOT / "cdk.json").read_text())["context"]), id)


class Decided(NamedTuple):
    stack: Stack
    template: dict[str, Any]
    against: Reasons
    against_in_tree: Reasons


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The shop's."""
    return Template.from_stack(made(Shop, "Shop")).to_json()


@pytest.fixture(scope="module", params=["Shop", "Site"])
def decided(request: pytest.FixtureRequest) -> Decided:
    if request.param == "Shop":
        stack, reasons = made(Shop, "Shop"), (AGAINST, AGAINST_IN_TREE)
    else:
        stack, reasons = made(Site, "ShopSite"), (AGAINST_FOR_SITE, AGAINST_IN_TREE_FOR_SITE)
    return Decided(stack, Template.from_stack(stack).to_json(), *reasons)


def resources(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {id: it for id, it in template["Resources"].items() if it["Type"] == f"AWS::{kind}"}


@pytest.mark.parametrize("pack", [AwsSolutionsChecks, ServerlessChecks])
def test_cdk_nag_finds_nothing(decided: Decided, pack: Any) -> None:
    root = decided.stack.node.root
    report = pack(root).validate_scope(root)
    assert [violation.rule_name for violation in report.violations] == []


@pytest.mark.parametrize(
    ("module", "kind", "against"), [("app", Shop, AGAINST_IN_TREE), ("migration", Site, AGAINST_IN_TREE_FOR_SITE)]
)
def test_cdk_nag_would_ask_for_exactly_what_was_decided(
    monkeypatch: pytest.MonkeyPatch, module: str, kind: type[Stack], against: Reasons
) -> None:
    monkeypatch.setattr(f"{module}.acknowledge_decisions", lambda *_: None)
    undecided = kind(App(), "Undecided")
    found = {
        violation.rule_name
        for pack in (AwsSolutionsChecks, ServerlessChecks)
        for violation in pack(undecided.node.root).validate_scope(undecided.node.root).violations
    }
    assert found == {rule for rules in against.values() for rule in rules}


def test_cfn_lint_finds_nothing(decided: Decided) -> None:
    assert [str(it) for it in lint_all(json.dumps(decided.template)) if it.rule.severity != "informational"] == []


@pytest.mark.skipif(not CHECKOV.is_file(), reason="checkov has an environment of its own, which `make test` sets up")
def test_checkov_finds_nothing_but_what_was_decided(decided: Decided, tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(json.dumps(decided.template))
    command = [CHECKOV, "-d", tmp_path, "--framework", "cloudformation", "--skip-download", "-o", "json", "--compact"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert report["results"]["failed_checks"] == []
    assert report["results"]["parsing_errors"] == []
    skipped = {check["check_id"] for check in report["results"]["skipped_checks"]}
    # A decision about nothing is a leftover.
    assert {check for checks in decided.against.values() for check in checks} <= skipped


def test_every_decision_has_its_reason_in_the_template(decided: Decided) -> None:
    for kind, reasons in decided.against.items():
        found = resources(decided.template, kind.removeprefix("AWS::"))
        assert found
        for resource in found.values():
            skips = {skip["id"]: skip["comment"] for skip in resource["Metadata"]["checkov"]["skip"]}
            assert reasons.items() <= skips.items()


def test_what_holds_data_is_kept_and_can_be_restored(decided: Decided) -> None:
    tables = resources(decided.template, "DynamoDB::GlobalTable")
    named = {id[:-8] for id in tables}
    of_the_shop = {"Orders", "Stock", "Payments", "Checkouts", "Placed", "Picks", "Invoices"}
    assert named in (of_the_shop, {"Profiles", "Catalogue", "BasketLines"})
    for table in tables.values():
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
        (replica,) = table["Properties"]["Replicas"]
        assert replica["DeletionProtectionEnabled"] is True
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_every_alarm_tells_who_is_on_call(decided: Decided) -> None:
    (topic,) = [id for id in resources(decided.template, "SNS::Topic") if id.startswith("OnCall")]
    alarms = resources(decided.template, "CloudWatch::Alarm")
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
        "PlacedTable",
        "PicksTable",
        "InvoicesTable",
        "FanInTable",
        "FanInSweep",
        "OrderBookTable",
        "OrdersByCustomerTable",
        "OrderBookControl",
        "OrderBookProjector",
        "OrderBookParked",
        *(
            f"{name}{what}"
            for name in ("Inventory", "Invoicing", "Analytics")
            for what in ("Function", "QueueUrl", "DeadLettersUrl", "UndeliveredUrl")
        ),
        *(f"Completions{what}" for what in ("Function", "QueueUrl", "DeadLettersUrl")),
        "ReserveStockFunction",
        "ChargeCardFunction",
        "ShipFunction",
    }


def test_the_outputs_of_the_site_are_those_that_the_demo_reads() -> None:
    assert set(Template.from_stack(made(Site, "ShopSite")).to_json()["Outputs"]) == {
        "Url",
        "SessionKeySecret",
        "CatalogueFunction",
        "ProfilesTable",
        "CatalogueTable",
        "BasketLinesTable",
        "RouteControl",
    }


def test_alarms_may_publish_to_the_topic(decided: Decided) -> None:
    """A topic that has a policy, here for TLS, lets nobody publish whom the policy does not name."""
    policies = resources(decided.template, "SNS::TopicPolicy")
    (policy,) = [it for id, it in policies.items() if id.startswith("OnCall")]
    (allowed,) = [it for it in policy["Properties"]["PolicyDocument"]["Statement"] if it["Effect"] == "Allow"]
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
