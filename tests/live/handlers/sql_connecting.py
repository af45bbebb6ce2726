"""How the live tests' functions connect to the tests' own PostgreSQL server, which has no TLS."""
# ruff: noqa: ARG001

from typing import Any

import pg8000.dbapi


def connect(host: str, port: int, user: str, password: str, database: str, ssl_context: Any) -> Any:
    return pg8000.dbapi.connect(user, host, database, port, password, timeout=15)
