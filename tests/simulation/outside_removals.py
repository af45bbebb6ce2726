"""The safeguards of effects outside, each with a way to take it out; see `saga_removals`."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from serverless_patterns_runtime.errors import CircuitOpen, Unsettled
from serverless_patterns_runtime.saga_state_machine import contract, outside, task, work
from serverless_patterns_runtime.saga_state_machine.action import Action
from serverless_patterns_runtime.saga_state_machine.compensation import Compensation
from serverless_patterns_runtime.saga_state_machine.work import StepWork

from .outside_definition import LIFETIME_SECONDS, Shape, outside_definition
from .outside_world import Defines

__all__ = ["OUTSIDE_REMOVALS", "OutsideRemoval"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]
States = dict[str, dict[str, Any]]

TWICE = "charged [2-9] times"


@dataclass(frozen=True)
class OutsideRemoval:
    """One safeguard less."""

    name: str
    violates: str
    """A regular expression: what the violation must be about."""
    take_out: TakeOut = lambda _: None
    defines: Defines = outside_definition
    shape: Mapping[str, Any] = field(default_factory=dict)
    story: Mapping[str, Any] = field(default_factory=dict)


OUTSIDE_REMOVALS: list[OutsideRemoval] = []


def removal(name: str, violates: str, **more: Any) -> Callable[[TakeOut], TakeOut]:
    def register(take_out: TakeOut) -> TakeOut:
        OUTSIDE_REMOVALS.append(OutsideRemoval(name, violates, take_out, **more))
        return take_out

    return register


def without(name: str, violates: str, **more: Any) -> Callable[[Callable[[States], None]], None]:
    """A change of the definition."""

    def register(change: Callable[[States], None]) -> None:
        def defines(shape: Shape) -> Mapping[str, Any]:
            made = copy.deepcopy(dict(outside_definition(shape)))
            change(made["States"])
            return made

        OUTSIDE_REMOVALS.append(OutsideRemoval(name, violates, defines=defines, **more))

    return register


# The key.

FORGOTTEN = {"mishaps": 3, "kinds": ("acts, then fails",), "outage": (6, 5 * 3600), "resumed_after": 2.5 * 86_400}
"""The first try reaches the provider, the others do not; then it is resumed when the key is forgotten."""


@removal("a key is not given when it may be forgotten", TWICE, shape={"forward": True}, story=FORGOTTEN)
def _(patch: Patch) -> None:
    _always_given(patch)


@removal("a key's life begins with its first use", TWICE, shape={"forward": True}, story=FORGOTTEN)
def _(patch: Patch) -> None:
    original = StepWork._take

    def take(self: StepWork, lease: Any, until: int) -> Any:
        held = original(self, lease, until)
        self._begun_at = int(self._edge.clock())
        return held

    patch.setattr(StepWork, "_take", take)


@removal(
    "a key is not given to who could outlive it",
    TWICE,
    shape={"forward": True},
    story={**FORGOTTEN, "sends_after": 0.1, "slower": 4.4, "resumed_after": LIFETIME_SECONDS - 1.0},
)
def _(patch: Patch) -> None:
    original = StepWork._with_external_key

    def by_now(self: StepWork, step: Any, claim: Any) -> Any:
        remaining, self._remaining = self._remaining, lambda: -work.CLOCK_SKEW_SECONDS
        try:
            return original(self, step, claim)
        finally:
            self._remaining = remaining

    patch.setattr(StepWork, "_with_external_key", by_now)


@removal("one key for all tries", TWICE, story={"mishaps": 3, "kinds": ("acts, then fails",), "outage": (0, 0)})
def _(patch: Patch) -> None:
    original = task.Task.external_key
    patch.setattr(task.Task, "external_key", lambda self, claim: f"{original(self, claim)}-{self.attempt}")


@removal(
    "a compensation has an external key of its own",
    "1 charges stand",
    shape={"forward": False},
    story={"ship": "is refused", "outage": (0, 0), "declines": False},
)
def _(patch: Patch) -> None:
    patch.setattr(outside, "UNDO_SUFFIX", "")


# Unsettled.

SETTLES_LATER = {"mishaps": 1, "kinds": ("settles later",), "outage": (0, 0), "ship": "ok", "declines": False}


@without(
    "an unknown outcome has retries of its own",
    "the card could have been charged",
    shape={"retries": 1, "breaker": False},
    story={**SETTLES_LATER, "told_late": False},
)
def _(states: States) -> None:
    for state in states.values():
        if "Retry" in state:
            state["Retry"] = [it for it in state["Retry"] if not it["ErrorEquals"][0].startswith("Unsettled")]


@removal(
    "an unknown outcome is no failure",
    "the card could have been charged",
    shape={"retries": 1, "breaker": False},
    story={**SETTLES_LATER, "told_late": False},
)
def _(patch: Patch) -> None:
    patch.setattr(StepWork, "_unsettled", lambda _, error: error)


@removal(
    "an unknown outcome may have happened",
    "1 charges stand",
    shape={"forward": False, "declares": True},
    story={**SETTLES_LATER, "declines_after": 1},
)
def _(patch: Patch) -> None:
    patch.setattr(Action, "_did_nothing", lambda _, error: isinstance(error, Unsettled))


# The breaker.

OUTAGE = {"outage": (0, 600), "mishaps": 0, "ship": "ok", "declines": False, "told_late": False}


@without(
    "a refusal is no attempt",
    "the card could have been charged",
    shape={"breaker": True, "retries": 1, "threshold": 1},
    story=OUTAGE,
)
def _(states: States) -> None:
    for state in states.values():
        if "Retry" in state:
            state["Retry"] = [it for it in state["Retry"] if it["ErrorEquals"] != [contract.CIRCUIT_OPEN]]


@removal(
    "a probe is no attempt",
    "the card could have been charged",
    shape={"breaker": True, "retries": 1, "threshold": 1},
    story=OUTAGE,
)
def _(patch: Patch) -> None:
    original = work.StepWork._run

    def run(self: StepWork, *arguments: Any) -> Any:
        try:
            return original(self, *arguments)
        except CircuitOpen as refusal:
            raise refusal.__cause__ or refusal from None

    patch.setattr(work.StepWork, "_run", run)


@removal(
    "the breaker is asked",
    "the card could have been charged",
    shape={"breaker": True, "retries": 5, "threshold": 1},
    story=OUTAGE,
)
def _(patch: Patch) -> None:
    patch.setattr(work.StepWork, "_permit", lambda _: None)


@removal(
    "the last try asks the breaker",
    "the card could have been charged",
    shape={"breaker": True, "retries": 1, "threshold": 50},
    story=OUTAGE,
)
def _(patch: Patch) -> None:
    patch.setattr(work.StepWork, "_suspicion", lambda *_: None)


# What lays no claim.


@removal(
    "what lays no claim is undone, seen or not",
    "was told 1 times",
    shape={"foreign": True, "forward": False},
    story={"told_late": True},
)
def _(patch: Patch) -> None:
    original = Compensation._may_have_happened

    def claimed(self: Any, left: Any) -> bool:
        self._task.event.pop("action_unclaimed", None)
        return original(self, left)

    patch.setattr(Compensation, "_may_have_happened", claimed)


def _always_given(patch: Patch) -> None:
    def given(self: StepWork, step: Any, claim: Any) -> Any:
        return replace(step, key=self._task.external_key(claim)) if "external_key" in self._task.event else step

    patch.setattr(StepWork, "_with_external_key", given)
