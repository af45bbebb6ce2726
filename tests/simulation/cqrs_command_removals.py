"""The safeguards of commands, each with a way to take it out. See `removals`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from serverless_patterns_runtime.claims import commits
from serverless_patterns_runtime.claims.claim import Claim, Holder
from serverless_patterns_runtime.cqrs_table import aggregate, deciding, proposal, settings
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_table.deciding import Commands

from .cqrs_command_world import AGGREGATES, KEY

__all__ = ["COMMAND_REMOVALS", "CommandRemoval"]

Patch = pytest.MonkeyPatch
TakeOut = Callable[[Patch], None]


@dataclass(frozen=True)
class CommandRemoval:
    """One safeguard less."""

    name: str
    take_out: TakeOut
    violates: str
    """A regular expression: what the violation must be about."""
    schedule: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `commands`, to make the case frequent."""


COMMAND_REMOVALS: list[CommandRemoval] = []


def removal(name: str, violates: str, **schedule: Any) -> Callable[[TakeOut], TakeOut]:
    def register(take_out: TakeOut) -> TakeOut:
        COMMAND_REMOVALS.append(CommandRemoval(name, take_out, violates, schedule))
        return take_out

    return register


# The transaction.


class Apart:
    """A client that sends the two halves of a transaction one after the other."""

    def __init__(self, dynamodb: Any, *, claim_first: bool) -> None:
        self._dynamodb = dynamodb
        self._claim_first = claim_first

    def transact_write_items(self, *, TransactItems: Sequence[Any]) -> None:
        claim, put = TransactItems
        for item in (claim, put) if self._claim_first else (put, claim):
            try:
                self._dynamodb.transact_write_items(TransactItems=[item])
            except Exception as error:
                reasons = getattr(error, "response", {}).get("CancellationReasons")
                if reasons:
                    reasons[:] = [*reasons, {"Code": "None"}] if item is claim else [{"Code": "None"}, *reasons]
                raise

    def __getattr__(self, method: str) -> Any:
        return getattr(self._dynamodb, method)


def take_apart(patch: Patch, *, claim_first: bool) -> None:
    original = Commands._committed

    def committed(self: Commands, *arguments: Any) -> Any:
        dynamodb = Apart(self.claims.dynamodb, claim_first=claim_first)
        return original(self._replace(claims=self.claims._replace(dynamodb=dynamodb)), *arguments)

    patch.setattr(Commands, "_committed", committed)


@removal("command and id in one transaction: the id first", "nothing happened")
def _(patch: Patch) -> None:
    take_apart(patch, claim_first=True)


@removal("command and id in one transaction: the command first", "more than once")
def _(patch: Patch) -> None:
    take_apart(patch, claim_first=False)


@removal("the condition on the id", "more than once")
def _(patch: Patch) -> None:
    original = commits.Commits.claim_item

    def unconditional(self: Any, *arguments: Any) -> dict[str, Any]:
        put = original(self, *arguments)["Put"]
        return {"Put": {name: put[name] for name in ("TableName", "Item")}}

    patch.setattr(commits.Commits, "claim_item", unconditional)


def rewrite_condition(patch: Patch, old: str, new: str) -> None:
    """Of the aggregate; a condition that does not begin so stays."""
    original = aggregate.condition_of

    def condition_of(known: Aggregate | None, key: str) -> dict[str, Any]:
        made = original(known, key)
        if not made["ConditionExpression"].startswith(old):
            return made
        text = made["ConditionExpression"].replace(old, new)
        used = {name: said for name, said in made["ExpressionAttributeNames"].items() if name in text}
        given = made.get("ExpressionAttributeValues", {})
        values = {name: value for name, value in given.items() if name in text}
        written = {"ConditionExpression": text, "ExpressionAttributeNames": used, "ExpressionAttributeValues": values}
        return {name: value for name, value in written.items() if value}

    patch.setattr(proposal, "condition_of", condition_of)


@removal("a change is of the version that was read", "overwritten")
def _(patch: Patch) -> None:
    rewrite_condition(patch, "#about.#version = :read", "attribute_exists(#about)")


@removal("an aggregate begins where there is none", "overwritten")
def _(patch: Patch) -> None:
    rewrite_condition(patch, "attribute_not_exists(#key)", "")


@removal("an item without a version has none when it is changed", "is left out")
def _(patch: Patch) -> None:
    rewrite_condition(patch, "attribute_exists(#key) AND attribute_not_exists(#about)", "attribute_exists(#key)")


@removal("an item without a version is there when it is changed", "overwritten|was not allowed")
def _(patch: Patch) -> None:
    rewrite_condition(patch, "attribute_exists(#key) AND attribute_not_exists(#about)", "attribute_not_exists(#about)")


# What a command is decided upon.


@removal("after a conflict it is decided again, on what is there by then", "overwritten|was not allowed")
def _(patch: Patch) -> None:
    original = Commands._committed

    def committed(self: Commands, asked: Any, image: Any, *more: Any) -> Any:
        first = None if image is None else self.model.aggregate(image)

        def stale(image: Any, key: str, schema: Any) -> Aggregate:
            read = Aggregate.from_image(image, key, schema)
            return read if first is None else replace(read, state=first.state and dict(first.state))

        model = self.model._replace(schema=Stale(self.model.schema.version, None, stale))  # type: ignore[arg-type]
        return original(self._replace(model=model), asked, image, *more)

    patch.setattr(settings.WriteModel, "aggregate", _aggregate)
    patch.setattr(Commands, "_committed", committed)


@dataclass(frozen=True)
class Stale:
    version: int
    upcast: None
    reading: Any

    def read(self, state: Any, _: int) -> Any:
        return state


def _aggregate(model: Any, image: Any) -> Aggregate:
    if isinstance(model.schema, Stale):
        return model.schema.reading(image, model.key, model.schema)
    return Aggregate.from_image(image, model.key, model.schema)


@removal("a conflict is no failure", "nothing went wrong, and these failed", most=0)
def _(patch: Patch) -> None:
    def once(*_: Any) -> Any:
        yield 1
        raise RuntimeError("not a second time")

    patch.setattr(deciding, "tries", once)


@removal("commands read what is there, and not what was", "what never was", most=0)
def _(patch: Patch) -> None:
    original = deciding.read_batch

    def stale(dynamodb: Any, request: Any, attempts: Any) -> Any:
        asked = {name: {**request[name], "ConsistentRead": name != AGGREGATES} for name in request}
        return original(dynamodb, asked, attempts)

    patch.setattr(deciding, "read_batch", stale)


@removal("reads show what is there, and not what was", "a read of .* saw what never was", most=0)
def _(patch: Patch) -> None:
    original = settings.WriteModel.read_images

    def stale(self: Any, keys: Any, **more: Any) -> Any:
        return original(self, keys, **{**more, "consistent": False})

    patch.setattr(settings.WriteModel, "read_images", stale)


@removal("what a batch leaves is asked for again", "what never was", most=0)
def _(patch: Patch) -> None:
    def once(dynamodb: Any, request: Any, _: Any) -> Any:
        return dynamodb.batch_get_item(RequestItems=request)["Responses"]

    patch.setattr(deciding, "read_batch", once)


@removal("the expected version is looked at whenever it is decided", "changed another version|was not allowed")
def _(patch: Patch) -> None:
    original = Commands._committed

    def committed(self: Commands, asked: Any, image: Any, *more: Any) -> Any:
        proposal._check_expected(asked, None if image is None else self.model.aggregate(image))
        return original(self, asked._replace(expected_version=None), image, *more)

    patch.setattr(Commands, "_committed", committed)


# Refusals and answers.


@removal("before a refusal the id is looked up once more", "was refused, and it had happened|what never was")
def _(patch: Patch) -> None:
    def refuse(_: Any, __: Claim, error: BaseException, ___: Any) -> Any:
        raise error

    patch.setattr(Commands, "_after_refusal", refuse)


@removal(
    "a refusal that cannot be checked is none",
    "was refused, and it had happened|what never was",
    kinds=("unreachable", "server error", "sent twice"),
    operations=("BatchGetItem", "Request"),
    names=("begin", "delete"),
)
def _(patch: Patch) -> None:
    original = Commands._after_refusal

    def refuse(self: Any, claim: Claim, error: BaseException, remaining: Any) -> Any:
        try:
            return original(self, claim, error, remaining)
        except Exception:
            raise error from None

    patch.setattr(Commands, "_after_refusal", refuse)


@removal("an id is one payload's", "what another command has done|another version")
def _(patch: Patch) -> None:
    original = Holder.judge

    def judge(self: Holder, claim: Claim) -> None:
        original(self, replace(claim, payload=self.payload))

    patch.setattr(Holder, "judge", judge)


@removal("the aggregate's key is part of the payload", "what another command has done|another version")
def _(patch: Patch) -> None:
    original = deciding.digest
    # The body of these commands says who asks: without it they would differ by that alone.
    patch.setattr(deciding, "digest", lambda said: original([said[0], said[3]]))


@removal("an own commit whose answer was lost is no replay", "told that it was done before")
def _(patch: Patch) -> None:
    original = deciding._told_by
    patch.setattr(deciding, "_told_by", lambda holder, claim, _: original(holder, claim, "nobody"))


@removal("a replay says so", "a replay does not say so")
def _(patch: Patch) -> None:
    original = deciding._replay
    patch.setattr(deciding, "_replay", lambda claim, found: original(claim, found)._replace(replayed=False))


@removal("the first answer is kept", "told two things|another version|never answered")
def _(patch: Patch) -> None:
    original = proposal.answer_of
    latest: dict[str, Any] = {}

    def answer_of(kept: str | None) -> Any:
        answer = original(kept)
        return latest.setdefault(answer["key"], answer)

    patch.setattr(deciding, "answer_of", answer_of)


# Versions.


def first_version(patch: Patch, of: Callable[[Aggregate], Aggregate]) -> None:
    original = Aggregate.image

    def image(self: Aggregate, *more: Any) -> dict[str, Any]:
        return original(of(self) if self.version == self.at else self, *more)

    patch.setattr(Aggregate, "image", image)


@removal("versions begin with the time", "do not grow|another version")
def _(patch: Patch) -> None:
    first_version(patch, lambda made: replace(made, version=1))


@removal("a deleted aggregate keeps its version", "do not grow|another version")
def _(patch: Patch) -> None:
    original = Commands._committed

    def committed(self: Commands, *arguments: Any) -> Any:
        class Forgetting(Apart):
            def transact_write_items(self, *, TransactItems: Sequence[Any]) -> None:
                self._dynamodb.transact_write_items(TransactItems=TransactItems)
                item = TransactItems[1]["Put"]["Item"]
                if "deleted" in item["_aggregate"]["M"]:
                    self._dynamodb.delete_item(TableName=AGGREGATES, Key={KEY: item[KEY]})

        dynamodb = Forgetting(self.claims.dynamodb, claim_first=True)
        return original(self._replace(claims=self.claims._replace(dynamodb=dynamodb)), *arguments)

    patch.setattr(Commands, "_committed", committed)


@removal("every change has a version of its own", "do not grow|is left out")
def _(patch: Patch) -> None:
    original = Aggregate.image

    def image(self: Aggregate, *more: Any) -> dict[str, Any]:
        return original(replace(self, version=self.version and self.version // 2 * 2), *more)

    patch.setattr(Aggregate, "image", image)
