"""What a `CqrsWorld` goes through: aggregates by commands, in transactions of several, and behind everybody's back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .cqrs_world import CqrsWorld
from .faults import ANYWHERE, Call, Faults

__all__ = ["Anywhere", "Life"]

State = dict[str, Any]
NEW: State = {"customer": "ada", "lines": {}, "has": "", "bad": False}


@dataclass(frozen=True)
class _Put(Call):
    @property
    def possible(self) -> Sequence[str]:
        return ANYWHERE


class Anywhere:
    """Whatever `faults` chooses, at a PutItem or a statement too."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.outages = 0
        """During which no view takes anything, whatever is chosen."""

    @property
    def spent(self) -> int:
        return self.faults.spent

    def choose(self, call: Call) -> str | None:
        if self.outages and call.operation in ("PutItem", "TransactWriteItems", "ExecuteStatement"):
            return "throttled"
        if call.operation in ("PutItem", "ExecuteStatement"):
            call = _Put(call.service, call.operation, call.arguments)
        return self.faults.choose(call)

    def spend(self) -> bool:
        return self.faults.spend()


class Life:
    def __init__(self, world: CqrsWorld, anywhere: Anywhere) -> None:
        self.world = world
        self._anywhere = anywhere
        self._states: dict[str, State | None] = {}

    def put(self, key: str, **said: Any) -> None:
        """By a command."""
        self._put(key, {**self._state(key), **said})

    def delete(self, key: str) -> None:
        if self.world.version(key) is not None:
            self._put(key, None)

    def remove(self, key: str, *, by_time: bool) -> None:
        """Whoever comes again does so with a version of a later time."""
        if self._may_end(key):
            self._states[key] = None
            self.world.remove(key, by_time=by_time)

    def put_past(self, key: str, lines: Mapping[str, int], *, versioned: bool) -> None:
        if self._states.get(key) is None or (not versioned and not self._may_end(key)):
            return
        if self.world.version(key) is None and versioned:
            return
        state = self._states[key] = {**self._state(key), "lines": lines}
        self.world.put_past(key, state, versioned=versioned)

    def pass_on(self, key: str, name: str) -> None:
        for other, state in self._states.items():
            if state is not None and state["has"] == name and other != key:
                self._put(other, {**state, "has": ""})
        self.put(key, has=name)

    def outage(self, seconds: float) -> None:
        def change(by: int) -> None:
            self._anywhere.outages += by

        change(1)
        self.world.schedule.after(seconds, lambda: change(-1))

    def settle(self) -> None:
        """Each shared row has one owner, and no item is without a version of its own."""
        taken = {""}
        for key, state in self._states.items():
            if state is not None:
                keeps = "" if state["has"] in taken else state["has"]
                taken.add(keeps)
                self._put(key, {**state, "has": keeps, "bad": False})

    def _state(self, key: str) -> State:
        return self._states.get(key) or NEW

    def _put(self, key: str, state: State | None) -> None:
        self._states[key] = state
        self.world.put(key, state)

    def _may_end(self, key: str) -> bool:
        """Not in the millisecond of its first version: one that begins anew takes the time for its version."""
        version = self.world.version(key)
        return version is None or version + 1 < int(self.world.schedule.now * 1000)
