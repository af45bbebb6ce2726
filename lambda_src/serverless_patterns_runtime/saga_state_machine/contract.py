"""What `SagaStateMachine` tells the functions behind its steps, and what its state document looks like.

Both sides import this. The document is the execution's input with one more key, `saga`; executions that are under way
hold it for as long as they run, so it is data: it may grow, and what it has keeps its meaning.
"""

from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

HANDLER = "serverless_patterns_runtime.saga_state_machine.handler.lambda_handler"

Kind = Literal["action", "compensation"]

SAGA = "saga"
"""The one key of the state document that is not of the input."""

CALLER = "caller"
"""`$.caller`: who has started the execution through an API, `{"id": ..., "kind": ...}`, null on a public route. Absent
from executions that were started otherwise."""

OURS = (CALLER, SAGA)
"""What no caller may send."""

STATUS = "status"
"""`$.saga.status`, and of every output."""

RESULTS = "results"
"""`$.saga.results.<step>`: what each action has returned; absent as long as none has."""

ERROR = "error"
"""`$.saga.error`: what a Catch writes, `{"Error": ..., "Cause": ...}`: why the saga is undone."""

PARKED = "parked"
"""`$.saga.parked.<step>`: present when a compensation was given up and waits for somebody."""

PARKED_BESIDE = "_parked"
"""`$.saga.results._parked.<step>`: present when a branch behind the pivot has parked a step. No step is called so."""

STEP_NAME = "[A-Za-z][A-Za-z0-9_]{0,63}"
"""A regular expression: so that `$.saga.results.<step>` is a path, and a state's name has room for a prefix."""

COMPENSATION = "compensation"
"""Last part of the key of a compensation."""

PARKED_KEY = "parked"
"""First part of the partition key, in the claims table, of what is parked. It has no time to live."""

UNCLAIMED = "Undoes without a claim: "
"""How the comment of a state begins that undoes an action which lays no claim; the step's name follows. A recovery
finds in it what may have happened though no claim says so."""

BEHIND_THE_PIVOT = "Behind the pivot: "
"""How the comment of a state begins whose action is behind the pivot; the step's name follows. A recovery that goes
forward finds in it what this execution has still to do."""

PERMANENT_ERROR = "PermanentError"
"""The name under which every error reaches the state machine that no retry can mend. Never to be retried; a declared
error without effect comes under the name that was declared, and is not to be retried either."""

RUNNING_ELSEWHERE = "RunningElsewhere"
"""The name of the error while another attempt is at work, or died without a word. It can be gone as soon as that
attempt's function has timed out, `LEASE_MARGIN_SECONDS` later at most: a retry before that is in vain."""

CIRCUIT_OPEN = "CircuitOpen"
"""The name of the error while the step's circuit breaker refuses it, or when its probe has failed: no attempt of it."""

LEASE_MARGIN_SECONDS = 6
"""From a function's time-out until others may take what it held."""

STARTING_SECONDS = 15
"""A task's time-out beyond its function's: for a cold start, which counts against the one and not the other. A task
that gives up on a function at work only makes its retries wait."""

MAX_STATE_BYTES = 262_144
"""Of a state's input and output (Step Functions quota)."""

RESERVED_BYTES = 16 * 1024
"""Of these kept free of results: for the error, what is parked, and the event around the document."""

DEFAULT_MAX_RESULT_BYTES = 32 * 1024

EXECUTION_PARAMETER = "execution"
"""Of the path of a route that tells a status: the execution's name."""

RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
COMPENSATED = "COMPENSATED"
COMPENSATION_PARKED = "COMPENSATION_PARKED"
FORWARD_PARKED = "FORWARD_PARKED"
ABORTED = "ABORTED"
"""Ended by something else than the saga, and no recovery has begun yet."""
RECOVERING = "RECOVERING"
"""A recovery is at it: begun by itself once the execution had died, or by somebody who resumed what was parked."""

PARKED_ENDS = (COMPENSATION_PARKED, FORWARD_PARKED)


class Env(NamedTuple):
    """Variables that the construct sets and the function reads: exactly these."""

    MAX_RESULT_BYTES: str
    """A larger result is refused before anything of the step is committed."""


class ExternalKey(TypedDict):
    """How a provider outside knows what a step sends."""

    format: str
    """With the placeholders `{namespace}`, `{execution}`, `{step}`, `{digest}`."""
    lifetime: int
    """Seconds for which the provider remembers it."""


class StartEnv(NamedTuple):
    """Variables of the function that starts executions."""

    STATE_MACHINE_ARN: str

    MAX_INPUT_BYTES: str
    """So that the results of all steps have room beside it."""


class StatusEnv(NamedTuple):
    """Variables of a function that tells how executions are. Lists are comma-separated."""

    STATE_MACHINE_ARN: str

    RECOVERY_STATE_MACHINE_ARN: str

    SHOWN_RESULTS: str
    """Steps whose results callers may see."""

    SHOWN_ERRORS: str
    """Names of errors that callers may see."""

    ANY_CALLER: str
    """`true`: also executions of others."""

    APPROVALS: str
    """That an execution may wait for."""

    APPROVALS_TABLE_NAME: str
    """Empty: there are none."""

    APPROVALS_NAMESPACE: str


class Event(TypedDict):
    """What a Task gives its function. What can differ between two steps of one function is here, not in `Env`: an
    execution that is under way keeps its definition, whatever is deployed meanwhile."""

    step: str
    kind: Kind
    execution: str
    """`$$.Execution.Name`."""
    retries: int
    """`$$.State.RetryCount`."""
    state: dict[str, Any]
    """`$`."""
    first: NotRequired[bool]
    """True for the action of the first step: its document has no `saga` yet."""
    beside: NotRequired[int]
    """Of an action in a branch: how many results other branches may have, which share its document once they are
    joined."""
    no_effect_errors: NotRequired[list[str]]
    """Of an action before the pivot, or the pivot: classes of errors after which there is nothing to undo."""
    action_unclaimed: NotRequired[bool]
    """Of a compensation: whether the action is no `Handler`, and lays no claim. Then nobody knows whether it began."""
    external_key: NotRequired[ExternalKey]
    circuit_breaker: NotRequired[str]
    """Its name. A function that does not know it, of another deployment, goes without."""
    tries: NotRequired[int]
    """Beside `circuit_breaker`: retries after which a failure is the last one."""
    settles_within: NotRequired[int]
    """Seconds, from when the state was entered, for which an outcome may stay unknown."""
    entered: NotRequired[str]
    """`$$.State.EnteredTime`, beside `settles_within`."""


def action_key(namespace: str, execution: str, step: str) -> str:
    """What a step's action is known by, here and to whom it calls. Execution and step hold no `#`."""
    return f"{namespace}#{execution}#{step}"


def compensation_key(namespace: str, execution: str, step: str) -> str:
    """What a step's compensation is known by."""
    return f"{action_key(namespace, execution, step)}#{COMPENSATION}"


def parked_key(namespace: str, execution: str, step: str) -> str:
    """Partition key of what is parked of a step: its compensation, or its action behind the pivot."""
    return f"{PARKED_KEY}#{action_key(namespace, execution, step)}"
