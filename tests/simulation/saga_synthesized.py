"""The definition that the construct writes for a plan, with the names of the simulated account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from aws_cdk import App, Duration, Stack
from aws_cdk.assertions import Template

from serverless_patterns import Handler, Retry, SagaStateMachine, SagaStep
from tests.template.stacks import HANDLERS

from .saga_definition import LONGEST_FUNCTION_SECONDS, NAMESPACE, Plan
from .saga_template import definition_in
from .world import CLAIMS

__all__ = ["on_the_account", "recovery_synthesized", "step_of", "synthesized"]

PARK = "arn:aws:states:::dynamodb:putItem"


def synthesized(plans: Sequence[Plan]) -> Mapping[str, Any]:
    return on_the_account(_template(_to_be_deployed(plans)))


def recovery_synthesized(plans: Sequence[Plan], ledger: str) -> Mapping[str, Any]:
    """`ledger`: what its function is called."""
    return on_the_account(_template(_to_be_deployed(plans)), ledger)


def _to_be_deployed(plans: Sequence[Plan]) -> tuple[Plan, ...]:
    """Without what its functions do when they are asked, of which the template knows nothing: one for many plans."""
    return tuple(replace(plan, does="ok", undo="clean", seconds=0.1) for plan in plans)


@cache
def _template(plans: tuple[Plan, ...]) -> Mapping[str, Any]:
    stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
    pivot = next((at for at, plan in enumerate(plans) if plan.pivot), len(plans) - 1)
    SagaStateMachine(stack, NAMESPACE, steps=[step_of(plan, backward=at <= pivot) for at, plan in enumerate(plans)])
    return Template.from_stack(stack).to_json()


def on_the_account(template: Mapping[str, Any], ledger: str = "") -> Mapping[str, Any]:
    """The definition in a template, or, where its ledger has a name, the recovery's; with the simulated account's
    names."""
    definition = definition_in(template, recovery=bool(ledger))
    types = {id: resource["Type"] for id, resource in template["Resources"].items()}
    for state in _states(definition):
        if state["Type"] != "Task":
            continue
        given = state["Parameters"]
        if state["Resource"] == PARK:
            assert types[given["TableName"]] == "AWS::DynamoDB::Table"
            given["TableName"] = CLAIMS
            continue
        assert types[state["Resource"]] == "AWS::Lambda::Function"
        if "kind" in given:
            assert state["Resource"].startswith(f"{NAMESPACE}{given['step']}{given['kind'].title()}"), state
            state["Resource"] = f"{given['kind']} {given['step']}"
        else:
            assert state["Resource"].startswith(f"{NAMESPACE}Ledger"), state
            state["Resource"] = ledger
    return definition


def _states(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        for branch in state.get("Branches", ()):
            yield from _states(branch)


def step_of(plan: Plan, *, backward: bool) -> SagaStep:
    return SagaStep(
        plan.name,
        _handler("reserve" if plan.effects else "charge"),
        compensation=_handler("release" if plan.effects else "refund") if backward else None,
        retry=Retry(plan.retries + 1),
        compensation_retry=Retry(plan.undo_retries + 1, longest_delay=Duration.hours(1)) if backward else None,
        pivot=plan.pivot,
        no_effect_errors=plan.declares,
    )


def _handler(function: str) -> Handler:
    return Handler(HANDLERS, f"checkout:{function}", timeout=Duration.seconds(LONGEST_FUNCTION_SECONDS))
