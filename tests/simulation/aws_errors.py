"""AWS's errors as botocore raises them, made from botocore's own service models."""

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.validate import ParamValidator


class ServiceError(Exception):
    """What a service answers; the client that the shipped code holds turns it into botocore's exception."""

    def __init__(self, code: str, message: str = "", status: int = 400, **fields: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


_RIGHT: set[int] = set()
"""Requests that the model agreed to: a schedule with one fault more sends most of them again."""

_TEXT = re.compile(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(:?)""")
"""In a request as Python shows it; with a colon it is a name."""


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@cache
def exceptions(service: str) -> Any:
    """What `client.exceptions` is."""
    return ClientExceptionsFactory().create_client_exceptions(_model(service))


def client_error(service: str, operation: str, error: ServiceError) -> ClientError:
    response = {
        "Error": {"Code": error.code, "Message": error.message},
        "ResponseMetadata": {"HTTPStatusCode": error.status, "HTTPHeaders": {}, "RetryAttempts": 0, "RequestId": ""},
        **error.fields,
    }
    return exceptions(service).from_code(error.code)(response, operation)


def connection_lost(service: str) -> ConnectionClosedError:
    return ConnectionClosedError(endpoint_url=f"https://{service}.invalid")


@cache
def operation_name(service: str, method: str) -> str:
    """`send_message` to `SendMessage`."""
    by_lower = {name.lower(): name for name in _model(service).operation_names}
    return by_lower[method.replace("_", "")]


def wrong_parameters(service: str, operation: str, arguments: dict[str, Any]) -> str:
    """The shipped clients skip this check; here every request is held against botocore's model of the service."""
    shown = repr(arguments)
    request = hash((service, operation, shown))
    if request in _RIGHT:
        return ""
    shape = hash((service, operation, _TEXT.sub(_only_its_length, shown)))
    if shape in _RIGHT:
        _RIGHT.add(request)
        return ""
    report = ParamValidator().validate(arguments, _model(service).operation_model(operation).input_shape)
    if not report.has_errors():
        _RIGHT.update((request, shape))
    return report.generate_report()


def _only_its_length(text: re.Match[str]) -> str:
    """Which is all that botocore checks of a text; names it knows, and what stands between."""
    return text[0] if text[1] else f"'{len(text[0])}'"


@cache
def takes_token(service: str, operation: str) -> str | None:
    """The parameter that botocore fills with a fresh token when the caller gives none."""
    members = _model(service).operation_model(operation).idempotent_members
    return members[0] if members else None
