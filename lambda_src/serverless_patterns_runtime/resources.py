"""What a business function reaches by itself, by the names that its Handler gave it: rows, secrets, parameters,
buckets, topics and views.

Writes to tables are not here: they are `Effects`, so that they happen once.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize, serialize_item
from serverless_patterns_runtime.errors import PermanentError, UncommittableEffects, UnusableResource

if TYPE_CHECKING:
    from serverless_patterns_runtime.cqrs_queries.view import ReadableView
    from serverless_patterns_runtime.fan_out_topic.contract import Publishing
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.fan_out_topic.publishing import Published
    from serverless_patterns_runtime.invocation import Invocation

__all__ = [
    "NO_RESOURCES",
    "Bucket",
    "GivenResources",
    "ReadableTable",
    "Resources",
    "Topic",
    "check_size",
    "may_be_there",
    "unknown",
    "unknown_topic",
    "unknown_view",
]

MAX_KEY_BYTES = 2048
"""Of a partition key; of a sort key DynamoDB takes half of it."""


class ReadableTable(Protocol):
    def get(self, /, **key: Any) -> dict[str, Any] | None:
        """The item with exactly this key, as of now; None when there is none, or none can have it: text too long.

        Numbers are `Decimal`, whatever they were when they were written.
        """
        ...


class Bucket(Protocol):
    """Objects in S3. A write may happen again when the function does: name objects by what they are made of."""

    def get(self, key: str, *, most_bytes: int = 64 * 1024 * 1024) -> bytes | None:
        """The object's content, None when there is no such object.

        Raises PermanentError for more than `most_bytes`, before it is read: content is held in memory.
        """
        ...

    def put(self, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write, or replace, the whole object."""
        ...


class Topic(Protocol):
    @property
    def settings(self) -> "Publishing": ...

    def publish(self, messages: "Sequence[Message]", invocation: "Invocation | None") -> "Sequence[Published]": ...


class Resources(Protocol):
    def table(self, name: str) -> ReadableTable: ...
    def secret(self, name: str) -> str: ...
    def parameter(self, name: str) -> str: ...
    def bucket(self, name: str) -> Bucket: ...
    def topic(self, name: str) -> Topic: ...
    def view(self, name: str) -> "ReadableView": ...


@dataclass(frozen=True)
class GivenResources:
    """What a unit test gives a function. Nothing that it was not given."""

    tables: Mapping[str, ReadableTable]
    secrets: Mapping[str, str]
    parameters: Mapping[str, str]
    buckets: Mapping[str, MutableMapping[str, bytes]] = field(default_factory=dict[str, MutableMapping[str, bytes]])
    topics: Mapping[str, Mapping[str, Any]] | None = None
    """None: there are no topics. Empty: there is any, without settings of its own."""
    views: "Mapping[str, ReadableView]" = field(default_factory=dict)  # pyright: ignore[reportUnknownVariableType]
    published: "dict[str, list[Message]]" = field(default_factory=dict, init=False)  # pyright: ignore[reportUnknownVariableType]
    """By the topic's name, as the function gave them."""
    sent: "dict[str, list[Message]]" = field(default_factory=dict, init=False)  # pyright: ignore[reportUnknownVariableType]
    """Likewise, as subscribers get them."""

    def table(self, name: str) -> ReadableTable:
        if name not in self.tables:
            unknown("table", name, self.tables)
        return _AsStored(self.tables[name])

    def secret(self, name: str) -> str:
        if name not in self.secrets:
            unknown("secret", name, self.secrets)
        return self.secrets[name]

    def parameter(self, name: str) -> str:
        if name not in self.parameters:
            unknown("parameter", name, self.parameters)
        return self.parameters[name]

    def bucket(self, name: str) -> Bucket:
        if name not in self.buckets:
            unknown("bucket", name, self.buckets)
        return _GivenBucket(self.buckets[name])

    def topic(self, name: str) -> Topic:
        if self.topics is None:
            unknown_topic(name)
        if self.topics and name not in self.topics:
            unknown("topic", name, self.topics)
        from serverless_patterns_runtime.fan_out_topic.given_topic import GivenTopic  # functions that publish need it

        published, sent = self.published.setdefault(name, []), self.sent.setdefault(name, [])
        return GivenTopic(self.topics.get(name, {}), published, sent)

    def view(self, name: str) -> "ReadableView":
        if name not in self.views:
            unknown_view(name, self.views)
        return self.views[name]


NO_RESOURCES = GivenResources({}, {}, {})


@dataclass(frozen=True)
class _AsStored:
    """A table in memory whose items come back as DynamoDB would give them."""

    table: ReadableTable

    def get(self, /, **key: Any) -> dict[str, Any] | None:
        item = self.table.get(**key) if may_be_there(key) else None
        return None if item is None else deserialize_item(serialize_item(item))


@dataclass(frozen=True)
class _GivenBucket:
    objects: MutableMapping[str, bytes]

    def get(self, key: str, *, most_bytes: int = 64 * 1024 * 1024) -> bytes | None:
        content = self.objects.get(key)
        if content is not None:
            check_size(len(content), most_bytes)
        return content

    def put(self, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:  # noqa: ARG002
        self.objects[key] = bytes(content)


def check_size(size: int, most_bytes: int) -> None:
    """Raises PermanentError. The object's name is not said: callers choose names."""
    if size > most_bytes:
        raise PermanentError(f"the object holds {size:,} bytes, and at most {most_bytes:,} are read", status=413)


def may_be_there(key: Mapping[str, Any]) -> bool:
    """Whether DynamoDB could hold an item with this key. Callers choose keys: what it would refuse is not there."""
    for value in key.values():
        if isinstance(value, str | bytes):
            content = value.encode(errors="replace") if isinstance(value, str) else value
            if not 1 <= len(content) <= MAX_KEY_BYTES:
                return False
        if isinstance(value, str | int | float | Decimal):
            try:
                serialize(value)
            except UncommittableEffects:
                return False
    return True


def unknown_topic(name: str) -> NoReturn:
    """Raises UnusableResource."""
    raise UnusableResource(
        f"the function asks for the topic {name!r}, which it was not given: add the topic's publisher({name!r}) to"
        " Handler(grants=[...]), in a unit test call publish(..., invocation=Invocation.fake())"
    )


def unknown_view(name: str, known: Mapping[str, object]) -> NoReturn:
    """Raises UnusableResource."""
    has = ", ".join(sorted(known)) or "none"
    raise UnusableResource(
        f"the function asks for the view {name!r}, which it was not given (it has: {has}): add the view's"
        f" reader({name!r}) to Handler(grants=[...]), in a unit test to Invocation.fake(views=...)"
    )


def unknown(kind: str, name: str, known: Mapping[str, object]) -> NoReturn:
    """Raises UnusableResource."""
    has = ", ".join(sorted(known)) or "none"
    raise UnusableResource(
        f"the function asks for the {kind} {name!r}, which it was not given (it has: {has}): "
        f"add it to Handler({kind}s=...), in a unit test to Invocation.fake({kind}s=...)"
    )
