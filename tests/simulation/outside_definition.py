"""The definition that the construct writes for a saga with a provider outside."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from serverless_patterns import CircuitBreaker, ExternalKey, Handler, Retry, SagaStateMachine, SagaStep
from tests.template.stacks import HANDLERS

from .recovery_definition import LEDGER
from .saga_definition import LONGEST_FUNCTION_SECONDS, NAMESPACE
from .saga_template import definition_in
from .world import CLAIMS

__all__ = ["BREAKER", "FORMAT", "LIFETIME_SECONDS", "Shape", "from_state", "outside_definition", "outside_recovery"]

BREAKER = "Partner"
FORMAT = "{execution}-{step}"
LIFETIME_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Shape:
    """What differs between sagas."""

    forward: bool = False
    """Whether the card is charged behind the pivot, where nothing is undone."""
    foreign: bool = False
    """Whether somebody's function comes before that."""
    retries: int = 5
    breaker: bool = False
    threshold: int = 3
    declares: bool = False


def outside_definition(shape: Shape) -> Mapping[str, Any]:
    """Of the saga."""
    return _with_names_of_ours(definition_in(_template(_told_apart(shape))))


def outside_recovery(shape: Shape) -> Mapping[str, Any]:
    """Of what recovers it."""
    return _with_names_of_ours(definition_in(_template(_told_apart(shape)), recovery=True))


def _told_apart(shape: Shape) -> Shape:
    """By nothing that its template does not hold: one for many shapes."""
    threshold = shape.threshold if shape.breaker else Shape.threshold
    return replace(shape, threshold=threshold, declares=shape.declares and not shape.forward)


@cache
def _template(shape: Shape) -> Mapping[str, Any]:
    stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
    breaker = CircuitBreaker(stack, BREAKER, failure_threshold=shape.threshold) if shape.breaker else None
    back = not shape.forward
    steps = [
        SagaStep("ReserveStock", _handler("reserve"), compensation=_handler("release"), pivot=shape.forward),
        SagaStep(
            "ChargeCard",
            _handler("charge"),
            compensation=_handler("refund") if back else None,
            retry=Retry(shape.retries + 1),
            external_key=ExternalKey(FORMAT, Duration.seconds(LIFETIME_SECONDS)),
            circuit_breaker=breaker,
            no_effect_errors=["Declined"] if shape.declares and back else [],
        ),
        SagaStep("Ship", _handler("ship"), compensation=_handler("refund") if back else None, retry=Retry(2)),
    ]
    if shape.foreign:
        function = lambda_.Function(
            stack,
            "Legacy",
            code=lambda_.Code.from_inline("def tell(event, context): ..."),
            handler="index.tell",
            runtime=lambda_.Runtime.PYTHON_3_13,
        )
        steps.insert(0, SagaStep("Tell", function, compensation=_handler("refund")))
    SagaStateMachine(stack, NAMESPACE, steps=steps)
    return Template.from_stack(stack).to_json()


def from_state(definition: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The same, begun in the middle: what is behind it, and nothing else."""
    states, known, open_ = definition["States"], dict[str, Any](), [name]
    while open_:
        at = open_.pop()
        if at in known:
            continue
        known[at] = state = states[at]
        open_ += [state[part] for part in ("Next", "Default") if part in state]
        open_ += [each["Next"] for part in ("Catch", "Choices") for each in state.get(part, ())]
    return {"StartAt": name, "States": {each: states[each] for each in states if each in known}}


def _with_names_of_ours(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    made = copy.deepcopy(dict(definition))
    for state in made["States"].values():
        if state["Type"] == "Task":
            given = state["Parameters"]
            if "kind" in given:
                state["Resource"] = f"{given['kind']} {given['step']}"
            elif "TableName" in given:
                given["TableName"] = CLAIMS
            else:
                state["Resource"] = LEDGER
    return made


def _handler(function: str) -> Handler:
    return Handler(HANDLERS, f"checkout:{function}", timeout=Duration.seconds(LONGEST_FUNCTION_SECONDS))
