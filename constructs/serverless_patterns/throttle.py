"""`Throttle`: how many requests an API or a route takes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Throttle"]


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """Requests a second that are let through; more are answered with 429.

    ```python
    Throttle(rate=100, burst=200)
    ```

    The gateway counts as best it can, not exactly.

    Args:
        rate: 1 to 1,000,000 requests a second, in the long run.
        burst: 1 to 1,000,000 requests that may come at once.
    """

    rate: int
    burst: int
