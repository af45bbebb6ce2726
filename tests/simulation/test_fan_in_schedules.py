"""Fan-ins of up to 30 branches under whatever can go wrong, and one fault at every single call."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial

import pytest

from serverless_patterns_runtime.fan_in import contract

from .fan_in_account import Deployed
from .fan_in_invariants import ALWAYS, AT_THE_END, check
from .fan_in_schedules import MODES, simulate
from .fan_in_world import Published, World
from .faults import Faults, OneFault, single_faults, struck_once

SEEDS = 40


@pytest.mark.parametrize("mode", MODES)
def test_no_schedule_breaks_an_invariant(mode: str, request: pytest.FixtureRequest) -> None:
    seed = request.config.getoption("--seed")
    number_of_seeds = SEEDS // 2 if MODES[mode].guarded else SEEDS  # an outage takes the sweep hours
    seeds = range(number_of_seeds) if seed is None else [seed]
    seen: Counter[str] = Counter()
    for number in seeds:
        world = simulate(mode, number)
        seen += world.counted + Counter(mishaps=world.faults.spent)
        seen["thirty"] += len(world.deployed.branches) == 30
    if seed is None:
        ends = (contract.METRIC_COMPLETED, contract.METRIC_DEADLINE_MISSED)
        refusals = (
            contract.METRIC_LATE_RESULTS,
            contract.METRIC_UNEXPECTED_RESULTS,
            contract.METRIC_CONFLICTING_RESULTS,
        )
        assert all(seen[what] >= 2 for what in (*ends, *refusals, "thirty")), seen
        assert seen["mishaps"] >= number_of_seeds


STORIES = {
    "all come": {"a": [0.0], "b": [0.01], "lease": [0.02]},
    "one is late": {"a": [0.0], "lease": [90.0]},
    "one never comes": {"a": [0.0], "lease": []},
    "one comes twice": {"a": [0.0, 0.02], "lease": [0.05]},
}


def run(story: str, does: str, fault: Faults) -> None:
    at = STORIES[story]
    world = World(Deployed(branches={name: name != "lease" for name in at}, deadline=60), 7, fault)
    world.publish([Published("p", "m", dict.fromkeys(at, does), at)])
    try:
        world.run()
        check(world, ALWAYS)
        world.ledger.fixed = True
        for name in world.queues:
            world.redrive(name)
        world.redrive("Completions")
        check(world, AT_THE_END)
    finally:
        world.close()


def faults_but_of_idle_sweeps(story: str, does: str) -> Sequence[OneFault]:
    """The first sweep's stand for those of the sweeps that find nothing any more."""
    observer = OneFault(-1, "")
    run(story, does, observer)
    idle = [number for number, call in enumerate(observer.calls) if call.operation == "Query"][8:]
    return [fault for fault in single_faults(partial(run, story, does)) if fault.number not in idle]


@pytest.mark.parametrize(
    ("story", "does"),
    [
        *((story, "ok") for story in STORIES),
        ("one is late", "large"),
        ("all come", "once"),
        ("one is late", "refuses"),
    ],
)
def test_no_single_fault_at_any_call_breaks_an_invariant(story: str, does: str) -> None:
    assert struck_once(partial(run, story, does), faults_but_of_idle_sweeps(story, does)) >= 100


@pytest.mark.parametrize("effects", [True, False])
def test_a_group_waits_for_its_first_message_and_each_fan_in_ends_once_with_all(effects: bool) -> None:
    names = ("a", "b")
    world = World(Deployed(branches=dict.fromkeys(names, effects), fifo=True, batch_size=10), 7)
    world.publish(
        Published(f"p{n}", f"m{n}", {"a": "once" if n == 0 else "ok"}, {name: [n * 0.001] for name in names})
        for n in range(4)
    )
    finish(world)
    ran = [payload for _, branch, payload, _ in world.ledger.ran if branch == "a"]
    assert ran == [message.digest for message in world.ledger.published.values()]
    ended = {key: (item["times"]["N"], item["outcome"]["S"]) for key, item in world.completed().items()}
    assert ended == {f"m{n}": ("1", "complete") for n in range(4)}


@pytest.mark.parametrize(("deadline", "outcome", "missing"), [(60, "deadline", ["b"]), (3600, "complete", [])])
def test_a_breaker_that_opens_makes_a_branch_late_and_nothing_else(
    deadline: int, outcome: str, missing: list[str]
) -> None:
    names = ("a", "b")
    deployed = Deployed(branches=dict.fromkeys(names, True), guarded=("b",), deadline=deadline)
    world = World(deployed, 7, outage=(0.0, 600.0))
    world.publish(Published(f"p{n}", f"m{n}", {}, {name: [n * 0.5] for name in names}) for n in range(8))
    finish(world)
    assert world.guard is not None
    assert world.guard.transitions, "the breaker did not open"
    ended = {
        (item["times"]["N"], item["outcome"]["S"], *json.loads(item["missing"]["S"]))
        for item in world.completed().values()
    }
    assert (len(world.completed()), ended) == (8, {("1", outcome, *missing)})
    assert world.counted[contract.METRIC_LATE_RESULTS] == 8 * len(missing)
    assert all(world.effect("b", message.digest) for message in world.ledger.published.values())


def finish(world: World) -> None:
    try:
        world.run()
        check(world, AT_THE_END)
    finally:
        world.close()
