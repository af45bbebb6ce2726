"""Clients as botocore makes them, except that a script answers. Every request is held against botocore's own model."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

Answer = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Call:
    operation: str
    arguments: dict[str, Any]


class ScriptedClient:
    """Answers with its defaults; `script(operation, ...)` says otherwise. Remembers every call."""

    def __init__(self, service: str, defaults: dict[str, Answer]) -> None:
        self._service = service
        self._answers = dict(defaults)
        self.calls: list[Call] = []

    def script(self, operation: str, *answers: Any) -> None:
        """One answer a call: a response, an exception to raise, or a function of the request."""
        left = iter(answers)

        def next_answer(request: dict[str, Any]) -> Any:
            try:
                answer = next(left)
            except StopIteration:
                raise AssertionError(f"{operation} was called more than {len(answers)} times") from None
            return answer(request) if callable(answer) else answer

        self._answers[operation] = next_answer

    def always(self, operation: str, answer: Any) -> None:
        self._answers[operation] = answer if callable(answer) else lambda _: answer

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [call.arguments for call in self.calls if call.operation == operation]

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = _operation(self._service, method)

        def call(**arguments: Any) -> Any:
            self.calls.append(Call(operation, arguments))
            _check(self._service, operation, arguments)
            answer = self._answers[operation](arguments)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call


def dynamodb() -> ScriptedClient:
    """Accepts everything."""
    return ScriptedClient(
        "dynamodb",
        {
            "TransactWriteItems": lambda _: {},
            "BatchExecuteStatement": lambda request: {"Responses": [{} for _ in request["Statements"]]},
            "GetItem": lambda _: {},
            "UpdateItem": lambda request: {
                "Attributes": {"attempts": request["ExpressionAttributeValues"][":receive"]}
            },
        },
    )


def sqs() -> ScriptedClient:
    """Accepts everything."""
    return ScriptedClient(
        "sqs",
        {
            "SendMessage": lambda _: {"MessageId": "dead-letter-1"},
            "ChangeMessageVisibilityBatch": lambda request: {
                "Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]
            },
        },
    )


def error(operation: str, code: str, message: str = "", **fields: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, **fields}, operation)


def cancelled(reasons: Iterable[dict[str, Any] | str]) -> ClientError:
    """TransactWriteItems refused; a reason is its code, or the whole of it."""
    said = [{"Code": reason} if isinstance(reason, str) else reason for reason in reasons]
    codes = ", ".join(reason["Code"] for reason in said)
    return error(
        "TransactWriteItems",
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=said,
    )


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@cache
def _operation(service: str, method: str) -> str:
    names = {name.lower(): name for name in _model(service).operation_names}
    try:
        return names[method.replace("_", "")]
    except KeyError:
        raise AttributeError(f"{service} has no operation {method}") from None


def _check(service: str, operation: str, arguments: dict[str, Any]) -> None:
    """The shipped clients skip this check, so that a wrong request shows only on AWS."""
    report = ParamValidator().validate(arguments, _model(service).operation_model(operation).input_shape)
    assert not report.has_errors(), f"{operation}: {report.generate_report()}"
