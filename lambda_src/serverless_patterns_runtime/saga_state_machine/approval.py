"""An approval: what is asked, what is recorded of a decision, and why there may be none."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.saga_state_machine import approval_contract as contract

__all__ = ["AlreadyDecided", "Asking", "Decision", "Superseded", "TooLate", "UnknownApproval"]


class AlreadyDecided(Exception):
    """There is no need to ask: the decision is there, and goes the way of one that came too late for its token."""


class Superseded(Exception):
    """A later attempt asks, or the approval is closed: nobody waits for this one any more."""


class UnknownApproval(PermanentError):
    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("there is no such approval", status=404)


class TooLate(PermanentError):
    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("this was decided already, or its time is over", status=410)


class Asking(NamedTuple):
    """One attempt to ask."""

    execution: str
    started: str
    """When the execution was, in ISO 8601: a name is used again, after 90 days."""
    step: str
    token: str
    number: int
    """Of attempts that follow each other, the later has the higher."""
    secret: str
    """Random: the second part of the id."""
    seconds: int
    """That deciding may take, from the first attempt on."""


class Decision(NamedTuple):
    """As it is recorded."""

    token: str | None
    execution: str
    approve: bool
    by: Mapping[str, str]
    at: str
    comment: str | None

    @property
    def told(self) -> dict[str, Any]:
        """As the saga's steps and its decider are told."""
        return {"decision": contract.APPROVE if self.approve else contract.REJECT, "by": dict(self.by), "at": self.at}
