"""The safeguards of an API's answers, each with a way to take it out; see `removals`."""

import contextlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.api_proxy import exchange, keeping, key, once
from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims import commits, lease
from serverless_patterns_runtime.claims.claim import Claim, Holder
from serverless_patterns_runtime.claims.completed import CompletedClaims

__all__ = ["API_REMOVALS", "ApiRemoval", "taking_if"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]


@dataclass(frozen=True)
class ApiRemoval:
    """One safeguard less."""

    name: str
    take_out: TakeOut
    mode: str
    violates: str
    """A regular expression: what the violation must be about."""
    only: Sequence[str] = ()
    """Kinds of faults, if not all."""
    operations: Sequence[str] = ()
    """Where faults strike, if not everywhere."""
    does: str | None = None
    """What is asked for, to make the case frequent."""
    deployed: Mapping[str, Any] = field(default_factory=dict)
    """What is deployed differently, to the same end."""


API_REMOVALS: list[ApiRemoval] = []


def removal(name: str, mode: str, violates: str, **more: Any) -> Callable[[TakeOut], TakeOut]:
    def register(take_out: TakeOut) -> TakeOut:
        API_REMOVALS.append(ApiRemoval(name, take_out, mode, violates, **more))
        return take_out

    return register


# What a key stands for.


def _claim_without(part: str) -> Callable[..., Claim | None]:
    original = key.claim_of

    def claim_of(request: Any, mode: Any, namespace: str) -> Claim | None:
        missing = {"caller": None} if part == "caller" else {"method": "", "route": ""}
        return original(replace(request, **missing), mode, namespace)

    return claim_of


@removal("keys are a caller's own", "effects", "effects per operation|operations share a key|nothing happened|was told")
def _(patch: Patch) -> None:
    patch.setattr(exchange, "claim_of", _claim_without("caller"))


@removal("keys are a route's own", "effects", "effects per operation|operations share a key|nothing happened|was told")
def _(patch: Patch) -> None:
    patch.setattr(exchange, "claim_of", _claim_without("route"))


@removal("the body's digest", "effects", "done for 2 bodies|was told 201")
def _(patch: Patch) -> None:
    patch.setattr(key, "_payload", lambda _: "0" * 64)


@removal("the body's digest, with a lease", "leases", "done for 2 bodies|was told 201")
def _(patch: Patch) -> None:
    patch.setattr(key, "_payload", lambda _: "0" * 64)


# Effects.


@removal("the claim in the transaction", "effects", "effects per operation|a completed claim was taken away")
def _(patch: Patch) -> None:
    original = commits.Commits.claim_item

    def unconditional(self: Any, *arguments: Any) -> dict[str, Any]:
        put = original(self, *arguments)["Put"]
        return {"Put": {name: put[name] for name in ("TableName", "Item")}}

    patch.setattr(commits.Commits, "claim_item", unconditional)


@removal("one transaction: claim and answer first, then the effects", "effects", "nothing happened")
def _(patch: Patch) -> None:
    original = commits.Commits.commit_with_answer

    def claim_first(self: Any, claim: Claim, effects: Any, answer: Any, remaining: Any) -> Holder | None:
        found = original(self, claim, replace(effects, writes=()), answer, remaining)
        if found is None:
            writes = [self._transaction_item(write) for write in effects.writes]
            self.dynamodb.transact_write_items(TransactItems=writes)
        return found

    patch.setattr(commits.Commits, "commit_with_answer", claim_first)


@removal("one transaction: effects first, then claim and answer", "effects", "effects per operation")
def _(patch: Patch) -> None:
    original = commits.Commits.commit_with_answer

    def effects_first(self: Any, claim: Claim, effects: Any, answer: Any, remaining: Any) -> Holder | None:
        writes = [self._transaction_item(write) for write in effects.writes]
        self.dynamodb.transact_write_items(TransactItems=writes)
        return original(self, claim, replace(effects, writes=()), answer, remaining)

    patch.setattr(commits.Commits, "commit_with_answer", effects_first)


@removal("trying again after a conflict", "effects", "a 500 without a reason", only=("conflict",))
def _(patch: Patch) -> None:
    patch.setattr(commits, "NOT_NOW", set())


@removal("the loser answers what the winner did", "effects", "that is not in the table")
def _(patch: Patch) -> None:
    original = commits.Commits.commit_with_answer

    def ours(*arguments: Any) -> None:
        original(*arguments)

    patch.setattr(commits.Commits, "commit_with_answer", ours)


@removal("the answer in the claim", "effects", "is not in the table|was told 409")
def _(patch: Patch) -> None:
    patch.setattr(once, "kept_text", lambda _: None)


@removal(
    "knowing our own commit, whose answer was lost",
    "effects",
    "was told 409",
    only=("in progress",),
    deployed={"key_mode": "optional"},
)
def _(patch: Patch) -> None:
    original = commits.Commits._verdict
    patch.setattr(
        commits.Commits,
        "_verdict",
        lambda self, reasons, claim, _, writes: original(self, reasons, claim, "nobody", writes),
    )


@removal("looking for a completed key before a refusal", "effects", "was told 409", does="reads its own writes")
def _(patch: Patch) -> None:
    patch.setattr(CompletedClaims, "find", lambda *_: None)


@removal(
    "looking for a completed key after any other error", "effects", "was told 500", does="stumbles over its own writes"
)
def _(patch: Patch) -> None:
    original = once.Execution._answer_of_completed

    def refusals_only(self: Any, claim: Any, error: BaseException) -> Executed:
        if isinstance(error, KeyError):
            raise error
        return original(self, claim, error)

    patch.setattr(once.Execution, "_answer_of_completed", refusals_only)


@removal(
    "a completed key is asked for its body too, before a refusal",
    "effects",
    "was told 201",
    does="reads its own writes",
)
def _(patch: Patch) -> None:
    def any_body(self: Any, claim: Any, error: BaseException) -> Executed:
        found = self._completed.find(claim)
        if found is None:
            raise error
        return self._replay(found)

    patch.setattr(once.Execution, "_answer_of_completed", any_body)


@removal("our own claim decides over every other reason", "effects", "was told 409", does="guards itself")
def _(patch: Patch) -> None:
    original = commits.Commits._verdict

    def others_first(self: Any, reasons: Any, claim: Any, owner: Any, writes: Any) -> Any:
        rest = [{"Code": "None"}, *reasons[1:]]
        if any(reason["Code"] == "ConditionalCheckFailed" for reason in rest):
            return original(self, rest, claim, owner, writes)
        return original(self, reasons, claim, owner, writes)

    patch.setattr(commits.Commits, "_verdict", others_first)
    patch.setattr(CompletedClaims, "find", lambda *_: None)


@removal(
    "a claim for requests without a key",
    "effects",
    "effects per operation",
    only=("in progress",),
    deployed={"key_mode": "optional"},
)
def _(patch: Patch) -> None:
    original = commits.Commits.commit_with_answer

    def bare(self: Any, claim: Claim, effects: Any, answer: Any, remaining: Any) -> Holder | None:
        if answer is not None:
            return original(self, claim, effects, answer, remaining)
        writes = [self._transaction_item(write) for write in effects.writes]
        for _ in commits.tries(remaining, self.sleep, self.random):
            with contextlib.suppress(ClientError):
                self.dynamodb.transact_write_items(TransactItems=writes)
                return None
        return None

    patch.setattr(commits.Commits, "commit_with_answer", bare)


# Leases.


@removal("the lease", "leases", "ran twice at once|a completed claim was taken away")
def _(patch: Patch) -> None:
    taking_if(patch, "attribute_exists(#claim) OR attribute_not_exists(#claim)")


@removal("waiting for the lease's deadline", "leases", "ran twice at once")
def _(patch: Patch) -> None:
    taking_if(patch, "attribute_not_exists(#claim) OR (#done = :false AND #payload = :payload) OR #expires_at < :now")


@removal("the attempts that died are counted", "leases", "of unknown fate")
def _(patch: Patch) -> None:
    original = once.Execution._with_lease
    patch.setattr(
        once.Execution, "_with_lease", lambda self, claim, call: original(self, claim, lambda claim, _: call(claim, 1))
    )


@removal("the count survives a failure", "leases", "of unknown fate", does="hangs, then fails")
def _(patch: Patch) -> None:
    original = lease.Lease.give_back
    patch.setattr(
        lease.Lease, "give_back", lambda self, held, **_: original(self, held._replace(attempt=1), forget=True)
    )


@removal("the body survives a failure", "leases", "took effect for 2 bodies", does="acts, then fails")
def _(patch: Patch) -> None:
    patch.setattr(once.Execution, "_did_nothing", lambda *_: True)


@removal("a lease as long as the invocation", "leases", "ran twice at once")
def _(patch: Patch) -> None:
    original = lease.Lease.take
    patch.setattr(lease.Lease, "take", lambda self, _: original(self, math.ceil(self.clock())))


@removal("an end to the lease", "leases", "a lease for")
def _(patch: Patch) -> None:
    original = lease.Lease.take
    patch.setattr(lease.Lease, "take", lambda self, until: original(self, until + 86_400))


@removal("the answer's record", "leases", "is not in the table")
def _(patch: Patch) -> None:
    patch.setattr(lease.Lease, "complete", lambda *_: None)


@removal("no answer before its record", "leases", "is not in the table")
def _(patch: Patch) -> None:
    original = lease.Lease.complete

    def whatever(*arguments: Any) -> None:
        with contextlib.suppress(Exception):
            original(*arguments)

    patch.setattr(lease.Lease, "complete", whatever)


@removal(
    "the owner's fence around the record",
    "leases",
    "a completed claim was taken away",
    only=("crash in flight", "carried out late"),
    operations=("UpdateItem",),
    deployed={"timeout": 6.0, "integration_timeout": 29.0},
)
def _(patch: Patch) -> None:
    _unfenced(patch, lambda values: ":true" in values)


@removal(
    "the owner's fence around giving back",
    "leases",
    "ran twice at once|ran again after it was done",
    only=("crash in flight", "carried out late"),
    operations=("UpdateItem",),
    does="fails once",
    deployed={"timeout": 6.0, "integration_timeout": 29.0},
)
def _(patch: Patch) -> None:
    _unfenced(patch, lambda values: ":zero" in values and ":one" not in values)


@removal(
    "the owner's fence around forgetting",
    "leases",
    "ran twice at once|a completed claim was taken away",
    only=("crash in flight", "carried out late"),
    operations=("DeleteItem",),
    does="is refused",
    deployed={"timeout": 6.0, "integration_timeout": 29.0},
)
def _(patch: Patch) -> None:
    _unfenced(patch, lambda values: [*values] == [":owner"])


@removal("giving a lease back after a failure", "leases", "stood in its own way", does="fails twice")
def _(patch: Patch) -> None:
    patch.setattr(lease.Lease, "give_back", lambda *_, **__: None)


@removal("failures are not kept", "leases", "a 500 without a reason", does="fails once")
def _(patch: Patch) -> None:
    def kept(self: Any, _: Holder, **__: bool) -> None:
        self.complete(Answer(500, {}, "", False).to_json(), lambda: 1.0)

    patch.setattr(lease.Lease, "give_back", kept)


@removal("a status from 500 on is not kept", "leases", "was told|never answered", does="says 503 once")
def _(patch: Patch) -> None:
    for module in (once, keeping):
        patch.setattr(module, "FAILED", 600)


@removal(
    "what is done is done, though its answer cannot be kept", "leases", "ran again|of unknown fate", does="is too large"
)
def _(patch: Patch) -> None:
    original = once.Execution._record

    def released(self: Any, held_lease: Any, held: Any, result: Any) -> Any:
        try:
            once.kept_text(Answer.of(result))
        except UnusableResult:
            held_lease.give_back(held, forget=True)
            raise
        return original(self, held_lease, held, result)

    patch.setattr(once.Execution, "_record", released)


def taking_if(patch: Patch, instead: str) -> None:
    """Leases are taken on another condition."""
    original = lease.Lease._request

    def request(self: Any, operation: Any, condition: str, values: Mapping[str, object], **more: str) -> Any:
        if ":one" in values:
            used = f"{instead} {more['UpdateExpression']} "
            condition = instead
            values = {name: value for name, value in values.items() if re.search(rf"{name}\b", used)}
        return original(self, operation, condition, values, **more)

    patch.setattr(lease.Lease, "_request", request)


def _unfenced(patch: Patch, ours: Callable[[Mapping[str, object]], bool]) -> None:
    """For the requests with these values."""
    original = lease.Lease._request

    def request(self: Any, operation: Any, condition: str, values: Mapping[str, object], **more: str) -> Any:
        if ours(values):
            condition = "attribute_exists(#claim)"
            values = {name: value for name, value in values.items() if name != ":owner"}
        return original(self, operation, condition, values, **more)

    patch.setattr(lease.Lease, "_request", request)
