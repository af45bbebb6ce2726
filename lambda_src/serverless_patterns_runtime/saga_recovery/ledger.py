"""What the claims table says of an execution's steps."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.claims.claim import Claim, Holder
from serverless_patterns_runtime.claims.outside import Outside
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_state_machine import contract as saga
from serverless_patterns_runtime.saga_state_machine.task import StepClaim, Task

__all__ = ["Entry", "Parked", "document_of", "parked_error", "read", "task_of"]


class Parked(NamedTuple):
    """What a step has left for a person."""

    error: Mapping[str, Any]
    state: str
    """The document, as it then was."""
    settled_at: int | None


class Entry(NamedTuple):
    """One step."""

    step: str
    action: Holder | None
    compensation: Holder | None
    parked: Parked | None

    @property
    def is_done(self) -> bool:
        return self.action is not None and self.action.done

    @property
    def is_undone(self) -> bool:
        """Whether its action may not happen any more: somebody has begun to go back over it."""
        return self.action is not None and self.action.undone

    @property
    def has_begun(self) -> bool:
        return self.action is not None

    @property
    def is_parked(self) -> bool:
        """Whether it waits for a person."""
        return self.parked is not None and self.parked.settled_at is None

    @property
    def result(self) -> Any:
        """Of an action that is done."""
        assert self.action is not None
        return None if self.action.answer is None else json.loads(self.action.answer)


def document_of(given: str) -> dict[str, Any]:
    """An execution's input, as its steps have taken it. Of one that no step takes, none."""
    document: Any = json.loads(given)
    return document if isinstance(document, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def task_of(document: Mapping[str, Any], execution: str, step: str) -> Task:
    """As the state machine gave it to the step's functions: with the same claims."""
    return Task.of({"step": step, "kind": "action", "execution": execution, "state": dict(document)})


def read(outside: Outside, document: Mapping[str, Any], execution: str, steps: Iterable[str]) -> list[Entry]:
    """Each step's, consistently, one after the other: this is for the day on which something has gone wrong."""
    return [_entry(outside, document, execution, step) for step in steps]


def parked_error(entries: Iterable[Entry]) -> dict[str, str] | None:
    """What was caught before a step was parked: in the first that has it."""
    for entry in entries:
        if entry.parked is not None:
            caught = json.loads(entry.parked.state).get(saga.SAGA, {}).get(saga.ERROR)
            if isinstance(caught, dict):
                return {str(key): str(value) for key, value in caught.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return None


def _entry(outside: Outside, document: Mapping[str, Any], execution: str, step: str) -> Entry:
    namespace = outside.claims_namespace
    task = task_of(document, execution, step)
    return Entry(
        step,
        _holder(outside, task.action(namespace)),
        _holder(outside, task.compensation(namespace)),
        _parked(outside.item(saga.parked_key(namespace, execution, step))),
    )


def _holder(outside: Outside, claim: StepClaim) -> Holder | None:
    """None also for the claim of another execution, which had the name before."""
    item = outside.item(claim.id)
    holder = None if item is None else Holder.from_item(item)
    return holder if holder is not None and _is_of(holder, claim, outside.clock()) else None


def _is_of(holder: Holder, claim: Claim, now: float) -> bool:
    return holder.payload == claim.payload and holder.expires_at >= now


def _parked(item: Mapping[str, Any] | None) -> Parked | None:
    if item is None:
        return None
    settled = item.get(contract.SETTLED_AT)
    return Parked(
        error=json.loads(item["error"]["S"]),
        state=item["state"]["S"],
        settled_at=None if settled is None else int(settled["N"]),
    )
