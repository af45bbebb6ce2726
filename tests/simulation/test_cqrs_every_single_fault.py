"""One fault at every single request of the projector: nothing is lost, nothing comes back, sums are exact."""

from collections.abc import Callable

import pytest

from .cqrs_invariants import ALWAYS, AT_THE_END, check
from .cqrs_life import Anywhere
from .cqrs_rebuild import rebuild
from .cqrs_shop import ROWS, TOTALS
from .cqrs_world import START, CqrsWorld, Plan
from .faults import Faults, struck_once

Story = Callable[[CqrsWorld], None]
SEED = 7


def order(*lines: str, customer: str = "ada", has: str = "", bad: bool = False) -> dict[str, object]:
    return {"customer": customer, "lines": {line: len(line) for line in lines}, "has": has, "bad": bad}


def at(world: CqrsWorld, seconds: float, what: Callable[[], None]) -> None:
    world.schedule.at(START + seconds, what)


def lives(world: CqrsWorld) -> None:
    """Made, changed, deleted, made again, and removed past the commands."""
    at(world, 1, lambda: world.put("o1", order("a", "b")))
    at(world, 2, lambda: world.put("o1", order("b", "c", customer="bob")))
    at(world, 3, lambda: world.put("o1", None))
    at(world, 20, lambda: world.put("o1", order("c")))
    at(world, 40, lambda: world.remove("o1", by_time=True))


def is_refused(world: CqrsWorld) -> None:
    """Between two that are not."""
    at(world, 1, lambda: world.put("o1", order("a")))
    at(world, 20, lambda: world.put("o1", order("b", bad=True)))
    at(world, 40, lambda: world.put("o1", order("c")))


def passes_on(world: CqrsWorld) -> None:
    """One row, from one to the other and back."""

    def pass_on() -> None:
        world.put("o1", order())
        world.put("o2", order(has="mail"))

    def pass_back() -> None:
        world.put("o2", order())
        world.put("o1", order(has="mail"))

    at(world, 1, lambda: world.put("o1", order(has="mail")))
    at(world, 20, pass_on)
    at(world, 40, pass_back)


def is_rebuilt(world: CqrsWorld) -> None:
    """While it changes."""
    at(world, 1, lambda: world.put("o1", order("a", "b")))
    for second, line in enumerate("abcabc", 10):
        at(world, second, lambda line=line: world.put("o1", order(line)))
    at(world, 11.5, lambda: rebuild(world, ROWS))
    at(world, 12.5, lambda: rebuild(world, TOTALS))


STORIES: tuple[Story, ...] = (lives, is_refused, passes_on, is_rebuilt)


def run(story: Story, faults: Faults) -> None:
    world = CqrsWorld(Plan(shards=2, batch_size=3, retries=2, delay=3.0), SEED, Anywhere(faults))
    try:
        story(world)
        world.run()
        check(world, ALWAYS)
        world.ledger.fixed = True
        world.retry_all()
        check(world, AT_THE_END)
    finally:
        world.close()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_no_single_fault_at_any_request_breaks_an_invariant(story: Story) -> None:
    assert struck_once(lambda faults: run(story, faults)) >= 100
