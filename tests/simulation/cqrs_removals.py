"""The safeguards of views, each with a way to take it out; see `removals`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views import dynamodb_sink, filling, statements, taking_over, totals
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.generations import Generations, Pointers
from serverless_patterns_runtime.cqrs_views.parking import NotParked, Parking
from serverless_patterns_runtime.cqrs_views.projection import Projection
from serverless_patterns_runtime.cqrs_views.projector import _Work
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.replaying import Replaying
from serverless_patterns_runtime.cqrs_views.row_items import item_key
from serverless_patterns_runtime.cqrs_views.statements import Said
from serverless_patterns_runtime.cqrs_views.views import View

from .choosing import Seeded
from .cqrs_history import Change as Changed
from .cqrs_history import Deploy, Expire, History, Rebuild, history
from .cqrs_shop import ROWS
from .cqrs_world import Plan
from .faults import CRASHES
from .strikes import Strike

__all__ = ["CQRS_REMOVALS", "CqrsRemoval"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]

ERRORS = ("throttled", "unreachable", "server error", "answer lost")
NOTHING_STRANGE = {"bad": 0, "past": 0, "lost": 0, "remove": 0}
SHORT = (1.0, 10.0)


@dataclass(frozen=True)
class CqrsRemoval:
    """One safeguard less."""

    name: str
    violates: str
    """A regular expression: what the violation must be about."""
    take_out: TakeOut
    schedule: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `history`, to make the case frequent."""
    told: History | None = None
    """One that shows it, with every other seed or so, of a case that no argument makes frequent."""

    def history(self, seed: int) -> History:
        return history(Seeded(seed), **self.schedule) if self.told is None else replace(self.told, seed=seed)


CQRS_REMOVALS: list[CqrsRemoval] = []


def removal(name: str, violates: str, told: History | None = None, **schedule: Any) -> Callable[[TakeOut], TakeOut]:
    def register(take_out: TakeOut) -> TakeOut:
        CQRS_REMOVALS.append(CqrsRemoval(name, violates, take_out, schedule, told))
        return take_out

    return register


# Rows.


@removal("an older version does not overwrite", "went back", scales=SHORT)
def _(patch: Patch) -> None:
    guard = "attribute_not_exists(#pk) OR (#row.#source = :source AND #row.#version <> :version)"
    patch.setattr(dynamodb_sink, "_GUARD", guard)


@removal("another aggregate's row is left alone", "row is missing|nobody says|not as it should be", scales=SHORT)
def _(patch: Patch) -> None:
    guard = "attribute_not_exists(#pk) OR #row.#source <> :source OR #row.#version < :version"
    patch.setattr(dynamodb_sink, "_GUARD", guard)


@removal("a row that is gone leaves a tombstone", "nobody says", scales=SHORT)
def _(patch: Patch) -> None:
    original = DynamoDbSink._write

    def write(self: Any, generation: int, change: Any) -> Any:
        if change.row is not None:
            return original(self, generation, change)
        self.dynamodb.delete_item(
            TableName=self.table_name,
            Key=item_key(generation, change.key),
            ConditionExpression="#row.#source = :source AND #row.#version < :version",
            ExpressionAttributeNames={"#row": "_row", "#source": "source", "#version": "version"},
            ExpressionAttributeValues={":source": {"S": change.source}, ":version": {"N": str(change.version)}},
        ) if _there(self, generation, change) else None
        return None

    patch.setattr(DynamoDbSink, "_write", write)


def _there(sink: Any, generation: int, change: Any) -> bool:
    (found,) = sink.read(generation, [change.key])
    return found is not None and found.source == change.source and found.version < change.version


@removal(
    "a tombstone stays for longer than a record may be late",
    "nobody says",
    told=History(
        [(1.0, Changed("o0", "ada", {"a": 1})), (5.0, Changed("o0", "ada", {})), (5.0, Expire())],
        [Strike(0, "comes again late", times=2)],
        plan=Plan(shards=1, delay=0.5),
    ),
)
def _(patch: Patch) -> None:
    from serverless_patterns_runtime.cqrs_views import contract

    patch.setattr(contract, "TOMBSTONE_SECONDS", -1_000_000)


@removal("each change takes away the rows of its old image", "nobody says", scales=SHORT)
def _(patch: Patch) -> None:
    patch.setattr(statements, "_gone", lambda *_: [])


@removal("what removes an item counts as the next version", "nobody says|totals are", scales=SHORT)
def _(patch: Patch) -> None:
    original = Change.version.fget
    patch.setattr(
        Change, "version", property(lambda self: original(self) - (1 if self.is_end and self.old is not None else 0))
    )


@removal("an item that lost its version has no rows", "nobody says|not as it should be", scales=SHORT, what={"lost": 8})
def _(patch: Patch) -> None:
    patch.setattr(Change, "version", property(lambda self: None if self.lost_its_version else _plain_version(self)))


def _plain_version(change: Any) -> int | None:
    new, old = statements_version(change.new), statements_version(change.old)
    return new if new is not None else None if old is None else old + 1


def statements_version(image: Any) -> int | None:
    from serverless_patterns_runtime.cqrs_table.aggregate import version_of

    return None if image is None else version_of(image)


@removal(
    "rows of an image without a version are no rows that are there", "row is missing", scales=SHORT, what={"lost": 8}
)
def _(patch: Patch) -> None:
    original = View._made

    def made(self: Any, aggregate: Any, kind: type) -> Any:
        if aggregate is not None and aggregate.version is None:
            aggregate = type(aggregate)(aggregate.key, 0, aggregate.state)
        return original(self, aggregate, kind)

    patch.setattr(View, "_made", made)


# Late ones.


@removal("what may be late is held against the aggregate", "nobody says", what=NOTHING_STRANGE)
def _(patch: Patch) -> None:
    patch.setattr(_Work, "_is_checked", lambda *_: False)


@removal("what may be late says all that is so now", "row is missing|not as it should be", what={"bad": 10})
def _(patch: Patch) -> None:
    original = statements.said

    def said(view: Any, change: Any, read: Any, current: Any, *, checked: bool, forgotten: bool) -> Said:
        found = original(view, change, read, current, checked=checked, forgotten=forgotten)
        there = None if current is None else read(current)
        if checked and there is not None and there.version != change.version:
            return Said([one for one in found.changes if one.row is None], found.refused)
        return found

    patch.setattr(filling, "said", said)


@removal("what is tried again is held against the aggregate", "nobody says|not as it should be", what={"past": 10})
def _(patch: Patch) -> None:
    original = _Work._is_checked

    def is_checked(self: Any, *arguments: Any) -> bool:
        self._replayed, before = False, self._replayed
        try:
            return original(self, *arguments)
        finally:
            self._replayed = before

    patch.setattr(_Work, "_is_checked", is_checked)


# Generations.


@removal("changes go to the generation that is built", "row is missing|not as it should be|nobody says|totals are")
def _(patch: Patch) -> None:
    patch.setattr(Generations, "written", property(lambda self: () if self.live is None else (self.live,)))


@removal("the generations are read for every batch", "row is missing|not as it should be|nobody says|totals are")
def _(patch: Patch) -> None:
    original = Pointers.read
    known: dict[int, dict[str, Generations]] = {}

    def read(self: Any, views: Any, **more: Any) -> dict[str, Generations]:
        if id(self.dynamodb) not in known:
            known[id(self.dynamodb)] = original(self, views, **more)
        return known[id(self.dynamodb)]

    patch.setattr(Pointers, "read", read)


@removal(
    "aggregates are read after the generations",
    "nobody says|totals are|not as it should be",
    told=History(
        [(1.0, Changed("o0", "ada", {"a": 1})), (0.5, Changed("o0", "ada", {"b": 1})), (0.5, Rebuild(ROWS, 0.1))],
        [Strike(0, "beside itself"), Strike(3, "slow")],
        ("BatchGetItem",),
        Plan(shards=1, delay=0.0),
    ),
)
def _(patch: Patch) -> None:
    original = _Work.run

    def run(self: Any) -> None:
        try:
            early = self._projector.write_model.read_images(
                {one.key for one in self.changes}, remaining=self._remaining
            )
        except Exception:
            early = {}
        self._projector = self._projector._replace(write_model=_Remembering(self._projector.write_model, early))
        original(self)

    patch.setattr(_Work, "run", run)


class _Remembering:
    """Answers what was read at the beginning."""

    def __init__(self, model: Any, early: Mapping[str, Any]) -> None:
        self._model = model
        self._early = early

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def read_images(self, keys: Any, **more: Any) -> Any:
        keys = list(keys)
        return (
            {key: self._early[key] for key in keys}
            if self._early.keys() >= set(keys)
            else self._model.read_images(keys, **more)
        )


# What is given up.


@removal("what is given up is parked", "row is missing|nobody says|not as it should be")
def _(patch: Patch) -> None:
    patch.setattr(Parking, "park", lambda *_: "")


@removal(
    "what cannot be parked comes again",
    "row is missing|nobody says|not as it should be|totals are",
    kinds=ERRORS,
    operations=("PutObject",),
    what={"bad": 10},
)
def _(patch: Patch) -> None:
    original = Parking.park

    def park(self: Any, *arguments: Any) -> str:
        try:
            return original(self, *arguments)
        except NotParked:
            return ""

    patch.setattr(Parking, "park", park)


@removal("what was not written comes again", "row is missing|nobody says|not as it should be", kinds=ERRORS)
def _(patch: Patch) -> None:
    original = Projection.project

    def project(self: Any, *arguments: Any) -> Any:
        original(self, *arguments)
        return {"batchItemFailures": []}

    patch.setattr(Projection, "project", project)


@removal(
    "what comes again does so from the first one on",
    "row is missing|nobody says|not as it should be",
    kinds=ERRORS,
    operations=("PutItem", "TransactWriteItems"),
    plan={"batch_size": 10, "delay": 60.0},
    scales=SHORT,
    times=(10, 25),
)
def _(patch: Patch) -> None:
    original = Projection._outcome

    def outcome(self: Any, *arguments: Any) -> Any:
        found = original(self, *arguments)
        return found._replace(failed=found.failed[-1:])

    patch.setattr(Projection, "_outcome", outcome)


@removal("a parked change is kept until it is done", "row is missing|nobody says|not as it should be", what={"bad": 10})
def _(patch: Patch) -> None:
    original = Replaying._is_done

    def is_done(self: Any, *arguments: Any) -> bool:
        original(self, *arguments)
        return True

    patch.setattr(Replaying, "_is_done", is_done)


@removal(
    "what was changed behind our back is parked", "nobody says|not as it should be|row is missing", what={"past": 10}
)
def _(patch: Patch) -> None:
    patch.setattr(Change, "behind_our_back", property(lambda _: False))


@removal(
    "what was changed behind our back is kept until another version follows",
    "nobody says|not as it should be|row is missing",
    what={"past": 10},
)
def _(patch: Patch) -> None:
    patch.setattr(_Work, "_has_followed", lambda self, _: self._replayed)


@removal(
    "what an unreadable old image said is parked",
    "nobody says",
    told=History(
        [
            (0.0, Deploy(mended=True)),
            (1.0, Changed("o0", "ada", {"a": 1}, bad=True)),
            (5.0, Deploy(mended=False)),
            (1.0, Changed("o0", "ada", {"b": 1})),
        ],
        plan=Plan(shards=1, delay=0.5),
    ),
)
def _(patch: Patch) -> None:
    original = statements.said

    def said(view: Any, change: Any, read: Any, current: Any, *, checked: bool, forgotten: bool) -> Said:
        found = original(view, change, read, current, checked=checked, forgotten=forgotten)
        return found._replace(refused=None) if found.changes else found

    patch.setattr(filling, "said", said)


# Rows that pass from one to another.


@removal(
    "a row of another is taken over only by who has it now",
    "nobody says|still parked|not as it should be",
    what={"pass on": 20},
    scales=SHORT,
)
def _(patch: Patch) -> None:
    def take_over(view: Any, sink: Any, generation: int, contested: Any, read: Any, is_end: bool) -> None:  # noqa: ARG001
        sink.replace_tombstone(generation, contested.change, contested.found)

    patch.setattr(filling, "take_over", take_over)


@removal("who finds another's row is parked", "row is missing", what={"pass on": 20}, scales=SHORT)
def _(patch: Patch) -> None:
    original = taking_over.take_over

    def take_over(view: Any, sink: Any, generation: int, contested: Any, *more: Any) -> None:
        if contested.found.row is None:
            original(view, sink, generation, contested, *more)

    patch.setattr(filling, "take_over", take_over)


# Totals.


@removal("a contribution is replaced only where it is as it was", "totals are", scales=SHORT)
def _(patch: Patch) -> None:
    def condition(said: Any, kept: Any) -> tuple[str, dict[str, Any]]:  # noqa: ARG001
        return "attribute_not_exists(#pk) OR #row.#version < :version", {":version": said.version}

    patch.setattr(totals, "_condition", condition)


@removal("an older contribution does not replace", "totals are", scales=SHORT)
def _(patch: Patch) -> None:
    def condition(said: Any, kept: Any) -> tuple[str, dict[str, Any]]:  # noqa: ARG001
        if kept is None or kept.version == -2:
            return "attribute_not_exists(#pk)", {}
        if kept.version == -1:
            return ("attribute_not_exists(#pk) OR " if not kept.amounts else "") + "#amounts = :before", {
                ":before": kept.amounts
            }
        return "#row.#version = :version", {":version": kept.version}

    patch.setattr(totals, "_condition", condition)


@removal("sums change in the transaction of their contribution", "totals are", kinds=CRASHES, scales=SHORT)
def _(patch: Patch) -> None:
    original = totals.Totals._transact

    def transact(self: Any, items: Sequence[Mapping[str, Any]]) -> None:
        for item in items:
            original(self, [item])

    patch.setattr(totals.Totals, "_transact", transact)


@removal("a step on the way is of the version before", "totals are", kinds=CRASHES, scales=SHORT, plan={"groups": 1})
def _(patch: Patch) -> None:
    original = totals._between
    patch.setattr(totals, "_between", lambda said, *more: original(said, *more)._replace(version=said.version))


@removal("a step goes on from the amounts that it found", "totals are", scales=SHORT, plan={"groups": 1})
def _(patch: Patch) -> None:
    original = totals._condition

    def condition(said: Any, kept: Any) -> tuple[str, dict[str, Any]]:
        if kept is not None and kept.version >= 0:
            return "#row.#version = :version", {":version": kept.version}
        return original(said, kept)

    patch.setattr(totals, "_condition", condition)
