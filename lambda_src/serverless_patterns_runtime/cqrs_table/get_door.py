"""The route that shows one aggregate, as it is now."""

import os
from base64 import b64encode
from functools import cache
from typing import Any, cast

from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.aggregate import UnknownSchema
from serverless_patterns_runtime.cqrs_table.parameters import refuse_parameters
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.errors import PermanentError, UnusableResource
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response

__all__ = ["get_aggregate", "shown"]


class NoSuchAggregate(PermanentError):
    """There is none, or none any more."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("there is none", status=404)


def get_aggregate(request: Request, invocation: Invocation) -> Response:
    """200, the state with its version as `ETag`; 304 for the version that `If-None-Match` names; 404 without one."""
    return shown(request, invocation, _model())


def shown(request: Request, invocation: Invocation, model: WriteModel) -> Response:
    """The same over any write model.

    Raises NoSuchAggregate, PermanentError for a query string, UnusableResource for a state of an unknown schema.
    """
    refuse_parameters(request)
    key = request.params[model.key]
    if len(key.encode()) > contract.MAX_KEY_BYTES:
        raise NoSuchAggregate
    try:
        found = model.read_aggregates([key], remaining=invocation.remaining)[key]
    except UnknownSchema as unknown:
        raise UnusableResource(str(unknown)) from unknown
    if found is None or found.state is None:
        raise NoSuchAggregate
    if found.version is None:
        return Response(200, _as_json(found.state))
    tag = f'"{found.version}"'
    if tag in _tags(request):
        return Response(304, headers={"ETag": tag})
    return Response(200, _as_json(found.state), headers={"ETag": tag})


def _tags(request: Request) -> list[str]:
    """That the caller has already. A weak one is as good here (RFC 9110)."""
    texts: list[str] = list(request.headers.all("If-None-Match"))
    return [part.strip().removeprefix("W/") for text in texts for part in text.split(",")]


def _as_json(value: Any) -> Any:
    """What DynamoDB has and JSON has not: bytes as base64, sets as sorted lists."""
    match value:
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {name: _as_json(member) for name, member in cast("dict[str, Any]", value).items()}
        case list():
            return [_as_json(member) for member in cast("list[Any]", value)]
        case set():
            return [_as_json(member) for member in sorted(cast("set[Any]", value))]
        case _:
            return value


@cache
def _model() -> WriteModel:
    return WriteModel.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _model()  # at init, which Lambda runs with more CPU
