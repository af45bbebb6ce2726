"""A claim inside the caller's own SQL transaction, on any DB-API 2.0 connection (PEP 249)."""

import hashlib
import sys
from collections.abc import Iterator
from typing import Any, Protocol

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import IdempotencyKeyReused

__all__ = ["CLAIMS_DDL", "Connection", "claim_once", "paramstyle_of"]

CLAIMS_DDL = "CREATE TABLE idempotency_claims (claim CHAR(64) PRIMARY KEY, payload CHAR(64) NOT NULL)"
"""The table that `Invocation.once` writes to; create it in the same database as the data.

`claim` is the SHA-256 of `<namespace>#<idempotency key>`: databases limit the length of a key, and many hold `A-1` and
`a-1` to be equal.
"""

_MARKS = {
    "qmark": ("?", "?"),
    "format": ("%s", "%s"),
    "pyformat": ("%s", "%s"),
    "numeric": (":1", ":2"),
    "named": (":claim", ":payload"),
}


IN_TRANSACTION = 2
"""PQTRANS_INTRANS of PostgreSQL's client library, which both psycopg generations pass on."""


class Connection(Protocol):
    """What we need of a DB-API connection."""

    def cursor(self) -> Any: ...


def claim_once(connection: Connection, claim: Claim) -> bool:
    """True: first time, and the claim is written in the caller's open transaction. False: a committed duplicate.

    Two at once: the database lets one insert; the other's raises its IntegrityError, its transaction rolls back, and
    its next attempt finds the claim. Raises IdempotencyKeyReused for another payload, TypeError for a connection
    that commits by itself: a crash after the claim and before the data would lose the work.
    """
    if _commits_by_itself(connection):
        raise TypeError(
            "Invocation.once needs an open transaction and this connection commits every statement by itself:"
            " switch its autocommit off, and commit the claim together with your data"
        )
    style = paramstyle_of(connection)
    first, second = _MARKS[style]
    values = {"claim": hashlib.sha256(claim.id.encode()).hexdigest(), "payload": claim.payload}

    def parameters(*names: str) -> Any:
        chosen = {name: values[name] for name in names}
        return chosen if style == "named" else tuple(chosen.values())

    cursor = connection.cursor()
    try:
        cursor.execute(f"SELECT payload FROM idempotency_claims WHERE claim = {first}", parameters("claim"))
        row = cursor.fetchone()
        if row is None:
            insert = f"INSERT INTO idempotency_claims (claim, payload) VALUES ({first}, {second})"
            cursor.execute(insert, parameters("claim", "payload"))
            return True
    finally:
        cursor.close()
    found = row["payload"] if hasattr(row, "keys") else row[0]  # a connection may be set to give dictionaries
    if found != claim.payload:
        raise IdempotencyKeyReused()
    return False


def _commits_by_itself(connection: Any) -> bool:
    """As far as the driver tells: DB-API has no word for it."""
    if getattr(connection, "in_transaction", False) is True:
        return False  # sqlite3, after BEGIN
    status = getattr(getattr(connection, "info", None), "transaction_status", None)
    if isinstance(status, int) and status == IN_TRANSACTION:
        return False
    if hasattr(connection, "in_transaction") and connection.isolation_level is None:
        return True
    ask = getattr(connection, "get_autocommit", None)  # MySQL's drivers
    return bool(ask()) if callable(ask) else getattr(connection, "autocommit", False) is True


def paramstyle_of(connection: Connection) -> str:
    """The driver says it on a module above its connection's class; a subclass of that class inherits it."""
    for base in type(connection).__mro__:
        for module in _above(base.__module__):
            style = getattr(sys.modules.get(module), "paramstyle", None)
            if style in _MARKS:
                return str(style)
    raise TypeError(
        f"{type(connection).__module__}.{type(connection).__qualname__} is no connection of a DB-API driver with"
        f" paramstyle {', '.join(_MARKS)}: pass the driver's own connection to Invocation.once"
    )


def _above(module: str) -> Iterator[str]:
    """`mysql.connector.connection`, `mysql.connector`, `mysql`: the driver need not be the first part."""
    while module:
        yield module
        module = module.rpartition(".")[0]
