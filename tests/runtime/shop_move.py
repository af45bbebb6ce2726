"""A move without a gateway: visitors, four routers that look at the table at their own times, and what was seen."""

from collections.abc import Sequence
from random import Random

from demo.move.outcome import Move
from demo.move.routes import Setting
from demo.move.visit import BASKET, CATALOGUE, PAGES, PROFILE, Side, Visit
from legacy.ledger import Seen

NOON = 1_790_000_000.0
VISITORS, REQUESTS, SECONDS = 40, 1_500, 30.0
CACHE_SECONDS, ROUTERS = 5.0, 4
BAD_VERSION, ROLLED_BACK = 9.0, 14.0
STEPS = (10, 50, 100)
_SETTINGS = [
    (CATALOGUE, -6.0, 50.0),  # before any router has looked
    *((PROFILE, at, float(percent)) for at, percent in zip((2, 9, 16), STEPS, strict=True)),
    *((BASKET, 2 + 1.2 * flip, 0.0 if flip % 2 else 100.0) for flip in range(10)),
]


def settings() -> list[Setting]:
    made = [Setting(route, percent, NOON + at - 0.1, NOON + at) for route, at, percent in _SETTINGS]
    killed = [(BASKET, 15.0, "the demo"), (CATALOGUE, ROLLED_BACK, "rollback")]
    made += [Setting(route, 0, NOON + at, NOON + at, by, killed=True) for route, at, by in killed]
    return sorted(made, key=lambda setting: setting.done)


def play() -> Move:
    """As the demo's, with nothing wrong."""
    random, made = Random(7), settings()
    pins: dict[str, Side] = {}
    visits = [_visit(number, random, made, pins) for number in range(1, REQUESTS + 1)]
    return Move(
        visits=visits,
        asked=len(visits),
        settings=made,
        seen_by_old_site=[seen(visit.number) for visit in visits if visit.side == "old"],
        lines=[{"key": key} for key in pins],
        standing={
            PROFILE: {"killed": False, "by": "the demo"},
            BASKET: {"killed": True, "by": "the demo"},
            CATALOGUE: {"killed": True, "by": "rollback"},
        },
        flips=10,
        steps=STEPS,
        bad_version_at=NOON + BAD_VERSION,
    )


def seen(number: int) -> Seen:
    return Seen("GET", "/", [["X-Visit", str(number)]], "", 200)


def _visit(number: int, random: Random, made: Sequence[Setting], pins: dict[str, Side]) -> Visit:
    at, visitor = SECONDS * number / REQUESTS, random.randrange(VISITORS)
    route = random.choices([PROFILE, CATALOGUE, BASKET, PAGES], [3, 3, 3, 1])[0]
    key = f"key-{random.randrange(400)}" if route == BASKET else ""
    phase = CACHE_SECONDS * random.randrange(ROUTERS) / ROUTERS
    looked = (at - phase) // CACHE_SECONDS * CACHE_SECONDS + phase
    percent = next((one.percent for one in reversed(made) if one.route == route and one.done <= NOON + looked), 0)
    side: Side = "new" if (visitor * 37) % 100 < percent else "old"
    if key:
        side = pins.setdefault(key, side)
    if route == CATALOGUE and at >= BAD_VERSION:
        side = "old"  # answered in place of the version that fails
    logins = 0 if at < SECONDS / 10 else 1
    return Visit(number, visitor, route, key, NOON + at, 0.02, 200, side, right=True, logins=logins)
