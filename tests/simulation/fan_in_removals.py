"""The safeguards of the shipped fan-in, each with a way to take it out. See `removals`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pytest

from serverless_patterns_runtime.fan_in import announcements, branch, heads, opening, results, sweeping
from serverless_patterns_runtime.load_leveled_queue import conclusions, consumption, trials, work
from serverless_patterns_runtime.load_leveled_queue.verdicts import Failed, Succeeded

from .fan_in_account import Deployed

__all__ = ["REMOVALS", "Removal"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]


@dataclass(frozen=True)
class Removal:
    """One safeguard less."""

    name: str
    take_out: TakeOut
    violates: str
    """A regular expression: what the violation must be about."""
    deployed: Mapping[str, Any]
    """What is deployed differently, to make the case frequent."""
    modes: Sequence[str] = ("mixed",)
    kinds: Sequence[str] = ()
    """Of faults, if not all."""
    operations: Sequence[str] = ()
    """Where faults strike, if not everywhere."""
    budgets: Sequence[int] = (0, 2, 8, 25)
    branches: Sequence[int] = (1, 2, 3, 5)
    case: str = ""
    """Of `test_fan_in_interleavings`: looked for in all its orders, and not in schedules."""


REMOVALS: list[Removal] = []

CRASHES = ("crash before", "crash after")
UNKNOWING = "a deployment that does not know the third"
DEADLINE = "a duplicate in one branch"
ERRORS = ("unreachable", "answer lost", "throttled", "server error")


def removal(name: str, violates: str, **more: Any) -> Callable[[TakeOut], TakeOut]:
    """`more`: fields of `Removal`, or of what is deployed."""
    known = {one.name for one in fields(Removal)}
    deployed = {key: value for key, value in more.items() if key not in known}

    def register(take_out: TakeOut) -> TakeOut:
        settings = {key: value for key, value in more.items() if key in known}
        REMOVALS.append(Removal(name, take_out, violates, deployed, **settings))
        return take_out

    return register


def rewrite(patch: Patch, *, old: str, new: str, expression: str = "") -> None:
    """In every update of a head; `expression` for one whose expression begins so."""
    original = heads.Heads._update

    def update(self: Any, key: str, change: str, condition: str, values: Any, names: Any = None, **more: str) -> Any:
        if change.startswith(expression):
            change, condition = change.replace(old, new), condition.replace(old, new)
            named = re.findall(r":\w+", f"{change} {condition}")
            values = {name: value for name, value in values.items() if name in named}
        return original(self, key, change, condition, values, names, **more)

    patch.setattr(heads.Heads, "_update", update)


# The head.


@removal("a result is recorded only while the head is open", "came in after the end|another outcome|not every branch")
def _(patch: Patch) -> None:
    rewrite(patch, old="#state = :open AND #payload", new="#payload", expression="SET #result")


@removal("the first result of a branch counts", "a result was replaced", modes=("leases",), kinds=(*CRASHES, *ERRORS))
def _(patch: Patch) -> None:
    rewrite(patch, old="if_not_exists(#result, :result)", new=":result")


@removal("a head is one payload's", "another message's|not that of its effect|has no effect")
def _(patch: Patch) -> None:
    rewrite(patch, old=" AND #payload = :payload", new="")


@removal("only expected branches are recorded", "not all|acknowledged without", case=UNKNOWING)
def _(patch: Patch) -> None:
    rewrite(patch, old=" AND contains(#expected, :branch)", new="")


@removal("whoever comes first says which branches are expected", "other branches are expected", case=UNKNOWING)
def _(patch: Patch) -> None:
    rewrite(patch, old=" AND contains(#expected, :branch)", new="")
    rewrite(patch, old="ADD #done :branches", new="ADD #done :branches, #expected :branches")


@removal("a head is made only where there is none", "a result was replaced|expected branches changed|state went from")
def _(patch: Patch) -> None:
    original = heads.Heads._expression

    def unconditional(self: Any, kind: str, text: str, *names: Any) -> dict[str, Any]:
        if kind != "ConditionExpression":
            return original(self, kind, text, *names)
        return original(self, kind, "attribute_not_exists(#fan_in) OR NOT #expires_at < :now", *names)

    patch.setattr(heads.Heads, "_expression", unconditional)


@removal("head and message are made in one transaction", "an end could not be told|NoSuchEnd", kinds=CRASHES)
def _(patch: Patch) -> None:
    original = heads.Heads.create

    class Apart:
        def __init__(self, dynamodb: Any) -> None:
            self._dynamodb = dynamodb

        def transact_write_items(self, *, TransactItems: Sequence[Any]) -> None:
            message, head = TransactItems
            self._dynamodb.transact_write_items(TransactItems=[head])
            self._dynamodb.transact_write_items(TransactItems=[message])

    def head_first(self: Any, *arguments: Any) -> bool:
        return original(self._replace(dynamodb=Apart(self.dynamodb)), *arguments)

    patch.setattr(heads.Heads, "create", head_first)


# The end.


@removal("announced before it is noted as announced", "never completed", kinds=CRASHES, operations=("SendMessage",))
def _(patch: Patch) -> None:
    original = announcements.Announcements.announce

    def note_first(self: Any, head: Any, outcome: Any) -> bool:
        finished = self.heads.finish(head.key, outcome, self.retention_seconds)
        silent = type("Silent", (), {"finish": lambda *_: finished})
        return original(self._replace(heads=silent()), head, outcome)

    patch.setattr(announcements.Announcements, "announce", note_first)


@removal("the deadline closes only what lacks something", "deadline became complete", case=DEADLINE)
def _(patch: Patch) -> None:
    new = "#state = :open"
    rewrite(patch, old=f"{new} AND (attribute_not_exists(#done) OR size(#done) < size(#expected))", new=new)


@removal("the deadline is closed before it is announced", "an end could not be told|left open|another outcome")
def _(patch: Patch) -> None:
    patch.setattr(heads.Heads, "close", lambda *_: True)


@removal("a sweep keeps the deadline", "heads left open")
def _(patch: Patch) -> None:
    patch.setattr(sweeping.Sweep, "sweep", lambda *_: 0)


@removal("only what is due is closed", "was closed .* early", deadline=60)
def _(patch: Patch) -> None:
    everything = heads.Heads.due

    def later(self: Any, shard: int) -> Any:
        return everything(self._replace(clock=lambda: self.clock() + 10_000), shard)

    patch.setattr(heads.Heads, "due", later)
    patch.setattr(sweeping.Sweep, "_outcome", lambda _, head: "deadline" if head.missing else "complete")


@removal("an end is counted once", "ended, .* counted", budgets=(0,))
def _(patch: Patch) -> None:
    rewrite(patch, old="attribute_exists(#shard)", new="attribute_exists(#fan_in)")


@removal("completions are claimed by the message's key", "completions of a message, more than one")
def _(patch: Patch) -> None:
    original = Deployed._edge

    def by_message(self: Any, queue_url: str, name: str, *arguments: Any, effects: bool, key: str) -> Any:
        return original(self, queue_url, name, *arguments, effects=effects, key="" if key == "key" else key)

    patch.setattr(Deployed, "_edge", by_message)


@removal("completions read the head as it is now", "an end could not be told", deadline=5)
def _(patch: Patch) -> None:
    def stale(self: Any, identifier: str) -> Any:
        key = {"fan_in": {"S": identifier}}
        return self.dynamodb.get_item(TableName=self.table_name, Key=key).get("Item")

    original = opening.Completions._ended

    def read(self: Any, key: str, outcome: str) -> Any:
        patch.setattr(heads.Heads, "_item", stale)
        try:
            return original(self, key, outcome)
        finally:
            patch.undo()
            patch.setattr(opening.Completions, "_ended", read)

    patch.setattr(heads.Heads, "_item", stale)


# The branch.


@removal("a failed report brings the message back", "acknowledged without", kinds=ERRORS)
def _(patch: Patch) -> None:
    original = branch.Part.report

    def careless(self: Any, kept: str, remaining: Any) -> None:
        try:
            original(self, kept, remaining)
        except Exception:
            self._told.append("NotReported")

    patch.setattr(branch.Part, "report", careless)


@removal("a branch reports before it is acknowledged", "acknowledged without")
def _(patch: Patch) -> None:
    patch.setattr(branch.Part, "report", lambda *_: None)


@removal(
    "a lease is settled only after its report", "acknowledged without its result", modes=("leases",), kinds=CRASHES
)
def _(patch: Patch) -> None:
    original = branch.Part.report

    def settle_first(self: Any, request: Any, invocation: Any, permit: Any) -> Any:
        try:
            result = work._called(self._business_function, self._open, request, invocation, permit)
            self._unrecorded.append(request.claim)
            self._settle(())
            original(request.part, request.part.keep(result), self._remaining_for_work)
        except Exception as error:
            return work.verdict_on(error)
        return Succeeded()

    patch.setattr(work.LeasedWork, "_run", settle_first)


@removal(
    "a duplicate reports what was committed", "not that of its effect", modes=("effects",), kinds=(*CRASHES, *ERRORS)
)
def _(patch: Patch) -> None:
    def own(self: Any, claim: Any, part: Any, effects: Any) -> bool:
        kept = part.keep(effects.result)
        holder = self._commits.commit_with_answer(claim, effects, kept, self._remaining)
        part.report(kept, self._remaining)
        return holder is None

    patch.setattr(work.TransactionalWork, "_commit_and_report", own)


@removal("a duplicate reports again", "acknowledged without", modes=("effects",), kinds=(*CRASHES, *ERRORS))
def _(patch: Patch) -> None:
    def once(self: Any, claim: Any, part: Any, effects: Any) -> bool:
        kept = part.keep(effects.result)
        holder = self._commits.commit_with_answer(claim, effects, kept, self._remaining)
        if holder is None:
            part.report(kept, self._remaining)
        return holder is None

    patch.setattr(work.TransactionalWork, "_commit_and_report", once)


@removal(
    "what was done is reported before it counts as used up",
    "acknowledged without",
    modes=("effects",),
    kinds=ERRORS,
    batch_size=10,
    max_receive_count=1,
)
def _(patch: Patch) -> None:
    patch.setattr(conclusions.Conclusions, "_report", lambda *_: None)


@removal("large results are in S3 before the commit", "is nowhere|could not be told", modes=("effects",), kinds=CRASHES)
def _(patch: Patch) -> None:
    put, report, waiting = results.Results.keep, branch.Part.report, {}

    class Later:
        def __init__(self, s3: Any) -> None:
            self._s3 = s3

        def put_object(self, **request: Any) -> None:
            waiting[request["Key"].rpartition("/")[2]] = lambda: self._s3.put_object(**request)

    def keep(self: Any, *arguments: Any) -> str:
        return put(self._replace(s3=lambda: Later(self.s3())), *arguments)

    def then_put(self: Any, kept: str, remaining: Any) -> None:
        for digest in [digest for digest in waiting if digest in kept]:
            waiting.pop(digest)()
        report(self, kept, remaining)

    patch.setattr(results.Results, "keep", keep)
    patch.setattr(branch.Part, "report", then_put)


@removal("a dead letter has a head", "a dead letter without a head", branches=(1, 2))
def _(patch: Patch) -> None:
    patch.setattr(conclusions.Conclusions, "_open_for", lambda *_: None)


@removal(
    "what fails has a head at once",
    "came late",
    max_receive_count=5,
    retry_base=900,
    deadline=5,
    budgets=(0,),
    branches=(1, 2),
)
def _(patch: Patch) -> None:
    patch.setattr(conclusions.Conclusions, "_open", lambda *_: None)


@removal("what comes again has a head", "failed, and no head", max_receive_count=3, budgets=(0,), branches=(1, 2))
def _(patch: Patch) -> None:
    patch.setattr(trials.Trials, "_unopened", lambda *_: None)


@removal("late results are noted", "acknowledged without its result")
def _(patch: Patch) -> None:
    patch.setattr(branch.Part, "_refused", lambda *_: None)


@removal("the message id is no key of a fan-in", "acknowledged without a head", key_path="")
def _(patch: Patch) -> None:
    patch.setattr(branch.Branch, "check_key", lambda *_: None)


# A FIFO group, and a breaker.


@removal("a group waits for its first message", "ran before one that came before", modes=("FIFO",), batch_size=10)
def _(patch: Patch) -> None:
    anyhow = consumption.Consumption._consume_in_any_order
    patch.setattr(consumption.Consumption, "_consume_in_order", anyhow)


GUARDED = {"modes": ("a breaker",), "branches": (1, 2), "budgets": (0,), "retry_base": 1, "deadline": 5}


@removal("what a breaker holds has a head", "again, and its deadline came late", **GUARDED)
def _(patch: Patch) -> None:
    patch.setattr(trials.Trials, "_unopened", lambda *_: None)


@removal(
    "what failed before a breaker held it has a head at once",
    "the deadline of .* came late",
    **GUARDED,
    max_receive_count=1,
)
def _(patch: Patch) -> None:
    patch.setattr(conclusions, "_has_failed", lambda verdict: isinstance(verdict, Failed))


@removal("no message pays for an outage", "an outage made a dead letter", **GUARDED)
def _(patch: Patch) -> None:
    judged = trials.Trials._judged
    patch.setattr(
        trials.Trials,
        "_blamed",
        lambda self, message, attempt, permit, verdict: judged(self, message, attempt, verdict),  # noqa: ARG005
    )
