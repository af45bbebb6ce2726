"""A saga's guardian: from what a user types to the function, and what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from serverless_patterns.cli._outputs import Outputs, TargetError
from serverless_patterns_runtime.saga_recovery.contract import GUARDIAN_HANDLER

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

__all__ = ["Guardian", "GuardianError", "region_of_function"]

_FORMS = "Type the name or ARN of the saga's guardian, or a stack output that holds one as Stack.OutputKey."
_ARN = re.compile(r"arn:[^:]+:lambda:([^:]+):\d+:function:[^:]+(:[^:]+)?")


class GuardianError(Exception):
    """The guardian refused, or failed. One line."""


class Guardian:
    def __init__(self, lambda_: Any, cloudformation: Callable[[], CloudFormationClient], named: str) -> None:
        """Raises TargetError, also for a function that is none: nothing else is ever invoked."""
        self._lambda = lambda_
        place = f" in {lambda_.meta.region_name}"
        outputs = Outputs(cloudformation, place, _FORMS)
        self._name = outputs.value(named) if "." in named else named
        by = "" if self._name == named else f" (the value of {named})"
        if self._name.startswith("arn:") and not _ARN.fullmatch(self._name):
            raise TargetError(f"{self._name}{by} is not a function's ARN. {_FORMS}")
        try:
            handler = lambda_.get_function_configuration(FunctionName=self._name).get("Handler")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in ("ResourceNotFoundException", "ValidationException"):
                raise
            hint = outputs.hint(self._name) or _FORMS
            missing = f"There is no function {self._name}{by}{place}, or you may not see it. {hint}"
            raise TargetError(missing) from error
        if handler != GUARDIAN_HANDLER:
            raise TargetError(f"The function {self._name}{by} is no saga's guardian. {_FORMS}")

    def ask(self, **question: Any) -> Mapping[str, Any]:
        """Raises GuardianError, and what the client raises."""
        told = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(question).encode())
        answer = json.loads(told["Payload"].read())
        if "FunctionError" in told:
            name = answer.get("errorType", "an error") if isinstance(answer, dict) else "an error"  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            raise GuardianError(f"The guardian failed: {name}. Its log says more.")
        if "refused" in answer:
            raise GuardianError(f"The guardian refused: {answer['refused']}.")
        return cast("Mapping[str, Any]", answer)


def region_of_function(named: str) -> str | None:
    """The region that a function's ARN names."""
    found = _ARN.fullmatch(named)
    return found[1] if found else None
