"""An approval in a saga: its states, its functions, what they may do, and what synth refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns import (
    ApiProxy,
    IamAuthorizer,
    Route,
    SagaApproval,
    SagaChoice,
    SagaParallel,
    SagaStateMachine,
    SagaStep,
)
from serverless_patterns_runtime.saga_state_machine import approval_contract as contract
from tests.simulation.asl import Machine
from tests.template.apis import functions
from tests.template.sagas import a_saga, a_step, a_step_handler, the_definition
from tests.template.scanning import findings
from tests.template.stacks import new_stack, refusal, resources, statements, warnings
from tests.template.test_saga_state_machine import ways
from tests.template.test_saga_state_machine_permissions import allowed

LARGE = sfn.Condition.number_greater_than("$.amount", 1_000)


def an_approval(name: str = "Manager", **arguments: Any) -> SagaApproval:
    given = {"notify": a_step_handler("refund"), "timeout": Duration.hours(4), **arguments}
    return SagaApproval(name, **given)


def test_the_order_of_approvals_that_share_a_function_names_nothing() -> None:
    def deployed(*names: str) -> set[str]:
        stack, notify = new_stack(), a_step_handler("refund")
        a_saga(stack, steps=[a_step(), *(an_approval(name, notify=notify) for name in names)])
        return {*resources(stack, "Lambda::Function")}

    assert deployed("Manager", "Board") == deployed("Board", "Manager")


def with_approval(stack: Stack, *before: Any, **arguments: Any) -> SagaStateMachine:
    ship = SagaStep("Ship", a_step_handler("ship"), nothing_to_undo=True)
    return a_saga(stack, steps=[*(before or (a_step(),)), an_approval(**arguments), ship])


def states_of(*before: Any, **arguments: Any) -> dict[str, Any]:
    stack = new_stack()
    with_approval(stack, *before, **arguments)
    definition = the_definition(stack)
    return dict(definition["States"])


def decided(stack: Stack, saga: SagaStateMachine, route: str = "POST /approvals/{id}", **more: Any) -> ApiProxy:
    return ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=[Route(route, saga.decision("Manager"), **more)])


def undecided(stack: Stack) -> list[str]:
    return [text for text in warnings(stack) if "nobody can decide" in text]


def test_an_approval_that_nobody_can_decide_is_told() -> None:
    stack = new_stack()
    a_saga(stack, steps=[a_step(), an_approval(), an_approval("Board")]).decision("Board")
    assert undecided(stack) == [
        "nobody can decide 'Manager', so each saga that asks goes back when the time is over: put "
        "Route('POST /approvals/{id}', saga.decision('Manager')) into an ApiProxy"
    ]


def test_one_that_another_stack_decides_is_not() -> None:
    stack = new_stack()
    saga = with_approval(stack)
    decided(Stack(stack.node.root, "Office"), saga)  # pyright: ignore[reportArgumentType]
    assert undecided(stack) == []


def test_it_asks_reminds_and_closes() -> None:
    states = states_of()
    asked, reminded, closed = states["Manager"], states["Manager reminded"], states["Close Manager"]
    assert states["ReserveStock"]["Next"] == "Manager"
    assert {state["Next"] for state in (asked, reminded, closed)} == {"Ship"}
    assert (asked["HeartbeatSeconds"], reminded["HeartbeatSeconds"]) == (7_200, 7_200)
    for state, late, failed in (
        (asked, "Manager reminded", [("States.DataLimitExceeded", "Close Manager"), ("States.ALL", "Close Manager")]),
        (
            reminded,
            "Close Manager",
            [
                (contract.DECIDED, "Close Manager"),
                ("States.DataLimitExceeded", "Manager not reminded"),
                ("States.ALL", "Manager not reminded"),
            ],
        ),
    ):
        assert state["Resource"].endswith(":states:::lambda:invoke.waitForTaskToken")
        assert state["TimeoutSeconds"] > state["HeartbeatSeconds"]
        assert ways(state) == [
            ("Rejected", "Undo ReserveStock"),
            ("States.HeartbeatTimeout", late),
            ("States.Timeout", late),
            *failed,
        ]
    assert states["Manager not reminded"] == {"Type": "Wait", "Seconds": 7_200, "Next": "Close Manager"}
    assert {following for _, following in ways(closed)} == {"Undo ReserveStock"}
    assert closed["Parameters"].keys().isdisjoint({"token.$"})


def test_a_token_goes_to_the_function_alone() -> None:
    for name, state in states_of(when=LARGE).items():
        has = "Task.Token" in str(state)
        assert has == (name in ("Manager asked", "Manager reminded")), name


def test_neither_a_decision_nor_silence_is_retried() -> None:
    for name in ("Manager", "Manager reminded"):
        first, second = states_of()[name]["Retry"]
        assert first["MaxAttempts"] == 0
        assert {*contract.TIMEOUTS, contract.REJECTED, contract.DECIDED, "PermanentError"} == {*first["ErrorEquals"]}
        assert second["ErrorEquals"] == ["States.ALL"]
    assert {*contract.UNAPPROVED} < {*states_of()["Close Manager"]["Retry"][0]["ErrorEquals"]}


def test_without_its_condition_nobody_is_asked() -> None:
    states = states_of(when=LARGE)
    choice = states["Manager"]
    assert (choice["Type"], choice["Default"]) == ("Choice", "Ship")
    assert [rule["Next"] for rule in choice["Choices"]] == ["Manager asked"]
    assert {"Variable": "$.amount", "IsPresent": True} in choice["Choices"][0]["And"]


def test_the_reminder_comes_when_it_is_wanted_and_not_where_it_would_be_the_end() -> None:
    states = states_of(remind_after=Duration.minutes(10))
    waits = [states[name]["HeartbeatSeconds"] for name in ("Manager", "Manager reminded")]
    assert waits == [600, 4 * 3_600 - 600]
    states = states_of(remind_after=Duration.hours(4))
    assert states["Manager"]["HeartbeatSeconds"] == 4 * 3_600
    assert "Manager reminded" not in states


def everywhere() -> dict[str, Callable[[], list[Any]]]:
    ship = {"nothing_to_undo": True}
    return {
        "first": lambda: [an_approval(), a_step()],
        "first, on a condition": lambda: [an_approval(when=LARGE), a_step()],
        "last": lambda: [a_step(), an_approval()],
        "last, on a condition": lambda: [a_step(), an_approval(when=LARGE)],
        "in a choice": lambda: [
            a_step(),
            SagaChoice("HowMuch", when=[(LARGE, [an_approval()])]),
            SagaStep("Ship", a_step_handler("ship"), **ship),
        ],
        "twice": lambda: [a_step(), an_approval(), an_approval("Board"), a_step("Pivot", pivot=True)],
        "before the pivot": lambda: [a_step(), an_approval(), a_step("Pivot", pivot=True)],
    }


@pytest.mark.parametrize("where", everywhere())
def test_the_definition_is_whole_wherever_it_is(where: str) -> None:
    stack = new_stack()
    a_saga(stack, steps=everywhere()[where]())
    definition = the_definition(stack)
    Machine(definition)  # every state reached, every field known
    assert definition["StartAt"] == ("Check input" if where.startswith("first") else "ReserveStock")


def test_who_is_told_has_a_function_that_can_write_the_token_and_nothing_else() -> None:
    stack = new_stack()
    saga = with_approval(stack)
    assert allowed(stack, "ManagerNotify", "CheckoutClaims") == {"dynamodb:UpdateItem"}
    told = functions(stack)["CheckoutManagerNotify"]
    assert told["Handler"] == contract.ASKING_HANDLER
    assert told["Environment"]["Variables"]["BUSINESS_FUNCTION"] == "checkout:refund"
    assert saga.notify_for("Manager") in saga.functions
    invoked = [one for one in statements(stack) if one["Action"] == ["lambda:InvokeFunction"]]
    assert any("ManagerNotify" in str(one["Resource"]) for one in invoked)


def test_who_decides_may_write_and_tell_executions_of_this_machine() -> None:
    stack = new_stack()
    decided(stack, with_approval(stack))
    role = "ApiCheckoutDecisionManager"
    assert allowed(stack, role, "CheckoutClaims") == {"dynamodb:UpdateItem"}
    assert allowed(stack, role, "CheckoutStateMachine") == {
        "states:DescribeExecution",
        "states:SendTaskFailure",
        "states:SendTaskSuccess",
    }
    told = functions(stack)["ApiCheckoutDecisionManager"]["Environment"]["Variables"]
    assert {name: told[name] for name in contract.DecisionEnv._fields} == {
        "STATE_MACHINE_ARN": {"Ref": "CheckoutStateMachine875B8FB9"},
        "APPROVALS_TABLE_NAME": {"Ref": "CheckoutClaims67AA076E"},
        "APPROVALS_NAMESPACE": "Checkout",
        "APPROVAL_STEP": "Manager",
    }


@pytest.mark.parametrize("pack", ["AwsSolutions", "Serverless"])
def test_cdk_nag_finds_nothing_in_their_roles(pack: str) -> None:
    stack = new_stack()
    decided(stack, with_approval(stack))
    assert [rule for rule in findings(stack, pack) if "IAM" in rule or "Lambda" in rule] == []


def test_somebody_hears_of_an_approval_that_waits() -> None:
    stack = new_stack()
    saga = with_approval(stack)
    assert set(saga.alarms) - set(a_saga(new_stack()).alarms) == {"ApprovalWaiting"}
    (alarm,) = [it["Properties"] for id, it in resources(stack, "CloudWatch::Alarm").items() if "Waiting" in id]
    assert (alarm["Namespace"], alarm["MetricName"]) == (contract.METRICS_NAMESPACE, contract.METRIC_WAITING)
    assert {it["Name"]: it["Value"] for it in alarm["Dimensions"]} == {
        contract.SAGA_DIMENSION: "Checkout",
        contract.TABLE_DIMENSION: {"Ref": "CheckoutClaims67AA076E"},
    }


def test_two_approvals_may_have_one_handler_and_routes_of_their_own() -> None:
    stack, notify = new_stack(), a_step_handler("refund")
    saga = a_saga(stack, steps=[a_step(), an_approval(notify=notify), an_approval("Board", notify=notify)])
    assert saga.notify_for("Manager") is saga.notify_for("Board")
    routes = [Route(f"POST /{name}/{{id}}", saga.decision(name)) for name in ("Manager", "Board")]
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=routes)
    ids = {id for id in functions(stack) if id.startswith("Api")}
    assert ids == {"ApiCheckoutDecisionBoard", "ApiCheckoutDecisionManager"}


def test_a_status_may_show_the_decision_and_names_why_there_was_none() -> None:
    stack = new_stack()
    saga = with_approval(stack)
    route = Route("GET /checkout/{execution}", saga.status(results=["Manager"]))
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=[route])
    told = functions(stack)["ApiCheckoutStatus"]["Environment"]["Variables"]
    assert (told["SHOWN_RESULTS"], told["SHOWN_ERRORS"]) == ("Manager", "NotAsked,NotDecided,Rejected")
    assert (told["APPROVALS"], told["APPROVALS_TABLE_NAME"]) == ("Manager", {"Ref": "CheckoutClaims67AA076E"})
    assert allowed(stack, "ApiCheckoutStatus", "CheckoutClaims") == {"dynamodb:GetItem"}


def test_a_recovery_asks_for_decisions_where_there_may_be_some() -> None:
    stack = new_stack()
    with_approval(stack, a_step())
    a_saga(stack, "Other")
    machines = resources(stack, "StepFunctions::StateMachine")
    told = {id: json.dumps(it["Properties"]["DefinitionString"]) for id, it in machines.items() if "Recovery" in id}
    assert {id[:5]: '\\"approvals\\":[\\"Manager\\"]' in text for id, text in told.items()} == {
        "Check": True,
        "Other": False,
    }


def seconds_later() -> Duration:
    return Duration.seconds(CfnParameter(new_stack(), "Seconds", type="Number").value_as_number)


WRONG: dict[str, tuple[Callable[[], list[Any]], str]] = {
    "nobody to tell": (
        lambda: [a_step(), an_approval(notify=None)],
        "'Manager' notify must be a Handler, got None: wrap your Python function in a Handler",
    ),
    "who writes": (
        lambda: [a_step(), an_approval(notify=a_step_handler("reserve"))],
        "'Manager' notify must return nothing, got Handler(checkout:reserve) -> Effects",
    ),
    "a step's handler": (
        lambda: [a_step(action=(it := a_step_handler("ship"))), an_approval(notify=it)],
        "'Manager' notify must be a Handler of its own, got that of a step",
    ),
    "no time": (
        lambda: [a_step(), an_approval(timeout=Duration.seconds(59))],
        "'Manager' timeout must be a Duration from 60 to 31,449,600 seconds, got 59 seconds",
    ),
    "a number": (lambda: [a_step(), an_approval(timeout=60)], "say the unit: Duration.seconds(60)"),
    "a token": (
        lambda: [a_step(), an_approval(timeout=seconds_later())],
        "'Manager' timeout must be known at synth, got a token",
    ),
    "a late reminder": (
        lambda: [a_step(), an_approval(remind_after=Duration.hours(5))],
        "'Manager' remind_after must be a Duration from 60 to 14,400 seconds",
    ),
    "no condition": (
        lambda: [a_step(), an_approval(when="$.amount > 1000")],
        "'Manager' when must be a condition of aws_stepfunctions",
    ),
    "a condition on what comes later": (
        lambda: [an_approval(when=sfn.Condition.is_present("$.saga.results.ReserveStock.a")), a_step()],
        "'Manager' when must look at the input, or at results of steps that are done by then",
    ),
    "behind the pivot": (
        lambda: [a_step(pivot=True), an_approval()],
        "'Manager' must be before the pivot, got a SagaApproval behind it: the saga only goes forward once 'Reser",
    ),
    "in a branch": (
        lambda: [SagaParallel([[a_step(), an_approval()], a_step("Other")])],
        "'Manager' must be left out inside of branches, got a SagaApproval: ask before the branches, or behind them",
    ),
    "in a choice in a branch": (
        lambda: [SagaParallel([[a_step(), SagaChoice("C", when=[(LARGE, [an_approval()])])], a_step("Other")])],
        "'Manager' must be left out inside of branches",
    ),
    "a name twice": (lambda: [a_step(), an_approval("ReserveStock")], "'ReserveStock' 2 times: rename the later ones"),
    "a bad name": (lambda: [a_step(), an_approval("the-manager")], "steps[1] name must be a letter"),
    "nothing to approve": (lambda: [an_approval()], "steps must hold a SagaStep or more, got none"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_meant_is_refused(name: str) -> None:
    make, message = WRONG[name]
    assert message in refusal(lambda: a_saga(new_stack(), steps=make()))


ROUTES: dict[str, tuple[dict[str, Any], str]] = {
    "a link": ({"route": "GET /approvals/{id}"}, "must be one of 'POST', got 'GET': links are followed by machines"),
    "no id": ({"route": "POST /approvals"}, "must have {id} as the one parameter of its path in front of decision()"),
    "anybody": ({"public": True}, "public must be left out in front of decision(), got True: who decides is recorded"),
    "a schema": ({"body": {"type": "object"}}, "body must be left out in front of decision()"),
    "bytes": ({"body": bytes}, "body must be left out in front of decision()"),
    "keys": ({"idempotency": "required"}, "idempotency must be 'off' in front of decision()"),
}


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_that_cannot_be_meant_is_refused(name: str) -> None:
    arguments, message = ROUTES[name]
    stack = new_stack()
    saga = with_approval(stack)
    assert message in refusal(lambda: decided(stack, saga, **arguments))


def test_a_decision_on_what_nobody_asks() -> None:
    stack = new_stack()
    text = refusal(lambda: with_approval(stack).decision("Manger"))
    assert text.startswith("Shop/Checkout.decision: approval must name a SagaApproval, got 'Manger' (did you mean 'Man")
    assert "got 'Manager': put one into its steps" in refusal(lambda: a_saga(new_stack()).decision("Manager"))


def test_claims_outlive_the_time_that_deciding_may_take() -> None:
    text = refusal(lambda: with_approval(new_stack(), timeout=Duration.days(20)))
    assert "claims_retention must be a Duration from" in text
