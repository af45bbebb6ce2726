"""One task, as the state machine gives it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.payload import digest
from serverless_patterns_runtime.saga_state_machine import contract, outside
from serverless_patterns_runtime.step_input import StepError

__all__ = ["StepClaim", "Task", "error_of"]


class StepClaim(Claim):
    """Its key begins with the namespace: others are given it, and two sagas may call one provider."""

    @property
    def id(self) -> str:
        return self.key


@dataclass(frozen=True)
class Task:
    event: contract.Event
    input: Mapping[str, Any]
    saga: Mapping[str, Any]
    payload: str
    """Digest of the input: an execution's name can be used again, after 90 days."""

    @classmethod
    def of(cls, event: Any) -> "Task":
        """Raises MalformedPayload for what no state machine of ours gives."""
        try:
            name, execution, kind, state = event["step"], event["execution"], event["kind"], event["state"]
        except (KeyError, TypeError):
            raise MalformedPayload("this is no event of a saga's state machine") from None
        if not isinstance(state, dict) or not name or not execution or kind not in ("action", "compensation"):
            raise MalformedPayload("the input of an execution is a JSON object")
        document = dict(cast("dict[str, Any]", state))
        saga: Any = document.pop(contract.SAGA, {})
        if not isinstance(saga, dict) or (saga and event.get("first")):
            raise MalformedPayload(f"the input of an execution has no key {contract.SAGA!r}: it is the saga's own")
        return cls(event, document, cast("dict[str, Any]", saga), _digest(document))

    @property
    def step(self) -> str:
        return self.event["step"]

    @property
    def is_action(self) -> bool:
        return self.event["kind"] == "action"

    @property
    def attempt(self) -> int:
        return self.event.get("retries", 0) + 1

    @property
    def results(self) -> Mapping[str, Any]:
        return self.saga.get(contract.RESULTS, {})

    @property
    def error(self) -> StepError | None:
        """What the Catch has written, shortened to what a person, or a business function, has a use for."""
        caught = self.saga.get(contract.ERROR)
        return error_of(cast("dict[str, Any]", caught)) if isinstance(caught, dict) else None

    def external_key(self, claim: Claim) -> str | None:
        """Of what the action, or its compensation, sends to a provider."""
        settings = self.event.get("external_key")
        if settings is None:
            return None
        return outside.key_of(
            settings["format"],
            namespace=claim.namespace,
            execution=self.event["execution"],
            step=self.step if self.is_action else f"{self.step}{outside.UNDO_SUFFIX}",
            claim=claim.id,
            payload=claim.payload,
        )

    def wait_for_outcome(self, now: float, retry_after: float) -> int | None:
        """Seconds until an unknown outcome is asked for again; None when that has been done for long enough."""
        waited = now - datetime.fromisoformat(self.event.get("entered", "")).timestamp()
        return outside.wait_for_outcome(self.event.get("settles_within", 0), waited, retry_after)

    def action(self, namespace: str) -> StepClaim:
        key = contract.action_key(namespace, self.event["execution"], self.step)
        return StepClaim(namespace, key, self.payload)

    def compensation(self, namespace: str) -> StepClaim:
        key = contract.compensation_key(namespace, self.event["execution"], self.step)
        return StepClaim(namespace, key, self.payload)


def error_of(caught: Mapping[str, Any]) -> StepError:
    """What a Catch has written, in words."""
    name, message = str(caught.get("Error", "")), _message(str(caught.get("Cause", "")))
    if name == contract.PERMANENT_ERROR:
        name, _, message = message.partition(": ")
    return StepError(name, message)


def _message(cause: str) -> str:
    """Lambda's errors are JSON in the text."""
    try:
        told: Any = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", "")) if isinstance(told, dict) else cause  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _digest(document: Mapping[str, Any]) -> str:
    """Numbers as doubles: nobody promises that a 100 stays a 100, and no 1e2, on its way through the states."""
    return digest(json.loads(json.dumps(document), parse_int=float))
