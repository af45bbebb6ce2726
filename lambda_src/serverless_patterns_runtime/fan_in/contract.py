"""The fan-in: what its branches, its completion and its sweep are told, and what its items look like.

Both sides import this. All times are whole epoch seconds. An item's life is judged by its own numbers, never by whether
DynamoDB's time to live has deleted it.

One head item for each message: `<namespace>#<key>`. It is there before the first branch is acknowledged, or fails:
so the deadline comes to whatever has a head. One item beside it keeps the message, written in the same transaction.
"""

from typing import Literal, NamedTuple, TypedDict

SWEEP_HANDLER = "serverless_patterns_runtime.fan_in.sweep_handler.lambda_handler"
"""Every minute: closes what is overdue, and announces what is closed and was not announced."""

PARTITION_KEY = "fan_in"
"""`<namespace>#<key>` (S) of the head; `message#<namespace>#<key>` of the message."""

STATE = "state"
"""`open`, `complete` or `deadline` (S): leaves `open` once, by a conditional write."""

EXPECTED = "expected"
"""Names of the branches (SS), as whoever came first has seen them. Never changed."""

DONE = "done"
"""Names of the branches whose result is here (SS); absent before the first. Grows only while `open`."""

RESULT_PREFIX = "result "
"""`result <branch>` (S): JSON of the branch's `KeptResult`, written with its name in `done`, once."""

LATE = "late"
"""Names of the branches that came after the end (SS): refused."""

MESSAGE = "message"
"""In the message's item (S): JSON of what the branches got."""

PAYLOAD = "payload"
"""SHA-256 of the canonical payload (S): another message under the same key is told apart."""

SHARD = "shard"
"""Partition key of the index `DUE_INDEX` (S): `0` to `7` by the key's hash. Only while not announced."""

DUE = "due"
"""Sort key of the index (N): when the deadline is. Only while not announced."""

DUE_INDEX = "due"
SHARDS = 8

TIME_TO_LIVE = "expires_at"

State = Literal["open", "complete", "deadline"]

MAX_BRANCHES = 1_000
INLINE_BYTES = 65_536
"""Of all results in a head together: one branch's share is this by the number of branches, and 4,096 bytes at most.
Larger results go to the bucket."""

INLINE_RESULT_BYTES = 4_096


class KeptResult(TypedDict, total=False):
    """Either of them."""

    value: object
    s3: str
    """Key in the bucket of results, made of branch, key and the result's SHA-256."""


class Announcement(TypedDict):
    """Body of a message in the queue of completions. The same however often it is sent."""

    key: str
    outcome: Literal["complete", "deadline"]


class StoreEnv(NamedTuple):
    """Variables of all three: exactly these."""

    FAN_IN_TABLE_NAME: str

    FAN_IN_NAMESPACE: str

    FAN_IN_BUCKET: str
    """Of results that are too large for the head."""


class BranchEnv(NamedTuple):
    """Further variables of a branch's consumer, and of the sweep for the queue: exactly these."""

    FAN_IN_BRANCH: str
    """The subscriber's name."""

    FAN_IN_SUBSCRIBERS: str
    """Packed JSON: `fan_out_topic.contract.Subscriber` by name, of those that take part. Empty with an expression."""

    FAN_IN_EXPECTED: str
    """Dotted path into the body: a list of the names of the branches. Empty: by the filters."""

    FAN_IN_DEADLINE_SECONDS: str

    FAN_IN_RETENTION_SECONDS: str

    FAN_IN_COMPLETIONS_QUEUE_URL: str


class SweepEnv(NamedTuple):
    """Further variables of the sweep: exactly these."""

    FAN_IN_COMPLETIONS_QUEUE_URL: str


class CompletionEnv(NamedTuple):
    """Further variables of the consumer that runs `on_complete`: exactly these."""

    FAN_IN_COMPLETES: str
    """`true`: messages are `Announcement`s; the business function gets the `Completion`."""
