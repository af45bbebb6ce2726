"""`SagaApproval`: a saga waits until somebody has decided."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from ._written_as import written_as

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_stepfunctions as sfn

    from .handler import Handler

__all__ = ["SagaApproval"]


@written_as("SagaApproval('Manager', notify=Handler(...), timeout=Duration.days(2))")
@dataclass(frozen=True, eq=False)
class SagaApproval:
    """Somebody approves, and the saga goes on; somebody rejects, or nobody decides, and it goes back. A description.

    ```python
    SagaApproval("Manager", when=sfn.Condition.number_greater_than("$.amount", 1_000),
                 notify=Handler(code, "mail:ask_manager"), timeout=Duration.days(2))
    ```

    Decisions come by a `Route("POST /approvals/{id}", checkout.decision("Manager"))`.

    Args:
        name: As a step's: the decision is the result of that name, `{"decision": "approve", "by": ..., "at": ...}`.
        notify: Tells who may decide. Its function takes `(request)` or `(request, invocation)`, where `request` is an
            `ApprovalRequest`; it can be called again for one approval.
        timeout: How long deciding may take: a minute to a year. Then the saga goes back.
        when: Ask only if this holds; see `SagaChoice`. Default: always.
        remind_after: Call `notify` once more when nobody has decided by then, and raise an alarm. Default: after half
            of the timeout.
    """

    name: str
    _: KW_ONLY
    notify: Handler
    timeout: Duration
    when: sfn.Condition | None = None
    remind_after: Duration | None = None

    def __repr__(self) -> str:
        return f"SagaApproval({self.name})"
