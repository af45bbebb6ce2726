"""The Data API of Aurora, as far as a sink needs it, over a real PostgreSQL server.

Names of parameters are read, and values sent, by another library's code than the one that is tested.
"""

import json
import re
import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pg8000.exceptions
import pg8000.native

from ...simulation.aws_errors import ServiceError
from .postgres_server import DATABASE, PASSWORD, USER, Server

__all__ = ["CLUSTER", "SECRET", "DataApi"]

CLUSTER = "arn:aws:rds:eu-central-1:123456789012:cluster:orders"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf"

MAX_REQUEST = 4 * 1024 * 1024
MAX_RESPONSE = 1024 * 1024
MAX_ROW = 64 * 1024
_VOID = 2278


class DataApi:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.open: dict[str, Any] = {}
        self.idle: list[Any] = []
        self.lost: set[str] = set()
        """Operations whose next answer is lost: what they did is done."""

    def begin_transaction(self, *, resourceArn: str, secretArn: str, database: str) -> Any:
        self._check(resourceArn, secretArn, database)
        connection = self._connect()
        connection.run("BEGIN")
        id = secrets.token_urlsafe(24)
        self.open[id] = connection
        return {"transactionId": id}

    def execute_statement(
        self,
        *,
        resourceArn: str,
        secretArn: str,
        sql: str,
        database: str,
        parameters: Sequence[Any] = (),
        transactionId: str | None = None,
    ) -> Any:
        self._check(resourceArn, secretArn, database)
        if len(json.dumps({"sql": sql, "parameters": parameters})) > MAX_REQUEST:
            raise ServiceError("BadRequestException", "Request too large")
        connection = self._connect() if transactionId is None else self._transaction(transactionId)
        values = {one["name"]: _value(one["value"]) for one in parameters}
        assert {*re.findall(r":([a-z_]+)", sql)} == values.keys()
        try:
            rows = connection.run(sql, **values)
        except pg8000.exceptions.DatabaseError as error:
            about = error.args[0]
            raise ServiceError(
                "DatabaseErrorException", f"ERROR: {about['M']}; Position: 1; SQLState: {about['C']}"
            ) from None
        finally:
            if transactionId is None:
                self.idle.append(connection)
        if "ExecuteStatement" in self.lost:
            self.lost.remove("ExecuteStatement")
            raise ServiceError("ServiceUnavailableError", "not now")
        return {"records": _records(rows or [], connection.columns or [])}

    def commit_transaction(self, *, resourceArn: str, secretArn: str, transactionId: str) -> Any:
        self._check(resourceArn, secretArn)
        self._end(transactionId, "COMMIT")
        return {"transactionStatus": "Transaction Committed"}

    def rollback_transaction(self, *, resourceArn: str, secretArn: str, transactionId: str) -> Any:
        self._check(resourceArn, secretArn)
        self._end(transactionId, "ROLLBACK")
        return {"transactionStatus": "Rollback Complete"}

    def close(self) -> None:
        """All that is connected."""
        for connection in [*self.idle, *self.open.values()]:
            connection.close()

    def _connect(self) -> Any:
        if self.idle:
            return self.idle.pop()
        return pg8000.native.Connection(USER, self.server.host, DATABASE, self.server.port, PASSWORD, timeout=30)

    def _end(self, id: str, how: str) -> None:
        connection = self._transaction(id)
        del self.open[id]
        connection.run(how)
        self.idle.append(connection)

    def _transaction(self, id: str) -> Any:
        if id not in self.open:
            raise ServiceError("BadRequestException", f"Transaction {id} is not found")
        return self.open[id]

    def _check(self, cluster: str, secret: str, database: str = DATABASE) -> None:
        if (cluster, secret, database) != (CLUSTER, SECRET, DATABASE):
            raise ServiceError("BadRequestException", "HttpEndpoint is not enabled for resource")


def _value(field: dict[str, Any]) -> Any:
    ((kind, value),) = field.items()
    types = {"stringValue": str, "longValue": int, "booleanValue": bool, "isNull": bool}
    assert type(value) is types[kind]
    return None if kind == "isNull" else value


def _records(rows: Sequence[Sequence[Any]], columns: Sequence[Any]) -> Any:
    if any(column["type_oid"] == _VOID for column in columns):
        raise ServiceError("UnsupportedResultException", "The result contains the unsupported data type VOID")
    records = [[_field(value) for value in row] for row in rows]
    if any(len(json.dumps(record, ensure_ascii=False).encode()) > MAX_ROW for record in records):
        raise ServiceError("BadRequestException", "Row size limit exceeded")
    if len(json.dumps(records)) > MAX_RESPONSE:
        raise ServiceError("BadRequestException", "Database returned more than the allowed response size limit")
    return records


def _field(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case Decimal() | str():
            return {"stringValue": str(value)}
    raise AssertionError(type(value))
