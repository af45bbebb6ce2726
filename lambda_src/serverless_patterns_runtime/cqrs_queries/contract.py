"""Queries: what a function that reads a view is told. Both sides import this."""

from typing import Literal, NamedTuple, NotRequired, TypedDict

QUERY_DOOR = "serverless_patterns_runtime.cqrs_queries.query_door:answer_query"
"""Behind a route: a business function of ours. With `min_version` it calls the view's `project`."""

DOCUMENT_DOOR = "serverless_patterns_runtime.cqrs_queries.document_door:answer_document"
"""Behind a route: a business function of ours. Variables: `DocumentEnv` of the views."""

DEFAULT_LIMIT = 50
MAX_LIMIT = 1_000
MAX_WAIT_SECONDS = 20
"""That a query with `min_version` waits at most."""

TOKEN_SECONDS = 3600
"""How long a page's cursor is good."""

KEPT_SECONDS = TOKEN_SECONDS + 120
"""How long a generation is kept after it was live: more than a cursor is good, a pointer is remembered and a request
takes."""

POINTER_SECONDS = 5
"""How long a reader remembers which generation is live."""

BUILT_AT_HEADER = "Built-At"
"""Of a document: when its build began, ISO 8601."""


class Env(NamedTuple):
    """Beside the write model's `Env`, where `min_version` is allowed."""

    QUERY_VIEW: str
    """`packed` `{"view": ViewTold}`."""

    QUERY_TABLE_NAME: str

    QUERY_CONTROL_TABLE_NAME: str

    QUERY_SECRET_ARN: str
    """Of the secret that signs tokens."""

    QUERY_WAIT_SECONDS: str


class Reading(TypedDict):
    """JSON of the variable that `reader("NAME")` gives a user's function."""

    view: str
    kind: Literal["rows", "totals"]
    pk: str
    """Of totals the name that groups are known by."""
    sk: str
    """Empty: there is none."""
    sk_type: NotRequired[Literal["S", "N"]]
    """Absent: S."""
    table: str
    control: str
