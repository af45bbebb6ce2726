"""Outputs of CloudFormation stacks: what a user types as `Stack.OutputKey`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

__all__ = ["Outputs", "TargetError"]


class TargetError(Exception):
    """What the user typed leads nowhere, or to more than one place. The text says what to type instead."""


class Outputs:
    def __init__(self, cloudformation: Callable[[], CloudFormationClient], place: str, forms: str) -> None:
        """Args: `place` and `forms` end what is said of a stack that is not there: ` in eu-west-1`, what to type."""
        self._cloudformation = cloudformation
        self._place = place
        self._forms = forms

    def value(self, named: str) -> str:
        """Raises TargetError."""
        stack, key = named.split(".", 1)
        try:
            outputs = self._of(stack)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ValidationError":
                raise
            raise TargetError(f"There is no stack named {stack}{self._place}. {self._forms}") from error
        if key not in outputs:
            known = ", ".join(sorted(outputs)) or "none"
            raise TargetError(f"Stack {stack} has no output {key}. Its outputs: {known}.")
        return outputs[key]

    def hint(self, stack: str) -> str:
        """What to type when it is a stack's name; else nothing."""
        try:
            keys = sorted(self._of(stack))
        except ClientError:
            return ""
        named = ", ".join(f"{stack}.{key}" for key in keys)
        return f"There is a stack of that name. Type one of: {named}." if keys else ""

    def _of(self, stack: str) -> dict[str, str]:
        stacks = self._cloudformation().describe_stacks(StackName=stack)["Stacks"]
        return {o.get("OutputKey", ""): o.get("OutputValue", "") for s in stacks for o in s.get("Outputs", [])}
