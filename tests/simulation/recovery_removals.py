"""The safeguards of a recovery, in the runtime and in its definition, each with a way to take it out."""

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from serverless_patterns_runtime.saga_recovery import contract, ledger_handler, recall
from serverless_patterns_runtime.saga_recovery import settle as settling
from serverless_patterns_runtime.saga_recovery.executions import Execution
from serverless_patterns_runtime.saga_recovery.guarding import Guarding
from serverless_patterns_runtime.saga_recovery.ledger import Entry
from serverless_patterns_runtime.saga_recovery.marks import Marks

from .recovery_definition import recovery_definition
from .saga_definition import Plan
from .saga_removals import SAGA_REMOVALS, _reachable

__all__ = ["RECOVERY_REMOVALS", "RecoveryRemoval"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]
States = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class RecoveryRemoval:
    """One safeguard less. `more`: what `simulate_recovery` is asked for, to make the case frequent."""

    name: str
    violates: str
    """A regular expression: what the violation must be about."""
    take_out: TakeOut = lambda _: None
    more: Mapping[str, Any] = field(default_factory=dict)


RECOVERY_REMOVALS: list[RecoveryRemoval] = []


def removal(name: str, violates: str, **more: Any) -> Callable[[TakeOut], TakeOut]:
    def register(take_out: TakeOut) -> TakeOut:
        RECOVERY_REMOVALS.append(RecoveryRemoval(name, violates, take_out, more))
        return take_out

    return register


def without(name: str, violates: str, **more: Any) -> Callable[[Callable[[States], None]], None]:
    """A change of the definition."""

    def register(change: Callable[[States], None]) -> None:
        def recovers(plans: Sequence[Plan]) -> Mapping[str, Any]:
            made = copy.deepcopy(dict(recovery_definition(plans)))
            change(made["States"])
            return _reachable(made)

        RECOVERY_REMOVALS.append(RecoveryRemoval(name, violates, more={"recovers": recovers, **more}))

    return register


# Who hears of it.


@removal("the sweep, when nobody is told", "nobody recovered it", sweeps=0, events=0, dies=True)
def _(_: Patch) -> None: ...


@removal("what is parked is left to people", "recovered, and had not died", resumes=0, step={"does": "is refused"})
def _(patch: Patch) -> None:
    patch.setattr(Execution, "is_parked", property(lambda _: False))


@removal(
    "a mark says that the recovery has begun, not that it will",
    "nobody recovered it",
    dies=True,
    resumes=0,
    kinds=("crash before", "throttled", "unreachable"),
    operations=("StartExecution",),
)
def _(patch: Patch) -> None:
    original = Guarding.recover

    def recover(self: Guarding, execution: Execution, attempt: int) -> bool:
        self.marks.note(execution, attempt)
        return original(self, execution, attempt)

    patch.setattr(Guarding, "recover", recover)


@removal("a recovery has one name", "two recoveries at once", dies=True, events=3)
def _(patch: Patch) -> None:
    numbers = itertools.count()
    patch.setattr(contract, "recovery_name", lambda execution, attempt: f"{execution}-{attempt}-{next(numbers)}")


@removal("a recovery is not resumed while it runs", "two recoveries at once", resumes=2)
def _(patch: Patch) -> None:
    original = Guarding.__init__

    def forgetful(self: Guarding, edge: Any) -> None:
        original(self, edge)
        find = self.recoveries.find

        def ended(name: str) -> Execution | None:
            found = find(name)
            return None if found is None else found._replace(status="ABORTED")

        object.__setattr__(self.recoveries, "find", ended)

    patch.setattr(Guarding, "__init__", forgetful)


@removal("who resumes is written down", "nobody wrote down who", resumes=2, step={"undo": "is refused"})
def _(patch: Patch) -> None:
    original = Marks._update

    def update(self: Marks, execution: Execution, expression: str, condition: str, values: dict[str, Any]) -> bool:
        unsaid = expression.replace(", #audit = list_append(if_not_exists(#audit, :none), :line)", "")
        kept = {name: value for name, value in values.items() if name in f"{unsaid} {condition}"}
        return original(self, execution, unsaid, condition, kept)

    patch.setattr(Marks, "_update", update)


# What is known, and which way it goes.


@removal("a pivot that is done leads forward", "was done [01] times|undone, and then", dies=True)
def _(patch: Patch) -> None:
    patch.setattr(recall, "_goes_forward", lambda *_: False)
    patch.setattr(recall, "_check_behind", lambda *_: None)  # it refuses to go back then


@removal("a pivot that is not done leads back", "was done|was told of|undone, and then", dies=True)
def _(patch: Patch) -> None:
    patch.setattr(recall, "_goes_forward", lambda edge, event, document: "pivot" in event)  # noqa: ARG005


@removal("results come from the claims", "was told of", dies=True)
def _(patch: Patch) -> None:
    patch.setattr(Entry, "is_done", property(lambda _: False))


@removal(
    "what is settled is marked", "and parked|nothing says that it is settled", resumes=2, step={"undo": "is refused"}
)
def _(patch: Patch) -> None:
    patch.setattr(ledger_handler, "settle", lambda *_: None)


# The definition.


@without("steps are known by the execution that died", "calls with the key|is known by|was done", dies=True)
def _(states: States) -> None:
    for state in states.values():
        given = state.get("Parameters", {})
        if "kind" in given:
            given["execution.$"] = "$$.Execution.Name"


@without("the ledger is asked again", "died of RECOVERY_FAILED", dies=True)
def _(states: States) -> None:
    states["Recall the ledger"]["Retry"] = []


@without("undoing begins at the last step, whatever is known", "was done 1 times", dies=True)
def _(states: States) -> None:
    first, start = "Settle what is undone", states["Recall the ledger"]
    last = states.get("Which way", start)
    key = "Default" if "Which way" in states else "Next"
    last[key] = states[last[key]].get("Next", first)


@removal("what is parked again is not settled", "and parked", resumes=2, step={"undo": "is refused"})
def _(patch: Patch) -> None:
    original = settling._update

    def update(edge: Any, event: Any, step: str, expression: str, condition: str, values: Any) -> None:
        original(
            edge, event, step, expression, condition.replace("#resumed = :recovery", "attribute_exists(#claim)"), values
        )

    patch.setattr(settling, "_update", update)


# Of those of the saga itself, the ones that meet what the dead execution has left behind.

_KEPT = ("a tombstone on the action", "a tombstone waits for an action that may be at work")

for _one in SAGA_REMOVALS:
    if _one.name in _KEPT:
        _more = {"step": _one.step, "effects": _one.effects, "kinds": _one.kinds, "dies": True}
        RECOVERY_REMOVALS.append(RecoveryRemoval(_one.name, "was done|while the saga", _one.take_out, _more))
