"""The safeguards of a saga, in the runtime and in the definition, each with a way to take it out; see `removals`."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import pytest

from serverless_patterns_runtime.claims import commits, tombstone
from serverless_patterns_runtime.claims import once as claims_once
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.claims.tombstone import Left, Tombstone
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.saga_state_machine import contract, handler, task
from serverless_patterns_runtime.saga_state_machine.action import Action
from serverless_patterns_runtime.saga_state_machine.compensation import Compensation
from serverless_patterns_runtime.saga_state_machine.failures import fail

from .saga_definition import Plan, definition
from .saga_world import Defines

__all__ = ["SAGA_REMOVALS", "SagaRemoval"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]
States = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class SagaRemoval:
    """One safeguard less."""

    name: str
    violates: str
    """A regular expression: what the violation must be about."""
    take_out: TakeOut = lambda _: None
    deployed: Mapping[str, Any] = field(default_factory=dict)
    """What is deployed differently."""
    step: Mapping[str, Any] = field(default_factory=dict)
    """Fields of one of the steps, to make the case frequent."""
    effects: bool | None = None
    kinds: Sequence[str] = ()
    """Kinds of faults, if not all."""
    operations: Sequence[str] = ()
    """Where faults strike, if not everywhere."""


SAGA_REMOVALS: list[SagaRemoval] = []


def removal(name: str, violates: str, **more: Any) -> Callable[[TakeOut], TakeOut]:
    def register(take_out: TakeOut) -> TakeOut:
        SAGA_REMOVALS.append(SagaRemoval(name, violates, take_out, **more))
        return take_out

    return register


def without(
    name: str, violates: str, take_out: TakeOut = lambda _: None, **more: Any
) -> Callable[[Callable[[States], None]], None]:
    """A change of the definition."""

    def register(change: Callable[[States], None]) -> None:
        def defines(plans: Sequence[Plan]) -> Mapping[str, Any]:
            made = copy.deepcopy(dict(definition(plans)))
            change(made["States"])
            return _reachable(made)

        chosen: Defines = defines
        SAGA_REMOVALS.append(SagaRemoval(name, violates, take_out, deployed={"defines": chosen}, **more))

    return register


# The tombstone.


@removal(
    "a tombstone on the action",
    "was done 1 times|while the saga was undone",
    step={"does": "ok", "retries": 0},
    kinds=("invoked late", "carried out late", "crash in flight"),
)
def _(patch: Patch) -> None:
    def look(self: Tombstone) -> Left:
        item = self.dynamodb.get_item(
            TableName=self.table_name, Key={"claim": {"S": self.claim.id}}, ConsistentRead=True
        ).get("Item", {})
        done = "done" in item and item["done"]["BOOL"]
        return Left(done, "attempt" in item, item["answer"]["S"] if "answer" in item else None)

    patch.setattr(Tombstone, "lay", look)


@removal(
    "a tombstone waits for an action that may be at work",
    "was done 1 times|while the saga was undone",
    step={"does": "ok", "retries": 0, "seconds": 4.0},
    effects=False,
    kinds=("cut off",),
)
def _(patch: Patch) -> None:
    _tombstone_if(patch, "#undone = :true OR #done = :true OR #free_at < :now", "#done = :true OR #done = :false")


@removal(
    "a tombstone on an action with a declared error, Effects",
    "was done 1 times|while the saga was undone",
    step={"does": "is declined again"},
    effects=True,
    kinds=("crash in flight", "carried out late", "invoked late"),
)
def _(patch: Patch) -> None:
    patch.setattr(Tombstone, "give_up", lambda *_: None)


@removal(
    "a tombstone on an action with a declared error, leases",
    "was done 1 times|while the saga was undone",
    step={"does": "is declined first"},
    effects=False,
    kinds=("invoked twice", "invoked late"),
)
def _(patch: Patch) -> None:
    patch.setattr(Tombstone, "give_up", lambda *_: None)


@removal(
    "a declared error counts of the first attempt alone",
    "was done 1 times",
    step={"does": "fails once, then is declined"},
)
def _(patch: Patch) -> None:
    original = Action._let_go
    patch.setattr(
        Action, "_let_go", lambda self, lease, held, error: original(self, lease, held._replace(attempt=1), error)
    )


@removal("an attempt that has raised stays counted", "was done 1 times", step={"does": "fails once, then is declined"})
def _(patch: Patch) -> None:
    patch.setattr(Action, "_did_nothing", lambda *_: True)


# What is undone, and by what.


@removal(
    "what has not happened is not undone",
    "was done -1 times|undone that had not been done",
    effects=True,
    step={"does": "is refused"},
)
def _(patch: Patch) -> None:
    patch.setattr(Compensation, "_may_have_happened", lambda *_: True)


@removal("what may have happened is undone, seen or not", "was done 1 times", effects=False)
def _(patch: Patch) -> None:
    patch.setattr(Compensation, "_may_have_happened", lambda _, left: left.done)


@removal("a compensation has a key of its own", "parked|calls with the key")
def _(patch: Patch) -> None:
    patch.setattr(task.Task, "compensation", lambda self, namespace: self.action(namespace))


# Claims.


@removal("the claim in the action's transaction", "was done twice")
def _(patch: Patch) -> None:
    _unclaimed(patch, lambda claim: not claim.id.endswith(contract.COMPENSATION))


@removal("the claim in the compensation's transaction", "was done -1 times|undone that had not been done")
def _(patch: Patch) -> None:
    _unclaimed(patch, lambda claim: claim.id.endswith(contract.COMPENSATION))


@removal("keys without the attempt", "was done [2-9] times|was done twice|calls with the key")
def _(patch: Patch) -> None:
    original = task.Task.action

    def by_attempt(self: task.Task, namespace: str) -> task.StepClaim:
        claim = original(self, namespace)
        return replace(claim, key=f"{claim.key}#{self.attempt}")

    patch.setattr(task.Task, "action", by_attempt)


@removal(
    "a lease as long as the invocation",
    "while the saga was undone|was done 1 times",
    step={"does": "ok", "retries": 0, "seconds": 4.0},
    effects=False,
    kinds=("cut off",),
)
def _(patch: Patch) -> None:
    original = Lease.take
    patch.setattr(Lease, "take", lambda self, _, **more: original(self, int(self.clock()) - 1, **more))


@removal("a repeated action tells the first result", "another result")
def _(patch: Patch) -> None:
    original = claims_once.Once._replay

    def other(self: Any, found: Any) -> Any:
        replayed = original(self, found)
        return replayed._replace(answer='{"receipt": "another"}')

    patch.setattr(Action, "_replay", other)


@removal("what is permanent has one name", "was tried again", step={"does": "is refused"})
def _(patch: Patch) -> None:
    def by_its_class(error: BaseException) -> NoReturn:
        if type(error) is PermanentError:
            raise type("Refusal", (Exception,), {})(error.message)
        fail(error)

    patch.setattr(handler, "fail", by_its_class)


# The definition.


@without("undoing begins at the step that failed", "was done 1 times", step={"does": "fails after"})
def _(states: States) -> None:
    for state in states.values():
        for catcher in state.get("Catch", ()):
            undo = states[catcher["Next"]]
            if catcher["ResultPath"] == "$.saga.error" and catcher["Next"].startswith("Undo "):
                catcher["Next"] = undo["Next"]


@without("a compensation that fails is parked", "died of|was done 1 times")
def _(states: States) -> None:
    for name, state in states.items():
        if name.startswith("Undo "):
            del state["Catch"]


@without("what is parked is written down", "parked: set|was done 1 times", step={"does": "is refused"})
def _(states: States) -> None:
    for name, state in states.items():
        if name.startswith("Undo "):
            for catcher in state["Catch"]:
                catcher |= {"Next": state["Next"], "ResultPath": "$.saga.parked.somebody"}


@without("behind the pivot only forward", "undone behind the pivot|COMPENSATED|was done", step={"does": "is refused"})
def _(states: States) -> None:
    last = next((name for name in reversed(list(states)) if name.startswith("Undo ")), "Undone")
    for name, state in states.items():
        if f"Park {name}" in states and f"Undo {name}" not in states:
            for catcher in state["Catch"]:
                catcher["Next"] = last


@without("retries of an action", "and every step could have been done")
def _(states: States) -> None:
    for name, state in states.items():
        if f"Park {name}" in states:
            state["Retry"] = []


@without("retries of a compensation", "could have been undone")
def _(states: States) -> None:
    for name, state in states.items():
        if name.startswith("Undo "):
            state["Retry"] = []


@without("a retry after a lease has ended", "could have been done|could have been undone", effects=False)
def _(states: States) -> None:
    for state in states.values():
        if "Retry" in state:
            state["Retry"] = [
                retrier for retrier in state["Retry"] if retrier["ErrorEquals"] != [contract.RUNNING_ELSEWHERE]
            ]
            state["Retry"][-1]["MaxDelaySeconds"] = 1


@without("what is final is not retried", "was tried again")
def _(states: States) -> None:
    for state in states.values():
        if "Retry" in state:
            state["Retry"] = [retrier for retrier in state["Retry"] if retrier.get("MaxAttempts")]


def _results_of_any_size(patch: Patch) -> None:
    patch.setattr(Action, "_check", lambda *_: None)


@without(
    "a catcher of States.DataLimitExceeded",
    "died of States.DataLimitExceeded",
    _results_of_any_size,
    step={"does": "is too large"},
)
def _(states: States) -> None:
    for state in states.values():
        for catcher in list(state.get("Catch", ())):
            if catcher["ErrorEquals"] == ["States.DataLimitExceeded"]:
                state["Catch"].remove(catcher)


def _reachable(made: dict[str, Any]) -> Mapping[str, Any]:
    """Without the states to which nothing leads any more: the interpreter takes them for a mistake."""
    states, known, open_ = made["States"], set[str](), [made["StartAt"]]
    while open_:
        name = open_.pop()
        if name in known:
            continue
        known.add(name)
        state = states[name]
        open_ += [state[part] for part in ("Next", "Default") if part in state]
        open_ += [each["Next"] for part in ("Catch", "Choices") for each in state.get(part, ())]
    return {**made, "States": {name: state for name, state in states.items() if name in known}}


def _tombstone_if(patch: Patch, condition: str, instead: str) -> None:
    original = Tombstone._update

    def update(self: Any, expression: str, given: str, more: Any = None) -> Any:
        return original(self, expression, given.replace(condition, instead), more)

    patch.setattr(tombstone.Tombstone, "_update", update)


def _unclaimed(patch: Patch, which: Callable[[Claim], bool]) -> None:
    original = commits.Commits.claim_item

    def unconditional(self: Any, claim: Claim, *arguments: Any) -> dict[str, Any]:
        item = original(self, claim, *arguments)
        if not which(claim):
            return item
        return {"Put": {name: item["Put"][name] for name in ("TableName", "Item")}}

    patch.setattr(commits.Commits, "claim_item", unconditional)
