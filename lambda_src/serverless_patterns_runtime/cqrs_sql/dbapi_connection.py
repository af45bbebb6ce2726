"""A connection by a DB-API driver (PEP 249), kept between invocations.

Nothing of it is the session's: transactions are short, and no setting, prepared statement or lock outlives them. So RDS
Proxy may give each transaction another session.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from serverless_patterns_runtime.cqrs_sql.failures import failure, is_broken
from serverless_patterns_runtime.cqrs_sql.statement import Run, Scalar, Statement, Work, placed
from serverless_patterns_runtime.sql_claims import paramstyle_of

__all__ = ["DbApiConnection"]

Result = TypeVar("Result")


class DbApiConnection:
    """A `Connection`. Threads wait for each other."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        """`connect`: a new connection, which commits nothing by itself."""
        self._connect = connect
        self._open: Any = None
        self._lock = threading.Lock()

    def run(self, statement: Statement) -> Sequence[Sequence[Scalar]]:
        return self.transact(lambda run: run(statement))

    def transact(self, work: Work[Result]) -> Result:
        with self._lock:
            kept = self._open is not None
            try:
                return self._once(work)
            except Exception as error:
                if not (kept and is_broken(error)):
                    raise failure(error) from error
            try:
                return self._once(work)  # whoever is at the other end has closed it, while nobody asked
            except Exception as error:
                raise failure(error) from error

    def close(self) -> None:
        connection, self._open = self._open, None
        if connection is not None:
            with suppress(Exception):
                connection.close()

    def _once(self, work: Work[Result]) -> Result:
        connection = self._open = self._open or self._connect()
        try:
            result = work(_run(connection))
            connection.commit()
        except BaseException as error:
            if not isinstance(error, Exception) or is_broken(error):
                self.close()
            else:
                self._roll_back(connection)
            raise
        return result

    def _roll_back(self, connection: Any) -> None:
        try:
            connection.rollback()
        except Exception:
            self.close()


def _run(connection: Any) -> Run:
    style = paramstyle_of(connection)

    def run(statement: Statement) -> Sequence[Sequence[Scalar]]:
        text, parameters = placed(statement, style)
        cursor = connection.cursor()
        try:
            cursor.execute(text, parameters) if parameters else cursor.execute(text)
            return cursor.fetchall() if cursor.description else ()
        finally:
            with suppress(Exception):
                cursor.close()

    return run
