"""The few AWS operations that routers use, without the SDK: importing it is most of a cold start.

Errors are the SDK's own (`botocore.exceptions`): ClientError for what AWS refuses, another BotoCoreError for what does
not answer. No longer than it was told, and never a second try of what may have happened.
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from serverless_patterns_runtime.strangler_gateway.connection import Connection, Lost, Place, Unreached
from serverless_patterns_runtime.strangler_gateway.signing import Credentials, signed
from serverless_patterns_runtime.strangler_gateway.wire import Message, Unreadable

__all__ = ["DynamoDb", "Functions", "Invoked", "LightDynamoDb", "LightLambda", "Service"]

MOST_BYTES = 16 * 1024 * 1024


class DynamoDb(Protocol):
    """As the SDK's client: the same arguments and results. Of attribute values no bytes."""

    def get_item(self, **request: Any) -> dict[str, Any]: ...
    def put_item(self, **request: Any) -> dict[str, Any]: ...
    def query(self, **request: Any) -> dict[str, Any]: ...
    def transact_write_items(self, **request: Any) -> dict[str, Any]: ...
    def update_item(self, **request: Any) -> dict[str, Any]: ...


class Invoked(NamedTuple):
    error: str
    """`Unhandled` and the like, where the function failed; empty: it answered."""
    payload: bytes


class Functions(Protocol):
    def invoke(self, function: str, payload: bytes, seconds: float, *, again: bool = False) -> Invoked:
        """Waits for the answer, so many seconds in all. `again`: whether it may run twice."""
        ...

    def send(self, function: str, payload: bytes, seconds: float) -> None:
        """Lambda runs it later."""
        ...


class Service:
    """One of AWS's, over a kept connection of its own."""

    def __init__(self, name: str, region: str, url_suffix: str, clock: Callable[[], float] = time.time) -> None:
        self._name, self._region, self._clock = name, region, clock
        said = os.environ.get(f"AWS_ENDPOINT_URL_{name.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
        self.url = said or f"https://{name}.{region}.{url_suffix}"
        self._place = Place.of(self.url)
        self._connection = Connection(self._place, lambda _: True)

    def post(self, path: str, headers: dict[str, str], body: bytes, seconds: float, *, again: bool) -> Message:
        """Raises BotoCoreError."""
        said = {"host": self._place.authority, **headers}
        whole = signed(path, said, body, _credentials(), self._name, self._region, self._clock())
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in whole.items())]
        head = "\r\n".join([*lines, f"content-length: {len(body)}", "", ""])
        try:
            deadline = time.monotonic() + seconds
            return self._connection.exchange(head.encode() + body, "POST", deadline, MOST_BYTES, again=again)
        except (Unreached, Lost, Unreadable, TimeoutError) as error:
            raise _unanswered(error, self.url) from error


class LightDynamoDb:
    def __init__(self, service: Service, seconds: float) -> None:
        """`seconds`: for each request."""
        self._service, self._seconds = service, seconds

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._asked("GetItem", request)

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._asked("PutItem", request)

    def query(self, **request: Any) -> dict[str, Any]:
        return self._asked("Query", request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """With a token of the caller's, by which DynamoDB knows it again."""
        return self._asked("TransactWriteItems", request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        """An `ADD` is never sent twice: it would count twice."""
        return self._asked("UpdateItem", request, again="ADD " not in request.get("UpdateExpression", ""))

    def _asked(self, operation: str, request: dict[str, Any], *, again: bool = True) -> dict[str, Any]:
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"DynamoDB_20120810.{operation}"}
        answer = self._service.post("/", headers, json.dumps(request).encode(), self._seconds, again=again)
        if answer.status == 200:
            return json.loads(answer.body)
        raise _refused(answer, operation)


class LightLambda:
    def __init__(self, service: Service) -> None:
        self._service = service

    def invoke(self, function: str, payload: bytes, seconds: float, *, again: bool = False) -> Invoked:
        answer = self._asked(function, payload, seconds, "RequestResponse", again=again)
        errors = [value for name, value in answer.headers if name.lower() == "x-amz-function-error"]
        return Invoked(errors[0] if errors else "", answer.body)

    def send(self, function: str, payload: bytes, seconds: float) -> None:
        self._asked(function, payload, seconds, "Event", again=False)

    def _asked(self, function: str, payload: bytes, seconds: float, kind: str, *, again: bool) -> Message:
        path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
        answer = self._service.post(path, {"x-amz-invocation-type": kind}, payload, seconds, again=again)
        if answer.status < 300:
            return answer
        raise _refused(answer, "Invoke")


def _credentials() -> Credentials:
    """Of the function's role; Lambda never changes them under a running environment."""
    return Credentials(
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_SESSION_TOKEN", "")
    )


def _refused(answer: Message, operation: str) -> Exception:
    from botocore.exceptions import ClientError  # not at the top: AWS hardly ever refuses

    try:
        said: dict[str, Any] = dict(json.loads(answer.body))
    except (TypeError, ValueError):  # something in between has answered
        said = {}
    named = [value for name, value in answer.headers if name.lower() == "x-amzn-errortype"]
    code = str(said.pop("__type", None) or (named and named[0].partition(":")[0]) or answer.status).rpartition("#")[2]
    message = said.pop("message", None) or said.pop("Message", "")
    response = {**said, "Error": {"Code": code, "Message": message}}
    response["ResponseMetadata"] = {"HTTPStatusCode": answer.status}
    return ClientError(response, operation)  # pyright: ignore[reportArgumentType]


def _unanswered(error: Exception, url: str) -> Exception:
    from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

    if isinstance(error, TimeoutError):
        return ReadTimeoutError(endpoint_url=url, error=error)
    if isinstance(error, Unreached):
        return EndpointConnectionError(endpoint_url=url, error=error)
    return ConnectionClosedError(endpoint_url=url, error=error)
