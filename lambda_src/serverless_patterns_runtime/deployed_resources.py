"""What a deployed function reaches by itself."""

import json
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.errors import UnusableResource
from serverless_patterns_runtime.resources import (
    Bucket,
    ReadableTable,
    Topic,
    check_size,
    may_be_there,
    unknown,
    unknown_topic,
    unknown_view,
)

if TYPE_CHECKING:
    from serverless_patterns_runtime.cqrs_queries.view import ReadableView
    from serverless_patterns_runtime.fan_out_topic.contract import Publishing

__all__ = ["DeployedResources"]

KEPT_SECONDS = 300.0
"""How long a secret or parameter is used before it is read again: a rotated one is seen after five minutes."""


def _client(service: str) -> Any:
    # Not at the top: botocore is most of a cold start, and a function that reads nothing has no use for it.
    from serverless_patterns_runtime.clients import client

    return client(service)


class DeployedResources:
    """Reads when asked, never before: a function that needs no secret pays for no client of Secrets Manager."""

    def __init__(
        self,
        tables: Mapping[str, str],
        *,
        client: Callable[[str], Any] = _client,
        variables: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tables`: logical to physical names; `variables` hold the ARNs of secrets and the names of parameters."""
        self._tables = tables
        self._client = client
        self._variables = variables
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._topics: dict[str, Topic] = {}
        self._views: dict[str, ReadableView] = {}

    def prepare(self) -> Self:
        """Make at init, which Lambda runs with more CPU, the clients that a first request would wait for."""
        if self._tables or any('"control"' in value for value in self._variables.values()):
            self._client("dynamodb")
        if any(":secretsmanager:" in value for value in self._variables.values()):
            self._client("secretsmanager")
        if any('"topic_arn"' in value for value in self._variables.values()):
            self._client("sns")
        return self

    def table(self, name: str) -> ReadableTable:
        if name not in self._tables:
            unknown("table", name, self._tables)
        return _Table(self._client("dynamodb"), self._tables[name])

    def secret(self, name: str) -> str:
        if not (arn := self._variables.get(name)):  # an ARN; of some emulators a name, which the service takes as well
            unknown("secret", name, {})
        return self._read(("secret", name), lambda: self._secret(name, arn))

    def parameter(self, name: str) -> str:
        if not (parameter := self._variables.get(name)):
            unknown("parameter", name, {})
        return self._read(("parameter", name), lambda: self._parameter(parameter))

    def bucket(self, name: str) -> Bucket:
        if not (bucket := self._variables.get(name)):
            unknown("bucket", name, {})
        return _Bucket(self._client("s3"), bucket)

    def topic(self, name: str) -> Topic:
        if name not in self._topics:
            from serverless_patterns_runtime.fan_out_topic.sns_topic import SnsTopic  # functions that publish need it

            if not (text := self._variables.get(name)):
                unknown_topic(name)
            settings: Publishing = json.loads(text)
            self._topics[name] = SnsTopic(name, settings, self._client)
        return self._topics[name]

    def view(self, name: str) -> "ReadableView":
        if name not in self._views:
            from serverless_patterns_runtime.cqrs_queries.deployed_view import DeployedView  # who reads views needs it

            if not (text := self._variables.get(name)):
                unknown_view(name, {})
            self._views[name] = DeployedView(json.loads(text), self._client("dynamodb"))
        return self._views[name]

    def _secret(self, name: str, arn: str) -> str:
        answer = self._client("secretsmanager").get_secret_value(SecretId=arn)
        if "SecretString" not in answer:
            raise UnusableResource(f"the secret {name!r} holds bytes: store it as text")
        return answer["SecretString"]

    def _parameter(self, parameter: str) -> str:
        return self._client("ssm").get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]

    def _read(self, what: tuple[str, str], read: Callable[[], str]) -> str:
        now = self._clock()
        kept = self._kept.get(what)
        if kept is None or kept.until <= now:
            kept = self._kept[what] = _Kept(read(), now + KEPT_SECONDS)
        return kept.value


class _Kept(NamedTuple):
    value: str
    until: float


def _is_too_long(error: Exception) -> bool:
    """A sort key: which of two attributes is one, nobody here knows."""
    said = getattr(error, "response", {}).get("Error", {})
    return said.get("Code") == "ValidationException" and "size limit" in said.get("Message", "")


class _Table(NamedTuple):
    dynamodb: Any
    table_name: str

    def get(self, /, **key: Any) -> dict[str, Any] | None:
        if not may_be_there(key):
            return None
        # Consistent: who has been told that something is written must find it.
        try:
            answer = self.dynamodb.get_item(TableName=self.table_name, Key=serialize_item(key), ConsistentRead=True)
        except Exception as error:
            if _is_too_long(error):
                return None
            raise
        return deserialize_item(answer["Item"]) if "Item" in answer else None


class _Bucket(NamedTuple):
    s3: Any
    bucket_name: str

    def get(self, key: str, *, most_bytes: int = 64 * 1024 * 1024) -> bytes | None:
        try:
            answer = self.s3.get_object(Bucket=self.bucket_name, Key=key)
        except Exception as error:
            if getattr(error, "response", {}).get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise
        with answer["Body"] as body:
            check_size(answer.get("ContentLength", 0), most_bytes)  # a proxy may pass the content on in chunks
            content = body.read(most_bytes + 1)
        check_size(len(content), most_bytes)
        return content

    def put(self, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        self.s3.put_object(Bucket=self.bucket_name, Key=key, Body=content, ContentType=content_type)
