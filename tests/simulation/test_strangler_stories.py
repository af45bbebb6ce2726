"""A gateway under load, by the shipped router and control function: flips, kills, a bad version, no table."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from serverless_patterns_runtime.strangler_gateway.metric_contract import METRIC_ROLLED_BACK, METRIC_STORE_UNAVAILABLE
from serverless_patterns_runtime.strangler_gateway.placement import bucket

from ..runtime.strangler_gateway.gateway import CACHE, TABLE
from .faults import When
from .strangler_invariants import check
from .strangler_world import CATALOGUE, ORDERS, Ask, StranglerWorld
from .world import START

SEEDS = (1, 2, 3)


@pytest.fixture
def worlds() -> Iterator[list[StranglerWorld]]:
    made: list[StranglerWorld] = []
    yield made
    for world in made:
        world.close()


def load(seconds: float, *, callers: int = 20, every: float = 0.5, seed: int = 0) -> list[Ask]:
    """Safe requests of several callers, each now and then, and some with keys that are sent again later."""
    chance = random.Random(f"load {seed}")
    asks = [
        Ask(at=chance.uniform(0, seconds), caller=f"caller-{number % callers}")
        for number in range(int(seconds / every * 10))
    ]
    keyed = [
        Ask(at=chance.uniform(0, seconds), caller=f"caller-{number % callers}", route=ORDERS, key=f"k{number}", again=1)
        for number in range(int(seconds / every))
    ]
    return asks + keyed


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_flips_and_a_kill_under_load_lose_and_double_nothing(seed: int) -> None:
    world = StranglerWorld(seed)
    world.ask(load(90, seed=seed))
    for number, percent in enumerate((10, 50, 0, 100, 25, 75, 0, 100, 1, 60)):
        for route in (CATALOGUE, ORDERS):
            world.say(8.0 * number + 1, "set", route, percent=percent)
    world.say(80.5, "kill", CATALOGUE)
    try:
        world.run()
        check(world)
        sent = [one for one in world.invocations if one.ask.key is None]
        assert len(sent) == 1_800
        assert {one.status for one in world.invocations} == {200}
        assert {len(one.sent) for one in sent} == {1}
        assert {side for one in sent for side in one.sent} == {"legacy", "new"}
        assert len(world.changes[CATALOGUE]) == 11
        late = [one for one in sent if one.began > START + 80.5 + CACHE + 2]
        assert late
        assert {one.sent[0] for one in late} == {"legacy"}
        assert all(len(sides) == 1 for sides in world.effects.values())
        assert {len(sides) for sides in world.effects.values()} == {1}
        assert {sides[0] for sides in world.effects.values()} == {"legacy", "new"}
    finally:
        world.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_while_it_grows_nobody_moves_back(seed: int) -> None:
    world = StranglerWorld(seed)
    world.ask(load(60, seed=seed))
    for number, percent in enumerate((1, 5, 10, 25, 50, 100)):
        world.say(9.0 * number + 1, "set", percent=percent)
    try:
        world.run()
        check(world)
        # Environments learn of a step at different moments: within that time a caller may be here and there.
        steps = [change.at for change in world.changes[CATALOGUE]]
        settled = [
            one
            for one in world.invocations
            if one.ask.key is None and not any(step <= one.began <= step + CACHE + 2 for step in steps)
        ]
        for caller in {one.ask.caller for one in settled}:
            mine = [one.sent[0] for one in settled if one.ask.caller == caller]
            assert all(not (before == "new" and after == "legacy") for before, after in pairwise(mine))
    finally:
        world.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bad_version_is_rolled_back_by_itself_and_nobody_sees_an_error(seed: int) -> None:
    world = StranglerWorld(seed, initial_percent=50.0)
    world.bad = lambda now: 0.3 if now > 30 else 0.0
    world.ask([Ask(at, caller=f"caller-{number}") for number, at in enumerate(i * 0.02 for i in range(3_000))])
    try:
        world.run()
        check(world)
        assert world.changes[CATALOGUE]
        last = world.changes[CATALOGUE][-1].standing
        assert (last.by, last.killed, last.percent) == ("rollback", True, 50)
        assert len(world.changes[CATALOGUE]) == 1, "once"
        assert {one.status for one in world.invocations} == {200}
        failed = [one for one in world.invocations if one.line and one.line.get("FellBack")]
        killed_at = world.changes[CATALOGUE][-1].at - START
        assert killed_at < 30 + 2 * CACHE + 2
        assert 10 < len(failed) < 50 * 0.5 * 0.3 * (3 * CACHE + 2) * 1.5
        assert [line for line in world.lines if METRIC_ROLLED_BACK in line]
        late = [one for one in world.invocations if one.began > START + killed_at + CACHE + 2]
        assert {one.sent[0] for one in late} == {"legacy"}
    finally:
        world.close()


@pytest.mark.parametrize(("route", "bad"), [(CATALOGUE, 0.01), (ORDERS, 0.005)])
def test_a_good_version_is_neither_refused_nor_rolled_back(route: str, bad: float) -> None:
    """100 requests a second. For ten minutes of them: test_under_traffic.py."""
    world = StranglerWorld(1, initial_percent=100.0)
    world.bad = lambda _: bad
    keys = [f"k{number}" if route == ORDERS else None for number in range(6_000)]
    world.ask([Ask(number * 0.01, f"caller-{number}", route, key) for number, key in enumerate(keys)])
    try:
        world.run()
        check(world)
        assert not world.changes[route]
        assert world.circuits == []
        assert any(one.line and one.line["RoutedErrors"] for one in world.invocations)
        assert {one.sent[0] for one in world.invocations} == {"new"}
    finally:
        world.close()


def test_cleared_it_stays_and_what_still_fails_is_killed_again() -> None:
    world = StranglerWorld(1, initial_percent=50.0)
    world.bad = lambda now: 0.3 if now < 20 or now > 70 else 0.0
    world.ask([Ask(at, caller=f"caller-{number}") for number, at in enumerate(i * 0.02 for i in range(5_000))])
    world.say(30, "clear")
    try:
        world.run()
        check(world)
        by = [change.standing.by for change in world.changes[CATALOGUE]]
        assert by == ["rollback", "ann", "rollback"]
        assert world.changes[CATALOGUE][2].at > START + 70
    finally:
        world.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_while_the_table_is_down_the_last_value_holds_and_a_kill_above_all(seed: int) -> None:
    down = When("unreachable", lambda call: call.arguments.get("TableName") == TABLE, times=10**6)
    world = StranglerWorld(seed, When("unreachable", lambda _: False), initial_percent=100.0)
    world.say(5, "kill")
    world.ask([Ask(at, caller=f"caller-{number}") for number, at in enumerate(i * 0.1 for i in range(600))])
    world.ask([Ask(30.0 + number, caller="c", route=ORDERS, key=f"k{number}") for number in range(10)])
    world.schedule.at(START + 20, lambda: setattr(world.network, "faults", down))
    world.schedule.at(START + 50, lambda: setattr(world.network, "faults", world.faults))
    try:
        world.run()
        assert {one.status for one in world.invocations if one.ask.key is None} == {200}
        safe = [one for one in world.invocations if one.ask.key is None]
        # One that has slept since before the kill cannot know of it.
        knowing = {one.sandbox for one in safe if START + 12 < one.began < START + 19}
        late = [one for one in safe if one.began > START + 12 and one.sandbox in knowing]
        assert any(START + 30 < one.began < START + 50 for one in late)
        assert {one.sent[0] for one in late} == {"legacy"}
        # One that never saw the table sends everybody to legacy.
        fresh = {one.sandbox for one in safe} - {one.sandbox for one in safe if one.began < START + 21}
        assert {one.sent[0] for one in safe if one.sandbox in fresh and one.began < START + 49} == {"legacy"}
        refused = [one for one in world.invocations if one.ask.key and one.status == 503]
        assert refused
        assert not any(one.sent for one in refused)
        assert [line for line in world.lines if METRIC_STORE_UNAVAILABLE in line]
        assert {tuple(sides) for sides in world.effects.values()} <= {("new",), ("legacy",)}
    finally:
        world.close()


def test_two_operators_at_once_and_one_is_told() -> None:
    for seed in range(20):
        world = StranglerWorld(seed)
        world.say(1, "set", by="ann", percent=10)
        world.say(1, "set", by="bob", percent=20)
        try:
            world.run()
            check(world)
            said = [answer for _, __, answer in world.answers]
            refused = [answer for answer in said if "refused" in answer]
            assert len(refused) <= 1
            if refused:
                assert "has been changed meanwhile" in refused[0]["refused"]
                return
        finally:
            world.close()
    raise AssertionError("they never met")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deployment_ends_no_kill_and_a_raised_generation_does(seed: int) -> None:
    """While environments of both codes are at work."""
    world = StranglerWorld(seed, initial_percent=100.0)
    world.ask([Ask(at, caller=f"caller-{number}") for number, at in enumerate(i * 0.1 for i in range(900))])
    world.say(10, "kill")
    redeployed, raised = (
        {**world.code, "routes": {**world.code["routes"], CATALOGUE: {**world.code["routes"][CATALOGUE], **more}}}
        for more in ({"initial_percent": 60.0}, {"generation": 2})
    )
    world.schedule.at(START + 30, lambda: setattr(world, "code", redeployed))
    world.schedule.at(START + 60, lambda: setattr(world, "code", raised))
    try:
        world.run()
        began: dict[str, float] = {}
        for one in world.invocations:
            began.setdefault(one.sandbox, one.began)
        late = [one for one in world.invocations if one.began > START + 10 + CACHE + 2]
        older = [one for one in late if began[one.sandbox] < START + 60]
        newer = [one for one in late if began[one.sandbox] >= START + 60]
        assert {one.sent[0] for one in older} == {"legacy"}
        assert {one.sent[0] for one in newer} == {"new"}
        assert any(one.began > START + 65 for one in older)
        assert {one.status for one in world.invocations} == {200}
    finally:
        world.close()


def test_a_tester_is_where_he_wants_to_be_and_never_rolls_anything_back() -> None:
    world = StranglerWorld(1, initial_percent=0.0)
    world.bad = lambda _: 1.0
    world.ask([Ask(i * 0.1, caller="tester", forced="new") for i in range(300)])
    try:
        world.run()
        check(world)
        assert not world.changes[CATALOGUE]
        assert {tuple(one.sent) for one in world.invocations} == {("new", "legacy")}
        assert world.circuits == []
    finally:
        world.close()


def test_the_callers_of_these_stories_are_on_both_sides() -> None:
    steps = [bucket("Shop", f"caller-{number}") for number in range(20)]
    assert min(steps) < 1_000
    assert max(steps) > 9_000
