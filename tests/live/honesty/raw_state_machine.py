"""A state machine made by API, and what happens in it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serverless_patterns.testing import EmbeddedCloud, wait_until


@dataclass(frozen=True)
class Execution:
    states: Any
    arn: str

    def described(self) -> dict[str, Any]:
        return self.states.describe_execution(executionArn=self.arn)

    def ended(self, deadline_seconds: float = 20) -> dict[str, Any]:
        """Its description, when it has."""
        wait_until(lambda: self.described()["status"] != "RUNNING", deadline_seconds, f"the end of {self.arn}")
        return self.described()

    def output(self) -> Any:
        """Of a success."""
        end = self.ended()
        assert end["status"] == "SUCCEEDED", (end, self.kinds())
        return json.loads(end["output"])

    def history(self) -> list[dict[str, Any]]:
        return self.states.get_execution_history(executionArn=self.arn, maxResults=1000)["events"]

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.history()]

    def details(self, kind: str) -> list[dict[str, Any]]:
        """Of all events of this type."""
        events = [event for event in self.history() if event["type"] == kind]
        return [next((value for name, value in event.items() if name.endswith("Details")), {}) for event in events]

    def wait_for(self, kind: str, count: int = 1) -> None:
        wait_until(lambda: self.kinds().count(kind) >= count, 20, f"{kind} in {self.arn}")

    def delays(self) -> list[float]:
        """Seconds from each failure of a function to its next attempt."""
        events = self.history()
        failed = [event["timestamp"] for event in events if event["type"] == "LambdaFunctionFailed"]
        began = [event["timestamp"] for event in events if event["type"] == "LambdaFunctionScheduled"]
        return [
            (again - before).total_seconds() for before, again in zip(failed[: len(began) - 1], began[1:], strict=True)
        ]


@dataclass(frozen=True)
class RawStateMachine:
    states: Any
    arn: str

    def start(self, document: Any = None, **request: Any) -> Execution:
        request |= {"stateMachineArn": self.arn, "input": json.dumps({} if document is None else document)}
        return Execution(self.states, self.states.start_execution(**request)["executionArn"])


def machine(states: Mapping[str, Any]) -> str:
    """A definition that begins with the first of them."""
    return json.dumps({"StartAt": next(iter(states)), "States": states})


def task(resource: str, *, retry: Sequence[Any] = (), catch: Sequence[Any] = (), **more: Any) -> dict[str, Any]:
    handlers = {"Retry": list(retry), "Catch": list(catch)}
    state = {"Type": "Task", "Resource": resource, "TimeoutSeconds": 20, **handlers, **more}
    return state if "Next" in state else state | {"End": True}


def caught(*errors: str, then: str = "Caught", path: str | None = "$.error") -> dict[str, Any]:
    return {"ErrorEquals": list(errors), "ResultPath": path, "Next": then}


def scale_waiting(cloud: EmbeddedCloud, seconds: float) -> None:
    """Let a second of a Wait, or of a retry's delay, take so long from now on."""
    setting = json.dumps({"stepfunctions._SFN_WAIT_SCALE": seconds})
    status, _ = cloud._emulator.ask("POST", "/_ministack/config", setting)  # pyright: ignore[reportPrivateUsage]
    assert status == 200
