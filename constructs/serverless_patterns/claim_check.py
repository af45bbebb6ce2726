"""`ClaimCheck`: payloads that are too large for a message wait in a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

if TYPE_CHECKING:
    from ._interfaces import Bucket

__all__ = ["ClaimCheck"]

_RETENTION = Duration.days(60)


@dataclass(frozen=True, kw_only=True)
class ClaimCheck:
    """Puts payloads that are too large for a message into a bucket; subscribers that are handlers never notice.

    ```python
    ClaimCheck(keep=["kind", "country"])
    ```

    Args:
        keep: Top-level members that stay in the message, for filters of the scope `body` and for
            `FanIn(expected=...)`. The key's always does.
        retention: How long a payload is kept: longer than any way back of its message.
        bucket: One of yours, whose lifecycle you see to. Default: one of its own.
    """

    keep: Sequence[str] = ()
    retention: Duration = _RETENTION
    bucket: Bucket | None = None
