"""`python -m bench.synth_apps.saga_steps RUNTIME`: sagas of 2, 5 and 50 steps, measured.

Each step has a function of its own, and one that undoes it.
"""

import sys
from pathlib import Path
from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from bench.synth_apps.measuring import measure
from bench.synth_apps.plain_saga import plain_saga
from serverless_patterns import Handler, SagaStateMachine, SagaStep

RUNTIME = lambda_.Runtime(sys.argv[1], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"


def ours(stack: Stack, count: int) -> None:
    def handler(function: str) -> Handler:
        return Handler(FUNCTIONS, f"steps:{function}", runtime=RUNTIME)

    steps = [SagaStep(f"Step{number}", handler("charge"), compensation=handler("undo")) for number in range(count)]
    SagaStateMachine(stack, "Saga", steps=steps)


def plain_l2(stack: Stack, count: int) -> None:
    code = lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"])

    def function(id: str) -> lambda_.IFunction:
        made = lambda_.Function(stack, id, code=code, handler=f"steps.{id}", runtime=RUNTIME)
        return cast(lambda_.IFunction, made)

    plain_saga(
        stack, [(f"Step{number}", function(f"do{number}"), function(f"undo{number}")) for number in range(count)]
    )


print(measure({"ours": ours, "plain_l2": plain_l2}, {2: 8, 5: 8, 50: 1}, rounds=7))
