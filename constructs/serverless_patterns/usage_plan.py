"""`UsagePlan`, `Quota`: what clients that are known by API keys may use of an API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._interfaces import ApiKey
    from .throttle import Throttle

__all__ = ["Quota", "UsagePlan"]


@dataclass(frozen=True)
class Quota:
    """Requests that one key has in a day, a week or a month; more are answered with 429.

    ```python
    Quota(10_000, per="MONTH")
    ```

    The gateway counts as best it can, not exactly.

    Args:
        limit: 1 to 2,147,483,647 requests.
        per: `DAY`, `WEEK` or `MONTH`, by UTC.
    """

    limit: int
    per: Literal["DAY", "WEEK", "MONTH"] = "DAY"


def _none() -> Mapping[str, Throttle]:
    return {}


@dataclass(frozen=True, eq=False)
class UsagePlan:
    """Meters clients by their API keys, on routes with `api_key_required=True`. A description: `ApiProxy` checks it.

    ```python
    UsagePlan("free", keys=[key], throttle=Throttle(rate=5, burst=10), quota=Quota(1_000, per="DAY"))
    ```

    A key says which client calls, and proves nothing: routes need an authorizer (or `public=True`) all the same.

    Args:
        name: Of the plan: letters, digits, spaces, `.`, `_` and `-`. Part of ids.
        keys: Each in one plan of an API.
        throttle: Of each key, on all routes together.
        quota: Of each key, on all routes together.
        route_throttles: Of each key, on one route: `{"POST /orders": Throttle(rate=1, burst=2)}`.
    """

    name: str
    _: KW_ONLY
    keys: Sequence[ApiKey] = ()
    throttle: Throttle | None = None
    quota: Quota | None = None
    route_throttles: Mapping[str, Throttle] = field(default_factory=_none)
