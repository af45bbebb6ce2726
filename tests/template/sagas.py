"""What the tests of sagas share: three steps, as the page has them."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk.assertions import Template

from serverless_patterns import Handler, SagaStateMachine, SagaStep
from tests.simulation.saga_template import definition_in
from tests.template.stacks import HANDLERS


def a_step_handler(function: str = "charge", **arguments: Any) -> Handler:
    return Handler(HANDLERS, f"checkout:{function}", **arguments)


def a_step(name: str = "ReserveStock", **arguments: Any) -> SagaStep:
    """With effects in its action, and what undoes them."""
    given = {"action": a_step_handler("reserve"), "compensation": a_step_handler("release"), **arguments}
    return SagaStep(name, **given)


def the_steps() -> list[SagaStep]:
    return [
        a_step(),
        a_step(
            "ChargeCard",
            action=a_step_handler("charge"),
            compensation=a_step_handler("refund"),
            pivot=True,
            no_effect_errors=["CardDeclined"],
        ),
        SagaStep("Ship", a_step_handler("ship")),
    ]


def a_saga(stack: Stack, id: str = "Checkout", **arguments: Any) -> SagaStateMachine:
    return SagaStateMachine(stack, id, **{"steps": the_steps(), **arguments})


def the_definition(stack: Stack, *, recovery: bool = False) -> Mapping[str, Any]:
    return definition_in(Template.from_stack(stack).to_json(), recovery=recovery)
