"""The safeguards of a map, in the runtime and in the definition, each with a way to take it out; see `removals`."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from serverless_patterns_runtime.claims import commits
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.claims.tombstone import Tombstone
from serverless_patterns_runtime.parallel_map import closing, completion_handler, contract, gathering, roll

from .map_definition import MapPlan, definitions

__all__ = ["MAP_REMOVALS", "MapRemoval"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]
States = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class MapRemoval:
    """One safeguard less."""

    name: str
    violates: str
    """A regular expression: what the violation must be about."""
    take_out: TakeOut = lambda _: None
    schedule: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `simulate_map`, to make the case frequent."""


MAP_REMOVALS: list[MapRemoval] = []


def removal(name: str, violates: str, **schedule: Any) -> Callable[[TakeOut], TakeOut]:
    def register(take_out: TakeOut) -> TakeOut:
        MAP_REMOVALS.append(MapRemoval(name, violates, take_out, schedule))
        return take_out

    return register


def without(name: str, violates: str, **schedule: Any) -> Callable[[Callable[[States, States], None]], None]:
    """A change of the definition: its states, and those of an item."""

    def register(change: Callable[[States, States], None]) -> None:
        def defines(plan: MapPlan) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            main, completion = copy.deepcopy(definitions(plan))
            change(main["States"], main["States"]["Items"]["ItemProcessor"]["States"])
            return main, completion

        MAP_REMOVALS.append(MapRemoval(name, violates, schedule={"defines": defines, **schedule}))

    return register


EFFECTS, LEASES = {"effects": True}, {"effects": False}


# Closing.


@removal(
    "a tombstone before the dead letter",
    "had its effect",
    deployed=EFFECTS,
    kinds=("invoked late", "carried out late", "crash in flight"),
    item={"does": "ok", "seconds": 4},
)
def _(patch: Patch) -> None:
    patch.setattr(Tombstone, "forestall", lambda _: True)


@removal(
    "what is done is no dead letter",
    "had its effect|is a dead letter",
    deployed=EFFECTS | {"retries": 1},
    kinds=("invoked late", "carried out late"),
)
def _(patch: Patch) -> None:
    patch.setattr(Tombstone, "forestall", lambda self: self.lay() is not None)


@removal(
    "a tombstone waits for an attempt that may be at work",
    "had its effect",
    deployed=LEASES | {"retries": 1},
    kinds=("cut off",),
    item={"does": "ok", "seconds": 4},
)
def _(patch: Patch) -> None:
    original = Tombstone._update

    def update(self: Any, expression: str, condition: str, more: Any = None) -> Any:
        return original(self, expression, condition.replace(" AND #free_at < :now", ""), more)

    patch.setattr(Tombstone, "_update", update)


@removal(
    "the dead letter before its record",
    "is no dead letter",
    operations=("PutItem", "SendMessage"),
    item={"does": "is refused"},
    kinds=("crash after", "crash before"),
)
def _(patch: Patch) -> None:
    send, record = closing._send, closing._record
    patch.setattr(closing, "_send", lambda gathering, item, kind, reason, _: record(gathering, item, kind, reason))
    patch.setattr(closing, "_record", lambda gathering, item, kind, reason: send(gathering, item, kind, reason, 0))


@removal("gathering closes what nobody has", "told|had no effect", dies=True)
def _(patch: Patch) -> None:
    original = gathering.closed

    def closed(*arguments: Any, attempts: int) -> bool:
        return original(*arguments, attempts=attempts) if attempts else True

    patch.setattr(gathering, "closed", closed)
    patch.setattr(completion_handler, "called", lambda edge, items: _closed(roll.called(edge, items)))


@removal(
    "gathering waits for all that are at work",
    "told|two ends|had its effect",
    deployed=LEASES | {"retries": 1},
    dies=True,
    item={"does": "ok", "seconds": 4},
)
def _(patch: Patch) -> None:
    original = gathering.closed

    def closed(*arguments: Any, attempts: int) -> bool:
        try:
            return original(*arguments, attempts=attempts)
        except gathering.RunningElsewhere:
            return True

    patch.setattr(gathering, "closed", closed)
    patch.setattr(completion_handler, "called", lambda edge, items: _closed(roll.called(edge, items)))


# The end.


@removal(
    "an outcome that is decided once",
    "two ends|a completion ended",
    dies=True,
    kinds=("cut off", "result lost", "invoked late"),
)
def _(patch: Patch) -> None:
    def decided(_gathering: Any, _name: str, event: Any, told: Any) -> Any:
        return {**told, "outcome": contract.DEAD.get(event["status"], told["outcome"])}

    patch.setattr(gathering, "_decided", decided)
    patch.setattr(gathering, "_head", lambda *_: None)


@removal("a claim on the end", "the end was told [2-9]", deployed=EFFECTS)
def _(patch: Patch) -> None:
    _unclaimed(patch, lambda key: key.count("#") == 1)


@removal("an end for executions that died", "the end was told 0", dies=True)
def _(patch: Patch) -> None:
    from .map_world import MapWorld

    patch.setattr(MapWorld, "_ended", lambda *_: None)


@removal("completion asks for what is closed", "told|two ends", dies=True, deployed=LEASES)
def _(patch: Patch) -> None:
    original = gathering.gather

    def gather(made: Any, event: Any, remaining: Any) -> Any:
        told = original(made, event, remaining)
        return {**told, "processed": told["processed"] + told["failed"], "failed": 0}

    from serverless_patterns_runtime.parallel_map import gather_handler

    patch.setattr(gather_handler, "gather", gather)


# Claims.


@removal("the claim in the item's transaction", "had its effect [2-9] times", deployed=EFFECTS)
def _(patch: Patch) -> None:
    _unclaimed(patch, lambda key: key.count("#") == 2)


@removal(
    "a lease as long as the invocation",
    "after its dead letter|had its effect",
    deployed=LEASES | {"retries": 1},
    kinds=("cut off",),
    item={"does": "ok", "seconds": 4},
)
def _(patch: Patch) -> None:
    original = Lease.take
    patch.setattr(Lease, "take", lambda self, _, **more: original(self, int(self.clock()) - 1, **more))


@removal("a repeated attempt tells the first result", "told as another|two ends", deployed=LEASES, item={"does": "ok"})
def _(patch: Patch) -> None:
    patch.setattr(roll.Entry, "result", property(lambda _: {"drawn": 0}))


# The definition.


@without(
    "a catcher of what an item fails by",
    "is healthy, and a dead letter",
    deployed={"distributed": False, "in_s3": False},
    item={"does": "is refused"},
    dies=False,
    kinds=("slow",),
)
def _(_: States, item: States) -> None:
    item["Process"]["Catch"] = [{"ErrorEquals": ["Never"], "Next": "Bury"}]


@without(
    "a retrier of what is at work elsewhere",
    "is healthy, and a dead letter",
    deployed=LEASES | {"retries": 3},
    item={"does": "hangs once"},
    dies=False,
)
def _(_: States, item: States) -> None:
    item["Process"]["Retry"] = [one for one in item["Process"]["Retry"] if one["ErrorEquals"] != ["RunningElsewhere"]]


@without("a look at how long the list is", "was begun", dies=False)
def _(states: States, _: States) -> None:
    for state in states.values():
        for rule in state.get("Choices", ()):
            if "And" in rule:
                rule["And"] = rule["And"][:1]


@without("only so many items of an object", "was begun", deployed={"distributed": True, "in_s3": True}, dies=False)
def _(states: States, _: States) -> None:
    states["Items"]["ItemReader"]["ReaderConfig"]["MaxItems"] = 10**8


@without(
    "an execution fails when it is told so",
    "succeeded that was told to fail",
    deployed={"tolerated": 0},
    item={"does": "is refused"},
    dies=False,
)
def _(states: States, _: States) -> None:
    states["Outcome"]["Choices"].append({"Variable": "$.outcome", "StringEquals": "failed", "Next": "Done"})


@without(
    "what cannot be buried is left to the gathering",
    "is healthy, and a dead letter|healthy",
    deployed={"distributed": False, "in_s3": False},
    item={"does": "is refused"},
    dies=False,
    kinds=("not invoked",),
)
def _(_: States, item: States) -> None:
    item["Bury"]["Parameters"]["task"] = "unknown"
    item["Bury"]["Catch"] = [{"ErrorEquals": ["Never"], "Next": "Left"}]


def _closed(entries: Any) -> Any:
    for entry in entries:
        yield entry._replace(state="failed", reason="?") if entry.state == "open" else entry


def _unclaimed(patch: Patch, which: Callable[[str], bool]) -> None:
    original = commits.Commits.claim_item

    def unconditional(self: Any, claim: Any, *arguments: Any) -> dict[str, Any]:
        item = original(self, claim, *arguments)
        if not which(claim.id):
            return item
        return {"Put": {name: item["Put"][name] for name in ("TableName", "Item")}}

    patch.setattr(commits.Commits, "claim_item", unconditional)
