"""Random sagas with branches, choices and waits that die or are parked: all or nothing, or parked."""

import random

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from serverless_patterns import SagaStateMachine

from .recovery_definition import LEDGER
from .recovery_trees import recovery_on_tree, simulate_recovering_tree
from .saga_definition import NAMESPACE
from .saga_synthesized import on_the_account
from .saga_trees import described, trees

SCHEDULES = 120
"""Unless `--schedules` says otherwise."""


def test_no_schedule_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    for each in [seed] if seed is not None else range(schedules or SCHEDULES):
        simulate_recovering_tree(each)


@pytest.mark.parametrize("seed", [3, 8, 64])
def test_the_synthesized_recovery_is_the_one_that_is_driven(seed: int) -> None:
    tree = trees(random.Random(f"synthesized {seed}"))
    stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
    SagaStateMachine(stack, NAMESPACE, steps=described(tree))
    assert on_the_account(Template.from_stack(stack).to_json(), LEDGER) == recovery_on_tree(tree)
