"""A function that the commands ask, and no other: from what a user types to it, and what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from serverless_patterns.cli._outputs import Outputs, TargetError
from serverless_patterns_runtime.cqrs_views.contract import CONTROL_HANDLER as VIEWS_HANDLER
from serverless_patterns_runtime.saga_recovery.contract import GUARDIAN_HANDLER
from serverless_patterns_runtime.strangler_gateway.contract import CONTROL_HANDLER

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

__all__ = ["CONTROL", "GUARDIAN", "VIEWS", "AskedFunction", "Role", "Unanswered", "region_of_function"]

_ARN = re.compile(r"arn:[^:]+:lambda:([^:]+):\d+:function:[^:]+(:[^:]+)?")


@dataclass(frozen=True)
class Role:
    handler: str
    """By which the function is known."""
    title: str
    of: str
    """Whose it is."""

    @property
    def forms(self) -> str:
        whose = f"{self.of}'s {self.title}"
        return f"Type the name or ARN of the {whose}, or a stack output that holds one as Stack.OutputKey."


GUARDIAN = Role(GUARDIAN_HANDLER, "guardian", "saga")
CONTROL = Role(CONTROL_HANDLER, "control function", "gateway")
VIEWS = Role(VIEWS_HANDLER, "control function", "table")


class Unanswered(Exception):
    """The function refused, or failed. One line."""


class AskedFunction:
    def __init__(
        self, lambda_: Any, cloudformation: Callable[[], CloudFormationClient], named: str, role: Role
    ) -> None:
        """Raises TargetError, also for a function that is none: nothing else is ever invoked."""
        self._lambda, self._role, forms = lambda_, role, role.forms
        place = f" in {lambda_.meta.region_name}"
        outputs = Outputs(cloudformation, place, forms)
        self._name = outputs.value(named) if "." in named else named
        by = "" if self._name == named else f" (the value of {named})"
        if self._name.startswith("arn:") and not _ARN.fullmatch(self._name):
            raise TargetError(f"{self._name}{by} is not a function's ARN. {forms}")
        try:
            handler = lambda_.get_function_configuration(FunctionName=self._name).get("Handler")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in ("ResourceNotFoundException", "ValidationException"):
                raise
            hint = outputs.hint(self._name) or forms
            missing = f"There is no function {self._name}{by}{place}, or you may not see it. {hint}"
            raise TargetError(missing) from error
        if handler != role.handler:
            raise TargetError(f"The function {self._name}{by} is no {role.of}'s {role.title}. {forms}")

    def ask(self, **question: Any) -> Mapping[str, Any]:
        """Raises Unanswered, and what the client raises."""
        told = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(question).encode())
        answer = json.loads(told["Payload"].read())
        if "FunctionError" in told:
            name = answer.get("errorType", "an error") if isinstance(answer, dict) else "an error"  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            raise Unanswered(f"The {self._role.title} failed: {name}. Its log says more.")
        if "refused" in answer:
            raise Unanswered(f"The {self._role.title} refused: {answer['refused']}.")
        return cast("Mapping[str, Any]", answer)


def region_of_function(named: str) -> str | None:
    """The region that a function's ARN names."""
    found = _ARN.fullmatch(named)
    return found[1] if found else None
