"""A rebuild begun at any moment, with everything that may happen meanwhile, and the death of its function anywhere."""

from collections import Counter
from collections.abc import Callable

from tests.runtime.cqrs_views.shop import ORDERS

from .choosing import Seeded, all_hold
from .cqrs_rebuild_history import Rebuilds, rebuilds
from .cqrs_rebuild_world import RebuildWorld
from .schedules import Violation

HISTORIES = 30


def rebuilt(world: RebuildWorld) -> RebuildWorld:
    """Raises Violation."""
    try:
        world.busy = True
        world.sweep()
        world.busy = False
        world.passes(30)
        for asked in world.history.asked:
            world.ask(request="rebuild", view=asked.view, by="ann")
            if asked.twice:
                world.ask(request="rebuild", view=asked.view, by="bob")
            world.passes(asked.pause)
            if asked.cancelled:
                world.ask(request="cancel", view=asked.view, by="bob")
            world.passes(60)
        world.quiesce()
        world.check()
    except AssertionError as failure:
        raise Violation(f"{failure}\n{world.history}") from failure
    return world


def test_views_are_the_fold_of_the_log_whatever_happens_while_they_are_rebuilt(
    seed: int | None, schedules: int | None
) -> None:
    seen: Counter[str] = Counter()

    def judged(history: Rebuilds) -> None:
        world = rebuilt(RebuildWorld(history))
        assert world.reads > 20
        seen["deaths"] += bool({*range(world.sent)} & {*history.deaths})
        seen["lost"] += bool({*range(world.done)} & {*history.lost})
        seen["all happened"] += not world.happenings

    all_hold(rebuilds, judged, schedules or HISTORIES, seed)
    if seed is None and schedules is None:
        assert all(seen[what] >= 5 for what in ("deaths", "lost", "all happened")), seen


def died(death_at: int | None, new: Callable[[Rebuilds], RebuildWorld] = RebuildWorld) -> RebuildWorld:
    """A rebuild of a view that is read, whose function dies at one request."""
    happenings = rebuilds(Seeded(3)).happenings
    world = new(Rebuilds(seed=3))
    world.busy = True
    world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    world.passes(30)
    world.busy, world.sent, world.since = False, 0, 0
    world.happenings.extend(happenings)
    world.deaths = set() if death_at is None else {death_at}
    world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    world.passes(120)
    assert world.standing().live == 2, "it went on"
    world.busy = True
    world.deliver()
    world.check_rows()
    return world


def test_a_rebuild_goes_on_whichever_request_its_function_dies_at() -> None:
    for number in range(died(None).sent):
        died(number)
