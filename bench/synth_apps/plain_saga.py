"""The same saga in plain L2, as the CDK's documentation would have it: no claims, no tombstones, nothing parked."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

__all__ = ["plain_saga"]


def plain_saga(stack: Stack, steps: Sequence[tuple[str, lambda_.IFunction, lambda_.IFunction]]) -> sfn.StateMachine:
    """`steps`: name, action, compensation. A step that fails leads to what undoes it and those before it."""
    back: sfn.IChainable = cast(sfn.IChainable, sfn.Fail(stack, "Failed"))
    forward: list[tasks.LambdaInvoke] = []
    for name, action, compensation in steps:
        undo = _task(stack, f"Undo {name}", compensation)
        undo.next(back)
        back = undo
        forward.append(_task(stack, name, action).add_catch(undo, result_path="$.error"))
    for step, following in pairwise(forward):
        step.next(following)
    body = sfn.DefinitionBody.from_chainable(forward[0])
    return sfn.StateMachine(stack, "Saga", definition_body=body)


def _task(stack: Stack, name: str, function: lambda_.IFunction) -> tasks.LambdaInvoke:
    return tasks.LambdaInvoke(
        stack,
        name,
        lambda_function=function,
        result_path="$.results",
        task_timeout=sfn.Timeout.duration(Duration.seconds(45)),
    )
