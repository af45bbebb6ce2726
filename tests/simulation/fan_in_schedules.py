"""From a seed to a whole schedule of fan-ins: what is deployed, how messages come to branches, what goes wrong."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from .fan_in_account import Deployed
from .fan_in_invariants import ALWAYS, AT_THE_END, check
from .fan_in_world import Published, World
from .faults import FAULTS, Chosen
from .schedules import Violation

__all__ = ["MODES", "simulate"]

TRACE_LINES = 60


class Mode(NamedTuple):
    effects: tuple[bool, ...]
    """Whether a branch's function returns Effects: one of these."""
    fifo: bool = False
    guarded: bool = False
    """By a breaker: every second branch. What they call is down for a while."""


MODES = {
    "effects": Mode((True,)),
    "leases": Mode((False,)),
    "mixed": Mode((True, False)),
    "FIFO": Mode((True, False), fifo=True),
    "a breaker": Mode((True, False), guarded=True),
    "FIFO and a breaker": Mode((True, False), fifo=True, guarded=True),
}


def simulate(
    mode: str,
    seed: int,
    *,
    branches: Sequence[int] = (1, 2, 3, 5, 8, 12, 30),
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    budgets: Sequence[int] = (0, 2, 8, 25),
    different: Mapping[str, Any] = MappingProxyType({}),
) -> World:
    """One schedule, run to its end, redriven, and judged. Raises Violation."""
    chance = random.Random(f"fan-in {mode} {seed}")
    deployed = _deployed(mode, chance, chance.choice(branches))
    deployed = replace(deployed, **different)
    kinds = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    faults = Chosen(chance, chance.choice((0.02, 0.1, 0.3)), chance.choice(budgets), kinds, operations)
    seeded, lost = chance.getrandbits(64), chance.choice((0, 0.1))
    messages = _messages(deployed, chance)
    outage = (0.0, chance.choice((30.0, 600.0, 3600.0))) if deployed.guarded else (0.0, 0.0)
    world = World(deployed, seeded, faults, lost=lost, outage=outage)
    world.publish(messages)
    try:
        world.run()
        check(world, ALWAYS)
        faults.budget = 0
        world.ledger.fixed = True
        for name in world.queues:
            world.redrive(name)
        world.redrive("Completions")
        check(world, AT_THE_END)
    except AssertionError as failure:
        raise Violation(_report(mode, seed, world, failure)) from failure
    finally:
        world.close()
    return world


def _deployed(mode: str, chance: random.Random, number: int) -> Deployed:
    names = [f"b{at}" for at in range(number)]
    branches = {name: chance.choice(MODES[mode].effects) for name in names}
    unknown = {}
    if number > 2 and chance.random() < 0.2:
        unknown = {names[0]: names[-1:]}
    return Deployed(
        branches=branches,
        expected_path=chance.choice(("", "", "", "branches")),
        key_path=chance.choice(("id", "id", "id", "")),
        unknown=unknown,
        deadline=chance.choice((5, 60, 3600)),
        timeout=chance.choice((6.0, 30.0)),
        batch_size=chance.choice((1, 10)),
        max_receive_count=chance.choice((1, 3, 5)),
        retry_base=chance.choice((1, 60)),
        fifo=MODES[mode].fifo,
        guarded=names[::2] if MODES[mode].guarded else (),
    )


def _messages(deployed: Deployed, chance: random.Random) -> list[Published]:
    names = list(deployed.branches)
    messages: list[Published] = []
    for number in range(chance.randint(1, 4 if len(names) > 8 else 6)):
        key = f"m{number}"
        amount = 1
        if messages and chance.random() < 0.1:
            key, amount = messages[-1].key, 7  # the publisher used its key again
        does = {
            name: chance.choices(("ok", "large", "once", "never", "refuses", "kills"), weights=(40, 4, 6, 2, 3, 1))[0]
            for name in names
        }
        at = {name: _deliveries(deployed, chance, number) for name in names}
        branches = None
        if deployed.expected_path:
            some = chance.sample(names, chance.randint(1, len(names)))
            branches = [*some, "nobody"] if chance.random() < 0.1 else some
        keyless = not deployed.key_path and chance.random() < 0.2
        ends = chance.choice(("ok", "ok", "once"))
        group = chance.choice("ab") if deployed.fifo else "all"
        messages.append(Published(f"p{number}", key, does, at, ends, amount, branches, group, keyless))
    return messages


def _deliveries(deployed: Deployed, chance: random.Random, number: int) -> Sequence[float]:
    """Mostly at once and once; now and then twice, late, about the deadline, or never."""
    start = number * 0.05
    usual = start + chance.choice((0.0, 0.0, 0.01, 1.0)) * chance.random()
    kind = chance.random()
    if kind < 0.80:
        return [usual]
    if kind < 0.86:
        return [usual, usual + chance.choice((0.0, 1.0, 2.0 * deployed.deadline)) * chance.random()]
    if kind < 0.97:
        about = chance.choice((-2.0, 0.0, 30.0, 60.0, 90.0, 200.0))
        return [max(start, start + deployed.deadline + about + chance.uniform(-2, 2))]
    return []


def _report(mode: str, seed: int, world: World, failure: AssertionError) -> str:
    lines = [f"{time:12.3f} {' '.join(map(str, fields))}" for time, fields in world.ledger.trace[-TRACE_LINES:]]
    return "\n".join(
        [
            f"{failure}",
            f"mode {mode!r}, seed {seed}",
            f"{world.deployed}",
            *map(str, world.ledger.published.values()),
            f"the last {len(lines)} of {len(world.ledger.trace)} events:",
            *lines,
        ]
    )
