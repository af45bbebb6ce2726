"""Step Functions as a unit test needs it: executions in a dictionary, errors on request, every request kept."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:Checkout"
RECOVERY = "arn:aws:states:eu-central-1:123456789012:stateMachine:Recovery"
BEGAN = datetime(2026, 11, 21, 18, 20, 0, 123_000, UTC)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class StepFunctions:
    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.recoveries: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.slept: list[float] = []
        self.waiting: set[str] = set()
        """Tokens."""
        self.answers: list[Any] = []
        self.errors: list[str] = []
        """Codes of the next requests' errors."""

    @property
    def known(self) -> CallersExecutions:
        return CallersExecutions(self, MACHINE, self.slept.append)

    @property
    def recovered(self) -> CallersExecutions:
        return CallersExecutions(self, RECOVERY, self.slept.append)

    def start_execution(self, **request: Any) -> Any:
        self._note("StartExecution", request)
        name = request["name"]
        if name in self.executions:
            raise refused("ExecutionAlreadyExists")
        self.executions[name] = {"name": name, "input": request["input"], "status": "RUNNING", "startDate": BEGAN}
        return {}

    def describe_execution(self, **request: Any) -> Any:
        self._note("DescribeExecution", request)
        machine, _, name = request["executionArn"].replace(":execution:", ":stateMachine:").rpartition(":")
        found = {MACHINE: self.executions, RECOVERY: self.recoveries}[machine]
        if name not in found:
            raise refused("ExecutionDoesNotExist")
        return found[name]

    def send_task_success(self, **request: Any) -> Any:
        self._answer("SendTaskSuccess", request, json.loads(request["output"]))

    def send_task_failure(self, **request: Any) -> Any:
        self._answer("SendTaskFailure", request, (request["error"], request["cause"]))

    def _answer(self, operation: str, request: dict[str, Any], answer: Any) -> None:
        self._note(operation, request)
        if request["taskToken"] not in self.waiting:
            raise refused("TaskTimedOut")
        self.waiting.remove(request["taskToken"])
        self.answers.append(answer)

    def has(self, name: str, status: str = "RUNNING", input: Any = None, **more: Any) -> None:
        given = {"order_id": "7"} if input is None else input
        self.executions[name] = self._told(name, status, given, BEGAN, more)

    def recovers(self, name: str, status: str = "RUNNING", *, later: float = 60, **more: Any) -> None:
        """`later`: seconds after the executions began."""
        given = {"saga": {"execution": name.rpartition("-")[0]}}
        self.recoveries[name] = self._told(name, status, given, BEGAN + timedelta(seconds=later), more)

    def _told(self, name: str, status: str, given: Any, began: datetime, more: dict[str, Any]) -> dict[str, Any]:
        said = {field: json.dumps(value) if field == "output" else value for field, value in more.items()}
        return {"name": name, "input": json.dumps(given), "status": status, "startDate": began, **said}

    def _note(self, operation: str, request: dict[str, Any]) -> None:
        self.calls.append((operation, request))
        if self.errors:
            raise refused(self.errors.pop(0))
