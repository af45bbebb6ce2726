"""How long the names are that CloudFormation gives to what has none, as far as that is known at synth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from aws_cdk import CfnElement, Stack
from constructs import IConstruct

from ._checks import is_token

_RANDOM = 13  # `-` and what nobody knows before
_MOST = {  # characters of a name
    "AWS::DynamoDB::Table": 255,
    "AWS::Lambda::Function": 64,
    "AWS::S3::Bucket": 63,
    "AWS::SQS::Queue": 80,
    "AWS::StepFunctions::StateMachine": 80,
}
_BEFORE = {  # where an ARN or a URL is meant
    "AWS::Lambda::Function": "arn:aws:lambda:eu-west-1:111122223333:function:",
    "AWS::SQS::Queue": "https://sqs.eu-west-1.amazonaws.com/111122223333/",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:eu-west-1:111122223333:stateMachine:",
}
_WITHOUT_STACK = ("AWS::StepFunctions::StateMachine",)


def lengths(resources: Iterable[IConstruct]) -> dict[str, int]:
    """By logical id, of what a variable has: a table's or bucket's name, a queue's URL, the ARN of any other."""
    return dict(map(_length, resources))


def stand_in(value: Any, known: Mapping[str, int]) -> str:
    """A text as long as what CloudFormation makes of a resolved value; what is not `known` is empty."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(between), [*parts]]}:
            return between.join(stand_in(part, known) for part in parts)
        case {"Ref": str(id)} | {"Fn::GetAtt": [str(id), "Arn"]}:
            return "." * known.get(id, 0)
        case _:
            return ""


def _length(resource: IConstruct) -> tuple[str, int]:
    stack, element = Stack.of(resource), cast("Any", resource.node.default_child)
    kind: str = element.cfn_resource_type
    logical: str = stack.resolve(stack.get_logical_id(cast(CfnElement, element)))
    unseen = kind in _WITHOUT_STACK or is_token(stack.stack_name)
    beginning = 0 if unseen else len(stack.stack_name) + 1
    return logical, len(_BEFORE.get(kind, "")) + min(_MOST[kind], beginning + len(logical) + _RANDOM)
