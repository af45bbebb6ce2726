"""From a seed to a whole history: what aggregates go through, when views are rebuilt, what goes wrong."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from .cqrs_invariants import ALWAYS, AT_THE_END, check
from .cqrs_rebuild import generations, rebuild
from .cqrs_shop import ROWS, TOTALS
from .cqrs_world import START, CqrsWorld, Plan
from .faults import ANYWHERE, TRANSACTIONS, Call, Chosen, Faults
from .schedules import Violation

__all__ = ["FAULTS", "Anywhere", "simulate_views"]

FAULTS = (*ANYWHERE, *TRANSACTIONS)
TRACE_LINES = 80
LINES = ("a", "b", "c")
HAS = ("mail", "phone")


@dataclass(frozen=True)
class _Put(Call):
    @property
    def possible(self) -> Sequence[str]:
        return ANYWHERE


class Anywhere:
    """Whatever `faults` chooses, at a PutItem too."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.down = False
        """Whether no view takes anything, whatever is chosen."""

    @property
    def spent(self) -> int:
        return self.faults.spent

    def choose(self, call: Call) -> str | None:
        if self.down and call.operation in ("PutItem", "TransactWriteItems", "ExecuteStatement"):
            return "throttled"
        if call.operation in ("PutItem", "ExecuteStatement"):
            call = _Put(call.service, call.operation, call.arguments)
        return self.faults.choose(call)

    def spend(self) -> bool:
        return self.faults.spend()


def simulate_views(
    seed: int,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    plan: Mapping[str, Any] = MappingProxyType({}),
    what: Mapping[str, int] = MappingProxyType({}),
    lasts: Sequence[float] = (10.0, 100.0, 2_000.0, 100_000.0),
    rebuilds: Sequence[int] = (0, 1, 2, 4),
    budgets: Sequence[int] = (0, 2, 8, 25),
    rates: Sequence[float] = (0.02, 0.1, 0.3),
    outages: float = 0.1,
    world_of: Callable[[Plan, int, Faults], CqrsWorld] = CqrsWorld,
) -> CqrsWorld:
    """One history, run to its end, tried again, and judged. `what`: weights of steps. Raises Violation."""
    chance = random.Random(f"views {seed}")
    made = Plan(
        shards=chance.choice((1, 2, 3)),
        batch_size=chance.choice((1, 3, 10)),
        retries=chance.choice((0, 2, 5, 100)),
        delay=chance.choice((0.5, 5.0, 60.0)),
        live=chance.random() < 0.8,
        groups=(1, 99)[seed % 2],
    )
    made = replace(made, **plan)
    chosen = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    faults = Chosen(chance, chance.choice(rates), chance.choice(budgets), chosen, operations)
    anywhere = Anywhere(faults)
    world = world_of(made, chance.getrandbits(64), anywhere)
    if chance.random() < outages:
        begins = START + chance.uniform(0, 60)
        world.schedule.at(begins, lambda: setattr(anywhere, "down", True))
        world.schedule.at(begins + chance.choice((5.0, 500.0)), lambda: setattr(anywhere, "down", False))
    history = _History(world, chance, {**WEIGHTS, **what}, chance.choice(lasts))
    try:
        history.plan(chance.choice(rebuilds))
        world.run()
        check(world, ALWAYS)
        faults.budget = 0
        history.settle()
        world.run()
        check(world, ALWAYS)
        world.ledger.fixed = True
        if generations(world, ROWS).live is None:
            rebuild(world, ROWS)
        if generations(world, TOTALS).live is None:
            rebuild(world, TOTALS)
        world.run()
        world.retry_all()
        check(world, AT_THE_END)
    except AssertionError as failure:
        raise Violation(_report(seed, world, failure)) from failure
    finally:
        world.close()
    return world


WEIGHTS = {"change": 20, "delete": 3, "bad": 2, "remove": 2, "past": 1, "lost": 1, "split": 1, "pass on": 3, "retry": 1}


class _History:
    def __init__(self, world: CqrsWorld, chance: random.Random, weights: Mapping[str, int], lasts: float) -> None:
        self._world = world
        self._chance = chance
        self._weights = weights
        self._lasts = lasts
        self._keys = [f"o{number}" for number in range(chance.choice((1, 2, 4)))]
        self._states: dict[str, dict[str, Any] | None] = {}

    def plan(self, rebuilds: int) -> None:
        steps = self._chance.choice((4, 12, 30))
        for at in sorted(self._chance.uniform(0, self._lasts) for _ in range(steps)):
            # Some at once: what a transaction writes, or nearly.
            self._world.schedule.at(START + at, self._step)
            if self._chance.random() < 0.2:
                self._world.schedule.at(START + at, self._step)
        if self._chance.random() < 0.5:
            self._world.ledger.fixed = True
            self._world.schedule.at(START + self._chance.uniform(0, self._lasts), self._worsen)
        for _ in range(3):
            self._world.schedule.at(START + self._chance.uniform(0, self._lasts * 1.5), self._world.expire)
        for _ in range(rebuilds):
            view, at = self._chance.choice((ROWS, TOTALS)), self._chance.uniform(0, self._lasts * 1.1)
            pause = self._chance.choice((0.1, 5.0, self._lasts / 20))
            self._world.schedule.at(START + at, lambda view=view, pause=pause: rebuild(self._world, view, pause=pause))

    def _worsen(self) -> None:
        """From now on the functions refuse what they did not."""
        self._world.ledger.fixed = False

    def settle(self) -> None:
        """Each shared row has one owner, and no item is without a version of its own."""
        taken: set[str] = set()
        for key in self._keys:
            state = self._states.get(key)
            if state is not None:
                keeps = state["has"] if state["has"] not in taken else ""
                taken |= {keeps} - {""}
                self._put(key, {**state, "has": keeps, "bad": False})

    def _step(self) -> None:
        key = self._chance.choice(self._keys)
        does = self._chance.choices(list(self._weights), list(self._weights.values()))[0]
        STEPS[does](self, key)

    def _put(self, key: str, state: dict[str, Any] | None) -> None:
        if state is None and self._world.version(key) is None:
            return
        self._states[key] = state
        self._world.put(key, state)

    def _changed(self, key: str) -> dict[str, Any]:
        state = self._states.get(key) or {"customer": "ada", "lines": {}, "has": "", "bad": False}
        lines = dict(state["lines"])
        line = self._chance.choice(LINES)
        if line in lines and self._chance.random() < 0.5:
            del lines[line]
        else:
            lines[line] = self._chance.randint(1, 9)
        customer = self._chance.choice(("ada", "bob")) if self._chance.random() < 0.2 else state["customer"]
        return {**state, "customer": customer, "lines": lines, "bad": False}

    def _change(self, key: str) -> None:
        self._put(key, self._changed(key))

    def _delete(self, key: str) -> None:
        self._put(key, None)

    def _bad(self, key: str) -> None:
        self._put(key, {**self._changed(key), "bad": True})

    def _remove(self, key: str) -> None:
        """Whoever comes again does so with a version of a later time."""
        self._states[key] = None
        self._world.remove(key, by_time=self._chance.random() < 0.5)

    def _past(self, key: str) -> None:
        if self._world.version(key) is not None and self._states.get(key) is not None:
            self._states[key] = self._changed(key)
            self._world.put_past(key, self._states[key] or {}, versioned=True)

    def _lost(self, key: str) -> None:
        if self._states.get(key) is not None:
            self._states[key] = self._changed(key)
            self._world.put_past(key, self._states[key] or {}, versioned=False)

    def _split(self, _: str) -> None:
        self._world.stream.split(self._chance.choice((1, 2, 4)))

    def _retry(self, _: str) -> None:
        """Somebody asks for it, whether or not its cause is gone."""
        if names := sorted(self._world.parked()):
            self._world.function.invoke({"retry": names}, lambda _: None)

    def _pass_on(self, key: str) -> None:
        """From whoever has it to this one, in one transaction: their records arrive apart."""
        name = self._chance.choice(HAS)
        for other, state in self._states.items():
            if state is not None and state["has"] == name and other != key:
                self._put(other, {**state, "has": ""})
        mine = self._changed(key)
        self._put(key, {**mine, "has": "" if mine["has"] == name else name})


STEPS: Mapping[str, Callable[[_History, str], None]] = {
    "change": _History._change,
    "delete": _History._delete,
    "bad": _History._bad,
    "remove": _History._remove,
    "past": _History._past,
    "lost": _History._lost,
    "split": _History._split,
    "pass on": _History._pass_on,
    "retry": _History._retry,
}


def _report(seed: int, world: CqrsWorld, failure: AssertionError) -> str:
    lines = [f"{time:12.3f} {' '.join(map(str, fields))[:260]}" for time, fields in world.ledger.trace[-TRACE_LINES:]]
    told = [f"{failure}", f"views, seed {seed}", f"{world.plan}", f"{world.states()}"]
    return "\n".join([*told, f"the last {len(lines)} of {len(world.ledger.trace)} events:", *lines])
