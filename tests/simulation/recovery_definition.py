"""The recovery's definition for a plan: the construct's own code, with the names of the simulated account."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from serverless_patterns import SagaStep
from serverless_patterns._saga_state_machine.plan import planned
from serverless_patterns._saga_state_machine.recovery import recovery
from serverless_patterns._saga_state_machine.states import DISCARD, Resources

from .saga_definition import NAMESPACE, Plan
from .saga_synthesized import step_of
from .world import CLAIMS

__all__ = ["LEDGER", "recovery_definition", "without_tokens"]

LEDGER = "ledger"


def recovery_definition(plans: Sequence[Plan]) -> Mapping[str, Any]:
    actions = {plan.name: f"action {plan.name}" for plan in plans}
    compensations = {plan.name: f"compensation {plan.name}" for plan in plans}
    resources = Resources("aws", CLAIMS, NAMESPACE, actions, compensations)
    return without_tokens(recovery(planned(_steps(tuple(plans))), [], resources, LEDGER))


@cache
def _steps(plans: tuple[Plan, ...]) -> Sequence[SagaStep]:
    pivot = next((at for at, plan in enumerate(plans) if plan.pivot), len(plans) - 1)
    return [step_of(plan, backward=at <= pivot) for at, plan in enumerate(plans)]


def without_tokens(value: Any) -> Any:
    """`DISCARD` is a token, which becomes a null in the template."""
    match value:
        case dict():
            return {name: without_tokens(part) for name, part in value.items()}
        case list():
            return [without_tokens(part) for part in value]
        case _:
            return None if value == DISCARD else value
