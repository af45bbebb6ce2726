"""Transitions of a saga that succeeds, and of one whose last step fails, against the same saga in plain L2.

Counted along the two definitions: what Step Functions asks money for is each state that is entered.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from bench.figure import Figure
from bench.peers import ROOT
from bench.synth_apps.plain_saga import plain_saga
from serverless_patterns import Handler, SagaStateMachine, SagaStep

NAMES = ("saga_transitions_success_vs_bare", "saga_transitions_failure_vs_bare")

STEPS = tuple(f"Step{number}" for number in range(1, 6))


def figures() -> list[Figure]:
    ours, plain = _ours(), _plain()
    return [
        _figure(NAMES[0], _entered(ours, fails=None), _entered(plain, fails=None), 1.0),
        _figure(NAMES[1], _entered(ours, fails=STEPS[-1]), _entered(plain, fails=STEPS[-1]), 1.3),
    ]


def _figure(name: str, ours: int, plain: int, goal: float) -> Figure:
    return Figure(
        name=name,
        value=round(ours / plain, 3),
        unit="ratio",
        peer=1,
        better="lower",
        goal=goal,
        measured=f"{len(STEPS)} steps, ours {ours}, plain L2 {plain} states entered",
    )


def _ours() -> Mapping[str, Any]:
    stack = _stack()

    def handler(function: str) -> Handler:
        return Handler(ROOT / "bench/functions", f"steps:{function}")

    steps = [SagaStep(name, handler("charge"), compensation=handler("undo")) for name in STEPS]
    SagaStateMachine(stack, "Saga", steps=steps)
    return _definition(stack)


def _plain() -> Mapping[str, Any]:
    stack = _stack()
    code = lambda_.Code.from_inline("def handler(event, context): ...")

    def function(id: str) -> lambda_.IFunction:
        made = lambda_.Function(stack, id, code=code, handler="index.handler", runtime=lambda_.Runtime.PYTHON_3_13)
        return cast(lambda_.IFunction, made)

    plain_saga(stack, [(name, function(f"{name}Do"), function(f"{name}Undo")) for name in STEPS])
    return _definition(stack)


def _stack() -> Stack:
    return Stack(App(context={"aws:cdk:disable-asset-staging": True}), "Things")


def _definition(stack: Stack) -> Mapping[str, Any]:
    """Of the saga itself, not of its recovery. Names of resources in it are of no interest here."""
    machines = Template.from_stack(stack).find_resources("AWS::StepFunctions::StateMachine")
    (machine,) = (machine for id, machine in machines.items() if "Recovery" not in id)
    text: Any = machine["Properties"]["DefinitionString"]
    return json.loads("".join(part if isinstance(part, str) else "x" for part in text["Fn::Join"][1]))


def _entered(definition: Mapping[str, Any], *, fails: str | None) -> int:
    """States, when this one fails for good; nothing is parked."""
    entered, name = 0, definition["StartAt"]
    while name is not None:
        state = definition["States"][name]
        entered += 1
        if name == fails:
            name = next(one["Next"] for one in state["Catch"] if one["ErrorEquals"] == ["States.ALL"])
        else:
            name = state.get("Next", state.get("Default"))
    return entered
