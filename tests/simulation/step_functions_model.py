"""Step Functions as its API tells of executions: names that mean one, for a while unseen, and looked at late.

After its API reference: StartExecution with the name and input of an open execution says the same again; with another
input, or once that execution has ended, ExecutionAlreadyExists. DescribeExecution is eventually consistent.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .aws_errors import ServiceError

__all__ = ["MACHINE", "StepFunctions"]

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:Checkout"
_EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")
_LONGEST_UNSEEN_SECONDS = 1.5


@dataclass(frozen=True)
class Known:
    """One execution."""

    name: str
    input: str
    started: float
    seen: float
    """When a look finds it."""
    ends: float


class StepFunctions:
    def __init__(self, clock: Callable[[], float], chance: random.Random, lasts: float = 2.0) -> None:
        self._clock = clock
        self._chance = chance
        self._lasts = lasts
        self.started: list[Known] = []

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Mapping[str, Any]:
        assert stateMachineArn == MACHINE
        now = self._clock()
        known = self._known(name)
        if known is not None and (known.ends <= now or known.input != input):
            raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{_EXECUTION}:{name}'")
        if known is None:
            known = Known(
                name,
                input,
                now,
                now + self._chance.choice((0.0, _LONGEST_UNSEEN_SECONDS)) * self._chance.random(),
                now + self._lasts,
            )
            self.started.append(known)
        return {"executionArn": f"{_EXECUTION}:{name}", "startDate": known.started}

    def describe_execution(self, *, executionArn: str) -> Mapping[str, Any]:
        known = self._known(executionArn.removeprefix(f"{_EXECUTION}:"))
        if known is None or self._clock() < known.seen:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{executionArn}'")
        ended = known.ends <= self._clock()
        output = {"output": '{"status": "SUCCEEDED", "results": {}}'} if ended else {}
        return {
            "name": known.name,
            "input": known.input,
            "status": "SUCCEEDED" if ended else "RUNNING",
            "startDate": datetime.fromtimestamp(known.started, UTC),
            **output,
        }

    def _known(self, name: str) -> Known | None:
        return next((known for known in self.started if known.name == name), None)
