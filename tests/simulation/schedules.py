"""From a seed to a whole schedule: what is deployed, what is sent, what goes wrong. And its replay."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from serverless_patterns_runtime.load_leveled_queue.commit_threads import COMMIT_THREADS

from .faults import FAULTS, Chosen
from .invariants import AFTER_REDRIVE, AFTER_WILD_REDRIVE, GENTLE, WILD, Invariant, check, watch_claims
from .ledger import Sent
from .operator_model import redrive
from .world import Account, World, later, order

__all__ = ["GENTLE_PROFILE", "MODES", "WILD_PROFILE", "Profile", "Violation", "simulate"]

MODES = {
    "effects": Account(effects=True),
    "leases": Account(effects=False),
    "effects, FIFO": Account(effects=True, fifo=True, batch_size=1),
    "leases, FIFO": Account(effects=False, fifo=True, batch_size=1),
    "effects, FIFO batches": Account(effects=True, fifo=True, batch_size=10),
    "leases, FIFO batches": Account(effects=False, fifo=True, batch_size=10),
}

NO_JSON = ('{"order":', "\ufeff{}", '{"a": NaN}', '{"a": 1, "a": 2}')
NO_KEY = ("[]", '{"order": {"id": ""}}', "null")
GROUPS = ("a", "b", "c")
TRACE_LINES = 60


class Violation(AssertionError):
    """An invariant does not hold; the message says how to see it again."""


@dataclass(frozen=True)
class Profile:
    """How rough it gets, and what must hold then."""

    name: str
    budget: Callable[[Account, random.Random], int]
    invariants: Sequence[Invariant]
    after_redrive: Sequence[Invariant]
    """And when the poison is mended and redriven, with what is left of the budget."""


def _within_the_receives(account: Account, chance: random.Random) -> int:
    """A mishap costs a message at most one receive, and with leases one more for the lease in the way.

    Two of the five receives are for what the message itself does wrong (fail twice).
    """
    most = account.max_receive_count - 3 if account.effects else (account.max_receive_count - 3) // 2
    return chance.randint(0, most)


GENTLE_PROFILE = Profile("gentle", _within_the_receives, GENTLE, AFTER_REDRIVE)
WILD_PROFILE = Profile("wild", lambda _, chance: chance.randint(3, 25), WILD, AFTER_WILD_REDRIVE)


def simulate(
    mode: str,
    seed: int,
    profile: Profile,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    different: Mapping[str, Any] = MappingProxyType({}),
    messages: int = 12,
) -> World:
    """One schedule, run to its end and judged. `different`: of the account. Raises Violation."""
    world = prepared(mode, seed, profile, kinds=kinds, operations=operations, different=different, messages=messages)
    try:
        world.run()
        check(world, profile.invariants)
        world.ledger.fixed = True
        redrive(world)
        check(world, profile.after_redrive)
    except AssertionError as failure:
        raise Violation(_report(mode, seed, profile, world, failure)) from failure
    finally:
        world.close()
    return world


def prepared(
    mode: str,
    seed: int,
    profile: Profile,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    different: Mapping[str, Any] = MappingProxyType({}),
    messages: int = 12,
) -> World:
    chance = random.Random(f"{mode} {seed}")
    account = replace(_account(MODES[mode], chance), **different)
    kinds = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    faults = Chosen(chance, chance.choice((0.02, 0.1, 0.3)), profile.budget(account, chance), kinds, operations)
    world = World(
        account, chance.getrandbits(64), faults, duplicates=chance.choice((0, 0.1)), lost=chance.choice((0, 0.1))
    )
    watch_claims(world)
    world.send(_messages(account, chance, messages))
    return world


def _account(account: Account, chance: random.Random) -> Account:
    batch_size = chance.choice((3, 10) if account.fifo else (1, 3, 10))
    return replace(
        account,
        batch_size=account.batch_size if account.fifo and account.batch_size == 1 else batch_size,
        max_concurrency=chance.choice((2, 2, 5)),
        window=0.0 if account.fifo else chance.choice((0.0, 1.0)),
        timeout=chance.choice((6.0, 30.0)),
        commit_threads=chance.choice((0, 3, COMMIT_THREADS)),
        retry_base=chance.choice((1, 5)),
        retry_max=chance.choice((10, 900)),
        max_age=chance.choice((0, 0, 0, 60, 3600)),
        key_path=chance.choice(("order.id", "order.id", "order.id", "")),
    )


def _messages(account: Account, chance: random.Random, most: int) -> list[Sent]:
    messages: list[Sent] = []
    pace = chance.choice(((0.0, 0.1, 0.1, 1.0), (0.0, 0.1, 0.1, 1.0), (2.0,)))
    for number in range(chance.randint(1, most)):
        group = chance.choice(GROUPS) if account.fifo else None
        message = _message(f"m{number}", group, chance, messages, pace=pace, keyed=account.key_path != "")
        message = replace(
            message, at=number * 0.01 + chance.choice((0, 0, 0, 1.0)) if not account.fifo else number * 0.01
        )
        messages.append(message)
    return messages


def _message(
    name: str, group: str | None, chance: random.Random, before: Sequence[Sent], *, pace: Sequence[float], keyed: bool
) -> Sent:
    kind = chance.random()
    earlier = [sent for sent in before if sent.key == sent.name and sent.does in {"ok", "once"}]
    if kind < 0.06:
        return Sent(name, chance.choice(NO_JSON + (NO_KEY if keyed else ())), None, "malformed", group)
    if kind < 0.18 and earlier and keyed:
        return _again(name, chance.choice(earlier), chance, chance.choice(pace))
    does = chance.choices(
        ("ok", "strict", "once", "twice", "permanent", "never", "shortage", "kills", "hangs"),
        weights=(32, 8, 8, 4, 4, 4, 4, 1, 1),
    )[0]
    seconds = chance.choice(pace)
    return order(name, does, group=group, seconds=seconds, product=chance.choice("12"))


def _again(name: str, earlier: Sent, chance: random.Random, seconds: float) -> Sent:
    """The producer sent it twice, or used its key for something else. A FIFO producer stays in the group."""
    if chance.random() < 0.6:
        return replace(earlier, name=name)
    return order(name, "ok", key=earlier.key, group=earlier.group, amount=7, seconds=seconds)


def _report(mode: str, seed: int, profile: Profile, world: World, failure: AssertionError) -> str:
    lines = [f"{time:12.3f} {' '.join(map(str, fields))}" for time, fields in world.history.trace[-TRACE_LINES:]]
    sent = [f"    {m.name} {m.does} key={m.key} group={m.group} {m.body}" for m in world.ledger.sent.values()]
    return "\n".join(
        [
            f"{failure}",
            f"mode {mode!r}, {profile.name}, seed {seed}; see it again: pytest tests/simulation --seed={seed}",
            f"{world.account}",
            "sent:",
            *sent,
            f"the last {len(lines)} of {len(world.history.trace)} events:",
            *lines,
        ]
    )


__all__ += ["later", "prepared"]
