"""A history of aggregates is carried out to its end, tried again where something is parked, and judged."""

from collections.abc import Callable

from .cqrs_history import History
from .cqrs_invariants import ALWAYS, AT_THE_END, check
from .cqrs_life import Anywhere, Life
from .cqrs_rebuild import generations, rebuild
from .cqrs_shop import ROWS, TOTALS
from .cqrs_world import START, CqrsWorld, Plan
from .faults import Faults
from .judging import report
from .schedules import Violation
from .strikes import Strikes

__all__ = ["simulate_views"]

NEARLY_AT_ONCE = 1e-5
"""Seconds: in their order."""


def simulate_views(history: History, world_of: Callable[[Plan, int, Faults], CqrsWorld] = CqrsWorld) -> CqrsWorld:
    """Raises Violation."""
    strikes = Strikes(history.strikes, history.operations)
    world = world_of(history.plan, history.seed, anywhere := Anywhere(strikes))
    life, at = Life(world, anywhere), START
    for pause, step in history.steps:
        at += pause or NEARLY_AT_ONCE
        world.schedule.at(at, lambda step=step: step(life))
    try:
        world.run()
        check(world, ALWAYS)
        strikes.end()
        life.settle()
        world.run()
        check(world, ALWAYS)
        world.ledger.fixed = True
        for view in (ROWS, TOTALS):
            if generations(world, view).live is None:
                rebuild(world, view)
        world.run()
        world.retry_all()
        check(world, AT_THE_END)
    except AssertionError as failure:
        raise Violation(report(failure, world.ledger.trace, history, world.states())) from failure
    finally:
        world.close()
    return world
