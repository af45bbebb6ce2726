"""One execution, as Step Functions describes it, and its outcome in one word."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.saga_recovery.contract import DEAD_STATUSES, RECOVERY_FAILED
from serverless_patterns_runtime.saga_state_machine import contract

__all__ = ["Execution"]


class Execution(NamedTuple):
    """What can be said of one. Times are epoch seconds."""

    name: str
    status: str
    started: int
    stopped: int | None
    input: str
    error: str | None
    cause: str | None
    output: str | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Execution":
        """From the answer of `DescribeExecution`."""
        return cls(
            name=told["name"],
            status=told["status"],
            started=int(told["startDate"].timestamp()),
            stopped=int(told["stopDate"].timestamp()) if "stopDate" in told else None,
            input=told.get("input", "{}"),
            error=told.get("error"),
            cause=told.get("cause"),
            output=told.get("output"),
        )

    @property
    def is_dead(self) -> bool:
        """Whether it ended without having come to an end of its own."""
        return self.has_ended_badly and not self.is_parked

    @property
    def is_parked(self) -> bool:
        return self.status == "FAILED" and self.error in contract.PARKED_ENDS

    @property
    def has_ended_badly(self) -> bool:
        """Whether it may have recoveries."""
        return self.status in DEAD_STATUSES

    @property
    def is_compensated(self) -> bool:
        return self.status == "SUCCEEDED" and self.told.get(contract.STATUS) == contract.COMPENSATED

    @property
    def undone_for(self) -> Mapping[str, Any] | None:
        """What was caught, of a saga that was undone."""
        return self.told.get(contract.ERROR) if self.is_compensated else None

    @property
    def told(self) -> dict[str, Any]:
        """Its output."""
        told: Any = json.loads(self.output or "{}")
        return told if isinstance(told, dict) else {}  # pyright: ignore[reportUnknownVariableType]

    @property
    def outcome(self) -> str:
        """One word. Of a saga that was undone, `COMPENSATED`: for Step Functions it has succeeded."""
        if self.is_compensated:
            return contract.COMPENSATED
        if self.status != "FAILED":
            return self.status
        ours = (*contract.PARKED_ENDS, RECOVERY_FAILED)
        return self.error if self.error in ours else self.status

    def recovers(self, execution: "Execution") -> bool:
        """Of one that has the name of its recovery: a name is used again, after 90 days, and then it is of another."""
        return self.started >= execution.started
