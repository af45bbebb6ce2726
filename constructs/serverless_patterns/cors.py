"""`Cors`: which pages of other origins may use an API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration

from serverless_patterns_runtime.api_proxy.contract import (
    CORRELATION_ID_HEADER,
    IDEMPOTENCY_KEY_HEADER,
    REPLAYED_HEADER,
)

__all__ = ["Cors"]

_MAX_AGE = Duration.hours(1)


@dataclass(frozen=True, kw_only=True)
class Cors:
    """Lets pages of other origins use an API: answers of handlers and queues say so, errors of the gateway too.

    An `IFunction` and an `HttpBackend` have to say it themselves: the gateway passes their answers on as they are.

    ```python
    Cors(allow_origins=["https://shop.example.com"], allow_credentials=True)
    ```

    Args:
        allow_origins: Origins such as `https://shop.example.com`, without a path; or `["*"]`. With several, errors that
            the gateway itself makes can be read from anywhere: they hold nothing of the caller's.
        allow_credentials: Cookies and HTTP authentication; then with exactly one origin.
        allow_headers: What pages may send besides what a route's authorizer and API key ask for.
        expose_headers: What pages may read of an answer.
        max_age: How long browsers may remember it; to a day.
    """

    allow_origins: Sequence[str]
    allow_credentials: bool = False
    allow_headers: Sequence[str] = ("Authorization", "Content-Type", IDEMPOTENCY_KEY_HEADER, CORRELATION_ID_HEADER)
    expose_headers: Sequence[str] = (REPLAYED_HEADER, CORRELATION_ID_HEADER, "Retry-After")
    max_age: Duration = _MAX_AGE
