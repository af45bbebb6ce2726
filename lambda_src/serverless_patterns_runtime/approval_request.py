"""What the function is given that tells people of an approval."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["ApprovalRequest"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """One request for a decision. Its `repr`, and so a log line, holds neither the id nor what the saga is about."""

    id: str = field(repr=False)
    """What a decider sends back, in the path of the route: a secret between you and them. A request that is made again
    has another id, and each of them counts."""

    execution: str
    """The saga's, by name."""

    step: str
    """Name of the `SagaApproval`."""

    input: Mapping[str, Any] = field(repr=False)
    """Of the execution."""

    results: Mapping[str, Any] = field(repr=False)
    """What the actions of earlier steps have returned, by the step's name."""

    expires_at: int
    """Epoch seconds: a later decision does not count."""

    reminder: bool = False
    """Whether nobody has decided since the first request."""

    @classmethod
    def fake(
        cls,
        input: Mapping[str, Any] = _NOTHING,
        *,
        results: Mapping[str, Any] = _NOTHING,
        id: str = "approval-1",
        execution: str = "execution-1",
        step: str = "Approval",
        expires_at: int = 1_900_000_000,
        reminder: bool = False,
    ) -> "ApprovalRequest":
        """A request for a unit test: `tell_manager(ApprovalRequest.fake({"amount": 5_000}))`."""
        return cls(
            id=id,
            execution=execution,
            step=step,
            input=input,
            results=results,
            expires_at=expires_at,
            reminder=reminder,
        )
