"""What a saga becomes: its definition, functions, alarms; ids that stay."""

import json
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from serverless_patterns import Defaults, Retry, SagaStep
from serverless_patterns_runtime.saga_state_machine import contract
from tests.template.sagas import a_saga, a_step, a_step_handler, the_definition
from tests.template.stacks import new_stack, resources, the, warnings
from tests.template.test_stability import FLAGS, masked

CRITICAL = {"Failed", "GuardianFailed", "RecoveryFailed", "RecoveryAborted"}
STATEFUL = {"CheckoutClaims67AA076E": "AWS::DynamoDB::Table"}
CDK_S_OWN = ("CheckoutStateMachineRoleDefaultPolicy", "CheckoutRecoveryRoleDefaultPolicy")
CALLED = {
    "CheckoutChargeCardAction39AD59AD",
    "CheckoutChargeCardCompensation547C3338",
    "CheckoutGuardian94550F7A",
    "CheckoutLedger41CD71C9",
    "CheckoutRecoveryBA383298",
    "CheckoutReserveStockActionF8B2B340",
    "CheckoutReserveStockCompensationC9455AE8",
    "CheckoutShipAction89FC3DD4",
    "CheckoutStateMachine875B8FB9",
}
"""Executions under way hold the ARNs of functions: with another id, they call what is deleted."""


def states_of(**arguments: Any) -> dict[str, dict[str, Any]]:
    stack = new_stack()
    a_saga(stack, **arguments)
    return dict(the_definition(stack)["States"])


def ways(state: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error, each["Next"]) for each in state["Catch"] for error in each["ErrorEquals"]]


def test_forward_and_back() -> None:
    states = states_of()
    assert [states[name]["Next"] for name in ("ReserveStock", "ChargeCard")] == ["ChargeCard", "Ship"]
    assert states["Ship"]["OutputPath"] == "$.saga"
    assert ways(states["ChargeCard"]) == [
        ("CardDeclined", "Undo ReserveStock"),
        ("States.DataLimitExceeded", "Undo ChargeCard"),
        ("States.ALL", "Undo ChargeCard"),
    ]
    assert ways(states["Ship"])[-1] == ("States.ALL", "Park Ship")
    assert states["Park Ship"]["Next"] == "ForwardParked"
    assert states["Undo ChargeCard"]["Next"] == "Undo ReserveStock"
    assert states["Park ChargeCard"]["Next"] == "Undo ReserveStock"
    assert states["Undo ReserveStock"]["Next"] == "Undone"


def test_a_step_without_anything_to_undo_is_passed_over_on_the_way_back() -> None:
    look = SagaStep("Look", a_step_handler("charge"), nothing_to_undo=True, no_effect_errors=["Missing"])
    states = states_of(steps=[look, a_step("Reserve"), SagaStep("Ask", a_step_handler("ship"), nothing_to_undo=True)])
    assert {"Undo Look", "Park Look", "Undo Ask", "Park Ask", "ForwardParked"} & set(states) == set()
    assert states["Undo Reserve"]["Next"] == "Undone"
    assert {following for _, following in ways(states["Ask"])} == {"Undo Reserve"}
    assert {following for _, following in ways(states["Look"])} == {"Undone"}


def test_a_task_leaves_time_for_a_cold_start_and_a_retry_waits_for_a_lease() -> None:
    slow = a_step_handler("refund", timeout=Duration.seconds(100))
    states = states_of(steps=[a_step(compensation=slow)])
    assert states["ReserveStock"]["TimeoutSeconds"] == 30 + contract.STARTING_SECONDS
    assert states["Undo ReserveStock"]["TimeoutSeconds"] == 100 + contract.STARTING_SECONDS
    waits = [states[name]["Retry"][1]["IntervalSeconds"] for name in ("ReserveStock", "Undo ReserveStock")]
    assert waits == [30 + contract.LEASE_MARGIN_SECONDS, 100 + contract.LEASE_MARGIN_SECONDS]


def test_a_compensation_waits_for_the_action_that_is_at_work() -> None:
    slow = a_step_handler("reserve", timeout=Duration.seconds(100))
    states = states_of(steps=[a_step(action=slow)])
    assert states["Undo ReserveStock"]["Retry"][1]["IntervalSeconds"] == 100 + contract.LEASE_MARGIN_SECONDS


def test_retries_are_as_they_were_asked_for() -> None:
    retry = Retry(3, base_delay=Duration.seconds(5), longest_delay=Duration.seconds(7))
    states = states_of(steps=[a_step(retry=retry, timeout=Duration.seconds(99))])
    backoff = states["ReserveStock"]["Retry"][-1]
    assert [backoff[name] for name in ("MaxAttempts", "IntervalSeconds", "MaxDelaySeconds")] == [2, 5, 7]
    assert states["ReserveStock"]["TimeoutSeconds"] == 99


def test_one_attempt_is_one() -> None:
    states = states_of(steps=[a_step(retry=Retry(1))])
    assert [it["MaxAttempts"] for it in states["ReserveStock"]["Retry"]] == [0]


def test_what_a_compensation_returns_leaves_the_document_alone() -> None:
    """CDK drops a plain None from its JSON, and the compensation's result would become the document."""
    assert states_of()["Undo ReserveStock"]["ResultPath"] is None


def test_a_handler_that_serves_two_steps_is_one_function() -> None:
    stack, handler = new_stack(), a_step_handler("release")
    saga = a_saga(stack, steps=[a_step("First", compensation=handler), a_step("Second", compensation=handler)])
    assert len(saga.functions) == 3
    states = the_definition(stack)["States"]
    assert states["Undo First"]["Resource"] == states["Undo Second"]["Resource"]
    assert saga.compensation_for("First") is saga.compensation_for("Second")
    assert saga.function_for("First") is not saga.function_for("Second")


def test_functions_are_told_of_the_claims_and_the_size_of_results() -> None:
    stack = new_stack()
    a_saga(stack, max_result_bytes=1_000)
    told = the(stack, "Lambda::Function", "ReserveStockAction")["Environment"]["Variables"]
    assert (told["MAX_RESULT_BYTES"], told["CLAIMS_NAMESPACE"], told["RETURNS_EFFECTS"]) == ("1000", "Checkout", "true")
    assert told["CLAIMS_TABLE_NAME"] == {"Ref": "CheckoutClaims67AA076E"}


@pytest.mark.parametrize("steps", [1, 6, 7, 40])
def test_results_have_room_together(steps: int) -> None:
    stack, both = new_stack(), {"action": a_step_handler("reserve"), "compensation": a_step_handler("release")}
    a_saga(stack, steps=[a_step(f"Step{at}", **both) for at in range(steps)])
    told = the(stack, "Lambda::Function", "Step0Action")["Environment"]["Variables"]
    each = int(told["MAX_RESULT_BYTES"])
    assert each * (steps + 1) <= contract.MAX_STATE_BYTES - contract.RESERVED_BYTES
    assert each == contract.DEFAULT_MAX_RESULT_BYTES or steps > 6


def test_a_warm_function_is_called_by_its_alias() -> None:
    stack = new_stack()
    a_saga(stack, steps=[a_step(action=a_step_handler("reserve", provisioned_concurrent_executions=1))])
    machine = the(stack, "StepFunctions::StateMachine", "CheckoutStateMachine")
    assert "CheckoutReserveStockActionLive" in json.dumps(machine["DefinitionString"])


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("all", {"Failed", "Aborted", "TimedOut", "Throttled", *CRITICAL}),
        ("critical", CRITICAL),
    ],
)
def test_alarms(which: Any, expected: set[str]) -> None:
    saga = a_saga(new_stack(), alarms=which)
    assert set(saga.alarms) == expected


def test_alarms_that_notify_nobody_are_a_warning() -> None:
    stack = new_stack()
    a_saga(stack)
    assert [text for text in warnings(stack) if text.startswith("7 alarms notify nobody")]


def test_metrics() -> None:
    saga = a_saga(new_stack())
    ends = (saga.metric_succeeded, saga.metric_failed, saga.metric_aborted, saga.metric_timed_out)
    names = [metric().metric_name for metric in (saga.metric_started, *ends)]
    assert names == [f"Executions{end}" for end in ("Started", "Succeeded", "Failed", "Aborted", "TimedOut")]


def test_logs_say_what_happened_without_the_data() -> None:
    stack = new_stack()
    a_saga(stack)
    logging = the(stack, "StepFunctions::StateMachine", "CheckoutStateMachine")["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    assert the(stack, "Logs::LogGroup", "StateMachineLogs")["LogGroupName"].startswith("/aws/vendedlogs/states/Shop")


def test_tracing_is_as_defaults_say() -> None:
    stack = new_stack()
    Defaults.of(stack).set(tracing=lambda_.Tracing.DISABLED)
    a_saga(stack)
    assert "Enabled" not in the(stack, "StepFunctions::StateMachine", "CheckoutStateMachine").get(
        "TracingConfiguration", {}
    ) or (the(stack, "StepFunctions::StateMachine", "CheckoutStateMachine")["TracingConfiguration"]["Enabled"] is False)


def test_what_executions_under_way_hold_keeps_its_logical_id() -> None:
    stack = new_stack()
    a_saga(stack)
    found = Template.from_stack(stack).to_json()["Resources"]
    assert {id: it["Type"] for id, it in found.items() if it["Type"] in STATEFUL.values()} == STATEFUL
    assert {*resources(stack, "Lambda::Function"), *resources(stack, "StepFunctions::StateMachine")} == CALLED


def test_feature_flags_change_nothing_but_the_form_of_cdk_s_own_statements() -> None:
    templates: list[dict[str, Any]] = []
    for context in ({}, FLAGS):
        stack = new_stack(context)
        a_saga(stack)
        found = masked(stack)
        templates.append({id: it for id, it in found.items() if not id.startswith(CDK_S_OWN)})
    assert templates[0] == templates[1]


def test_the_picture() -> None:
    saga = a_saga(
        new_stack(), steps=[a_step(no_effect_errors=["SoldOut"], pivot=True), SagaStep("Ship", a_step_handler())]
    )
    assert saga.diagram().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> ReserveStock",
        "    ReserveStock --> Ship",
        "    ReserveStock --> Undone: SoldOut",
        "    ReserveStock --> Undo_ReserveStock: fails",
        '    state "Undo ReserveStock" as Undo_ReserveStock',
        "    Undo_ReserveStock --> Undone",
        "    Undo_ReserveStock --> Park_ReserveStock: fails",
        '    state "Park ReserveStock" as Park_ReserveStock',
        "    Park_ReserveStock --> Undone",
        "    Ship --> [*]",
        "    Ship --> Park_Ship: fails",
        '    state "Park Ship" as Park_Ship',
        "    Park_Ship --> ForwardParked",
        "    ForwardParked --> [*]",
        "    Undone --> Compensated",
        "    Undone --> CompensationParked: parked",
        "    CompensationParked --> [*]",
        "    Compensated --> [*]",
    ]
