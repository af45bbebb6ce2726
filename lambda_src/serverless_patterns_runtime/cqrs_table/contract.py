"""The write model: what an aggregate's item looks like, and what the functions that write and read it are told.

Both sides import this. An aggregate's state is the attributes of its item, so that indexes and time to live work on
them; what is ours is in one map beside them.
"""

from typing import Literal, NamedTuple, NotRequired, TypedDict

COMMAND_HANDLER = "serverless_patterns_runtime.cqrs_table.command_handler.lambda_handler"
"""Takes a `DirectCommand`, answers a `CommandAnswer` or a `CommandRefusal`."""

COMMAND_DOOR = "serverless_patterns_runtime.cqrs_table.command_door:execute_request"
"""Behind a route: a business function of ours that calls `decide`. It keeps its own keys: its route asks for an
`Idempotency-Key` and leaves it to the door (`own_keys`)."""

GET_DOOR = "serverless_patterns_runtime.cqrs_table.get_door:get_aggregate"
"""Behind a route: a business function of ours that shows one aggregate. It is told `Env` alone."""

ABOUT = "_aggregate"
"""The map that is ours (M). A state may not use the name."""

VERSION = "version"
"""In the map (N): grows by one with every change. The first of an aggregate is the time in epoch milliseconds, so that
one that comes again after its item was deleted, by time to live or by hand, never repeats a version."""

SCHEMA = "schema"
"""In the map (N): the schema version that the state was written with; absent is 1."""

AT = "at"
"""In the map (N): when the change was decided, epoch milliseconds, by the function's clock."""

COMMAND = "command"
"""In the map (S): name of the command that made the change; absent after a backfill."""

DELETED = "deleted"
"""In the map (BOOL, true): the aggregate is deleted. The item has its key and this map alone, and stays: what comes
later goes on from its version."""

MAX_ITEM_BYTES = 400 * 1024
"""DynamoDB's limit. A larger state is refused with its size."""

MAX_KEY_BYTES = 1024
"""Of an aggregate's key, as UTF-8: views make longer keys of it, and DynamoDB takes 2,048 bytes."""

MAX_COMMAND_ID_CHARACTERS = 255

MAX_RESULT_BYTES = 256 * 1024
"""Of a decision's result, as JSON: it is kept with its command id."""

METRICS_NAMESPACE = "ServerlessPatterns"
METRIC_CONFLICTS = "CommandConflicts"
"""Times that a command was decided again, because another one had changed the aggregate."""

TABLE_DIMENSION = "table"
"""The table's name: the metric's only dimension."""


class Env(NamedTuple):
    """Variables of every function that reads or writes aggregates."""

    AGGREGATES_TABLE_NAME: str

    AGGREGATE_KEY: str
    """Name of the partition key (a string); the table has no sort key."""

    SCHEMA_VERSION: str
    """What the code writes, from 1. A state of a later one is not read: newer code has written it."""

    UPCAST: str
    """`module:function`: takes a state and its schema version, gives that of the next one. Empty: there is none."""


class CommandEnv(NamedTuple):
    """Beside `Env`, the claims' and the business function's `Env`, of the functions that decide. The command function's
    business function is `decide`."""

    DECIDE: str
    """`module:function`."""

    COMMANDS: str
    """Names of the commands that there are, comma separated; empty: `decide` says which."""

    COMMAND: str
    """Behind a route: the name of its command. Empty: the command itself says it."""


class DirectCommand(TypedDict):
    """What the command function is invoked with."""

    id: str
    """The command id: the same for a retry. 1 to 255 characters."""
    command: str
    key: str
    body: NotRequired[object]
    expected_version: NotRequired[int]
    """0: the aggregate must not exist. Absent: whatever it is."""


class CommandAnswer(TypedDict):
    """Also the body behind a route."""

    key: str
    version: int
    token: str
    """For `min_version` of a query: the view shows this change, or a later one."""
    result: object
    replayed: NotRequired[bool]
    """True: the command was done before, and this was its answer. Behind a route a header says it."""


class CommandRefusal(TypedDict):
    status: int
    """As behind a route: 400, 409, 413, 422, 503, or what the PermanentError said."""
    error: str
    message: str


RemovedBy = Literal["user", "time_to_live"]
"""Of a record that removes an item: whether DynamoDB's time to live did."""
