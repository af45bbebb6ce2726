"""What Step Functions tells of an execution: its input."""

import json
from typing import Any

from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["input_of", "name_of"]

_NOT_NOW = frozenset({"ExecutionDoesNotExist", "ServiceUnavailable", "ThrottlingException"})
"""An execution is seen some time after it has begun."""


def name_of(arn: str) -> str:
    return arn.rpartition(":")[2]


def input_of(stepfunctions: Any, arn: str) -> Any:
    """Raises Contended when Step Functions cannot tell now; ClientError and BotoCoreError: then ask again."""
    try:
        return json.loads(stepfunctions.describe_execution(executionArn=arn)["input"])
    except ClientError as error:
        if error_code(error) in _NOT_NOW:
            raise Contended("Step Functions tells nothing now") from error
        raise
