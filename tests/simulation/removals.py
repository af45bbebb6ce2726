"""The safeguards of the shipped consumer, each with a way to take it out.

A simulation that finds nothing proves nothing until it has been seen to find what is there: `test_removals` takes out
one safeguard at a time and expects a violation.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from serverless_patterns.cli import _redrive
from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.claims import attempts, commits, contract, leases, statements
from serverless_patterns_runtime.claims.attempts import Noted
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.statements import Statement
from serverless_patterns_runtime.load_leveled_queue import (
    attempt_limit,
    commit_threads,
    conclusions,
    consumption,
    dead_letters,
    message,
    trials,
    visibility,
    work,
)
from serverless_patterns_runtime.load_leveled_queue.verdicts import Succeeded, Unstarted

from .world import Account

__all__ = ["REMOVALS", "Removal"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]


@dataclass(frozen=True)
class Removal:
    """One safeguard less."""

    name: str
    take_out: TakeOut
    modes: Sequence[str]
    """Where it is looked for, in this order."""
    violates: str
    """A regular expression: what the violation must be about."""
    account: Mapping[str, Any]
    """What is deployed differently: to make the case frequent, or because the safeguard is the construct's."""
    wild: bool = False
    only: Sequence[str] = ()
    """Kinds of faults, if not all."""
    operations: Sequence[str] = ()
    """Where faults strike, if not everywhere."""
    messages: int = 12
    """At most."""


REMOVALS: list[Removal] = []

EFFECTS = ("effects",)
LEASES = ("leases",)


def removal(name: str, modes: Sequence[str], violates: str, **more: Any) -> Callable[[TakeOut], TakeOut]:
    """`more`: fields of `Removal`, or of the account."""
    known = {field.name for field in fields(Removal)}
    account = {name: value for name, value in more.items() if name not in known}

    def register(take_out: TakeOut) -> TakeOut:
        settings = {name: value for name, value in more.items() if name in known}
        REMOVALS.append(Removal(name, take_out, modes, violates, account, **settings))
        return take_out

    return register


# Claims with effects.


@removal("the claim's condition", EFFECTS, "effects per key|a completed claim was taken away")
def _(patch: Patch) -> None:
    original = commits.Commits.claim_item

    def unconditional(self: Any, *arguments: Any) -> dict[str, Any]:
        put = original(self, *arguments)["Put"]
        return {"Put": {name: put[name] for name in ("TableName", "Item")}}

    patch.setattr(commits.Commits, "claim_item", unconditional)


@removal("claim and effects in one transaction: claim first", EFFECTS, "neither processed nor dead-lettered")
def _(patch: Patch) -> None:
    original = commits.Commits.commit

    def claim_first(self: Any, claimed: Claim, effects: Any, remaining: Any) -> bool:
        if not original(self, claimed, replace(effects, writes=()), remaining):
            return False
        self.dynamodb.transact_write_items(TransactItems=[self._transaction_item(write) for write in effects.writes])
        return True

    patch.setattr(commits.Commits, "commit", claim_first)


@removal("claim and effects in one transaction: effects first", EFFECTS, "effects per key")
def _(patch: Patch) -> None:
    original = commits.Commits.commit

    def effects_first(self: Any, claimed: Claim, effects: Any, remaining: Any) -> bool:
        self.dynamodb.transact_write_items(TransactItems=[self._transaction_item(write) for write in effects.writes])
        return original(self, claimed, replace(effects, writes=()), remaining)

    patch.setattr(commits.Commits, "commit", effects_first)


@removal("trying again after a conflict", EFFECTS, "healthy, and dead-lettered", only=("conflict",))
def _(patch: Patch) -> None:
    patch.setattr(commits, "NOT_NOW", set())


@removal("waiting for commits before the answer", EFFECTS, "outlived it", commit_threads=3)
def _(patch: Patch) -> None:
    @contextmanager
    def unawaited(self: Any) -> Iterator[Any]:
        executor = self._new_executor(self._most)
        yield lambda commit: executor.submit(commit) and Succeeded

    patch.setattr(commit_threads.CommitThreads, "for_one_invocation", unawaited)


@removal("the payload's digest", (*EFFECTS, *LEASES), "neither processed nor dead-lettered")
def _(patch: Patch) -> None:
    patch.setattr(message, "digest", lambda _: "0" * 64)


# Leases.


@removal("the lease", LEASES, "ran twice at once")
def _(patch: Patch) -> None:
    patch.setattr(leases.Leases, "take", lambda _, claims, __: dict.fromkeys(claims))


@removal("waiting for the lease's deadline", LEASES, "ran twice at once")
def _(patch: Patch) -> None:
    def steal(self: Any, claimed: Claim, until: int, now: int) -> Statement:
        changes = {contract.OWNER: self.owner, contract.FREE_AT: until, contract.DONE: False}
        return self._change(
            {**changes, contract.TIME_TO_LIVE: now + 100}, claimed, f'"{contract.PAYLOAD}" = ?', [claimed.payload]
        )

    patch.setattr(leases.Leases, "_take_over", steal)


@removal("a lease as long as the invocation", LEASES, "ran twice at once")
def _(patch: Patch) -> None:
    original = leases.Leases.take
    patch.setattr(leases.Leases, "take", lambda self, claims, _: original(self, claims, int(self.clock())))


@removal("the lease's deadline", LEASES, "a lease for")
def _(patch: Patch) -> None:
    original = leases.Leases.take
    patch.setattr(leases.Leases, "take", lambda self, claims, until: original(self, claims, until + 86_400))


@removal("the record of completed work", LEASES, "without a mishap")
def _(patch: Patch) -> None:
    original = leases.Leases.settle
    patch.setattr(leases.Leases, "settle", lambda self, done, released: original(self, (), [*done, *released]))


@removal("giving a lease back after a failure", LEASES, "receives of one message|healthy, and dead-lettered")
def _(patch: Patch) -> None:
    original = leases.Leases.settle
    patch.setattr(leases.Leases, "settle", lambda self, done, _: original(self, done, ()))


@removal(
    "the owner's fence around releasing",
    LEASES,
    "ran twice at once|a completed claim was taken away",
    only=("crash in flight", "carried out late"),
)
def _(patch: Patch) -> None:
    def unfenced(self: Any, claimed: Claim) -> Statement:
        text = f'DELETE FROM "{self.table_name}" WHERE "{contract.PARTITION_KEY}" = ?'
        return Statement(text, [serialize(claimed.id)])

    patch.setattr(leases.Leases, "_release", unfenced)


@removal("folding one batch's duplicates", LEASES, "neither processed nor dead-lettered|healthy, and dead-lettered")
def _(patch: Patch) -> None:
    original = statements.Statements.execute

    def unfolded(self: Any, wanted: Sequence[Statement]) -> Any:
        return original(self, [*wanted, *wanted])[: len(wanted)]

    patch.setattr(statements.Statements, "execute", unfolded)


@removal(
    "batches of 25 statements", LEASES, "receives of one message", messages=40, batch_size=40, window=1.0, timeout=120.0
)
def _(patch: Patch) -> None:
    patch.setattr(statements, "BATCH", 1000)


@removal("waiting out another's lease", LEASES, "receives of one message")
def _(patch: Patch) -> None:
    patch.setattr(visibility.Backoff, "after_lease", lambda *_: 1)


@removal("recording work before what may kill again", ("leases, FIFO batches",), "healthy, and dead-lettered")
def _(patch: Patch) -> None:
    patch.setattr(work.LeasedWork, "record", lambda *_: ())


# Answers, retries and dead letters.


@removal("reporting failures", (*EFFECTS, *LEASES), "neither processed nor dead-lettered")
def _(patch: Patch) -> None:
    original = conclusions.Conclusions.answer

    def silent(self: Any) -> dict[str, Any]:
        original(self)
        return {"batchItemFailures": []}

    patch.setattr(conclusions.Conclusions, "answer", silent)


@removal("an answer that Lambda understands", EFFECTS, "receives of one message")
def _(patch: Patch) -> None:
    original = conclusions.Conclusions.answer

    def malformed(self: Any) -> dict[str, Any]:
        failures = original(self)["batchItemFailures"]
        return {"batchItemFailures": [{"itemId": failure["itemIdentifier"]} for failure in failures]}

    patch.setattr(conclusions.Conclusions, "answer", malformed)


@removal(
    "ReportBatchItemFailures on the mapping", EFFECTS, "neither processed nor dead", report_batch_item_failures=False
)
def _(patch: Patch) -> None: ...


@removal("telling a failure from a success", LEASES, "neither processed nor dead-lettered")
def _(patch: Patch) -> None:
    patch.setattr(work, "verdict_on", lambda _: Succeeded())


@removal("acknowledging only after the dead letter is sent", EFFECTS, "neither processed nor dead-lettered")
def _(patch: Patch) -> None:
    def careless(self: Any, delivery: Any, refused: Any) -> Any:
        try:
            self._dead_letters.send(delivery.message, refused.error, delivery.idempotency_key)
        except Exception as error:
            self.warn("not sent", error)
        return refused

    patch.setattr(conclusions.Conclusions, "_bury", careless)


@removal("looking for completed work before burying", EFFECTS, "processed, and dead-lettered too")
def _(patch: Patch) -> None:
    patch.setattr(conclusions.CompletedClaims, "hold", lambda *_: False)


@removal("one message's malformed body is its own", EFFECTS, "receives of one message")
def _(patch: Patch) -> None:
    def read(self: Any, record: Any) -> Any:
        settings = self._settings
        request = record.request(key_path=settings.idempotency_key, namespace=settings.claims_namespace)
        return consumption.Delivery(record, request, None)

    patch.setattr(consumption.Consumption, "_read", read)


@removal("permanent errors are not tried again", EFFECTS, "poison .* ran")
def _(patch: Patch) -> None:
    original = work.verdict_on
    patch.setattr(work, "verdict_on", lambda error: original(RuntimeError(str(error))))


@removal("dead letters keep their key", EFFECTS, "key", wild=True, key_path="")
def _(patch: Patch) -> None:
    original = dead_letters.DeadLetters.send
    patch.setattr(
        dead_letters.DeadLetters, "send", lambda self, message, error, _: original(self, message, error, None)
    )


@removal("a dead letter's own deduplication id", ("effects, FIFO",), "neither processed nor dead-lettered")
def _(patch: Patch) -> None:
    by_content = property(lambda self: hashlib.sha256(self.body.encode()).hexdigest())
    patch.setattr(message.Message, "delivery", by_content)


@removal("full jitter and backoff", EFFECTS, "backoff")
def _(patch: Patch) -> None:
    patch.setattr(visibility.Backoff, "after_failure", lambda *_: 0)


@removal("starting only what still fits into the time", EFFECTS, "work in vain", timeout=6.0, batch_size=10)
def _(patch: Patch) -> None:
    patch.setattr(trials.Trials, "_has_time", lambda _: True)


# FIFO.


@removal(
    "a group stops at its first failure", ("effects, FIFO batches", "leases, FIFO batches"), "before .* was settled"
)
def _(patch: Patch) -> None:
    patch.setattr(
        consumption.Consumption,
        "_consume_in_order",
        lambda self, deliveries, firsts, work: self._consume_in_any_order(deliveries, firsts, work),
    )


@removal(
    "no stopped group survives into the next invocation", ("effects, FIFO batches",), "healthy, and dead|not drained"
)
def _(patch: Patch) -> None:
    original = consumption.Consumption._consume_in_order
    stopped: set[str] = set()

    def remember(self: Any, deliveries: Any, firsts: Any, working: Any) -> None:
        for delivery in deliveries:
            if delivery.message.group in stopped:
                self._conclusions.conclude(delivery, Unstarted(0))
        original(self, [d for d in deliveries if d.message.group not in stopped], firsts, working)
        stopped.update(d.message.group for d in deliveries if d.delay_seconds is not None)

    patch.setattr(consumption.Consumption, "_consume_in_order", remember)


@removal(
    "counting attempts instead of receives", ("effects, FIFO batches",), "healthy, and dead-lettered", batch_size=10
)
def _(patch: Patch) -> None:
    patch.setattr(Account, "counts_attempts", property(lambda _: False))


@removal(
    "counting an attempt once",
    ("effects, FIFO batches",),
    "healthy, and dead",
    only=("answer lost", "answer lost, repeated"),
)
def _(patch: Patch) -> None:
    def counter(self: Any, message_id: str, _: int) -> int:
        answer = self.dynamodb.update_item(
            TableName=self.table_name,
            Key={"claim": {"S": f"attempts#{message_id}"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="ALL_NEW",
        )
        return int(answer["Attributes"]["n"]["N"])

    patch.setattr(attempts.Attempts, "count", counter)


@removal("an end to the attempts", ("effects, FIFO batches",), "poison .* ran|not drained")
def _(patch: Patch) -> None:
    patch.setattr(attempt_limit.AttemptLimit, "judge", lambda _, __, ___, verdict: verdict)
    patch.setattr(attempt_limit.AttemptLimit, "number_of", lambda _, message: Noted(message.receive_count))


@removal(
    "visibility of six times the timeout", ("effects, FIFO", "effects, FIFO batches"), "healthy, and dead-lettered"
)
def _(patch: Patch) -> None:
    patch.setattr(Account, "visibility_timeout", property(lambda _: 1.0))


# The construct's and the command's.


@removal(
    "the cap at the mapping, not at the function",
    EFFECTS,
    "healthy, and dead",
    max_concurrency=20,
    reserved_concurrency=1,
    batch_size=1,
)
def _(patch: Patch) -> None: ...


@removal(
    "redrive: delete only what was sent",
    EFFECTS,
    "neither processed nor dead-lettered",
    only=("crash before", "unreachable"),
    operations=("SendMessageBatch",),
)
def _(patch: Patch) -> None:
    original = _redrive.Redrive._move

    def delete_first(self: Any, some: Any) -> None:
        self._inbox.delete([one.letter for one in some])
        patch.setattr(self._inbox, "is_ours", lambda _: True)
        original(self, some)

    patch.setattr(_redrive.Redrive, "_move", delete_first)


@removal("redrive: keys survive", EFFECTS, "effects per key", wild=True, key_path="")
def _(patch: Patch) -> None:
    patch.setattr(message.Message, "own_key", property(lambda self: self.id))
