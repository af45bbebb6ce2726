"""`HttpsEndpoint`: a subscriber somewhere else, reached by HTTPS."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HttpsEndpoint"]


@dataclass(frozen=True)
class HttpsEndpoint:
    """Messages go to a URL by POST; what it does not take in time becomes a dead letter of the subscription.

    ```python
    orders.add_subscriber("Partner", HttpsEndpoint("https://partner.example/hook", max_receives_per_second=10))
    ```

    The endpoint confirms the subscription, once, as SNS asks it to. By default a message comes in SNS's envelope: with
    its attributes, and a signature that shows who sent it.

    Args:
        url: Where to, `https` only; no user name in it.
        max_receives_per_second: 1 to 100,000. Default: no limit.
        retries: 0 to 100 tries after the first.
        min_retry_seconds: 1 to 3,600, between the first tries.
        max_retry_seconds: To 3,600, between the last ones; all tries end within an hour.
        raw: The body alone: without attributes, and without the signature.
    """

    url: str
    max_receives_per_second: int | None = None
    retries: int = 50
    min_retry_seconds: int = 1
    max_retry_seconds: int = 60
    raw: bool = False
