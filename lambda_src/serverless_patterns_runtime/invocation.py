"""What a business function may know about this run of itself."""

import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.resources import NO_RESOURCES, Bucket, GivenResources, ReadableTable, Resources
from serverless_patterns_runtime.sql_claims import Connection, claim_once

if TYPE_CHECKING:
    from serverless_patterns_runtime.cqrs_queries.view import ReadableView

__all__ = ["Invocation", "Log"]


class Log(Protocol):
    """The part of a logger that business functions use; keyword arguments of `extra=` become fields."""

    def debug(self, msg: object, *args: object, extra: dict[str, Any] | None = None) -> None: ...
    def info(self, msg: object, *args: object, extra: dict[str, Any] | None = None) -> None: ...
    def warning(self, msg: object, *args: object, extra: dict[str, Any] | None = None) -> None: ...
    def error(self, msg: object, *args: object, extra: dict[str, Any] | None = None) -> None: ...


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _half_a_minute() -> float:
    return 30.0


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One run of a business function."""

    claim: Claim
    """The idempotency key with its namespace and payload digest."""

    correlation_id: str
    """The same from the first request to the last log line."""

    attempt: int
    """1 for the first; may skip numbers, since a message can be received without being tried."""

    remaining: Callable[[], float]
    """Seconds until Lambda ends this invocation."""

    logger: Log = field(compare=False)
    """Writes one JSON line an event, with the correlation id on it."""

    resources: Resources = field(default=NO_RESOURCES, compare=False, repr=False)
    """What `table`, `secret`, `parameter`, `bucket` and `read_view` read from, and `publish` publishes to."""

    @property
    def idempotency_key(self) -> str:
        """Stable over retries, duplicates and redrives: pass it to whatever you call."""
        return self.claim.key

    def table(self, name: str) -> ReadableTable:
        """A table of the Handler's `tables`, to read from: `invocation.table("ORDERS").get(order_id="1")`.

        Writes are `Effects`. Raises UnusableResource for a table that the Handler does not have.
        """
        return self.resources.table(name)

    def secret(self, name: str) -> str:
        """The text of a secret of the Handler's `secrets`, kept for five minutes once it is read.

        Raises UnusableResource for a secret that the Handler does not have.
        """
        return self.resources.secret(name)

    def parameter(self, name: str) -> str:
        """The value of a parameter of the Handler's `parameters`, kept for five minutes once it is read.

        Raises UnusableResource for a parameter that the Handler does not have.
        """
        return self.resources.parameter(name)

    def bucket(self, name: str) -> Bucket:
        """A bucket whose name is in this variable of the Handler's `environment`, with a grant in its `grants`.

        `environment={"IMAGES": images.bucket_name}, grants=[images.grant_read]`, then
        `invocation.bucket("IMAGES").get(key)`. Raises UnusableResource for a variable that the Handler does not have.
        """
        return self.resources.bucket(name)

    def once(self, connection: Connection) -> bool:
        """Claim the key inside your open SQL transaction: True the first time, False when it was committed before.

        Needs the table `serverless_patterns_runtime.sql_claims.CLAIMS_DDL`. Commit the transaction yourself.
        """
        return claim_once(connection, self.claim)

    @classmethod
    def fake(
        cls,
        *,
        idempotency_key: str = "key-1",
        correlation_id: str = "correlation-1",
        attempt: int = 1,
        remaining: Callable[[], float] = _half_a_minute,
        logger: Log | None = None,
        payload_digest: str = "0" * 64,
        tables: Mapping[str, ReadableTable] = _NOTHING,
        secrets: Mapping[str, str] = _NOTHING,
        parameters: Mapping[str, str] = _NOTHING,
        buckets: Mapping[str, MutableMapping[str, bytes]] = _NOTHING,
        topics: Mapping[str, Mapping[str, Any]] = _NOTHING,
        views: "Mapping[str, ReadableView]" = _NOTHING,
    ) -> "Invocation":
        """An invocation for a unit test: no AWS, no set-up. `tables` are `testing.Table`s, as `commit` takes them.

        `buckets` are dicts from key to content, and hold afterwards what was put. `publish` sends nothing:
        `testing.published` has it. `topics` are those that there are, and have messages checked by their settings:
        `topics={"ORDER_EVENTS": {"key": "order_id", "attributes": {"kind": "$.kind"}, "fifo": False}}`. Without them
        there is any topic. `views` are `testing.View`s and `testing.Totals`.

        Raises TypeError for settings that no topic has.
        """
        if topics is not _NOTHING:
            from serverless_patterns_runtime.fan_out_topic.given_topic import check_given  # tests that publish need it

            check_given(topics)
        return cls(
            claim=Claim("test", idempotency_key, payload_digest),
            correlation_id=correlation_id,
            attempt=attempt,
            remaining=remaining,
            logger=logger or logging.getLogger("business_function"),
            resources=GivenResources(tables, secrets, parameters, buckets, topics, views),
        )
