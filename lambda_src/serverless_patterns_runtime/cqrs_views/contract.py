"""Views: what the functions that fill and rebuild them are told, and what their items look like. Both sides import it.

A view has generations, numbered from 1. `live` is read; `building` is filled by a rebuild, and by every change
meanwhile; a change of `live` is one write to one item.
"""

from typing import Literal, NamedTuple, NotRequired, TypedDict

PROJECTOR_HANDLER = "serverless_patterns_runtime.cqrs_views.projector_handler.lambda_handler"
"""Takes batches of the write model's stream, answers `batchItemFailures`; or a `Retry`, and answers `Retried`."""

REBUILD_HANDLER = "serverless_patterns_runtime.cqrs_views.rebuild_handler.lambda_handler"
"""Tasks of the rebuild's state machine: see `RebuildTask`. It has the code of the views' projects."""

CONTROL_HANDLER = "serverless_patterns_runtime.cqrs_views.control_handler.lambda_handler"
"""Every minute, and for the command line: see `ControlRequest`. It holds no code of the user's."""

Kind = Literal["rows", "totals"]

# The control table: one item for each view, segment of a rebuild, and document.

PARTITION_KEY = "item"
"""`view/<name>`, `document/<name>`, `content/<name>` (S); of a segment `segment/<name>/<generation>/<number>`."""

LIVE = "live"
"""Of a view (N): the generation that is read. Absent until the first rebuild is done: there is no view to read yet."""

BUILDING = "building"
"""Of a view (N): the generation that is being filled, if any."""

PREVIOUS = "previous"
"""Of a view (N): the generation that was live before, while its rows may still be there."""

STORE = "store"
"""Of a view (S): `store_of` its generations. What is in another one is none of them."""

STARTED_AT = "started_at"
"""Of a view (M): by generation, as text, when it began (N, epoch milliseconds)."""

EXECUTION = "execution"
"""Of a view (S): ARN of the rebuild's execution."""

PHASE = "phase"
"""Of a view (S): where its last rebuild is: `scan`, `verify`, `drop`, `done`, `failed` or `cancelled`."""

SWEPT = "swept"
"""Who asked, of a view's first rebuild: nobody."""

# Rows in a view's own DynamoDB table.

ROW_PARTITION = "pk"
"""`<generation>#<value of the partition key>` (S)."""

ROW_SORT = "sk"
"""Value of the sort key (S or N), as the view says; a view without one has `-` here."""

ROW_ABOUT = "_row"
"""The map that is ours (M); everything else of the item is the row."""

ROW_VERSION = "version"
"""In the map (N): of the aggregate's state that the row was made from."""

ROW_SOURCE = "source"
"""In the map (S): the aggregate's key."""

ROW_DELETED = "deleted"
"""In the map (BOOL, true): a tombstone, which nobody sees. It stays for `TOMBSTONE_SECONDS`."""

ROW_MARK = "mark"
"""In the map of a tombstone (S): another one with each write, so that none is taken for one that was here before."""

TIME_TO_LIVE = "expires_at"
"""Of a tombstone (N), epoch seconds."""

TOMBSTONE_SECONDS = 7 * 24 * 3600
"""A stream keeps its records for a day; whatever is older is projected only if it is still the aggregate's state."""

CHECKED_SECONDS = 900
"""A record this young when its generation began, or younger, may be projected without reading the aggregate. It is
more than clocks differ."""

# Totals in a view's own table: one item for each group and shard, and one for each aggregate.

TOTAL = "total"
"""`pk` of a total is `<generation>#total#<group>`, `sk` its shard (N); of an aggregate's contribution
`<generation>#from#<key>`, and 0."""

CONTRIBUTION = "from"
"""See `TOTAL`."""

AMOUNTS = "amounts"
"""Of a contribution (M): by group and measure, as it is counted. A total has its measures as attributes (N)."""

TOTAL_SHARDS = 8

# The bucket of what was given up.

PARKED_PREFIX = "parked/"
"""`parked/<view>/<SHA-256 of the aggregate's key>/<version>[-...].json`: a `Parked`."""

UNDELIVERED_PREFIX = "aws/lambda/"
"""Where Lambda's own destination writes: invocations that the function never answered, with their records."""

ParkReason = Literal["refused", "unreadable", "unavailable", "contested", "unversioned"]
"""`refused`: the project raised, or its rows cannot be stored. `unreadable`: a schema that this code does not know.
`unavailable`: the sink took nothing for too long. `contested`: another aggregate has the row. `unversioned`: the item
was changed by somebody else, without a version."""


class Parked(TypedDict):
    view: str
    key: str
    version: int
    reason: ParkReason
    message: str
    created_at: float
    """Of the record, epoch seconds."""
    parked_at: float
    old: object
    """Image before the change in DynamoDB's JSON, or null."""
    new: object


METRIC_LAG = "ProjectionLag"
"""Seconds from a change until it is in all views: of the oldest one in a batch."""

METRIC_PARKED = "Parked"
METRIC_UNVERSIONED = "Unversioned"
"""Changes that left an item without a version: an adoption, or somebody who writes past the commands."""


METRIC_EXPIRED = "Expired"
"""Aggregates that DynamoDB's time to live removed. One that comes again with its batch counts again."""

METRIC_REMOVED = "Removed"
"""Those that somebody else removed without a command."""


class ViewTold(TypedDict):
    """One view, as functions are told of it: short names, since all variables together are 4 KB."""

    name: str
    kind: Kind
    call: str
    """`module:function`."""
    pk: str
    """Name of the partition key in a row; of totals the name that groups are known by."""
    sk: NotRequired[str]
    sk_type: NotRequired[Literal["S", "N"]]
    """Absent: S."""
    sink: str
    """`dynamodb`, or the name of a variable with a `SinkTold`."""


class Env(NamedTuple):
    """Beside the write model's `Env`: of the projector and of the rebuild's function."""

    VIEWS: str
    """`packed` `{"views": [ViewTold, ...]}`."""

    VIEW_TABLES: str
    """JSON object: name of a view to its table; of one that is not in DynamoDB, to what tells its store from others."""

    CONTROL_TABLE_NAME: str

    PARKED_BUCKET_NAME: str

    DOCUMENTS: str
    """JSON object: name of a document to its `DocumentTold`."""


class ControlEnv(NamedTuple):
    """Of the control function, which has no code of the user's."""

    VIEWS: str
    """As in `Env`."""

    VIEW_TABLES: str
    """As in `Env`."""

    AGGREGATES_TABLE_NAME: str
    """It is described: so many items, so many segments."""

    CONTROL_TABLE_NAME: str

    PARKED_BUCKET_NAME: str

    DOCUMENTS: str
    """As in `Env`."""

    REBUILDS: str
    """JSON list of `RebuildsTold`."""


class RebuildsTold(TypedDict):
    """Views whose functions have the same code."""

    machine: str
    """ARN of the state machine of their rebuilds."""
    projector: str
    """ARN of the function that reads the stream for them, by which what it never answered is known."""
    views: list[str]


RebuildTask = Literal["start", "scan", "verify", "flip", "drop", "finish", "fail"]
"""Of the state machine's function. Event: `{"task", "view", "generation", "execution", "segment", "segments"}`, of
`fail` `error` too; scan, verify and drop answer `{"done": bool}` and are called again until they are done."""

NO_RETRY = "PermanentError"
"""Name of the error that no retry helps; also of those under it, which the function raises under this name."""

SINK_UNAVAILABLE = "SinkUnavailable"
"""Name of the error of a store that takes nothing now: its text may be told."""

MOST_SEGMENTS = 1_000
INLINE_SEGMENTS = 40
"""With more of them each has an execution of its own."""

ControlRequest = Literal["sweep", "status", "rebuild", "cancel", "parked", "retry"]
