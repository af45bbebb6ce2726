"""From a seed to a whole schedule of a map: its items, what they do, whether it dies, what goes wrong."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from .faults import ANYWHERE, REPEATED, TASKS, TRANSACTIONS, Chosen
from .map_definition import MapPlan
from .map_invariants import check_map
from .map_world import Death, MapWorld
from .schedules import Violation

__all__ = ["drawn_items", "judged", "simulate_map"]

DOES = {"ok": 20, "fails once": 3, "fails": 2, "is refused": 2, "hangs": 1, "hangs once": 1, "fails after": 1}
FAULTS = (*ANYWHERE, *TRANSACTIONS, *REPEATED, *TASKS)
TRACE_LINES = 70


def simulate_map(
    seed: int,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    item: Mapping[str, Any] = MappingProxyType({}),
    deployed: Mapping[str, Any] = MappingProxyType({}),
    dies: bool | None = None,
    **world: Any,
) -> MapWorld:
    """One schedule, run to its end and judged. `item`: fields of one of the items. Raises Violation."""
    chance = random.Random(f"map {seed}")
    distributed, keyed = chance.random() < 0.5, chance.random() < 0.7
    plan = MapPlan(
        effects=chance.random() < 0.6,
        distributed=distributed,
        in_s3=distributed and chance.random() < 0.5,
        keyed=keyed,
        max_concurrency=chance.choice((1, 3)),
        tolerated=chance.choice((0, 0, 34, 100)),
        retries=chance.choice((1, 3)),
        timeout=3600,
    )
    plan = replace(plan, **deployed)
    items = drawn_items(chance, plan, item)
    chosen = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    faults = Chosen(chance, chance.choice((0.05, 0.1, 0.3)), chance.choice((0, 1, 2, 4)), chosen, operations)
    at = chance.randint(1, chance.choice((20, 60, 150)))
    status = chance.choice(("ABORTED", "TIMED_OUT"))
    death = Death(at if (chance.random() < 0.5 if dies is None else dies) else 0, status, chance.choice((1, 1, 2)))
    made = MapWorld(plan, items, chance.getrandbits(64), faults, death=death, **world)
    return judged(made, f"map, seed {seed}")


def drawn_items(chance: random.Random, plan: MapPlan, item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Mostly not too many; now and then two with one key, alike or not."""
    number = chance.choice((1, 2, 4, plan.max_items, plan.max_items + 1))
    items = [
        {"id": f"p{at}", "does": chance.choices(list(DOES), list(DOES.values()))[0], "seconds": chance.choice((0.1, 4))}
        for at in range(number)
    ]
    if number > 1 and chance.random() < 0.2:
        items[1] = {**items[0], **chance.choice(({}, {"seconds": 0.2}))}
    at = chance.randrange(number)
    items[at] = {**items[at], **item}
    return items


def judged(world: MapWorld, where: str) -> MapWorld:
    """Run to its end and judged. Raises Violation."""
    try:
        world.run()
        check_map(world)
    except AssertionError as failure:
        raise Violation(_report(world, where, failure)) from failure
    finally:
        world.close()
    return world


def _report(world: MapWorld, where: str, failure: AssertionError) -> str:
    lines = [f"{time:12.3f} {' '.join(map(str, fields))[:220]}" for time, fields in world.trace[-TRACE_LINES:]]
    told = [f"{failure}", where, f"{world.plan}", f"{world.death}", *map(str, world.items)]
    return "\n".join([*told, f"the last {len(lines)} of {len(world.trace)} events:", *lines])
