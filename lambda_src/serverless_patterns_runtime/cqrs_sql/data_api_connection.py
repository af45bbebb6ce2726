"""The Data API of Aurora: SQL over HTTPS, without a VPC and without a connection."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.cqrs_sql.failures import data_api_failure
from serverless_patterns_runtime.cqrs_sql.statement import Run, Scalar, Statement, Work

__all__ = ["DataApiConnection"]

Result = TypeVar("Result")


class DataApiConnection(NamedTuple):
    """A `Connection`. One statement is one request; more are within BeginTransaction and CommitTransaction."""

    client: Callable[[], Any]
    cluster: str
    secret: str
    database: str

    def run(self, statement: Statement) -> Sequence[Sequence[Scalar]]:
        return _asked(lambda: self._execute(statement, {}))

    def transact(self, work: Work[Result]) -> Result:
        begun = _asked(lambda: self.client().begin_transaction(**self._database(), database=self.database))
        transaction = {"transactionId": begun["transactionId"]}
        try:
            run: Run = lambda statement: self._execute(statement, transaction)  # noqa: E731
            result = _asked(lambda: work(run))
        except BaseException:
            with suppress(ClientError, BotoCoreError):
                self.client().rollback_transaction(**self._database(), **transaction)
            raise
        _asked(lambda: self.client().commit_transaction(**self._database(), **transaction))
        return result

    def _execute(self, statement: Statement, transaction: dict[str, str]) -> Sequence[Sequence[Scalar]]:
        answer = self.client().execute_statement(
            **self._database(),
            database=self.database,
            sql=statement.text,
            parameters=[{"name": name, "value": _typed(value)} for name, value in statement.parameters.items()],
            **transaction,
        )
        return [[_value(field) for field in record] for record in answer.get("records", ())]

    def _database(self) -> dict[str, str]:
        return {"resourceArn": self.cluster, "secretArn": self.secret}


def _asked(request: Callable[[], Result]) -> Result:
    try:
        return request()
    except (ClientError, BotoCoreError) as error:
        raise data_api_failure(error) from error


def _typed(value: Scalar) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case str():
            return {"stringValue": value}


def _value(field: dict[str, Any]) -> Any:
    ((kind, value),) = field.items()
    return None if kind == "isNull" else value
