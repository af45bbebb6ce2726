"""Sagas whose functions follow a script, and what an execution of one of them told: the same on every interpreter."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from serverless_patterns_runtime.saga_state_machine import contract
from tests.interpreters import scripted
from tests.interpreters.trace import Step, trace_of
from tests.simulation.outside_definition import Shape, outside_definition
from tests.simulation.saga_definition import Plan
from tests.simulation.saga_ledger import DECLINED
from tests.simulation.saga_synthesized import PARK, synthesized
from tests.simulation.world import CLAIMS

__all__ = ["CASES", "NAME", "Case", "Told", "random_case", "told"]

NAME = "order-7"
STEPS = ("ReserveStock", "ChargeCard", "Ship")
Script = Mapping[str, Sequence[str]]


def plans(*names: str, pivot: int | None) -> tuple[Plan, ...]:
    return tuple(
        Plan(
            name=name,
            retries=1,
            undo_retries=1,
            pivot=at == pivot,
            declares=(DECLINED,) if pivot is None or at <= pivot else (),
        )
        for at, name in enumerate(names)
    )


@dataclass(frozen=True)
class Case:
    name: str
    script: Script
    status: str
    error: str | None = None
    plans: Sequence[Plan] = field(default_factory=lambda: plans(*STEPS, pivot=1))
    outside: Shape | None = None
    """Instead of the plans: a saga with a provider outside."""

    @property
    def document(self) -> Mapping[str, Any]:
        return {"order_id": "7", "script": self.script}

    def says(self, task: str, retries: int) -> str:
        """What the task does at an attempt."""
        kind, _, step = task.partition(" ")
        return scripted.says({"kind": kind, "step": step, "retries": retries, "state": self.document})

    def definition(self, function: str | None = None, table: str = CLAIMS) -> Any:
        """As the construct writes it, with one function behind every task when one is given."""
        told = synthesized(self.plans) if self.outside is None else outside_definition(self.outside)
        text = json.loads(json.dumps(told))
        for state in text["States"].values():
            if state["Type"] != "Task":
                continue
            if state["Resource"] == PARK:
                state["Parameters"]["TableName"] = table
            elif function is not None:
                state["Resource"] = function
        return text


DONE, NOT_DONE = "SUCCEEDED", "FAILED"
RESERVE, CHARGE, SHIP = (f"action {name}" for name in STEPS)
RELEASE, REFUND = (f"compensation {name}" for name in STEPS[:2])
BROKEN = ["RuntimeError"]

CASES = [
    Case("all is well", {}, DONE),
    Case("the first is declined", {RESERVE: [DECLINED]}, DONE),
    Case("the second is declined", {CHARGE: [DECLINED]}, DONE),
    Case("the second is declined at the second attempt", {CHARGE: ["RuntimeError", DECLINED]}, DONE),
    Case("the first fails", {RESERVE: BROKEN}, DONE),
    Case("the second fails", {CHARGE: BROKEN}, DONE),
    Case("the second fails once", {CHARGE: ["RuntimeError", "done"]}, DONE),
    Case("the second is refused", {CHARGE: ["PermanentError"]}, DONE),
    Case(
        "retriers count for themselves",
        {CHARGE: ["RunningElsewhere", "RuntimeError", "RunningElsewhere", "done"]},
        DONE,
    ),
    Case("runs elsewhere too often", {CHARGE: ["RunningElsewhere"]}, DONE),
    Case("a result is too large", {CHARGE: ["too large"]}, DONE),
    Case("a compensation fails once", {CHARGE: BROKEN, RELEASE: ["RuntimeError", "done"]}, DONE),
    Case("the first compensation is parked", {CHARGE: BROKEN, REFUND: BROKEN}, NOT_DONE, contract.COMPENSATION_PARKED),
    Case("the last compensation is parked", {CHARGE: BROKEN, RELEASE: BROKEN}, NOT_DONE, contract.COMPENSATION_PARKED),
    Case(
        "all are parked",
        {CHARGE: BROKEN, REFUND: ["PermanentError"], RELEASE: BROKEN},
        NOT_DONE,
        contract.COMPENSATION_PARKED,
    ),
    Case("after the pivot it fails once", {SHIP: ["RuntimeError", "done"]}, DONE),
    Case("after the pivot it fails", {SHIP: BROKEN}, NOT_DONE, contract.FORWARD_PARKED),
    Case("without a pivot the last fails", {SHIP: BROKEN}, DONE, plans=plans(*STEPS, pivot=None)),
    Case("the first is the pivot and fails", {RESERVE: BROKEN}, DONE, plans=plans(*STEPS, pivot=0)),
    Case("one step alone", {RESERVE: BROKEN}, DONE, plans=plans(STEPS[0], pivot=None)),
    Case("takes too long once", {CHARGE: ["hangs", "done"]}, DONE),
    Case("takes too long", {CHARGE: ["hangs"]}, DONE),
    Case(
        "what is unsettled or refused by a breaker uses up no try",
        {CHARGE: ["Unsettled60", "CircuitOpen", "RuntimeError", "Unsettled5", "CircuitOpen", "done"]},
        DONE,
        outside=Shape(breaker=True, retries=1),
    ),
    Case(
        "a breaker stays open, and somebody's function is undone",
        {CHARGE: ["CircuitOpen"], REFUND: ["Unsettled600", "done"]},
        DONE,
        outside=Shape(breaker=True, foreign=True, retries=1),
    ),
]


class Told(NamedTuple):
    """Without texts of causes that an interpreter words itself, keys of requests, and stacks."""

    trace: list[Step]
    status: str
    output: Any
    error: str | None
    asked: list[Any]
    """Events of functions, in order."""
    parked: list[Mapping[str, Any]]


def told(
    history: Sequence[Mapping[str, Any]],
    status: str,
    output: Any,
    error: str | None,
    items: Sequence[Mapping[str, Any]],
) -> Told:
    """Of an execution with a history of AWS's shape, and the items it parked as DynamoDB writes them."""
    scheduled = [
        event["lambdaFunctionScheduledEventDetails"]
        for event in history
        if "Scheduled" in event["type"] and event["type"].startswith("Lambda")
    ]
    asked = [json.loads(details["input"]) for details in scheduled]
    return plain(trace_of(history), status, output, error, asked, items)


def plain(
    trace: list[Step], status: str, output: Any, error: str | None, asked: list[Any], items: Sequence[Mapping[str, Any]]
) -> Told:
    """What can be compared."""
    asked = [_timeless(event) for event in asked]
    parked = [
        {name: json.loads(value["S"]) if name in ("state", "error") else value["S"] for name, value in item.items()}
        for item in sorted(items, key=lambda item: item["step"]["S"])
    ]
    return Told(trace, status, _without_words(output), error, _without_words(asked), _without_words(parked))


def _timeless(event: Any) -> Any:
    """When a state was entered differs; that it is a time does not."""
    return event | {"entered": datetime.fromisoformat(event["entered"]).year > 1969} if "entered" in event else event


def _without_words(value: Any) -> Any:
    match value:
        case dict():
            return {name: _message(part) if name == "Cause" else _without_words(part) for name, part in value.items()}
        case list():
            return [_without_words(part) for part in value]
        case _:
            return value


def _message(cause: str) -> str:
    """What the function said; the time-out and the size are told by the error's name."""
    return json.loads(cause)["errorMessage"] if cause.startswith("{") else ""


def random_case(seed: int) -> Case:
    chance = random.Random(f"interpreters {seed}")
    names = [f"Step{number}" for number in range(chance.randint(1, 4))]
    words = ("done", "RuntimeError", "RuntimeError", "PermanentError", "RunningElsewhere", DECLINED)
    script = {
        f"{kind} {name}": chance.choices(words, k=chance.randint(1, 3))
        for name in names
        for kind in ("action", "compensation")
        if chance.random() < (0.35 if kind == "action" else 0.5)
    }
    pivot = chance.choice((None, *range(len(names))))
    return Case(f"seed {seed}", script, "", plans=plans(*names, pivot=pivot))
