"""What `SagaStateMachine` tells the functions behind an approval, and how its item is known. Both sides import this."""

import hashlib
import json
from typing import Any, Literal, NamedTuple, TypedDict

ASKING_HANDLER = "serverless_patterns_runtime.saga_state_machine.asking.lambda_handler"

APPROVAL_PARAMETER = "id"
"""Of the path of a route by which an approval is decided."""

APPROVAL_KEY = "approval"
"""First part of the partition key, in the claims table, of an approval."""

LOCATOR_CHARACTERS = 32
"""Of an approval's id; the rest is its secret."""

APPROVE, REJECT = "approve", "reject"

REJECTED = "Rejected"
"""Name of the error when somebody has rejected. Not to be retried; nothing of the approval is to be undone."""
NOT_DECIDED = "NotDecided"
"""Likewise: nobody has decided in time."""
NOT_ASKED = "NotAsked"
"""Likewise: nobody could be asked."""
DECIDED = "AlreadyDecided"
"""Name of the error when there is a decision before anybody is asked. Not to be retried: closing tells which."""

UNAPPROVED = (REJECTED, NOT_DECIDED, NOT_ASKED)
"""After these the saga is undone from the step before."""

APPROVAL_ERRORS = (*UNAPPROVED, DECIDED)

TIMEOUTS = ("States.HeartbeatTimeout", "States.Timeout")
"""Step Functions' names for a task to which nobody has answered."""


METRICS_NAMESPACE = "ServerlessPatterns"

METRIC_WAITING = "ApprovalWaiting"
"""One for each approval that nobody has decided when its reminder is due."""

SAGA_DIMENSION = "saga"
"""The namespace of the claims."""

TABLE_DIMENSION = "table"


class DecisionEnv(NamedTuple):
    """Variables of the function that takes decisions on one approval."""

    STATE_MACHINE_ARN: str

    APPROVALS_TABLE_NAME: str

    APPROVALS_NAMESPACE: str

    APPROVAL_STEP: str


class ApprovalEvent(TypedDict):
    """What a Task gives the function of an approval."""

    step: str
    kind: Literal["ask", "remind", "close"]
    execution: str
    started: str
    """`$$.Execution.StartTime`."""
    retries: int
    state: dict[str, Any]
    token: str
    """`$$.Task.Token`; not to close."""
    seconds: int
    """That deciding may take; not to close."""


def approval_locator(namespace: str, execution: str, started: int, step: str) -> str:
    """First part of an approval's ids. `started`: the execution's, in whole epoch seconds, for a name is used again."""
    text = json.dumps([namespace, execution, started, step])
    return hashlib.sha256(text.encode()).hexdigest()[:LOCATOR_CHARACTERS]


def approval_key(namespace: str, locator: str) -> str:
    """Partition key of an approval."""
    return f"{APPROVAL_KEY}#{namespace}#{locator}"


def words_of_rejection(comment: str | None) -> str:
    """What compensations are told in `step.error.message`."""
    return comment or "rejected"
