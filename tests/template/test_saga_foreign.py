"""Actions and compensations that are no Handler: what they are called with, what is allowed, what synth refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from serverless_patterns import CircuitBreaker, ExternalKey, Retry, SagaStep
from serverless_patterns._saga_state_machine.doors import largest_input
from serverless_patterns._saga_state_machine.estimates import most_bytes
from serverless_patterns._saga_state_machine.foreign import native_call
from serverless_patterns._saga_state_machine.plan import planned
from serverless_patterns_runtime.saga_state_machine import contract
from tests.template.sagas import a_saga, a_step, the_definition
from tests.template.stacks import new_stack, refusal, resources

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:legacy"
LATER = sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN


def a_function(stack: Stack, id: str = "Legacy", **arguments: Any) -> lambda_.Function:
    code = lambda_.Code.from_inline("def charge(event, context): ...")
    return lambda_.Function(
        stack, id, code=code, handler="index.charge", runtime=lambda_.Runtime.PYTHON_3_13, **arguments
    )


def a_native(stack: Stack, id: str = "Tell", body: Any = None, **arguments: Any) -> tasks.SqsSendMessage:
    given = body or {
        "order": sfn.JsonPath.string_at("$.order_id"),
        "keys": [{"key": sfn.JsonPath.format("Tell#{}", sfn.JsonPath.execution_name)}],
    }
    queue = sqs.Queue(stack, f"{id}Queue")
    return tasks.SqsSendMessage(stack, id, queue=queue, message_body=sfn.TaskInput.from_object(given), **arguments)


def states_of(stack: Stack, *steps: SagaStep) -> dict[str, dict[str, Any]]:
    a_saga(stack, steps=steps)
    return dict(the_definition(stack)["States"])


def errors(state: dict[str, Any]) -> list[str]:
    return [error for retrier in state["Retry"] for error in retrier["ErrorEquals"]]


# Functions.


def test_somebody_s_function_is_told_what_ours_are_and_the_keys() -> None:
    stack = new_stack()
    function = a_function(stack, timeout=Duration.seconds(20))
    states = states_of(stack, a_step("Charge", action=function, compensation=a_function(stack, "Refund")))
    charge, refund = states["Charge"], states["Undo Charge"]
    assert charge["Resource"].startswith("Legacy")
    assert charge["Parameters"] == {
        "step": "Charge",
        "kind": "action",
        "execution.$": "$$.Execution.Name",
        "retries.$": "$$.State.RetryCount",
        "state.$": "$",
        "first": True,
        "action_key.$": "States.Format('Checkout#{}#Charge', $$.Execution.Name)",
        "idempotency_key.$": "States.Format('Checkout#{}#Charge', $$.Execution.Name)",
    }
    assert refund["Parameters"]["action_key.$"] == charge["Parameters"]["action_key.$"]
    assert refund["Parameters"]["idempotency_key.$"] == (
        "States.Format('Checkout#{}#Charge#compensation', $$.Execution.Name)"
    )
    assert (charge["TimeoutSeconds"], refund["TimeoutSeconds"]) == (
        20 + contract.STARTING_SECONDS,
        3 + contract.STARTING_SECONDS,
    )
    assert contract.RUNNING_ELSEWHERE not in errors(charge) + errors(refund)


def test_a_compensation_of_ours_knows_that_nothing_was_claimed() -> None:
    stack = new_stack()
    states = states_of(stack, a_step("Charge", action=a_function(stack)), a_step("Reserve"))
    assert states["Undo Charge"]["Parameters"]["action_unclaimed"] is True
    assert "action_returns_effects" not in states["Undo Charge"]["Parameters"]
    assert "action_unclaimed" not in states["Undo Reserve"]["Parameters"]
    assert contract.RUNNING_ELSEWHERE in errors(states["Undo Charge"]), "its own lease"


def test_an_imported_function_needs_its_time_out_said() -> None:
    stack = new_stack()
    imported = lambda_.Function.from_function_arn(stack, "Legacy", ARN)
    states = states_of(stack, a_step("Charge", action=imported, timeout=Duration.seconds(60)))
    assert (states["Charge"]["Resource"], states["Charge"]["TimeoutSeconds"]) == (ARN, 60)


def test_the_state_machine_may_invoke_what_was_given_and_a_function_serves_several_steps() -> None:
    stack = new_stack()
    function = a_function(stack)
    saga = a_saga(stack, steps=[a_step("First", action=function), a_step("Second", action=function)])
    assert saga.function_for("First") is saga.function_for("Second") is function
    assert len(saga.functions) == 2
    (policy,) = [it for id, it in resources(stack, "IAM::Policy").items() if "StateMachineRole" in id]
    (invoked,) = [
        statement["Resource"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ]
    assert json.dumps(invoked).count("Legacy") == 1


def test_a_declared_error_of_a_function_that_is_tried_once_is_believed() -> None:
    stack = new_stack()
    step = a_step("Charge", action=a_function(stack), retry=Retry(1), no_effect_errors=["com.bank.Declined"])
    assert states_of(stack, step)["Charge"]["Catch"][0] == {
        "ErrorEquals": ["com.bank.Declined"],
        "ResultPath": "$.saga.error",
        "Next": "Undone",
    }


# Native calls.


def test_a_native_call_is_a_state_like_others() -> None:
    stack = new_stack()
    task = a_native(stack, task_timeout=sfn.Timeout.duration(Duration.seconds(10)))
    states = states_of(stack, a_step(), SagaStep("Tell", task, nothing_to_undo=True))
    tell = states["Tell called"]
    assert tell["Resource"] == "arn:aws:states:::sqs:sendMessage"
    assert tell["Parameters"]["MessageBody"]["order.$"] == "$.order_id"
    assert (tell["ResultPath"], tell["TimeoutSeconds"]) == ("$.saga.results.Tell", 10)
    assert errors(tell) == [contract.PERMANENT_ERROR, "States.ALL"]
    assert [each["Next"] for each in tell["Catch"]] == ["Undo ReserveStock"] * 2
    assert tell["End"] is True


def test_a_native_call_as_the_first_step_makes_the_results() -> None:
    stack = new_stack()
    task = a_native(stack, result_selector={"id": sfn.JsonPath.string_at("$.MessageId")})
    states = states_of(stack, SagaStep("Tell", task, nothing_to_undo=True), a_step())
    assert states["Tell called"]["ResultSelector"] == {
        "status": "SUCCEEDED",
        "results": {"Tell": {"id.$": "$.MessageId"}},
    }
    assert states["Tell called"]["TimeoutSeconds"] == 60


def test_what_a_native_call_selects_is_its_result() -> None:
    stack = new_stack()
    task = a_native(stack, result_selector={"id": sfn.JsonPath.string_at("$.MessageId")})
    states = states_of(stack, a_step(), SagaStep("Tell", task, nothing_to_undo=True))
    assert (states["Tell called"]["ResultSelector"], states["Tell called"]["ResultPath"]) == (
        {"id.$": "$.MessageId"},
        "$.saga.results.Tell",
    )


def test_a_native_compensation_leaves_the_document_alone() -> None:
    stack = new_stack()
    step = SagaStep("Tell", a_native(stack), compensation=a_native(stack, "Recall"))
    undo = states_of(stack, step)["Undo Tell called"]
    assert undo["Resource"] == "arn:aws:states:::sqs:sendMessage"
    assert undo["ResultPath"] is None
    assert undo["Catch"][-1]["Next"] == "Park Tell"


def test_what_a_native_call_reads_is_looked_for_first() -> None:
    stack = new_stack()
    body = {
        "order": sfn.JsonPath.string_at("$['order-id']"),
        "whole": sfn.JsonPath.entire_payload,
        "list": [
            {
                "told": sfn.JsonPath.format(
                    "'$.no' {} {}", sfn.JsonPath.string_at("$.a"), sfn.JsonPath.string_at("$.b[0]")
                )
            }
        ],
    }
    states = states_of(stack, a_step(), SagaStep("Tell", a_native(stack, body=body), nothing_to_undo=True))
    paths = ["$['order-id']", "$.a", "$.b[0]"]
    there = [{"Variable": path, "IsPresent": True} for path in paths]
    assert states["Tell"]["Choices"] == [{"And": there, "Next": "Tell called"}]
    assert states["Tell refused"]["Next"] == "Undo ReserveStock"


def test_one_that_reads_nothing_is_one_state() -> None:
    stack = new_stack()
    step = SagaStep("Tell", a_native(stack, body={"key": sfn.JsonPath.execution_name}), nothing_to_undo=True)
    assert states_of(stack, step)["Tell"]["Resource"] == "arn:aws:states:::sqs:sendMessage"


def test_a_machine_that_goes_on_for_another_knows_that_one_s_name() -> None:
    """Paths of a native call are those of its document, wherever that is."""
    task = a_native(new_stack())
    for execution, document in (("$.saga.execution", "$"), ("$.state.saga.execution", "$.state")):
        made = native_call(task, execution, document)
        (keys,) = made["Parameters"]["MessageBody"]["keys"]
        assert keys == {"key.$": "States.Format('Tell#{}', $.saga.execution)"}
        assert made.get("InputPath", "$") == document


def test_the_state_machine_may_do_what_the_call_takes() -> None:
    stack = new_stack()
    saga = a_saga(stack, steps=[a_step(), SagaStep("Tell", a_native(stack), nothing_to_undo=True)])
    (policy,) = [it for id, it in resources(stack, "IAM::Policy").items() if "StateMachineRole" in id]
    allowed = {
        json.dumps(statement["Action"]): json.dumps(statement["Resource"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    }
    assert "TellQueue" in allowed['"sqs:SendMessage"']
    with pytest.raises(KeyError):
        saga.function_for("Tell")


def test_a_callback_s_own_heartbeat_is_kept() -> None:
    stack = new_stack()
    task = a_native(
        stack,
        body={"token": sfn.JsonPath.task_token},
        integration_pattern=LATER,
        heartbeat_timeout=sfn.Timeout.duration(Duration.seconds(59)),
    )
    step = SagaStep("Tell", task, nothing_to_undo=True, timeout=Duration.seconds(60))
    tell = states_of(stack, step)["Tell"]
    assert (tell["HeartbeatSeconds"], tell["TimeoutSeconds"]) == (59, 60)


def test_what_others_say_of_their_errors_has_room_beside_input_and_results() -> None:
    """Step Functions takes 32 KiB, of an action and of what undoes; an error that does not fit ends an execution."""
    foreign = a_step("Charge", action=a_function(new_stack()))
    assert most_bytes(planned([foreign])) + 2 * 32_768 == most_bytes(planned([a_step("Charge")]))
    together = most_bytes(planned([foreign]))
    assert largest_input(planned([foreign]), 1_000) == together - 1_000
    told = refusal(lambda: a_saga(new_stack(), steps=[foreign], max_result_bytes=together + 1))
    assert f"share {together:,} bytes" in told


# What is refused.


def twice(stack: Stack) -> list[SagaStep]:
    task = a_native(stack)
    return [SagaStep(name, task, nothing_to_undo=True) for name in ("First", "Second")]


def a_callback(stack: Stack, **arguments: Any) -> tasks.SqsSendMessage:
    return a_native(stack, body={"token": sfn.JsonPath.task_token}, integration_pattern=LATER, **arguments)


def followed(stack: Stack) -> tasks.SqsSendMessage:
    task = a_native(stack)
    task.next(sfn.Pass(stack, "Next"))
    return task


def caught(stack: Stack) -> tasks.SqsSendMessage:
    task = a_native(stack)
    task.add_catch(sfn.Pass(stack, "Next"))
    return task


def retried(stack: Stack) -> tasks.SqsSendMessage:
    task = a_native(stack)
    task.add_retry(max_attempts=99)
    return task


def jsonata(stack: Stack) -> Any:
    queue = sqs.Queue(stack, "Queue")
    return tasks.SqsSendMessage.jsonata(stack, "Tell", queue=queue, message_body=sfn.TaskInput.from_text("x"))


def last(doing: Any, **arguments: Any) -> list[SagaStep]:
    return [a_step(), SagaStep("Tell", doing, **{"nothing_to_undo": True, **arguments})]


WRONG: dict[str, tuple[Callable[[Stack], list[SagaStep]], str]] = {
    "an imported function without a time-out": (
        lambda stack: last(lambda_.Function.from_function_arn(stack, "Legacy", ARN)),
        "'Tell' timeout must be given for the action, got None: nobody sees how long an imported function may take",
    ),
    "a function slower than its task": (
        lambda stack: last(a_function(stack, timeout=Duration.seconds(50)), timeout=Duration.seconds(64)),
        "'Tell' timeout must be a Duration from 65 to 86,400 seconds, got 64 seconds",
    ),
    "a native compensation of a Handler": (
        lambda stack: [a_step(compensation=a_native(stack))],
        "'ReserveStock' compensation must be a Handler where the action is one",
    ),
    "a pivot that nobody can see": (
        lambda stack: last(a_function(stack), pivot=True),
        "'Tell' action must be a Handler at the pivot",
    ),
    "an external key": (
        lambda stack: last(a_function(stack), external_key=ExternalKey("{digest}", Duration.days(1))),
        "'Tell' external_key must be left out unless the action is a Handler",
    ),
    "a breaker": (
        lambda stack: last(a_function(stack), circuit_breaker=CircuitBreaker(stack, "Partner")),
        "'Tell' circuit_breaker must be left out unless the action is a Handler",
    ),
    "an unsettled outcome that nobody can tell": (
        lambda stack: last(a_function(stack), settles_within=Duration.hours(1)),
        "'Tell' settles_within must be left out unless the action is a Handler",
    ),
    "a declared error that a try before may belie": (
        lambda stack: last(a_function(stack), no_effect_errors=["Declined"]),
        "'Tell' no_effect_errors must be left out where the action is no Handler and tried again, got a value",
    ),
    "an error of Step Functions' own": (
        lambda stack: last(a_function(stack), retry=Retry(1), no_effect_errors=["States.Timeout"]),
        "'Tell' no_effect_errors must be names of classes, got 'States.Timeout'",
    ),
    "one state twice": (twice, "'Second' action must be a task of its own, got that of 'First' action"),
    "a state that goes on": (lambda stack: last(followed(stack)), "'Tell' action must be left without Next"),
    "a state that catches": (lambda stack: last(caught(stack)), "'Tell' action must be left without Catch"),
    "a state that says how it is retried": (
        lambda stack: last(retried(stack)),
        "'Tell' action must be left without Retry",
    ),
    "a path to several places": (
        lambda stack: last(a_native(stack, body={"a": sfn.JsonPath.list_at("$.items[*].id")})),
        "'Tell' action must read paths to one place in the document, got $.items[*].id",
    ),
    "a path in a function to several places": (
        lambda stack: last(a_native(stack, body={"a": sfn.JsonPath.array_length(sfn.JsonPath.list_at("$..items"))})),
        "'Tell' action must read paths to one place in the document, got $..items",
    ),
    "the input of whichever execution it is": (
        lambda stack: last(a_native(stack, body={"a": sfn.JsonPath.string_at("$$.Execution.Input.order")})),
        "'Tell' action must read paths to one place in the document, got $$.Execution.Input.order",
    ),
    "a state that keeps variables": (
        lambda stack: last(a_native(stack, assign={"order": sfn.JsonPath.string_at("$.order_id")})),
        "'Tell' action must be left without Assign",
    ),
    "a state that says where its result goes": (
        lambda stack: last(a_native(stack, result_path="$.told")),
        "'Tell' action must be left without ResultPath, got '$.told'",
    ),
    "JSONata": (lambda stack: last(jsonata(stack)), "'Tell' action must be written in JSONPath, got JSONata"),
    "a callback that may never come": (
        lambda stack: last(a_callback(stack)),
        "'Tell' timeout must be given for 'Tell' action, got None: the answer comes from somebody else, or never",
    ),
    "a callback of which nobody hears": (
        lambda stack: last(a_callback(stack), timeout=Duration.seconds(60)),
        "'Tell' action heartbeat must be given, below the time-out, got None: whoever has the token says that they are",
    ),
    "a heartbeat as long as the time-out": (
        lambda stack: last(
            a_callback(stack, heartbeat_timeout=sfn.Timeout.duration(Duration.seconds(60))),
            timeout=Duration.seconds(60),
        ),
        "'Tell' action heartbeat must be below the time-out, 60 seconds, got 60",
    ),
    "a word": (lambda _: last("card:charge"), "'Tell' action must be a Handler, a lambda_.IFunction or an sfn."),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_synth_refuses(wrong: str) -> None:
    steps, message = WRONG[wrong]
    stack = new_stack()
    assert message in refusal(lambda: a_saga(stack, steps=steps(stack)))


def test_a_compensation_of_ours_may_wait_for_an_outcome_of_somebody_s_function() -> None:
    stack = new_stack()
    states = states_of(stack, a_step(action=a_function(stack), settles_within=Duration.hours(1)))
    assert "settles_within" in states["Undo ReserveStock"]["Parameters"]
    assert "Unsettled60" not in errors(states["ReserveStock"])
