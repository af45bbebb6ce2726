"""Executions of the deployed saga, as everybody sees them who may: how they ended, and the way that each took."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

READERS = 4  # threads


@dataclass(frozen=True)
class Execution:
    name: str
    status: str
    """`SUCCEEDED`, `COMPENSATED`, `COMPENSATION_PARKED` or `FORWARD_PARKED`; whatever Step Functions says of others."""
    path: Sequence[str]
    """States in the order in which they were entered."""
    failed: Sequence[str]
    """The state of each attempt that failed."""

    @property
    def parked_at(self) -> str:
        """The first step that was given up; empty when none was."""
        return next((state.removeprefix("Park ") for state in self.path if state.startswith("Park ")), "")

    def parked(self, step: str) -> bool:
        """Whether the step, or what undoes it, was given up."""
        return f"Park {step}" in self.path


class Sagas:
    def __init__(self, stepfunctions: Any, state_machine: str) -> None:
        """`stepfunctions` is a boto3 client; `state_machine` the ARN."""
        self._client, self._machine = stepfunctions, state_machine
        self._executions = state_machine.replace(":stateMachine:", ":execution:")

    def running(self) -> set[str]:
        """Names of the executions that go on."""
        return self._listed(statusFilter="RUNNING")

    def all(self) -> set[str]:
        """Names of all that ever began."""
        return self._listed()

    def read(self, executions: Iterable[str]) -> list[Execution]:
        """What became of these, by name."""
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(self._read, executions))

    def _listed(self, **narrow: str) -> set[str]:
        pages = self._client.get_paginator("list_executions").paginate(stateMachineArn=self._machine, **narrow)
        return {execution["name"] for page in pages for execution in page["executions"]}

    def _read(self, name: str) -> Execution:
        arn = f"{self._executions}:{name}"
        told = self._client.describe_execution(executionArn=arn)
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=arn, includeExecutionData=False
        )
        path, failed = _way([event for page in pages for event in page["events"]])
        output = json.loads(told.get("output") or "{}")
        return Execution(
            name=told["name"],
            status=output.get("status") or told.get("error") or told["status"],
            path=path,
            failed=failed,
        )


def _way(events: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """States that were entered, and those in which an attempt failed."""
    path: list[str] = []
    failed: list[str] = []
    for event in events:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            path.append(event["stateEnteredEventDetails"]["name"])
        elif kind.endswith(("Failed", "TimedOut")) and kind.startswith(("LambdaFunction", "Task")):
            failed.append(path[-1])
    return path, failed
