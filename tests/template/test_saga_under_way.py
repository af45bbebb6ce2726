"""Executions that are under way when a saga is deployed anew: what they call is there, under the same ARN."""

import json
import re
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from serverless_patterns import ApiProxy, CircuitBreaker, IamAuthorizer, Route, SagaParallel, SagaStep
from tests.template.sagas import a_saga, a_step, a_step_handler, the_definition
from tests.template.stacks import new_stack, refusal, resources, warnings
from tests.template.test_saga_approvals import an_approval, decided
from tests.template.test_saga_state_machine_permissions import allowed


def a_native(stack: Stack, id: str = "Tell") -> tasks.SqsSendMessage:
    queue = sqs.Queue(stack, f"{id}Queue")
    return tasks.SqsSendMessage(stack, id, queue=queue, message_body=sfn.TaskInput.from_text("done"))


def called(stack: Stack) -> set[str]:
    return {state["Resource"] for state in the_definition(stack)["States"].values() if state["Type"] == "Task"}


def invokable(stack: Stack) -> str:
    (policy,) = [it for id, it in resources(stack, "IAM::Policy").items() if "StateMachineRole" in id]
    return json.dumps(policy["Properties"]["PolicyDocument"]["Statement"])


def functions(stack: Stack) -> set[str]:
    """Of steps; those of the recovery are of today."""
    bundled = ("CheckoutGuardian", "CheckoutLedger")
    return {id for id in resources(stack, "Lambda::Function") if not id.startswith(bundled)}


def test_a_retired_step_keeps_its_functions_and_the_right_to_call_them() -> None:
    before, after = new_stack(), new_stack()
    a_saga(before, steps=[a_step("Reserve"), a_step("Charge")])
    a_saga(after, steps=[a_step("Reserve")], retired_steps=[a_step("Charge")])
    assert functions(before) == functions(after)
    assert "Charge" not in "".join(called(after))
    for function in functions(before):
        assert function in invokable(after)


def test_a_definition_says_what_is_behind_its_pivot_for_whoever_has_it_no_more() -> None:
    """Of all kinds, in branches too."""
    stack = new_stack()
    beside = SagaParallel([a_step("Ship", compensation=None), SagaStep("Tell", a_native(stack))])
    a_saga(stack, steps=[a_step("Reserve"), a_step("Charge", pivot=True), beside])
    text = json.dumps(the_definition(stack))
    assert sorted(re.findall(r'"Behind the pivot: (\w+)"', text)) == ["Ship", "Tell"]


def test_without_it_they_are_gone() -> None:
    """What the docs warn of."""
    before, after = new_stack(), new_stack()
    a_saga(before, steps=[a_step("Reserve"), a_step("Charge")])
    a_saga(after, steps=[a_step("Reserve")])
    assert len(functions(before) - functions(after)) == 2


@pytest.mark.parametrize("first", ["Board", "Manager"])
def test_a_function_that_a_retired_approval_shared_stays_under_the_name_of_either(first: str) -> None:
    names = sorted(("Board", "Manager"), key=lambda name: name != first)
    before, after = new_stack(), new_stack()
    one, other = a_step_handler("refund"), a_step_handler("refund")
    a_saga(before, steps=[a_step("Reserve"), *(an_approval(name, notify=one) for name in names)])
    kept, gone = (an_approval(name, notify=other) for name in names)
    a_saga(after, steps=[a_step("Reserve"), kept], retired_steps=[gone])
    assert functions(before) <= functions(after)
    assert all(function in invokable(after) for function in functions(before))


@pytest.mark.parametrize("first", ["Reserve", "Charge"])
def test_a_function_that_a_retired_step_shared_stays_under_the_name_of_either(first: str) -> None:
    """It was named after the first of the two, and executions under way call it for both."""
    names = sorted(("Reserve", "Charge"), key=lambda name: name != first)

    def steps(shared: Any) -> dict[str, SagaStep]:
        return {name: a_step(name, compensation=shared) for name in names}

    before, after = new_stack(), new_stack()
    a_saga(before, steps=list(steps(a_step_handler("release")).values()))
    both = steps(a_step_handler("release"))
    a_saga(after, steps=[both["Reserve"]], retired_steps=[both["Charge"]])
    assert functions(before) <= functions(after)
    assert all(function in invokable(after) for function in functions(before))


@pytest.mark.parametrize("shared", [{"action": "reserve"}, {"compensation": "release"}])
def test_the_order_of_steps_that_share_a_function_names_nothing(shared: dict[str, str]) -> None:
    def deployed(*names: str) -> set[str]:
        stack = new_stack()
        given = {kind: a_step_handler(function) for kind, function in shared.items()}
        a_saga(stack, steps=[a_step(name, **given) for name in names])
        return functions(stack)

    assert deployed("Reserve", "Charge") == deployed("Charge", "Reserve")
    assert deployed("Reserve", "Charge") != deployed("Reserve", "Charge", "Approve")  # what the docs warn of


def test_what_a_retired_step_called_otherwise_may_still_be_called() -> None:
    stack = new_stack()
    legacy = lambda_.Function(
        stack,
        "Legacy",
        code=lambda_.Code.from_inline("def charge(event, context): ..."),
        handler="index.charge",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    partner = CircuitBreaker(stack, "Partner")
    gone = [
        SagaStep("Charge", legacy, compensation=a_native(stack)),
        a_step("Ask", action=a_step_handler("charge"), circuit_breaker=partner),
    ]
    a_saga(stack, retired_steps=gone)
    assert "Legacy" in invokable(stack)
    assert "TellQueue" in invokable(stack)
    variables = resources(stack, "Lambda::Function")
    (ask,) = [it["Properties"] for id, it in variables.items() if id.startswith("CheckoutAskAction")]
    assert "CIRCUIT_BREAKERS" in ask["Environment"]["Variables"]


def sharing() -> list[Any]:
    shared = a_step_handler("refund")
    return [a_step("Charge", compensation=shared), an_approval("Gone", notify=shared)]


@pytest.mark.parametrize(
    ("retired", "message"),
    [
        (lambda: a_step("Gone"), "retired_steps must be a list, got a value of type SagaStep"),
        (lambda: ["Gone"], "retired_steps[0] must be a SagaStep or a SagaApproval, got 'Gone': pass the"),
        (lambda: [an_approval("Ship")], "retired_steps[0] must have a name that the saga has no more, got 'Ship'"),
        (lambda: [an_approval(notify="ask")], "'Manager' notify must be a Handler, got 'ask'"),
        (sharing, "'Gone' notify must be a Handler of its own, got that of a step: its function does nothing"),
        (lambda: [a_step("Ship")], "retired_steps[0] must have a name that the saga has no more, got 'Ship'"),
        (lambda: [a_step("Gone"), a_step("Gone")], "retired_steps[1] must have a name that the saga has no more"),
        (lambda: [a_step("Gone", action="card:charge")], "'Gone' action must be a Handler, a lambda_.IFunction or"),
        (lambda: [a_step("Gone", circuit_breaker="Partner")], "'Gone' circuit_breaker must be a CircuitBreaker"),
        (
            lambda: [a_step("Gone", pivot=True)],
            "'Gone' pivot must be no step that is retired, got True: executions under way that die are recovered by "
            "the pivot of today: deploy it under its old name until they have ended",
        ),
    ],
)
def test_synth_refuses(retired: Any, message: str) -> None:
    assert message in refusal(lambda: a_saga(new_stack(), retired_steps=retired()))


def before_and_after(**after: Any) -> tuple[Stack, Stack]:
    """A saga that asks and its route; and the same with other steps."""
    stacks = new_stack(), new_stack()
    for stack, arguments in zip(stacks, ({"steps": [a_step("Reserve"), an_approval()]}, after), strict=True):
        decided(stack, a_saga(stack, **arguments))
    return stacks


def test_a_retired_approval_keeps_what_tells_and_what_decides() -> None:
    before, after = before_and_after(steps=[a_step("Reserve")], retired_steps=[an_approval()])
    assert functions(before) == functions(after)
    (tells,) = [function for function in functions(after) if "ManagerNotify" in function]
    assert tells in invokable(after)
    assert tells not in str(the_definition(after)), "no new execution asks"
    for role in ("ManagerNotify", "DecisionManager"):
        for resource in ("CheckoutClaims", "CheckoutStateMachine"):
            assert allowed(after, role, resource) == allowed(before, role, resource)
    assert allowed(after, "ManagerNotify", "CheckoutClaims")
    assert allowed(after, "DecisionManager", "CheckoutStateMachine")


def test_a_renamed_approval_keeps_them_too() -> None:
    before, after = before_and_after(steps=[a_step("Reserve"), an_approval("Board")], retired_steps=[an_approval()])
    assert functions(before) < functions(after)
    assert all("BoardNotify" in added for added in functions(after) - functions(before))


def test_without_it_what_tells_is_gone_and_nothing_decides() -> None:
    """What the docs warn of."""
    before, after = new_stack(), new_stack()
    a_saga(before, steps=[a_step("Reserve"), an_approval()])
    saga = a_saga(after, steps=[a_step("Reserve")])
    assert [id for id in functions(before) - functions(after) if "ManagerNotify" in id]
    assert "approval must name a SagaApproval, got 'Manager'" in refusal(lambda: saga.decision("Manager"))


def test_who_waits_for_a_retired_approval_is_still_shown_what_for_and_still_alarms() -> None:
    stack = new_stack()
    saga = a_saga(stack, steps=[a_step("Reserve")], retired_steps=[an_approval()])
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=[Route("GET /checkout/{execution}", saga.status())])
    (variables,) = [
        it["Properties"]["Environment"]["Variables"]
        for id, it in resources(stack, "Lambda::Function").items()
        if "CheckoutStatus" in id
    ]
    assert variables["APPROVALS"] == "Manager"
    assert "ApprovalWaiting" in saga.alarms
    assert saga.notify_for("Manager") is not None
    assert [text for text in warnings(stack) if "nobody can decide 'Manager'" in text], "its route has to stay too"


def test_a_recovery_knows_what_a_retired_approval_has_decided() -> None:
    stack = new_stack()
    a_saga(stack, steps=[a_step("Reserve", pivot=True)], retired_steps=[an_approval()])
    recovery = the_definition(stack, recovery=True)["States"]
    assert recovery["Recall the ledger"]["Parameters"]["approvals"] == ["Manager"]


def test_claims_outlive_whoever_waits_for_a_retired_approval() -> None:
    gone = [an_approval(timeout=Duration.days(60))]
    text = refusal(lambda: a_saga(new_stack(), retired_steps=gone))
    assert "claims_retention must be a Duration from 6,4" in text
    assert "'Manager' alone may take 60.2 days" in text


def test_a_retired_native_task_is_none_of_the_saga_s() -> None:
    stack = Stack(App(), "Shop")
    task = a_native(stack)
    both = [SagaStep(name, task, nothing_to_undo=True) for name in ("One", "Two")]
    assert "must be a task of its own" in refusal(lambda: a_saga(stack, retired_steps=both))
