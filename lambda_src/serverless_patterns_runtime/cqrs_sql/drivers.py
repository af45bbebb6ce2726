"""New connections by the user's driver: with TLS, a limit to how long it waits, and nothing that pins a session."""

import importlib
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_sql.credentials import Credentials
from serverless_patterns_runtime.cqrs_sql.failures import is_refused_user

__all__ = ["Connector", "Tls"]

CONNECT_SECONDS = 3
ANSWER_SECONDS = 15


class Tls(NamedTuple):
    certificates: str | None
    """Absolute path of those to trust; None: those of the system."""

    @classmethod
    def of(cls, file: str | None) -> "Tls":
        """`file` is in the function's code."""
        return cls(None if file is None else str(Path(os.environ.get("LAMBDA_TASK_ROOT", ".")) / file))

    def context(self) -> ssl.SSLContext:
        """The certificate and its name are looked at."""
        return ssl.create_default_context(cafile=self.certificates)


class Connector(NamedTuple):
    """Called for a new connection. Raises what the driver raises."""

    driver: str
    host: str
    port: int
    database: str
    credentials: Credentials
    tls: Tls | None
    """None: off."""

    def __call__(self) -> Any:
        try:
            return self._connect()
        except Exception as error:
            if not is_refused_user(error):
                raise
        self.credentials.forget()  # the secret was rotated
        return self._connect()

    def _connect(self) -> Any:
        user = self.credentials.user()
        to = {"host": self.host, "port": self.port, "user": user.name, "password": user.password}
        module, _, function = self.driver.partition(":")
        if function:
            connect: Callable[..., Any] = getattr(importlib.import_module(module), function)
            context = None if self.tls is None else self.tls.context()
            return connect(**to, database=self.database, ssl_context=context)
        return importlib.import_module(module).connect(**to, **_ARGUMENTS[module](self))


def _pg8000(to: Connector) -> Mapping[str, Any]:
    context = None if to.tls is None else to.tls.context()
    # Its timeout is of each wait, connecting included.
    return {"database": to.database, "ssl_context": context, "timeout": ANSWER_SECONDS}


def _libpq(to: Connector) -> Mapping[str, Any]:
    trusted = {} if to.tls is None else {"sslrootcert": to.tls.certificates or "system"}
    return {
        "dbname": to.database,
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": ANSWER_SECONDS * 1000,
        "sslmode": "disable" if to.tls is None else "verify-full",
        **trusted,
    }


def _psycopg(to: Connector) -> Mapping[str, Any]:
    return {**_libpq(to), "prepare_threshold": None}  # a prepared statement would pin a proxy's session


_ARGUMENTS: Mapping[str, Callable[[Connector], Mapping[str, Any]]] = {
    "pg8000.dbapi": _pg8000,
    "psycopg": _psycopg,
    "psycopg2": _libpq,
}
