"""A rebuild begun at any moment, with everything that may happen meanwhile, and the death of its function anywhere."""

from collections.abc import Callable

import pytest

from tests.runtime.cqrs_views.shop import ORDERS, REVENUE

from .cqrs_rebuild_world import RebuildWorld


def rebuilt(seed: int, world: RebuildWorld | None = None) -> RebuildWorld:
    world = world or RebuildWorld(seed)
    world.busy = True
    world.sweep()
    world.busy = False
    world.passes(30)
    for view in world.what.sample((ORDERS, REVENUE), world.what.randint(1, 2)):
        world.changes += 30
        world.ask(request="rebuild", view=view, by="ann")
        if world.what.random() < 0.3:
            world.ask(request="rebuild", view=view, by="bob")
        world.passes(world.what.choice((0, 0.01, 30)))
        if world.what.random() < 0.3:
            world.ask(request="cancel", view=view, by="bob")
        world.passes(60)
    world.quiesce()
    world.check()
    return world


@pytest.mark.parametrize("seed", range(40))
def test_views_are_the_fold_of_the_log_whatever_happens_while_they_are_rebuilt(seed: int) -> None:
    assert rebuilt(seed).reads > 20


def died(death_at: int | None, new: Callable[..., RebuildWorld] = RebuildWorld) -> RebuildWorld:
    """A rebuild of a view that is read, whose function dies at one request."""
    world = new(3, deaths=0, changes=0)
    world.busy = True
    world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    world.passes(30)
    world.busy, world.requests, world.changes, world.death_at = False, 0, 25, death_at
    world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    world.passes(120)
    assert world.standing().live == 2, "it went on"
    world.busy = True
    world.deliver()
    world.check_rows()
    return world


def test_a_rebuild_goes_on_whichever_request_its_function_dies_at() -> None:
    for number in range(1, died(None).requests + 1):
        died(number)
