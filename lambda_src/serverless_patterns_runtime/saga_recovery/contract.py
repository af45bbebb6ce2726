"""What `SagaStateMachine` tells the functions of its recovery, and what these keep in the claims table.

The guardian starts executions of the recovery state machine, whose tasks ask the ledger. The ledger is the claims
table: no step writes anything for it.
"""

import hashlib
from typing import Literal, NamedTuple, NotRequired, TypedDict

GUARDIAN_HANDLER = "serverless_patterns_runtime.saga_recovery.guardian_handler.lambda_handler"
LEDGER_HANDLER = "serverless_patterns_runtime.saga_recovery.ledger_handler.lambda_handler"

EXECUTION = "execution"
"""`$.saga.execution`: the name of the execution that is recovered. Steps are known by it, not by the recovery's own."""

FORWARD = "forward"
"""`$.saga.forward`: present when the pivot is done, and the recovery goes on behind it."""

GUARDED_KEY = "guarded"
"""First part of the partition key, in the claims table, of what the guardian keeps of an execution."""

RECOVERY_FAILED = "RECOVERY_FAILED"
"""End of a recovery that could not begin, or could not write down how it ended."""

DEAD_STATUSES = ("ABORTED", "FAILED", "TIMED_OUT")

SETTLED_OUTCOMES = ("SUCCEEDED", "COMPENSATED")
"""Nobody has to do anything about these."""

SWEEP_MINUTES = 5
"""Between two looks for executions whose end nobody heard of."""

RESUMED_BY = "resumed_by"
"""On what is parked (S): the recovery's execution that goes on with it. What that parks again is written without."""

SETTLED_AT = "settled_at"
"""On what is parked (N, epoch seconds): it was done, or undone, after all."""

SETTLED_BY = "settled_by"
"""On what is parked (S): the recovery's execution that settled it."""

MOST_NAME = 80
"""Characters of an execution's name (Step Functions quota)."""


class GuardianEnv(NamedTuple):
    """Variables that the construct sets and the guardian reads, beside those of the claims: exactly these."""

    STATE_MACHINE_ARN: str
    RECOVERY_STATE_MACHINE_ARN: str


class LedgerEnv(NamedTuple):
    """Variables that the construct sets and the ledger reads, beside those of the claims: exactly these."""

    STATE_MACHINE_ARN: str

    LONGEST_SECONDS: str
    """That a recovery may take. One that begins so long before the claims are forgotten, or later, is refused."""


class Recall(TypedDict):
    """What the recovery's first task gives the ledger; it answers with the document that the recovery goes on with."""

    task: Literal["recall"]
    recovery: str
    """`$$.Execution.Name`."""
    execution: str
    steps: list[str]
    """All, in their order, and whatever else may be parked."""
    backward: list[str]
    """Of the steps, those up to the pivot."""
    behind: list[str]
    """Those behind it."""
    pivot: NotRequired[str]
    """A `Handler`'s: it lays a claim."""
    approvals: NotRequired[list[str]]
    """Whose decisions later steps may ask for."""
    unclaimed: NotRequired[list[str]]
    """Of the steps, those whose actions lay no claim, and which the recovery undoes all the same."""


class Settle(TypedDict):
    """What the recovery's last task gives the ledger; nobody reads the answer."""

    task: Literal["settle"]
    recovery: str
    """`$$.Execution.Name`."""
    execution: str
    steps: list[str]


class Sweep(TypedDict):
    """What the schedule gives the guardian."""

    task: Literal["sweep"]


class Show(TypedDict):
    """What somebody asks the guardian about one execution."""

    task: Literal["show"]
    execution: str


class Resume(TypedDict):
    """What somebody asks the guardian to do. He says himself who he is; CloudTrail knows."""

    task: Literal["resume"]
    execution: str
    by: str
    reason: str


class Listed(TypedDict):
    """One execution in the guardian's answer to `list`. Times are epoch seconds."""

    execution: str
    outcome: str
    """Of the latest recovery, or of the execution itself: `COMPENSATION_PARKED`, `FORWARD_PARKED`, `RECOVERY_FAILED`,
    `RUNNING`, `SUCCEEDED`, `COMPENSATED`, or a status of Step Functions: then it died."""
    recovery: str | None
    """Name of the latest recovery's execution."""
    started: int
    stopped: int | None
    error: str | None
    """Of an outcome that says less."""


class ListAnswer(TypedDict):
    executions: list[Listed]
    complete: bool
    """False when there was no time for all."""


class Recovery(TypedDict):
    name: str
    outcome: str
    started: int
    stopped: int | None


class ShownStep(TypedDict):
    step: str
    status: str
    """`NOT_BEGUN`, `AT_WORK`, `DONE`, `UNDOING`, `UNDONE` or `PARKED`."""
    error: str | None
    """Of what is parked."""


class AuditLine(TypedDict):
    at: int
    by: str
    reason: str
    recovery: str


class ShowAnswer(TypedDict):
    """The guardian's answer to `show`. Nothing of what the saga is about, but what its errors say."""

    execution: str
    outcome: str
    """As in `Listed`."""
    started: int
    """The execution itself."""
    stopped: int | None
    error: str | None
    undone_for: str | None
    """Why the saga went back, as far as that is known."""
    steps: list[ShownStep]
    recoveries: list[Recovery]
    audit: list[AuditLine]


class ResumeAnswer(TypedDict):
    """The guardian's answer to `resume`."""

    recovery: str
    began: bool
    """False when there is nothing to resume."""
    outcome: str
    """Of the recovery."""


class Refused(TypedDict):
    """The guardian's answer to what it cannot do."""

    refused: str


def recovery_name(execution: str, attempt: int) -> str:
    """Of the recovery's execution. Two executions, or two attempts, never share one: a name ends with its attempt, and
    one that is cut has the full length."""
    name = f"{execution}-{attempt}"
    if len(name) < MOST_NAME:
        return name
    end = f"-{hashlib.sha256(execution.encode()).hexdigest()[:16]}-{attempt}"
    return execution[: MOST_NAME - len(end)].ljust(MOST_NAME - len(end), "-") + end


def guarded_key(namespace: str, execution: str, started: int) -> str:
    """Partition key of what the guardian keeps; with the start, for a name can be used again after 90 days."""
    return f"{GUARDED_KEY}#{namespace}#{execution}#{started}"
