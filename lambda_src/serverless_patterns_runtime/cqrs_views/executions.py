"""Executions of the state machine, which the control function starts, stops and looks at."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Executions"]


class Executions(NamedTuple):
    stepfunctions: Any
    machine: str
    """ARN."""

    def start(self, name: str, given: Mapping[str, Any]) -> bool:
        """False: an execution of this name has ended, or was given something else. One that runs is this one."""
        try:
            text = json.dumps(given, sort_keys=True, separators=(",", ":"))
            self.stepfunctions.start_execution(stateMachineArn=self.machine, name=name, input=text)
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            return False
        return True

    def describe(self, name: str) -> Mapping[str, Any] | None:
        """None: there is none, or none is seen yet."""
        return self.described(self.arn(name))

    def described(self, arn: str) -> Mapping[str, Any] | None:
        try:
            return self.stepfunctions.describe_execution(executionArn=arn)
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise
            return None

    def stop(self, arn: str, cause: str) -> None:
        try:
            self.stepfunctions.stop_execution(executionArn=arn, error="Cancelled", cause=cause)
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise

    def arn(self, name: str) -> str:
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}"
