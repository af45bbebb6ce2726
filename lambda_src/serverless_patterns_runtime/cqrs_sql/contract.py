"""Views in PostgreSQL: what their functions are told, and what is in the database. Both sides import it.

Each generation of a view has a table of its own, `<table>_g<generation>`. An SQL view, `<table>`, shows the rows of the
generation that is live: it is what other programs read.
"""

from typing import Literal, NotRequired, TypedDict

TABLE_COLUMNS = ("pk", "sk", "source", "version", "deleted", "mark", "expires_at", "row")
"""`pk` and `sk` are the row's keys and the primary key, and `row` (jsonb) is all of it. A tombstone is `deleted`, and
has no `row`. The SQL view has `pk`, `sk` (if the view has a sort key), `source`, `version` and `row`."""

NO_SORT = "-"
"""`sk` in a view without a sort key."""

MAX_TABLE_NAME = 48
"""Characters. PostgreSQL cuts names off after 63 bytes; a generation and the names of indexes come behind it."""

TABLE_NAME = r"[a-z][a-z0-9_]*"

DRIVERS = ("pg8000.dbapi", "psycopg", "psycopg2")
"""Known ones. `module:function` is a function of the user's own, which returns a connection."""

DRIVER_ARGUMENTS = ("host", "port", "user", "password", "database", "ssl_context")
"""What it is called with, each by its name."""

MAX_DATA_API_ROW = 60 * 1024
"""Bytes of a row and its keys. The Data API reads no row of a result that is larger than 64 KB."""


class SqlTold(TypedDict):
    """Of a view that is written by a driver. JSON, in a variable of the functions."""

    kind: Literal["sql"]
    table: str
    schema: str
    driver: str
    host: str
    port: int
    database: str
    secret: NotRequired[str]
    """ARN of a secret with `username` and `password`."""
    user: NotRequired[str]
    """Without a secret: a user who signs in by IAM."""
    certificates: NotRequired[str]
    """File of the certificates to trust, in the function's code. Absent: those that the system trusts."""
    tls: NotRequired[Literal["off"]]


class DataApiTold(TypedDict):
    """Of a view that is written through the Data API of Aurora."""

    kind: Literal["data-api"]
    table: str
    schema: str
    cluster: str
    """ARN."""
    secret: str
    """ARN."""
    database: str
