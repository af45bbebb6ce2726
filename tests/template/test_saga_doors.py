"""A saga behind an API: its functions, what they may do, and what synth refuses of such routes."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from serverless_patterns import Defaults, IamAuthorizer, Route, SagaStateMachine
from serverless_patterns_runtime.saga_recovery.contract import RECOVERY_FAILED
from serverless_patterns_runtime.saga_state_machine import contract
from tests.template.apis import ORDER, an_api, functions, the_routes
from tests.template.sagas import a_saga
from tests.template.scanning import findings
from tests.template.stacks import new_stack, refusal, resources, warnings
from tests.template.test_saga_state_machine_permissions import allowed

MACHINE, RECOVERY = "CheckoutStateMachine875B8FB9", "CheckoutRecoveryBA383298"


def served(stack: Stack, **saga: Any) -> SagaStateMachine:
    made = a_saga(stack, **saga)
    an_api(
        stack,
        Route("POST /checkout", made.start(), body=ORDER),
        Route("GET /checkout/{execution}", made.status(results=["Ship"])),
    )
    return made


def test_each_is_a_function_that_is_told_of_its_machine_and_there_is_no_table() -> None:
    stack = new_stack()
    served(stack)
    told = {id: one["Environment"]["Variables"] for id, one in functions(stack).items() if id.startswith("Api")}
    assert set(told) == {"ApiCheckoutStart", "ApiCheckoutStatus"}
    start, status = told["ApiCheckoutStart"], told["ApiCheckoutStatus"]
    assert {name: start[name] for name in contract.StartEnv._fields} == {
        "STATE_MACHINE_ARN": {"Ref": MACHINE},
        "MAX_INPUT_BYTES": str(contract.MAX_STATE_BYTES - contract.RESERVED_BYTES - 3 * 32_768),
    }
    assert {name: status[name] for name in contract.StatusEnv._fields} == {
        "STATE_MACHINE_ARN": {"Ref": MACHINE},
        "RECOVERY_STATE_MACHINE_ARN": {"Ref": RECOVERY},
        "SHOWN_RESULTS": "Ship",
        "SHOWN_ERRORS": "CardDeclined",
        "ANY_CALLER": "false",
        "APPROVALS": "",
        "APPROVALS_TABLE_NAME": "",
        "APPROVALS_NAMESPACE": "Checkout",
    }
    assert [id for id in resources(stack, "DynamoDB::Table") if id.startswith("Api")] == []
    assert the_routes(stack, "ApiCheckoutStart")["POST /checkout"]["own_keys"] is True
    assert "own_keys" not in the_routes(stack, "ApiCheckoutStatus")["GET /checkout/{execution}"]


def test_they_may_start_and_look_at_executions_of_this_machine_and_nothing_else() -> None:
    stack = new_stack()
    served(stack)
    a_saga(stack, "Other")
    assert allowed(stack, "ApiCheckoutStart", MACHINE) == {"states:StartExecution", "states:DescribeExecution"}
    assert allowed(stack, "ApiCheckoutStatus", MACHINE) == {"states:DescribeExecution"}
    assert statements_of(stack, "ApiCheckoutStart") == [
        ("states:StartExecution", {"Ref": MACHINE}),
        ("states:DescribeExecution", executions_of(MACHINE)),
    ]
    assert statements_of(stack, "ApiCheckoutStatus") == [
        ("states:DescribeExecution", executions_of(MACHINE)),
        ("states:DescribeExecution", executions_of(RECOVERY)),
    ]
    assert allowed(stack, "ApiCheckout", "OtherStateMachine") == set()
    assert allowed(stack, "ApiCheckout", "OtherRecovery") == set()


def statements_of(stack: Stack, function: str) -> list[tuple[Any, Any]]:
    """Actions and resources, of its role's policy."""
    (policy,) = (it["Properties"] for id, it in resources(stack, "IAM::Policy").items() if id.startswith(function))
    return [(one["Action"], one["Resource"]) for one in policy["PolicyDocument"]["Statement"]]


def executions_of(machine: str) -> Any:
    of = [":execution:", {"Fn::GetAtt": [machine, "Name"]}, ":*"]
    here = ["arn:", {"Ref": "AWS::Partition"}, ":states:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}]
    return {"Fn::Join": ["", [*here, *of]]}


def test_the_key_of_the_executions() -> None:
    stack = new_stack()
    served(stack, encryption_key=kms.Key(stack, "Key"))
    for function in ("ApiCheckoutStart", "ApiCheckoutStatus"):
        assert allowed(stack, function, "Key961B73FD") == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_results_have_room_beside_the_largest_input() -> None:
    stack = new_stack()
    most = contract.MAX_STATE_BYTES - contract.RESERVED_BYTES
    served(stack, max_result_bytes=most // 3)
    told = functions(stack)["ApiCheckoutStart"]["Environment"]["Variables"]
    assert told["MAX_INPUT_BYTES"] == str(most // 4)


def test_two_routes_to_one_saga_share_its_function() -> None:
    stack = new_stack()
    saga = a_saga(stack)
    an_api(
        stack,
        Route("POST /checkout", saga.start()),
        Route("POST /quick-checkout", saga.start()),
        Route("GET /checkout/{execution}", saga.status()),
        Route("GET /quick-checkout/{execution}", saga.status()),
        Route("GET /admin/{execution}", saga.status(any_caller=True)),
    )
    ids = {id for id in functions(stack) if id.startswith("Api")}
    assert ids == {"ApiCheckoutStart", "ApiCheckoutStatus", "ApiCheckoutStatusOfAnyCaller"}
    assert [text for text in warnings(stack) if "of their own" in text] == []


def test_sagas_of_two_stacks_behind_one_api() -> None:
    stack = new_stack()
    sagas = [a_saga(Stack(stack.node.root, name)) for name in ("Ours", "Theirs")]  # pyright: ignore
    an_api(stack, *(Route(f"POST /checkout{at}", saga.start()) for at, saga in enumerate(sagas)))
    arns = {id: it["Environment"]["Variables"]["STATE_MACHINE_ARN"] for id, it in functions(stack).items()}
    assert set(arns) == {"ApiCheckoutStartPostCheckout0", "ApiCheckoutStartPostCheckout1"}
    assert len({json.dumps(arn) for arn in arns.values()}) == 2


def test_the_document_says_what_they_answer() -> None:
    stack = new_stack()
    saga = a_saga(stack)
    api = an_api(
        stack,
        Route("POST /checkout", saga.start(), body=ORDER),
        Route("GET /checkout/{execution}", saga.status()),
    )
    paths = api.openapi()["paths"]
    started, looked = paths["/checkout"]["post"], paths["/checkout/{execution}"]["get"]
    assert {"202", "409", "413", "503"} <= set(started["responses"])
    assert "422" not in started["responses"]
    assert [it["name"] for it in started["parameters"]] == ["Idempotency-Key"]
    assert {"200", "404", "503"} <= set(looked["responses"])
    told = {contract.RUNNING, contract.ABORTED, contract.RECOVERING, contract.SUCCEEDED, contract.COMPENSATED}
    told |= {*contract.PARKED_ENDS, RECOVERY_FAILED}
    assert told <= set(re.findall(r"\w+", looked["responses"]["200"]["description"]))


@pytest.mark.parametrize("pack", ["AwsSolutions", "Serverless"])
def test_cdk_nag_finds_nothing_in_their_roles(pack: str) -> None:
    stack = new_stack()
    served(stack)
    assert [rule for rule in findings(stack, pack) if "IAM" in rule or "Lambda" in rule] == []


def test_a_vpc_needs_a_way_to_step_functions() -> None:
    from aws_cdk import aws_ec2 as ec2

    stack = new_stack(env={"account": "111122223333", "region": "eu-west-1"})
    Defaults.of(stack).set(vpc=ec2.Vpc(stack, "Vpc"))
    saga = a_saga(stack)
    api = an_api(stack, Route("POST /checkout", saga.start()))
    assert api.required_endpoints == ("states",)


def a_route(method: str = "POST /checkout", **arguments: Any) -> Callable[[SagaStateMachine], Route]:
    return lambda saga: Route(method, saga.start(), **arguments)


def a_look(method: str = "GET /checkout/{execution}", **arguments: Any) -> Callable[[SagaStateMachine], Route]:
    return lambda saga: Route(method, saga.status(), **arguments)


BODY = {"type": "object", "properties": {"saga": {"type": "string"}}}
WRONG: dict[str, tuple[Callable[[SagaStateMachine], Route], str]] = {
    "a start that reads": (a_route("GET /checkout"), "must be one of 'POST', got 'GET': it makes something new"),
    "a start with parameters": (
        a_route("POST /orders/{order_id}/checkout"),
        "must have no parameters in its path in front of start(), got 'order_id': put them into the body",
    ),
    "a start with a query": (
        a_route(query={"type": "object", "properties": {"a": {"type": "string"}}}),
        "query must be left out in front of start()",
    ),
    "a start of bytes": (a_route(body=bytes), "body must be the schema of an object, or left out, in front of start()"),
    "a body that is a list": (a_route(body={"type": "array"}), "body/type must be 'object' in front of start()"),
    "a body with a key of ours": (a_route(body=BODY), "body 'saga' must be left out in front of start()"),
    "a saga itself": (
        lambda saga: Route("POST /checkout", saga),  # pyright: ignore[reportArgumentType]
        "a saga has start(), status() and decision(approval): pass one of these",
    ),
    "its state machine": (
        lambda saga: Route("POST /checkout", saga.state_machine),  # pyright: ignore[reportArgumentType]
        "got a value of type StateMachine: "
        "pass the ParallelMap itself, or a saga's start(), status() or decision(approval)",
    ),
    "a start that is not called": (
        lambda saga: Route("POST /checkout", saga.start),  # pyright: ignore[reportArgumentType]
        "call it: saga.start(...)",
    ),
    "a start's answer": (a_route(respond={"a": "$.a"}), "respond must be left out in front of start()"),
    "a start with a strange mode": (a_route(idempotency="maybe"), "idempotency must be one of 'required', 'optional'"),
    "a look that writes": (a_look("POST /checkout/{execution}"), "must be one of 'GET', got 'POST'"),
    "a look at nothing": (
        a_look("GET /checkout"),
        "must have {execution} as the one parameter of its path in front of status(), got none: write 'GET /checkout",
    ),
    "a look at nothing elsewhere": (a_look("GET /a"), "got none: write 'GET /a/{execution}'"),
    "a look under another name": (a_look("GET /checkout/{id}"), "got 'id': write 'GET /checkout/{execution}'"),
    "a look at everything": (a_look("GET /checkout/{execution+}"), "must have {execution} as the one parameter"),
    "a look with keys": (a_look(idempotency="required"), "idempotency must be 'off' in front of status()"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_meant_is_refused(name: str) -> None:
    make, message = WRONG[name]
    stack = new_stack()
    saga = a_saga(stack)
    assert message in refusal(lambda: an_api(stack, make(saga)))


def doors(saga: SagaStateMachine, start: Any, look: Any, **shown: Any) -> tuple[Route, Route]:
    """Each behind an authorizer, or open."""
    guards = [{"public": True} if it is None else {"authorizer": it} for it in (start, look)]
    return (
        Route("POST /checkout", saga.start(), **guards[0]),
        Route("GET /checkout/{execution}", saga.status(**shown), **guards[1]),
    )


@pytest.mark.parametrize("start_is_guarded", [True, False])
def test_a_look_by_callers_of_another_kind_than_those_who_start_is_refused(start_is_guarded: bool) -> None:
    stack = new_stack()
    saga = a_saga(stack)
    guards = (IamAuthorizer(), None) if start_is_guarded else (None, IamAuthorizer())
    text = refusal(lambda: an_api(stack, *doors(saga, *guards)))
    assert "routes['GET /checkout/{execution}'] must have an authorizer of the same kind as routes['POST /chec" in text
    assert f"got {'none' if start_is_guarded else 'IAM'}: who started an execution is found by it" in text


def test_a_look_by_callers_of_one_kind_or_for_all_of_them_or_at_another_saga_is_not() -> None:
    stack = new_stack()
    one, other = a_saga(stack), a_saga(stack, "Other")
    an_api(stack, *doors(one, IamAuthorizer(), IamAuthorizer()), id="Same")
    an_api(stack, *doors(one, IamAuthorizer(), None, any_caller=True), id="All")
    start, _ = doors(one, IamAuthorizer(), None)
    _, look = doors(other, None, None)
    an_api(stack, start, look, id="Others")


def lost_looks(stack: Stack) -> list[str]:
    return [text.split(":")[0] for text in warnings(stack) if "each look is a 404" in text]


@pytest.mark.parametrize("start_comes_first", [True, False])
def test_a_look_by_another_api_s_callers_is_warned_of(start_comes_first: bool) -> None:
    stack = new_stack()
    start, look = doors(a_saga(stack), IamAuthorizer(), None)
    for at, route in enumerate((start, look) if start_comes_first else (look, start)):
        an_api(stack, route, id=f"Api{at}")
    assert lost_looks(stack) == ["routes['GET /checkout/{execution}']"]


@pytest.mark.parametrize(("kind", "shown"), [(IamAuthorizer(), {}), (None, {"any_caller": True})])
def test_a_look_of_another_api_that_may_find_something_is_not(kind: Any, shown: Any) -> None:
    stack = new_stack()
    start, look = doors(a_saga(stack), IamAuthorizer(), kind, **shown)
    an_api(stack, start, id="First")
    an_api(stack, look, id="Second")
    assert lost_looks(stack) == []


def test_a_look_is_not_warned_of_when_a_later_api_lets_its_callers_start() -> None:
    stack = new_stack()
    start, look = doors(a_saga(stack), IamAuthorizer(), None)
    an_api(stack, start, id="First")
    an_api(stack, look, id="Second")
    an_api(stack, Route("POST /checkout", start.target, public=True), id="Third")
    assert lost_looks(stack) == []


def test_a_result_that_no_step_has() -> None:
    saga = a_saga(new_stack())
    text = refusal(lambda: saga.status(results=["Shop"]))
    assert text.startswith("Shop/Checkout.status: results must name steps, got 'Shop' (did you mean 'Ship'?)")
    assert "results must be a list" in refusal(lambda: saga.status(results="Ship"))
