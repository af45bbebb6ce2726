"""Step Functions as a unit test needs it: executions in a dictionary, errors on request, every request kept."""

import json
from typing import Any

from botocore.exceptions import ClientError

from serverless_patterns_runtime.saga_state_machine.executions import Executions

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:Checkout"


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class StepFunctions:
    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.slept: list[float] = []
        self.waiting: set[str] = set()
        """Tokens."""
        self.answers: list[Any] = []
        self.errors: list[str] = []
        """Codes of the next requests' errors."""

    @property
    def known(self) -> Executions:
        return Executions(self, MACHINE, self.slept.append)

    def start_execution(self, **request: Any) -> Any:
        self._note("StartExecution", request)
        name = request["name"]
        if name in self.executions:
            raise refused("ExecutionAlreadyExists")
        self.executions[name] = {"name": name, "input": request["input"], "status": "RUNNING"}
        return {}

    def describe_execution(self, **request: Any) -> Any:
        self._note("DescribeExecution", request)
        name = request["executionArn"].removeprefix(MACHINE.replace("stateMachine", "execution") + ":")
        if name not in self.executions:
            raise refused("ExecutionDoesNotExist")
        return self.executions[name]

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
        said = {field: json.dumps(value) if field == "output" else value for field, value in more.items()}
        self.executions[name] = {"name": name, "input": json.dumps(given), "status": status, **said}

    def _note(self, operation: str, request: dict[str, Any]) -> None:
        self.calls.append((operation, request))
        if self.errors:
            raise refused(self.errors.pop(0))
