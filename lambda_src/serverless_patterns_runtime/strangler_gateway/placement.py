"""On which side a caller is: by a hash that no growth of the percentage moves him back from."""

import hashlib
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple, Protocol

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.strangler_gateway.contract import (
    PERCENT_STEPS,
    Migration,
    RouteSettings,
    Side,
    StickySettings,
)

__all__ = ["Placed", "Placement", "bucket", "placed"]

_COOKIE = "{}={}; Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax"


class Placement(NamedTuple):
    side: Side
    set_cookie: str | None = None
    """The gateway's own, for a caller who is known by nothing else."""
    forced: bool = False
    """By a tester: it counts for no rollback."""


class Placed(Protocol):
    """What of a request tells where it belongs."""

    @property
    def cookies(self) -> Mapping[str, str]: ...
    @property
    def claims(self) -> Mapping[str, Any]: ...
    def all(self, name: str) -> list[str]: ...


def placed(migration: Migration, route: RouteSettings, arrival: Placed, percent: float, random: Random) -> Placement:
    """`percent`: what the new side gets now. Raises PermanentError for a side that there is not."""
    forced = _forced(migration, arrival)
    if forced:
        return Placement(forced, forced=True)
    steps = round(percent * (PERCENT_STEPS // 100))
    if steps <= 0 or steps >= PERCENT_STEPS:
        return Placement("new" if steps > 0 else "legacy")
    # The gateway's own cookie first: it placed him before he logged in.
    caller, cookie = arrival.cookies.get(migration["cookie"]) or _sticky(route["sticky"], arrival), None
    if not caller:
        caller = f"{random.getrandbits(128):032x}"
        cookie = _COOKIE.format(migration["cookie"], caller)
    return Placement("new" if bucket(migration["gateway"], caller) < steps else "legacy", cookie)


def bucket(gateway: str, caller: str) -> int:
    """Which of the steps he is in: the same one for all routes, so that he moves with all his requests alike."""
    digest = hashlib.sha256(f"{gateway}:{caller}".encode(errors="replace")).digest()
    return int.from_bytes(digest[:8]) % PERCENT_STEPS


def _forced(migration: Migration, arrival: Placed) -> Side | None:
    header = migration.get("force_header")
    asked = set(arrival.all(header)) if header else None
    if not asked:
        return None
    if asked == {"new"}:
        return "new"
    if asked == {"legacy"}:
        return "legacy"
    raise PermanentError(f"{header} is new or legacy", status=400)


def _sticky(sticky: StickySettings, arrival: Placed) -> str | None:
    claim = arrival.claims.get(sticky["claim"]) if "claim" in sticky else None
    if claim:
        return str(claim)
    for value in arrival.all(sticky["header"]) if "header" in sticky else ():
        if value:
            return value
    return arrival.cookies.get(sticky["cookie"]) if "cookie" in sticky else None
