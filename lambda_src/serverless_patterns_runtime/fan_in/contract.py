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
"""`<namespace>#<key>` (S) of the head; `message/<namespace>#<key>` of the message: no construct's id holds a slash."""

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

CORRELATION_ID = "correlation_id"
"""Of the message, as whoever came first has read it (S): the announcement has it too."""

SHARD = "shard"
"""Partition key of the index `DUE_INDEX` (S): `0` to `7` by the key's hash. Only while not announced."""

DUE = "due"
"""Sort key of the index (N): when the deadline is. Only while not announced."""

DUE_INDEX = "due"
SHARDS = 8

TIME_TO_LIVE = "expires_at"
"""When the item stops meaning anything (N). A head has none before it is announced: it is never deleted unheard."""

Outcome = Literal["complete", "deadline"]
State = Literal["open"] | Outcome

MAX_BRANCHES = 1_000
MAX_NAMES_BYTES = 100_000
"""Of all names of a message's branches together: each is in the head three times, beside 82 bytes for its result, and
DynamoDB's items hold 409,600 bytes."""

INLINE_BYTES = 65_536
"""Of all results in a head together: one branch's share is this by the number of branches that there may be, and 4,096
bytes at most. Larger results go to the bucket."""

INLINE_RESULT_BYTES = 4_096


class KeptResult(TypedDict, total=False):
    """Either of them."""

    value: object
    s3: str
    """SHA-256 of the result's JSON, which is in the bucket under `<namespace>/<SHA-256 of the key>/<branch>/<this>`."""


class Announcement(TypedDict):
    """Body of a message in the queue of completions. The same however often it is sent."""

    key: str
    outcome: Outcome


METRICS_NAMESPACE = "ServerlessPatterns"
METRIC_COMPLETED = "Completed"
METRIC_DEADLINE_MISSED = "DeadlineMissed"
METRIC_LATE_RESULTS = "LateResults"
"""Of branches that came after the end."""
METRIC_UNEXPECTED_RESULTS = "UnexpectedResults"
"""Of branches that whoever came first did not expect: another deployment's, or not in the message's own list."""
METRIC_CONFLICTING_RESULTS = "ConflictingResults"
"""Of another message with the same key."""

FAN_IN_DIMENSION = "fan_in"
"""Its namespace."""
TABLE_DIMENSION = "table"
"""Physical name. Every metric has exactly these two dimensions: branches and sweep count for the same fan-in."""


class StoreEnv(NamedTuple):
    """Variables of all three: exactly these."""

    FAN_IN_TABLE_NAME: str

    FAN_IN_NAMESPACE: str

    FAN_IN_BUCKET: str
    """Of results that are too large for the head."""


class BranchEnv(NamedTuple):
    """Further variables of a branch's consumer: exactly these."""

    FAN_IN_BRANCH: str
    """The subscriber's name."""

    FAN_IN_SUBSCRIBERS: str
    """Packed JSON: `fan_out_topic.contract.Subscriber` by name, of those that take part. Empty with an expression."""

    FAN_IN_EXPECTED: str
    """Dotted path into the body: a list of the names of the branches. Empty: by the filters."""

    FAN_IN_DEADLINE_SECONDS: str

    FAN_IN_RETENTION_SECONDS: str
    """How long a head is kept once it is announced, and a message once it is due: longer than any of its branches' or
    of its announcement can still come, from a queue or a dead-letter queue."""

    FAN_IN_COMPLETIONS_QUEUE_URL: str


class SweepEnv(NamedTuple):
    """Further variables of the sweep: exactly these."""

    FAN_IN_COMPLETIONS_QUEUE_URL: str

    FAN_IN_RETENTION_SECONDS: str


class CompletionEnv(NamedTuple):
    """Further variables of the consumer that runs `on_complete`: exactly these."""

    FAN_IN_COMPLETES: str
    """`true`: messages are `Announcement`s; the business function gets the `Completion`."""
