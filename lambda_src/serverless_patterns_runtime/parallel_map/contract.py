"""What `ParallelMap` tells its functions, and what its items in the claims table look like. Both sides import this.

Beside the claims of items, `<namespace>#<execution>#<item's key>`, an execution has a record of each item that failed,
and one head: how it ended. All have a time to live. What is written once is never changed.
"""

from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

ITEM_HANDLER = "serverless_patterns_runtime.parallel_map.handler.lambda_handler"
GATHER_HANDLER = "serverless_patterns_runtime.parallel_map.gather_handler.lambda_handler"
COMPLETION_HANDLER = "serverless_patterns_runtime.parallel_map.completion_handler.lambda_handler"

FAILED_KEY = "failed"
"""First part of the partition key of the record of an item that failed: `failed#<namespace>#<execution>#<position>`."""

HEAD_KEY = "map"
"""First part of the partition key of the head: `map#<namespace>#<execution>`. Written once all items are closed."""

REASON = "reason"
"""In a record (S): why the item failed, as its dead letter says. In the head (S): why it did not succeed."""

ERROR_TYPE = "error_type"
"""In a record (S)."""

OUTCOME, ITEMS, PROCESSED, FAILED = "outcome", "items", "processed", "failed"
"""In the head: how the execution ended (S), and numbers of items (N)."""

Outcome = Literal["succeeded", "failed", "timed-out", "aborted"]

SUCCEEDED: Outcome = "succeeded"
"""No more items failed than are tolerated."""

DEAD: dict[str, Outcome] = {"TIMED_OUT": "timed-out", "ABORTED": "aborted", "FAILED": "failed"}
"""Outcomes of executions that ended before they were gathered, by the status that Step Functions tells."""

PERMANENT_ERROR = "PermanentError"
"""The name under which every error reaches the state machine that no retry can mend."""

RUNNING_ELSEWHERE = "RunningElsewhere"
"""The name of the error while another attempt at an item is at work, or died without a word."""

STILL_GATHERING = "StillGathering"
"""The name of the error when closing what is left takes more than one invocation: the next goes on from there."""

ITEMS_REFUSED = "ItemsRefused"
"""The name of the error when the map did not begin: no list, an empty one, or one that is too long."""

ITEMS_FAILED = "ItemsFailed"
"""The name by which an execution fails whose failed share is above what is tolerated."""

LEASE_MARGIN_SECONDS = 6
"""From a function's time-out until others may take what it held."""

STARTING_SECONDS = 15
"""A task's time-out beyond its function's, for a cold start."""

DEFAULT_MAX_RESULT_BYTES = 32 * 1024
MOST_RESULT_BYTES = 256 * 1024
"""Beside a claim, in an item of 400 KB."""

MOST_INLINE_CONCURRENCY = 40
"""Iterations of an inline map at once (Step Functions quota); one with more items becomes distributed by itself."""

MOST_EVENTS = 25_000
"""Of an execution's history (Step Functions quota); an inline map's items share it."""

MOST_ITEMS = 50_000
"""Each leaves `{}` in the output of a distributed map, which holds 262,144 bytes."""

KEY_CHARACTERS = 512
"""Of an item's key."""

REASON_CHARACTERS = 1_000


class ItemsEnv(NamedTuple):
    """Variables of all three functions: exactly these."""

    MAP_ITEMS: str
    """Path of the list in the input, `$.pages`; for items in S3, of the object's key."""

    MAP_ITEM_KEY: str
    """Path in an item; empty: its position."""

    MAP_FORMAT: str
    """`input`, `json` or `jsonl`: where the items are."""

    MAP_BUCKET: str
    """Of items in S3; else empty."""

    MAX_ITEMS: str


class ItemEnv(NamedTuple):
    """Further variables of the function behind the items: exactly these."""

    MAX_RESULT_BYTES: str
    """A larger result is refused before anything of the item is committed."""


class GatherEnv(NamedTuple):
    """Further variables of the function that gathers: exactly these."""

    TOLERATED_FAILURE_PERCENT: str

    DEAD_LETTER_QUEUE_URL: str


class ItemEvent(TypedDict):
    """What a Task gives the function behind the items."""

    execution: str
    """`$$.Execution.Name`."""
    index: int
    """Position among the items, from 0."""
    item: Any
    retries: int
    """`$$.State.RetryCount`."""


class Caught(TypedDict, total=False):
    """What a Catch writes."""

    Error: str
    Cause: str


class BuryEvent(TypedDict):
    """One item whose attempts are used up."""

    task: Literal["bury"]
    execution: str
    index: int
    item: Any
    error: Caught
    attempts: NotRequired[int]
    """That `retry` allows: so many there were, where an error does not say which attempt it ended."""


class GatherEvent(TypedDict):
    """An execution whose items are to be closed and counted."""

    task: Literal["gather"]
    arn: str
    """Of the execution."""
    status: str
    """`RUNNING` when it asks itself; else how it ended."""
    error: NotRequired[Caught]
    """Of the map, if any."""


class Told(TypedDict):
    """What gathering answers."""

    outcome: Outcome
    items: int
    processed: int
    failed: int
    reason: NotRequired[str]
    """Why it is not `succeeded`; there, and in the head, for all other outcomes."""


class CompletionEvent(TypedDict):
    """What a Task gives the function of `on_complete`."""

    arn: str
    told: Told
    retries: int


def item_key(namespace: str, execution: str, key: str) -> str:
    """What an item is known by, here and to whom its function calls. An execution's name holds no `#`."""
    return f"{namespace}#{execution}#{key}"


def completion_key(namespace: str, execution: str) -> str:
    """What the completion is known by. No item's: those have one `#` more."""
    return f"{namespace}#{execution}"


def failed_key(namespace: str, execution: str, index: int) -> str:
    """Partition key of the record of an item that failed."""
    return f"{FAILED_KEY}#{namespace}#{execution}#{index}"


def head_key(namespace: str, execution: str) -> str:
    """Partition key of an execution's head."""
    return f"{HEAD_KEY}#{namespace}#{execution}"
