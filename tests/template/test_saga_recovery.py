"""What sees to executions of a saga that died: the recovery's definition, its functions, who tells them."""

import json
import re
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from serverless_patterns import Retry, SagaParallel, SagaStep, SagaWait
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_state_machine.contract import UNCLAIMED
from tests.template.sagas import a_saga, a_step, a_step_handler, the_definition
from tests.template.stacks import new_stack, refusal, resources, the
from tests.template.test_saga_foreign import a_function
from tests.template.test_saga_state_machine_permissions import allowed

LOOK = {"states:DescribeExecution", "states:DescribeStateMachineForExecution"}


def recovery_of(**arguments: Any) -> dict[str, dict[str, Any]]:
    stack = new_stack()
    a_saga(stack, **arguments)
    return dict(the_definition(stack, recovery=True)["States"])


def test_a_recovery_goes_forward_behind_a_pivot_that_is_done_else_back() -> None:
    states = recovery_of()
    assert states["Recall the ledger"]["Next"] == "Which way"
    assert states["Which way"]["Choices"][0]["Next"] == "Ship"
    assert states["Which way"]["Default"] == "Undo ChargeCard"
    assert states["Ship"]["Next"] == states["Park Ship"]["Next"] == "Settle what is done"
    assert states["Undo ReserveStock"]["Next"] == "Settle what is undone"
    assert "ReserveStock" not in states


def test_steps_are_known_by_the_execution_that_is_recovered() -> None:
    states = recovery_of()
    for name in ("Ship", "Undo ChargeCard", "Undo ReserveStock"):
        assert states[name]["Parameters"]["execution.$"] == "$.saga.execution"
    key = states["Park Ship"]["Parameters"]["Item"]["claim"]["S.$"]
    assert key == "States.Format('parked#Checkout#{}#Ship', $.saga.execution)"


def test_the_ledger_is_told_of_every_step_and_of_the_pivot() -> None:
    asked = recovery_of()["Recall the ledger"]["Parameters"]
    assert asked["steps"] == ["ReserveStock", "ChargeCard", "Ship"]
    assert (asked["backward"], asked["pivot"]) == (["ReserveStock", "ChargeCard"], "ChargeCard")
    assert asked["behind"] == ["Ship"]


def test_both_machines_say_which_steps_lay_no_claim() -> None:
    """So that a recovery of a later version finds what may have happened unseen."""
    stack = new_stack()
    queue = sqs.Queue(stack, "Queue")
    body = sfn.TaskInput.from_text("done")
    native = [tasks.SqsSendMessage(stack, id, queue=queue, message_body=body) for id in ("Tell", "Recall", "Mail")]
    quiet = SagaStep("Mail", native[2], nothing_to_undo=True)
    tell = SagaStep("Tell", native[0], compensation=native[1])
    a_saga(stack, steps=[a_step("Reserve"), tell, quiet], retired_steps=[a_step("Old", action=a_function(stack))])
    recovery = the_definition(stack, recovery=True)["States"]
    assert recovery["Recall the ledger"]["Parameters"]["unclaimed"] == ["Tell", "Old"]
    said = {name: it["Comment"] for name, it in the_definition(stack)["States"].items() if "Comment" in it}
    assert said == {"Undo Tell": f"{UNCLAIMED}Tell"}


def test_without_a_pivot_there_is_one_way() -> None:
    states = recovery_of(steps=[a_step("First"), a_step("Second")])
    assert states["Recall the ledger"]["Next"] == "Undo Second"
    assert {"Which way", "Settle what is done", "ForwardParked"} & set(states) == set()


def test_a_pivot_at_the_end_has_nothing_behind_it() -> None:
    states = recovery_of(steps=[a_step("First"), a_step("Second", pivot=True)])
    assert states["Which way"]["Choices"][0]["Next"] == "Settle what is done"
    assert states["All done"]["Parameters"]["status"] == "SUCCEEDED"


def test_branches_are_undone_one_after_the_other_and_whatever_may_be_parked_is_settled() -> None:
    branches = [[a_step("Left")], [a_step("Right")]]
    wait = SagaWait("Cool", duration=Duration.hours(1))
    states = recovery_of(steps=[SagaParallel(branches, name="Both"), wait])
    assert states["Recall the ledger"]["Next"] == "Undo Right"
    assert states["Undo Right"]["Next"] == "Undo Left"
    assert states["Settle what is undone"]["Parameters"]["steps"] == ["Left", "Right", "Both", "Cool"]


def test_a_branch_behind_the_pivot_that_is_parked_is_no_success() -> None:
    branches = [[SagaStep("Mail", a_step_handler("ship"))], [SagaStep("Ship", a_step_handler("ship"))]]
    states = recovery_of(steps=[a_step("Charge", pivot=True), SagaParallel(branches, name="Both")])
    rules = [rule["Variable"] for rule in states["Is all done"]["Choices"]]
    assert rules == ["$.saga.parked", "$.saga.results._parked"]
    assert states["Both joined"]["Default"] == states["Both joined"]["Choices"][0]["Next"] == "Settle what is done"


def test_a_retired_step_is_undone_first() -> None:
    states = recovery_of(steps=[a_step("Reserve")], retired_steps=[a_step("Former")])
    assert states["Recall the ledger"]["Next"] == "Undo Former"
    assert states["Undo Former"]["Next"] == "Undo Reserve"


def test_a_recovery_that_cannot_begin_says_why() -> None:
    states = recovery_of()
    assert [each["Next"] for each in states["Recall the ledger"]["Catch"]] == ["Recovery failed"] * 2
    assert states["Recovery failed"] == {
        "Type": "Fail",
        "Error": "RECOVERY_FAILED",
        "CausePath": "$.saga.failure.Cause",
    }


# Who tells the guardian.


def test_it_is_told_of_every_bad_end_and_looks_for_itself() -> None:
    stack = new_stack()
    a_saga(stack)
    told = the(stack, "Events::Rule", "BadEnds")
    assert told["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [{"Ref": "CheckoutStateMachine875B8FB9"}],
            "status": ["ABORTED", "FAILED", "TIMED_OUT"],
        },
    }
    sweep = the(stack, "Events::Rule", "Sweep")
    assert sweep["ScheduleExpression"] == f"rate({contract.SWEEP_MINUTES} minutes)"
    assert json.loads(sweep["Targets"][0]["Input"]) == {"task": "sweep"}


def test_what_it_cannot_handle_is_kept_and_wakes_somebody() -> None:
    stack = new_stack()
    a_saga(stack)
    letters = {"Fn::GetAtt": ["CheckoutGuardianDeadLetters40A7BC1E", "Arn"]}
    config = the(stack, "Lambda::EventInvokeConfig")
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == letters
    assert config["MaximumRetryAttempts"] == 2
    for rule in ("BadEnds", "Sweep"):
        assert the(stack, "Events::Rule", rule)["Targets"][0]["DeadLetterConfig"] == {"Arn": letters}
    assert the(stack, "CloudWatch::Alarm", "GuardianFailed")["Threshold"] == 1


def test_lambda_sees_the_right_to_send_before_it_is_told_where() -> None:
    stack = new_stack()
    a_saga(stack)
    (config,) = resources(stack, "Lambda::EventInvokeConfig").values()
    assert any(id.startswith("CheckoutGuardianRoleDefaultPolicy") for id in config["DependsOn"])


# What they may do.


@pytest.mark.parametrize(
    ("role", "resource", "actions"),
    [
        ("GuardianRole", "CheckoutClaims", {"dynamodb:GetItem", "dynamodb:UpdateItem"}),
        ("GuardianRole", ":execution:", LOOK),
        ("GuardianRole", '"Ref": "CheckoutStateMachine', {"states:ListExecutions"}),
        ("GuardianRole", '"Ref": "CheckoutRecovery', {"states:StartExecution"}),
        ("GuardianRole", "DeadLetters", {"sqs:SendMessage"}),
        ("LedgerRole", "CheckoutClaims", {"dynamodb:GetItem", "dynamodb:UpdateItem"}),
        ("LedgerRole", ":execution:", LOOK),
        ("LedgerRole", "CheckoutRecovery", set[str]()),
        ("RecoveryRole", "CheckoutClaims", {"dynamodb:PutItem"}),
    ],
)
def test_each_may_do_what_it_does(role: str, resource: str, actions: set[str]) -> None:
    stack = new_stack()
    a_saga(stack)
    assert allowed(stack, role, resource) == actions


def test_whoever_resumes_may_ask_the_guardian_and_nothing_else() -> None:
    stack = new_stack()
    role = iam.Role(stack, "Operator", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))  # pyright: ignore[reportArgumentType]
    a_saga(stack).grant_resume(role)
    policy = the(stack, "IAM::Policy", "OperatorDefaultPolicy")
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Action": ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": ["CheckoutGuardian94550F7A", "Arn"]},
        }
    ]


def test_events_reach_a_dead_letter_queue_under_a_key() -> None:
    stack = new_stack()
    a_saga(stack, encryption_key=kms.Key(stack, "Key"))
    policy = json.dumps(the(stack, "KMS::Key")["KeyPolicy"])
    assert "events.amazonaws.com" in policy
    assert the(stack, "SQS::Queue")["KmsMasterKeyId"] == {"Fn::GetAtt": ["Key961B73FD", "Arn"]}


def test_they_know_whom_they_see_to() -> None:
    stack = new_stack()
    a_saga(stack)
    guardian = the(stack, "Lambda::Function", "Guardian")["Environment"]["Variables"]
    assert guardian["STATE_MACHINE_ARN"] == {"Ref": "CheckoutStateMachine875B8FB9"}
    assert guardian["RECOVERY_STATE_MACHINE_ARN"] == {"Ref": "CheckoutRecoveryBA383298"}
    ledger = the(stack, "Lambda::Function", "Ledger")["Environment"]["Variables"]
    assert int(ledger["LONGEST_SECONDS"]) > 3_600
    assert the(stack, "Lambda::Function", "Guardian")["Handler"] == contract.GUARDIAN_HANDLER


DAY = 86_400


def recovers_in(**arguments: Any) -> int:
    """Seconds, as the ledger is told."""
    stack = new_stack()
    a_saga(stack, claims_retention=Duration.days(365), **arguments)
    return int(the(stack, "Lambda::Function", "Ledger")["Environment"]["Variables"]["LONGEST_SECONDS"])


def the_least_retention(**arguments: Any) -> int:
    told = refusal(lambda: a_saga(new_stack(), claims_retention=Duration.days(14), **arguments))
    found = re.search(r"claims_retention must be a Duration from ([0-9,]+) to", told)
    assert found is not None, told
    return int(found[1].replace(",", ""))


def patient(name: str) -> SagaStep:
    return a_step(name, compensation_retry=Retry(30, longest_delay=Duration.days(1)))


def test_what_dies_at_the_last_moment_can_still_be_recovered() -> None:
    """The ledger refuses what its claims would not outlive: how long the saga waits says nothing of that."""

    def waiting(days: int) -> dict[str, Any]:
        return {"steps": [a_step("A"), SagaWait("Rest", duration=Duration.days(days)), a_step("B")]}

    assert recovers_in(**waiting(1)) == recovers_in(**waiting(60)) < 2 * DAY
    assert the_least_retention(**waiting(60)) - the_least_retention(**waiting(1)) == 59 * DAY


def test_a_recovery_that_takes_longer_than_a_redrive_needs_claims_for_as_long() -> None:
    quick, slow = {"steps": [a_step("A")]}, {"steps": [patient("A")]}
    extra = recovers_in(**slow) - recovers_in(**quick)
    assert extra > 14 * DAY
    assert the_least_retention(**slow) >= extra + recovers_in(**slow)


def test_a_recovery_undoes_branches_one_after_the_other_and_retired_steps_too() -> None:
    one = recovers_in(steps=[a_step("A")])
    more = recovers_in(steps=[a_step("A"), a_step("B")]) - one
    assert recovers_in(steps=[SagaParallel([a_step("A"), a_step("B")], name="Fork")]) == one + more
    assert recovers_in(steps=[a_step("A")], retired_steps=[a_step("B")]) == one + more


def test_a_recovery_waits_behind_the_pivot_once_more() -> None:
    def steps(days: int) -> list[Any]:
        rest = SagaWait("Rest", duration=Duration.days(days))
        return [a_step("A", pivot=True), rest, SagaStep("Ship", a_step_handler("ship"))]

    assert recovers_in(steps=steps(40)) - recovers_in(steps=steps(10)) == 30 * DAY


def test_they_run_on_the_runtime_of_the_steps_in_the_same_layer() -> None:
    stack = new_stack()
    handler = a_step_handler("ship", runtime=lambda_.Runtime.PYTHON_3_13, architecture=lambda_.Architecture.X86_64)
    a_saga(stack, steps=[SagaStep("Ship", handler, nothing_to_undo=True)])
    functions = [it["Properties"] for it in resources(stack, "Lambda::Function").values()]
    assert {(it["Runtime"], *it["Architectures"]) for it in functions} == {("python3.13", "x86_64")}
    assert len(resources(stack, "Lambda::LayerVersion")) == 1
