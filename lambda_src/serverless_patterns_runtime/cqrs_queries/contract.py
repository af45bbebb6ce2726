"""Queries: what a function that reads a view is told. Both sides import this."""

from typing import NamedTuple, TypedDict

QUERY_DOOR = "serverless_patterns_runtime.cqrs_queries.query_door:answer_query"
"""Behind a route: a business function of ours. With `min_version` it calls the view's `project`."""

DEFAULT_LIMIT = 50
MAX_LIMIT = 1_000
MAX_WAIT_SECONDS = 20
"""That a query with `min_version` waits at most."""

TOKEN_SECONDS = 3600
"""How long a page's token is good; the generation that it reads is kept for longer."""


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
    kind: str
    pk: str
    sk: str
    table: str
    control: str
