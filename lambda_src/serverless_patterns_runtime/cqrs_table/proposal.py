"""What one command would write, decided on one version of its aggregate."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime.business_function.business_function import (
    UnusableResult,
    check_has_run,
    imported,
    positional_parameters,
)
from serverless_patterns_runtime.business_function.json_text import json_text
from serverless_patterns_runtime.claims.claim import AnswerNotKept, Claim
from serverless_patterns_runtime.command import Command, Decision
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, UnknownSchema, condition_of
from serverless_patterns_runtime.errors import PermanentError, UnusableResource
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.limits import check_levels, item_size
from serverless_patterns_runtime.request import Caller

if TYPE_CHECKING:  # unit tests have no botocore
    from serverless_patterns_runtime.cqrs_table.settings import Image, WriteModel

__all__ = ["Asked", "Decide", "Proposal", "answer_of", "proposal", "token_of", "too_large"]


class Asked(NamedTuple):
    """A command as it came."""

    claim: Claim
    """On its id, with the digest of everything that it says."""
    name: str
    key: str
    body: Any
    expected_version: int | None
    """0: there must be none. None: whatever there is."""
    caller: Caller | None = None


@dataclass(frozen=True)
class Decide:
    """The user's function."""

    call: Callable[..., Any]
    name: str
    takes_invocation: bool

    @classmethod
    def load(cls, name: str) -> "Decide":
        function = imported(name)
        return cls(function, name, positional_parameters(function) >= 3)

    def __call__(self, state: dict[str, Any] | None, command: Command, invocation: Invocation) -> Decision:
        """Raises UnusableResult for what is no Decision, and what the function raises."""
        given = (state, command, invocation) if self.takes_invocation else (state, command)
        decision = self.call(*given)
        check_has_run(decision, self.name)
        if not isinstance(decision, Decision):
            kind = type(decision).__name__
            raise UnusableResult(f"{self.name} returned a value of type {kind}: return Decision(state, result)")
        return decision


class Proposal(NamedTuple):
    put: dict[str, Any]
    """Element of a transaction: refused, with the item that is there, when the aggregate is another one by now."""
    kept: str
    """The answer, as its claim keeps it."""


def proposal(
    asked: Asked, image: "Image | None", model: "WriteModel", decide: Decide, now: float, invocation: Invocation
) -> Proposal:
    """`image`: the aggregate's item as it was read, None if there was none.

    Raises PermanentError: what `decide` refuses (409, if it says nothing else), another version than was expected
    (409), a state that is too large (413), what the function may not return (UnusableResult, UncommittableEffects).
    """
    known = None if image is None else _read(image, model)
    _check_expected(asked, known)
    at = int(now * 1000)
    # It has a copy of the body: it may be called again, and what it has changed of this one would be there.
    command = Command(name=asked.name, key=asked.key, body=asked.body, at=at, caller=asked.caller)
    try:
        decision = decide(None if known is None else known.state, command, invocation)
    except PermanentError as refusal:
        if refusal.status is None and not isinstance(refusal, UnusableResult | UnusableResource):
            refusal.status = 409  # the command is well-formed: it is the aggregate that does not allow it
        raise
    state = _checked(decision.state, asked.key, model.key, decide.name)
    # From now on, not from 1: an aggregate that was here before, and was deleted without a trace, had earlier ones.
    version = at if known is None or known.version is None else known.version + 1
    item = Aggregate(asked.key, version, state, at).image(model.key, model.schema, asked.name)
    check_levels([{"Put": {"Item": item}}])
    if (size := item_size(item)) > contract.MAX_ITEM_BYTES:
        raise too_large(size)
    put = {
        "TableName": model.table_name,
        "Item": item,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **condition_of(known, model.key),
    }
    return Proposal({"Put": put}, _kept(asked.key, version, decision.result, decide.name))


def too_large(size: int) -> PermanentError:
    most = contract.MAX_ITEM_BYTES
    return PermanentError(f"an aggregate holds at most {most:,} bytes, this would be about {size:,}", status=413)


def answer_of(kept: str | None) -> contract.CommandAnswer:
    """From what the claim keeps: the first answer and every other are made of the same text. Raises AnswerNotKept."""
    try:
        stored = json.loads(kept or "")
        key, version, result = stored["key"], stored["version"], stored["result"]
    except (ValueError, KeyError, TypeError):
        raise AnswerNotKept from None  # written by a version that said it otherwise
    return {"key": key, "version": version, "token": token_of(key, version), "result": result}


def token_of(key: str, version: int) -> str:
    return f"{version}@{key}"


def _read(image: "Image", model: "WriteModel") -> Aggregate:
    try:
        return model.aggregate(image)
    except UnknownSchema as unknown:
        raise UnusableResource(str(unknown)) from unknown


def _check_expected(asked: Asked, known: Aggregate | None) -> None:
    if asked.expected_version is None:
        return
    there = known is not None and known.state is not None
    version = known.version if known is not None and there else 0
    if version != asked.expected_version:
        expected = "none" if asked.expected_version == 0 else f"version {asked.expected_version}"
        found = "none" if not there else "one without a version" if version is None else f"version {version}"
        raise PermanentError(f"expected {expected} of this aggregate, and there is {found}", status=409)


def _checked(state: Mapping[str, Any] | None, key: str, key_attribute: str, name: str) -> dict[str, Any] | None:
    if state is None:
        return None
    if contract.ABOUT in state:
        raise UnusableResult(f"{name} returned a state with an attribute {contract.ABOUT}: that name is not yours")
    if key_attribute in state and state[key_attribute] != key:
        raise UnusableResult(f"{name} returned a state with another {key_attribute}: an aggregate keeps its key")
    return dict(state)


def _kept(key: str, version: int, result: Any, name: str) -> str:
    size = len(json_text(result, f"the result of {name}").encode())
    if size > contract.MAX_RESULT_BYTES:
        most = contract.MAX_RESULT_BYTES // 1024
        raise UnusableResult(
            f"{name} returned a result of {size:,} bytes: it holds at most {most} KB, to be kept for who asks again"
        )
    return json_text({"key": key, "version": version, "result": result})
