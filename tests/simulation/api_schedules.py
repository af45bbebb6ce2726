"""From a seed to a whole schedule of an API: what is deployed, who asks, what goes wrong. And its replay."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from .api_invariants import INVARIANTS, ApiInvariant, check, watch
from .api_ledger import Ask
from .api_world import ApiWorld, Deployment
from .faults import ANYWHERE, CLIENTS, REPEATED, TRANSACTIONS, Chosen
from .schedules import Violation

__all__ = ["API_MODES", "simulate_api"]

API_MODES = {"effects": Deployment(effects=True), "leases": Deployment(effects=False)}

FAULTS = (*ANYWHERE, *TRANSACTIONS, *REPEATED, *CLIENTS)
CALLERS = ("alice", "bob", None)
PATHS = ("/payments", "/refunds")
TRACE_LINES = 60


def simulate_api(
    mode: str,
    seed: int,
    *,
    invariants: Sequence[ApiInvariant] = INVARIANTS,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    does: str | None = None,
    different: Mapping[str, Any] = MappingProxyType({}),
) -> ApiWorld:
    """One schedule, run to its end and judged. `does`: all that is asked; `different`: deployed. Raises Violation."""
    chance = random.Random(f"api {mode} {seed}")
    deployment = replace(_deployment(API_MODES[mode], chance), **different)
    kinds = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    faults = Chosen(chance, chance.choice((0.02, 0.1, 0.3)), chance.randint(0, 12), kinds, operations)
    world = ApiWorld(deployment, chance.getrandbits(64), faults)
    watch(world)
    world.ask(_asks(deployment, chance, does))
    try:
        world.run()
        check(world, invariants)
    except AssertionError as failure:
        raise Violation(_report(mode, seed, world, failure)) from failure
    finally:
        world.close()
    return world


def _deployment(deployment: Deployment, chance: random.Random) -> Deployment:
    timeout, integration_timeout = chance.choice(((6.0, 29.0), (25.0, 29.0), (25.0, 29.0), (10.0, 4.0)))
    return replace(
        deployment,
        timeout=timeout,
        integration_timeout=integration_timeout,
        key_mode=chance.choice(("required", "required", "optional")),
    )


def _asks(deployment: Deployment, chance: random.Random, does: str | None) -> list[Ask]:
    asks: list[Ask] = []
    for number in range(chance.randint(1, 3)):
        # The same key for all: strangers who chose alike.
        first = Ask(
            f"{number}",
            caller=chance.choice(CALLERS),
            path=chance.choice(PATHS),
            does=does or _behaviour(chance),
            seconds=chance.choice((0.0, 0.1, 0.1, 1.0)),
        )
        asks += [_like(first, f"{number}.{n}", chance) for n in range(chance.randint(1, 5))]
    if deployment.key_mode == "optional":
        asks += [Ask(f"without-{n}", key=None) for n in range(chance.randint(0, 2))]
    return asks


def _behaviour(chance: random.Random) -> str:
    return chance.choices(
        (
            "ok",
            "reads its own writes",
            "stumbles over its own writes",
            "guards itself",
            "fails once",
            "fails twice",
            "acts, then fails",
            "says 503 once",
            "hangs once",
            "hangs, then fails",
            "is refused",
            "is too large",
        ),
        weights=(10, 3, 2, 2, 2, 1, 2, 1, 2, 1, 1, 1),
    )[0]


def _like(ask: Ask, name: str, chance: random.Random) -> Ask:
    """Another client with the same key; now and then it wants something else."""
    return replace(
        ask,
        name=name,
        amount=7 if chance.random() < 0.1 else 1,
        at=chance.choice((0.0, 0.0, 0.05, 0.5, 3.0, 35.0)) * chance.random(),
        again=chance.choice((0, 0, 1, 2)),
        patience=5 if ask.does == "is too large" else chance.choice((10**9, 10**9, 10**9, 2)),
        obeys=chance.random() < 0.7,
    )


def _report(mode: str, seed: int, world: ApiWorld, failure: AssertionError) -> str:
    lines = [f"{time:12.3f} {' '.join(map(str, fields))[:400]}" for time, fields in world.trace[-TRACE_LINES:]]
    return "\n".join(
        [
            f"{failure}",
            f"API, mode {mode!r}, seed {seed}; see it again: pytest tests/simulation --seed={seed}",
            f"{world.deployment}",
            "asked:",
            *(f"    {client.ask}" for client in world.clients),
            f"the last {len(lines)} of {len(world.trace)} events:",
            *lines,
        ]
    )
