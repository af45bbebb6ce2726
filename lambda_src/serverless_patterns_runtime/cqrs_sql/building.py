"""A sink in SQL, from what its functions are told."""

from collections.abc import Callable
from typing import Any, cast

from serverless_patterns_runtime.clients import client, signer
from serverless_patterns_runtime.cqrs_sql.contract import MAX_DATA_API_ROW, DataApiTold, SqlTold
from serverless_patterns_runtime.cqrs_sql.credentials import SecretCredentials, TokenCredentials
from serverless_patterns_runtime.cqrs_sql.data_api_connection import DataApiConnection
from serverless_patterns_runtime.cqrs_sql.dbapi_connection import DbApiConnection
from serverless_patterns_runtime.cqrs_sql.definitions import Definitions
from serverless_patterns_runtime.cqrs_sql.drivers import Connector, Tls
from serverless_patterns_runtime.cqrs_sql.sql_sink import SqlSink
from serverless_patterns_runtime.cqrs_sql.statement import Connection
from serverless_patterns_runtime.cqrs_sql.statements import Names, Statements

__all__ = ["sql_sink"]


def sql_sink(
    told: SqlTold | DataApiTold, sort: str | None, owner: str, new_client: Callable[[str], Any] = client
) -> SqlSink:
    """Nothing is asked of the database yet. `sort`: `S` or `N`; None: the view has no sort key."""
    if told["kind"] == "data-api":
        connection: Connection = DataApiConnection(
            lambda: new_client("rds-data"), told["cluster"], told["secret"], told["database"]
        )
        most_row_bytes = MAX_DATA_API_ROW
    else:
        connection, most_row_bytes = DbApiConnection(_connector(told, new_client)), None
    statements = Statements(Names(told["schema"], told["table"]), sort)
    return SqlSink(connection, statements, Definitions(connection, statements, owner), most_row_bytes)


def _connector(told: SqlTold, new_client: Callable[[str], Any]) -> Connector:
    host, port = told["host"], told["port"]
    secret = told.get("secret")
    credentials = (
        TokenCredentials(signer, host, port, cast("str", told.get("user")))
        if secret is None
        else SecretCredentials(lambda: new_client("secretsmanager"), secret)
    )
    tls = None if told.get("tls") == "off" else Tls.of(told.get("certificates"))
    return Connector(told["driver"], host, port, told["database"], credentials, tls)
