"""What a map becomes: its definitions, functions, alarms; ids that stay; what each may do; scanners find nothing."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from serverless_patterns import ApiProxy, Defaults, IamAuthorizer, Retry, Route, S3Items
from serverless_patterns_runtime.parallel_map import contract
from tests.template.maps import a_map, a_page_handler, items_in_s3, the_definition
from tests.template.scanning import CHECKOV, PACKS, findings, linted, needs_checkov
from tests.template.stacks import TABLE_KEY, a_table, new_stack, resources, the
from tests.template.test_saga_state_machine_permissions import allowed
from tests.template.test_stability import FLAGS, masked

STATEFUL = {
    "PagesClaims1BB38F02": "AWS::DynamoDB::Table",
    "PagesDeadLetterQueue8134F9B3": "AWS::SQS::Queue",
    "PagesCompletionDeadLetters29E7D71A": "AWS::SQS::Queue",
}
CALLED = {"PagesItemD2F8CDAC", "PagesGatherAE86E115", "PagesOnCompleteFC5D66D3", "PagesStateMachine006FDC16"}
"""Executions under way hold the ARNs of functions: with another id, they call what is deleted."""
ALARMS = {"DeadLetters", "CompletionFailed", "CompletionNotStarted", "Failed", "TimedOut", "Throttled"}
CRITICAL = {"DeadLetters", "CompletionFailed", "CompletionNotStarted"}


def a_stack(kind: str = "inline", *, key: bool = False) -> Stack:
    stack = new_stack()
    if key:
        Defaults.of(stack).set(encryption_key=kms.Key(stack, "Key", enable_key_rotation=True))
    more: dict[str, Any] = {
        "inline": {"key": "$.id"},
        "distributed": {"mode": "distributed", "max_items": 200, "max_concurrency": 100},
        "s3": {"items": items_in_s3(stack, prefix="manifests/"), "max_items": 1000},
    }[kind]
    a_map(stack, **more)
    return stack


@pytest.mark.parametrize("kind", ["inline", "distributed", "s3"])
def test_the_definitions(kind: str, snapshot: SnapshotAssertion) -> None:
    stack = a_stack(kind)
    told = {"map": the_definition(stack), "completion": the_definition(stack, completion=True)}
    assert told == snapshot(extension_class=JSONSnapshotExtension)


def test_the_template(snapshot: SnapshotAssertion) -> None:
    assert masked(a_stack()) == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "all flags"])
def test_what_holds_data_or_is_called_keeps_its_logical_id(context: dict[str, Any]) -> None:
    stack = new_stack(context)
    a_map(stack)
    found = Template.from_stack(stack).to_json()["Resources"]
    assert {id: found[id]["Type"] for id in STATEFUL} == STATEFUL
    assert found.keys() >= CALLED
    assert found["PagesDeadLetterQueue8134F9B3"]["DeletionPolicy"] == "Retain"
    assert found["PagesClaims1BB38F02"]["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        ({}, "INLINE"),
        ({"max_items": 40}, "INLINE"),
        ({"max_items": 41}, "DISTRIBUTED"),
        ({"max_items": 100, "mode": "inline", "retry": Retry(2)}, "INLINE"),
        ({"mode": "distributed"}, "DISTRIBUTED"),
    ],
)
def test_a_map_is_inline_for_few_items_unless_it_says_otherwise(arguments: dict[str, Any], mode: str) -> None:
    stack = new_stack()
    a_map(stack, **arguments)
    assert the_definition(stack)["States"]["Items"]["ItemProcessor"]["ProcessorConfig"]["Mode"] == mode


def test_the_list_is_looked_at_before_the_map_begins() -> None:
    stack = new_stack()
    a_map(stack, max_items=7)
    definition = the_definition(stack)
    assert definition["StartAt"] == "CheckItems"
    (rule,) = definition["States"]["CheckItems"]["Choices"]
    assert rule["And"] == [
        {"Variable": "$.pages[0]", "IsPresent": True},
        {"Variable": "$.pages[7]", "IsPresent": False},
    ]
    assert definition["States"]["Refused"]["Next"] == "Gather"


def test_items_in_s3_are_read_by_the_map_up_to_the_most() -> None:
    definition = the_definition(a_stack("s3"))
    assert definition["StartAt"] == "Items"
    assert definition["States"]["Items"]["ItemReader"] == {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "MaxItems": 1000},
        "Parameters": {"Bucket": "manifests", "Key.$": "$.manifest"},
    }


def test_no_end_but_a_success_goes_unheard() -> None:
    rule = the(a_stack(), "Events::Rule")
    pattern, (target,) = rule["EventPattern"], rule["Targets"]
    assert pattern["detail"]["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": "PagesStateMachine006FDC16"}]
    assert target["Arn"] == {"Ref": "PagesCompletion2E287763"}
    assert "DeadLetterConfig" in target
    assert target["InputTransformer"]["InputPathsMap"] == {
        "detail-executionArn": "$.detail.executionArn",
        "detail-status": "$.detail.status",
    }


def test_what_could_not_be_told_is_in_a_queue_that_the_construct_names() -> None:
    stack = new_stack()
    pages = a_map(stack)
    (target,) = the(stack, "Events::Rule")["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == stack.resolve(pages.undelivered_queue.queue_arn)


def test_a_task_leaves_time_for_a_cold_start_and_a_retry_waits_for_a_lease() -> None:
    stack = new_stack()
    a_map(stack, handler=a_page_handler(timeout=Duration.seconds(100)))
    item = the_definition(stack)["States"]["Items"]["ItemProcessor"]["States"]["Process"]
    assert item["TimeoutSeconds"] == 100 + contract.STARTING_SECONDS
    assert item["Retry"][1]["IntervalSeconds"] == 100 + contract.LEASE_MARGIN_SECONDS


# Relations.


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    most=st.integers(1, 2000),
    at_once=st.integers(1, 40),
    attempts=st.integers(1, 4),
    tolerated=st.integers(0, 100),
)
def test_whatever_the_numbers_the_definition_says_them(most: int, at_once: int, attempts: int, tolerated: int) -> None:
    stack = new_stack()
    a_map(
        stack,
        max_items=most,
        max_concurrency=at_once,
        retry=Retry(attempts),
        tolerated_failure_percent=tolerated,
        timeout=Duration.days(30),
        claims_retention=Duration.days(60),
    )
    states = the_definition(stack)["States"]
    items = states["Items"]
    assert items["MaxConcurrency"] == at_once
    assert (items["ItemProcessor"]["ProcessorConfig"]["Mode"] == "INLINE") == (most <= 40)
    tries = [one["MaxAttempts"] for one in items["ItemProcessor"]["States"]["Process"]["Retry"][2:]]
    assert tries == [attempts - 1] * (attempts > 1)
    env = the(stack, "Lambda::Function", "Gather")["Environment"]["Variables"]
    assert (env["MAX_ITEMS"], env["TOLERATED_FAILURE_PERCENT"]) == (str(most), str(tolerated))
    # No failure of an item stops the others.
    assert items.get("ToleratedFailurePercentage", 100) == 100


# Permissions.


def test_what_each_may_do_with_the_claims() -> None:
    stack = a_stack()
    reads = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    assert allowed(stack, "PagesItemRole", "PagesClaims") == reads - {"dynamodb:BatchGetItem"}
    assert allowed(stack, "PagesOnCompleteRole", "PagesClaims") == reads
    assert allowed(stack, "PagesGatherRole", "PagesClaims") == reads
    assert allowed(stack, "PagesStateMachineRole", "PagesClaims") == set()


def test_leases_take_less() -> None:
    stack = new_stack()
    a_map(stack, handler=a_page_handler("scan"), on_complete=a_page_handler("tell"))
    assert allowed(stack, "PagesItemRole", "PagesClaims") == {"dynamodb:UpdateItem"}
    assert allowed(stack, "PagesOnCompleteRole", "PagesClaims") == {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"}


def test_only_gathering_sends_dead_letters_and_only_those_who_must_look_at_executions() -> None:
    stack = a_stack()
    assert allowed(stack, "PagesGatherRole", "PagesDeadLetterQueue") == {"sqs:SendMessage"}
    assert allowed(stack, "PagesItemRole", "PagesDeadLetterQueue") == set()
    assert allowed(stack, "PagesLook", "StateMachine") == {"states:DescribeExecution"}
    roles = [role["Ref"] for role in the(stack, "IAM::Policy", "PagesLook")["Roles"]]
    assert sorted(roles) == ["PagesGatherRoleF7C04B89", "PagesOnCompleteRoleD15E8FEF"]


@pytest.mark.parametrize(("kind", "starts"), [("inline", set()), ("distributed", {"states:StartExecution"})])
def test_only_a_distributed_map_starts_children(kind: str, starts: set[str]) -> None:
    found = allowed(a_stack(kind), "PagesChildren", "PagesStateMachine")
    assert (found & {"states:StartExecution"}) == starts
    assert found == set() or found == {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"}


def test_the_machines_invoke_what_they_name() -> None:
    stack = a_stack()
    for role, named in (("PagesStateMachineRole", 3), ("PagesCompletionRole", 2)):
        policy = the(stack, "IAM::Policy", role)["PolicyDocument"]["Statement"]
        (invokes,) = [each for each in policy if each["Action"] == "lambda:InvokeFunction"]
        assert len(invokes["Resource"]) == named


def test_objects_below_the_prefix_alone_are_read() -> None:
    stack = a_stack("s3")
    for role in ("PagesGatherRole", "PagesOnCompleteRole", "PagesStateMachineRole"):
        assert allowed(stack, role, "manifests/*") == {"s3:GetObject"}
    assert allowed(stack, "PagesItemRole", "manifests/*") == set()


def test_a_bucket_s_key_is_granted_too() -> None:
    stack = new_stack()
    key = kms.Key(stack, "BucketKey")
    bucket = s3.Bucket(stack, "Manifests", encryption_key=key)
    a_map(stack, items=S3Items(bucket, "$.manifest"))
    assert "kms:Decrypt" in allowed(stack, "PagesGatherRole", "BucketKey")


def test_a_customer_key_is_everywhere() -> None:
    stack = a_stack(key=True)
    assert allowed(stack, "PagesGatherRole", "Key") >= TABLE_KEY
    for machine in resources(stack, "StepFunctions::StateMachine").values():
        assert "EncryptionConfiguration" in machine["Properties"]
    for queue in resources(stack, "SQS::Queue").values():
        assert "KmsMasterKeyId" in queue["Properties"]


def test_who_starts_may_start_this_one() -> None:
    stack = new_stack()
    who = iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore[reportArgumentType]
    a_map(stack).grant_start(who)  # pyright: ignore[reportArgumentType]
    assert allowed(stack, "Caller", "PagesStateMachine") == {"states:StartExecution"}


def test_alarms() -> None:
    stack = new_stack()
    assert a_map(stack).alarms.keys() == ALARMS
    assert a_map(stack, "Two", alarms="critical").alarms.keys() == CRITICAL
    assert a_map(stack, "Three", alarms="none").alarms == {}


def test_a_route_starts_one_execution_a_key() -> None:
    stack = new_stack()
    pages = a_map(stack)
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=[Route("POST /documents", pages)])
    functions = resources(stack, "Lambda::Function").values()
    (door,) = [it["Properties"] for it in functions if "MAX_INPUT_BYTES" in str(it["Properties"].get("Environment"))]
    assert door["Environment"]["Variables"]["STATE_MACHINE_ARN"] == {"Ref": "PagesStateMachine006FDC16"}


def test_one_table_for_two_maps() -> None:
    stack = new_stack()
    first = a_map(stack)
    second = a_map(stack, "Other", claims=first.claims)
    assert second.claims is first.claims
    with pytest.raises(ValueError, match="claims_namespace"):
        a_map(stack, "Third", claims=first.claims, claims_namespace="Pages")


# Scanners.


@pytest.mark.parametrize("kind", ["inline", "distributed", "s3"])
@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(pack: str, kind: str) -> None:
    assert findings(a_stack(kind, key=kind != "inline"), pack) == []


@pytest.mark.parametrize("kind", ["inline", "distributed", "s3"])
def test_cfn_lint_finds_nothing(kind: str) -> None:
    assert linted(a_stack(kind)) == []


@needs_checkov
def test_checkov_finds_what_the_user_decides_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    stack = new_stack()
    Defaults.of(stack).set(encryption_key=kms.Key(stack, "Key", enable_key_rotation=True))
    a_map(stack, mode="distributed", on_complete=a_page_handler("done", tables={"ORDERS": a_table(stack)}))
    file.write_text(json.dumps(Template.from_stack(stack).to_json()))
    run = subprocess.run([CHECKOV, "-f", file, "-o", "json", "--compact", "--quiet"], capture_output=True, text=True)
    told = json.loads(run.stdout)
    failed = {(each["check_id"], each["resource"]) for each in told.get("results", {}).get("failed_checks", ())}
    assert {(check, name) for check, name in failed if "Pages" in name} == {
        (check, name) for check, name in failed if "Pages" in name and check in ("CKV_AWS_117", "CKV_AWS_115")
    }
