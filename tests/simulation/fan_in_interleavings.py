"""Branches, their sweep and what completes them, for one message: everything that the order of requests can do."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from serverless_patterns_runtime import Completion, Effects, Invocation, PermanentError
from serverless_patterns_runtime.fan_in import contract, sweep_handler
from serverless_patterns_runtime.fan_in.heads import _shard
from serverless_patterns_runtime.load_leveled_queue import handler

from .attribute_values import Item
from .dynamodb_model import DynamoDB
from .fan_in_account import (
    BUCKET,
    COMPLETED,
    COMPLETIONS,
    EFFECTS,
    HEADS,
    NAMESPACE,
    Deployed,
    Outside,
    Silent,
    dead_letters_of,
    noted,
    queue_of,
    tables,
    worked,
)
from .interleavings import FAULTS, Actor, Call, Direct, Explorer, State, Step, World
from .s3_model import S3

__all__ = ["Delivery", "Scene"]

NOW = 1_700_000_000.0
KEY = "k1"
BODY = {"id": KEY, "branches": ["a", "nobody"]}
LARGE = "x" * 5_000


@dataclass(frozen=True)
class Delivery:
    """The message, or another one with its key, as it comes to a branch."""

    branch: str
    does: str = "ok"
    """Or `fails once`, `refuses`, `large`."""
    body: Mapping[str, Any] = field(default_factory=lambda: BODY)
    name: str = ""

    @property
    def actor(self) -> str:
        return self.name or self.branch


class Queues:
    """What is sent: told apart by its body alone, since more of the same is nothing more."""

    def __init__(self) -> None:
        self.sent: frozenset[tuple[str, str]] = frozenset()

    def send_message(self, *, QueueUrl: str, MessageBody: str, **_: Any) -> dict[str, Any]:
        self.sent |= {(QueueUrl, MessageBody)}
        return {"MessageId": "m"}

    def change_message_visibility_batch(self, *, Entries: Sequence[Mapping[str, Any]], **_: Any) -> dict[str, Any]:
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


class Context:
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class Scene:
    """What is deployed, what is delivered, and how many sweeps look, at whatever moments."""

    def __init__(
        self,
        deployed: Deployed,
        deliveries: Sequence[Delivery],
        *,
        sweeps: int = 0,
        kinds: Sequence[str] = FAULTS,
    ) -> None:
        self.deployed = deployed
        self.deliveries = deliveries
        self.dynamodb = DynamoDB(tables(), lambda: NOW)
        self.dynamodb.changes.append(self._see)
        self.sqs, self.s3 = Queues(), S3([BUCKET])
        self.services = {"dynamodb": self.dynamodb, "sqs": self.sqs, "s3": self.s3}
        self.judged: dict[Any, None] = {}
        self.twice = {delivery.branch for delivery in deliveries if self._count(delivery.branch) > 1}
        actors = [
            Actor(delivery.actor, partial(self._deliver, delivery), _failed, partial(self._is_alone, delivery.branch))
            for delivery in deliveries
        ]
        actors += [
            Actor(f"sweep {number}", partial(self._sweep, number), lambda _: False, partial(self._is_alone, ""))
            for number in range(1, sweeps + 1)
        ]
        self.explorer = Explorer(
            World(self.services, self._save, self._load, _text),
            actors,
            self._judge_step,
            self._judge_end,
            kinds,
        )

    def explore(self, faults: int = 0) -> int:
        return self.explorer.explore(faults)

    # What runs.

    def _deliver(self, delivery: Delivery, clients: Callable[[str], Any], run: int) -> Any:
        # Whoever died has left a lease, which is over when the message is seen again.
        outside = self._outside(clients, f"{delivery.actor} {run}", NOW + (run - 1) * self.deployed.visibility_timeout)
        edge = self.deployed.branch(delivery.branch, partial(_work, delivery), outside)
        return handler.process({"Records": [_record(delivery, run)]}, Context(), edge)

    def _sweep(self, number: int, clients: Callable[[str], Any], run: int) -> Any:
        after_the_deadline = NOW + self.deployed.deadline + 1
        outside = self._outside(clients, f"sweep {number} {run}", after_the_deadline)
        return sweep_handler.process(Context(), self.deployed.sweep(outside))

    def _complete(self, body: str) -> Any:
        edge = self.deployed.completion(_complete, self._outside(self._direct, body, NOW + 1_000))
        return handler.process({"Records": [_envelope(body, COMPLETIONS, 1)]}, Context(), edge)

    def _direct(self, service: str) -> Direct:
        return Direct(self.services, service)

    def _outside(self, clients: Callable[[str], Any], seed: str, now: float) -> Outside:
        silent = Silent()
        return Outside(
            dynamodb=clients("dynamodb"),
            sqs=clients("sqs"),
            s3=clients("s3"),
            clock=lambda: now,
            sleep=lambda _: None,
            random=random.Random(seed),
            log=silent,
            metrics=silent,
            count=lambda *_, **__: None,
        )

    # What has to do with what.

    def _count(self, branch: str) -> int:
        return sum(delivery.branch == branch for delivery in self.deliveries)

    def _is_alone(self, branch: str, call: Call) -> bool:
        if call.service == "s3":
            return True
        if call.service == "sqs":
            return call.asked["QueueUrl"] != COMPLETIONS
        if call.method == "query":
            return call.asked["ExpressionAttributeValues"][":shard"]["S"] != _shard(f"{NAMESPACE}#{KEY}")
        return branch not in self.twice and HEADS not in call.arguments

    # The world's state.

    def _save(self) -> Any:
        saved = {
            name: {key: _sorted(item) for key, item in t.items.items()} for name, t in self.dynamodb.tables.items()
        }
        return saved, self.sqs.sent, frozenset(self.s3.objects[BUCKET].items())

    def _load(self, saved: Any) -> None:
        items, self.sqs.sent, objects = saved
        for name, table in self.dynamodb.tables.items():
            table.items, table.earlier = dict(items[name]), {}
        self.s3.objects[BUCKET] = dict(objects)

    # The judge.

    def _see(self, table: str, before: Item | None, after: Item | None) -> None:
        if table != HEADS or before is None or contract.STATE not in before:
            return
        assert after is not None, "a head was deleted"
        old, new = before[contract.STATE]["S"], after[contract.STATE]["S"]
        assert old in ("open", new), f"{old} became {new}"
        assert after[contract.EXPECTED] == before[contract.EXPECTED], "other branches are expected"
        for name, value in before.items():
            if name.startswith(contract.RESULT_PREFIX):
                assert after.get(name) == value, f"the {name} was replaced"
        if old != "open":
            assert _names(after, contract.DONE) == _names(before, contract.DONE), "a result came in after the end"

    def _judge_step(self, state: State, step: Step) -> None:  # noqa: ARG002
        if step.ended is None or step.ended >= len(self.deliveries):
            return
        delivery = self.deliveries[step.ended]
        items, sent, _ = step.after.saved
        if any(
            url == dead_letters_of(queue_of(delivery.branch)) for url, body in sent if json.loads(body) == delivery.body
        ):
            return
        head = _head(items)
        assert head is not None, f"{delivery.actor} was acknowledged without a head"
        if head[contract.PAYLOAD]["S"] != _digest(delivery.body):
            return
        heard = _names(head, contract.DONE) | _names(head, contract.LATE)
        assert delivery.branch in heard, f"{delivery.actor} was acknowledged without its result"
        left = [run for run, _ in step.after.places[: len(self.deliveries)] if run]
        if not left and _names(head, contract.DONE) == _names(head, contract.EXPECTED):
            assert _outcomes(sent) == {"complete"}, f"{delivery.actor} was acknowledged unannounced: {_outcomes(sent)}"

    def _judge_end(self, state: State) -> None:
        """After one more sweep, and when all that was announced has been heard."""
        items, sent, objects = state.saved
        which = state.text
        if which in self.judged:
            return
        self.judged[which] = None
        self._load((items, sent, objects))
        self._sweep(0, self._direct, 1)
        head = _head(self._save()[0])
        assert head is not None, "no head"
        assert head[contract.STATE]["S"] != "open", "a head was left open"
        assert contract.SHARD not in head, "a head was left unannounced"
        for _ in range(2):
            for url, body in sorted(self.sqs.sent):
                if url == COMPLETIONS:
                    answer = self._complete(body)
                    assert not _failed(answer), answer
        self._judge_completion(head)

    def _judge_completion(self, head: Item) -> None:
        outcomes = _outcomes(self.sqs.sent)
        assert len(outcomes) == 1, f"announced as {outcomes}"
        dead = [body for url, body in self.sqs.sent if url == dead_letters_of(COMPLETIONS)]
        assert not dead, f"announced in vain: {dead}"
        (seen,) = self.dynamodb.tables[COMPLETED].items.values()
        assert seen["times"]["N"] == "1", f"completed {seen['times']['N']} times"
        results, missing = json.loads(seen["results"]["S"]), set(json.loads(seen["missing"]["S"]))
        expected = _names(head, contract.EXPECTED)
        assert outcomes == {seen["outcome"]["S"]} == {"deadline" if missing else "complete"}
        assert json.loads(seen["message"]["S"]) in [delivery.body for delivery in self.deliveries]
        assert results.keys() | missing == expected, f"{sorted(results)} and {sorted(missing)} are not all"
        assert not results.keys() & missing
        for branch, result in results.items():
            effect = self.dynamodb.tables[EFFECTS].items.get((f"{branch} {_digest_of(head)}",))
            if self.deployed.branches[branch]:
                assert effect is not None, f"{branch} has a result without an effect"
                assert effect["times"]["N"] == "1", f"effects of {branch}: {effect['times']['N']}"
                assert json.loads(effect["result"]["S"]) == result, f"{branch}: not the result of its effect"
            assert result["branch"] == branch
            assert result["payload"] == _digest_of(head), f"the result of {branch} is another message's"


def _work(delivery: Delivery, _: Mapping[str, Any], invocation: Invocation) -> Any:
    """The business function of a branch."""
    if delivery.does == "fails once" and invocation.attempt == 1:
        raise RuntimeError("the warehouse does not answer")
    if delivery.does == "refuses":
        raise PermanentError("not for us")
    digest = invocation.claim.payload
    result = {"branch": delivery.branch, "run": invocation.attempt, "by": delivery.actor, "payload": digest}
    if delivery.does == "large":
        result["large"] = LARGE
    if delivery.actor.startswith("lease"):
        return result
    return worked(delivery.branch, digest, result)


def _complete(completion: Completion, invocation: Invocation) -> Effects:
    assert completion.key == invocation.idempotency_key
    return noted(completion)


def _record(delivery: Delivery, run: int) -> dict[str, Any]:
    return _envelope(json.dumps(delivery.body), queue_of(delivery.branch), run)


def _envelope(body: str, queue_url: str, receives: int) -> dict[str, Any]:
    return {
        "messageId": f"message of {queue_url}",
        "receiptHandle": "receipt",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(int(NOW * 1000))},
        "messageAttributes": {"correlation-id": {"stringValue": "correlation", "dataType": "String"}},
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:branch",
    }


def _failed(answer: Any) -> bool:
    return bool(answer["batchItemFailures"])


def _names(item: Item, attribute: str) -> set[str]:
    return set(item.get(attribute, {}).get("SS", ()))


def _head(items: Mapping[str, Any]) -> Item | None:
    return items[HEADS].get((f"{NAMESPACE}#{KEY}",))


def _outcomes(sent: frozenset[tuple[str, str]]) -> set[str]:
    return {json.loads(body)["outcome"] for url, body in sent if url == COMPLETIONS}


def _digest(body: Mapping[str, Any]) -> str:
    from serverless_patterns_runtime.payload import digest

    return digest(body)


def _digest_of(head: Item) -> str:
    return head[contract.PAYLOAD]["S"]


def _sorted(item: Item) -> Item:
    if not any("SS" in value for value in item.values()):
        return item
    return {name: {"SS": sorted(value["SS"])} if "SS" in value else value for name, value in item.items()}


def _text(saved: Any) -> str:
    items, sent, objects = saved
    shown = {name: sorted((key, sorted(item.items())) for key, item in table.items()) for name, table in items.items()}
    return repr((shown, sorted(sent), sorted(name for name, _ in objects)))
