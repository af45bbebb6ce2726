"""Commands under whatever can go wrong: none lost, none doubled, one order for each aggregate."""

from collections import Counter

import pytest

from .choosing import all_hold
from .cqrs_command_invariants import check
from .cqrs_command_schedules import Commands, commands, simulate_commands
from .cqrs_command_world import Ask, CommandWorld
from .faults import CRASHES, Faults, NoFaults, struck_once, struck_twice

HISTORIES = 150


def test_no_history_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    seen: Counter[str] = Counter()

    def judged(history: Commands) -> None:
        world = simulate_commands(history)
        seen.update(str(reply.answer.get("status", "done")) for reply in world.books.replies)
        seen["replayed"] += sum("replayed" in reply.answer for reply in world.books.replies)
        seen["mishaps"] += world.faults.spent
        seen["conflicts"] += world.books.conflicts
        seen["lost"] += sum(change.after is None for change in world.books.changes)

    all_hold(commands, judged, schedules or HISTORIES, seed)
    if seed is None and schedules is None:
        wanted = ("done", "404", "409", "422", "replayed", "mishaps", "conflicts", "lost")
        assert all(seen[what] >= 5 for what in wanted), seen


@pytest.mark.parametrize("number", range(3))
def test_fifty_commands_at_once_on_one_aggregate_all_count_once(number: int) -> None:
    world = CommandWorld(f"fifty {number}")
    world.ask([Ask(f"a{one}", "count", "hot", again=one % 2) for one in range(50)])
    try:
        world.run()
        check(world)
    finally:
        world.close()
    state = world.state_of("hot")
    assert state is not None
    assert state.state is not None
    assert state.state["n"] == 50
    assert sorted(state.state["by"]) == sorted(f"a{one}" for one in range(50))
    results = [reply.answer["result"]["n"] for reply in world.books.replies if "replayed" not in reply.answer]
    assert sorted(set(results)) == [*range(1, 51)]
    assert world.books.conflicts >= 50


STORIES: dict[str, list[Ask]] = {
    "one": [Ask("a", "begin", "c")],
    "two at once": [Ask("a", "count", "c"), Ask("b", "count", "c")],
    "begun, deleted, begun again": [Ask("a", "begin", "c"), Ask("b", "delete", "c", 1), Ask("d", "begin", "c", 2)],
    "two that expect the same version": [
        Ask("a", "begin", "c"),
        Ask("b", "count", "c", 1, "latest"),
        Ask("d", "count", "c", 1, "latest"),
    ],
    "asked again": [Ask("a", "begin", "c", again=1), Ask("b", "delete", "c", 0.5)],
    "one id for two": [Ask("a", "count", "c"), Ask("b", "count", "c", 0.01, id="a")],
}


def told(story: str, faults: Faults) -> None:
    world = CommandWorld(7, faults)
    world.ask(STORIES[story])
    try:
        world.run()
        check(world)
    finally:
        world.close()


@pytest.mark.parametrize("story", STORIES)
def test_no_single_fault_at_any_call_breaks_an_invariant(story: str) -> None:
    told(story, NoFaults())
    assert struck_once(lambda faults: told(story, faults)) >= 20


@pytest.mark.parametrize("story", ["one", "two at once"])
def test_no_two_deaths_anywhere_break_an_invariant(story: str) -> None:
    assert struck_twice(lambda faults: told(story, faults), CRASHES) >= 20
