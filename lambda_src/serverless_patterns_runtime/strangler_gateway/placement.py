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

_BY_CLAIM, _BY_NAME = "claim", "step"
"""How a cookie begins that holds the step of somebody who was known: nothing of what he was known by. The others are
random, and hashed."""


class Placement(NamedTuple):
    side: Side
    set_cookie: str | None = None
    """The gateway's own, for a caller who may be known by something else next time, or by nothing."""
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
    step, given = _place(migration, route["sticky"], arrival, random)
    cookie = None if given is None else _COOKIE.format(migration["cookie"], given)
    return Placement("new" if step < steps else "legacy", cookie)


def _place(migration: Migration, sticky: StickySettings, arrival: Placed, random: Random) -> tuple[int, str | None]:
    """Which of the steps he is in, and the value of the cookie that keeps him there on all routes, unless he has it."""
    gateway, own = migration["gateway"], arrival.cookies.get(migration["cookie"], "")
    claim = arrival.claims.get(sticky["claim"]) if "claim" in sticky else None
    if claim and (not own or _of_a_claim(own)):  # which may be somebody else's, who was logged in here before
        step = bucket(gateway, str(claim))
        kept = f"{_BY_CLAIM}-{step}"
        return step, None if own == kept else kept
    if own:  # it placed him before he logged in, or has since he logged out
        return _step(gateway, own), None
    name = _named(sticky, arrival)
    if name:
        step = bucket(gateway, name)
        return step, f"{_BY_NAME}-{step}"  # a login, a logout or another route would name him otherwise
    chosen = f"{random.getrandbits(128):032x}"
    return bucket(gateway, chosen), chosen


def _of_a_claim(own: str) -> bool:
    return own.startswith(f"{_BY_CLAIM}-")


def _step(gateway: str, own: str) -> int:
    kind, _, step = own.partition("-")
    if kind in (_BY_CLAIM, _BY_NAME) and step.isascii() and step.isdecimal() and len(step) <= 4:
        return int(step)
    return bucket(gateway, own)


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


def _named(sticky: StickySettings, arrival: Placed) -> str | None:
    for value in arrival.all(sticky["header"]) if "header" in sticky else ():
        if value:
            return value
    return arrival.cookies.get(sticky["cookie"]) if "cookie" in sticky else None
