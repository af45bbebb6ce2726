"""The media app as CloudFormation is told it: scanners find nothing that it has not decided, and data is kept."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from cfnlint.api import lint_all
from uploaded import AGAINST, AGAINST_IN_TREE, BRANCHES, Media

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".cache/checkov/bin/checkov"


@pytest.fixture(scope="module")
def media() -> Media:
    """With the flags of cdk.json, as `make synth APP=media` sees it."""
    return Media(App(context=json.loads((ROOT / "cdk.json").read_text())["context"]), "Media")


@pytest.fixture(scope="module")
def template(media: Media) -> dict[str, Any]:
    return Template.from_stack(media).to_json()


def resources(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {id: it for id, it in template["Resources"].items() if it["Type"] == f"AWS::{kind}"}


@pytest.mark.parametrize("pack", [AwsSolutionsChecks, ServerlessChecks])
def test_cdk_nag_finds_nothing(media: Media, pack: Any) -> None:
    assert [violation.rule_name for violation in pack(media.node.root).validate_scope(media.node.root).violations] == []


def test_cdk_nag_would_ask_for_exactly_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uploaded.acknowledge", lambda *_: None)
    undecided = Media(App(), "Undecided")
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
    (tmp_path / "media.json").write_text(json.dumps(template))
    command = [CHECKOV, "-d", tmp_path, "--framework", "cloudformation", "--skip-download", "-o", "json", "--compact"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert report["results"]["failed_checks"] == []
    assert report["results"]["parsing_errors"] == []
    skipped = {check["check_id"] for check in report["results"]["skipped_checks"]}
    # A decision about nothing is a leftover.
    assert {check for checks in AGAINST.values() for check in checks} <= skipped


def test_what_holds_images_is_kept_and_private(template: dict[str, Any]) -> None:
    buckets = {id[:-8]: it for id, it in resources(template, "S3::Bucket").items()}
    for name in ("Uploads", "Thumbnails"):
        assert buckets[name]["DeletionPolicy"] == "Retain"
        assert buckets[name]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    for bucket in buckets.values():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    (catalogue,) = resources(template, "DynamoDB::GlobalTable").values()
    assert catalogue["DeletionPolicy"] == "Retain"


def test_only_the_uploads_below_the_prefix_become_messages(template: dict[str, Any]) -> None:
    patterns = [it["Properties"].get("EventPattern") for it in resources(template, "Events::Rule").values()]
    (pattern,) = [pattern for pattern in patterns if pattern]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "uploads/"}]}


def test_only_the_thumbnails_function_may_write_objects_and_only_thumbnails(template: dict[str, Any]) -> None:
    """Of the app's buckets: results that are too large for the fan-in's table go to one of its own."""
    written = [
        (id, json.dumps(resource))
        for id, policy in resources(template, "IAM::Policy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "s3:PutObject" in statement["Action"]
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    ]
    ((policy, objects),) = [(id, resource) for id, resource in written if "Results" not in resource]
    assert policy.startswith("UploadedThumbnail")
    assert "/thumbnails/*" in objects


def test_the_outputs_are_those_that_the_demo_reads(template: dict[str, Any]) -> None:
    ours = ["UploadsBucket", "ThumbnailsBucket", "CatalogueTable", "Topic", "FanInTable", "FanInSweep"]
    each = ("Function", "QueueUrl", "DeadLettersUrl")
    queues = [f"{name}{what}" for name in (*BRANCHES, "Completions") for what in each]
    assert set(template["Outputs"]) == {*ours, *queues, *(f"{name}UndeliveredUrl" for name in BRANCHES)}
