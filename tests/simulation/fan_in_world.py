"""One simulated account: a topic's branches, each with queue and consumer, the sweep, and the function that completes.

The topic itself is a sender that may be late, twice, in any order, or fail for one branch: as SNS is.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from serverless_patterns_runtime import Completion, Effects, Invocation, PermanentError
from serverless_patterns_runtime.fan_in import contract, sweep_handler
from serverless_patterns_runtime.load_leveled_queue import handler
from serverless_patterns_runtime.payload import digest

from . import operator_model
from .attribute_values import Item
from .dynamodb_model import DynamoDB
from .event_source_mapping import EventSourceMapping, Polling
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
    tables,
    worked,
)
from .faults import Call, Faults, NoFaults
from .guarding import SETTINGS, Guard
from .lambda_model import Context, Function, Sandbox
from .network import Client, Network
from .s3_model import S3
from .sqs_model import SQS, Queue, StoredMessage
from .virtual_time import Schedule

__all__ = ["NAME", "START", "SWEEP_SECONDS", "Published", "World", "names"]

START = 1_700_000_000.25
NAME = "sim-name"
"""The message attribute that carries `Published.name`."""
SWEEP_SECONDS = 60
LONGEST_SECONDS = 12 * 3600
COMPLETER = "Completions"


@dataclass(frozen=True)
class Published:
    """One message, and how it comes to its branches."""

    name: str
    key: str
    does: Mapping[str, str] = field(default_factory=dict)
    """What each branch's function does with it: `ok`, `once`, `never`, `refuses`, `kills`, `large`."""
    at: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Seconds after the start, for each branch: one delivery each. None at all: SNS has given up."""
    completes: str = "ok"
    """What `on_complete` does: `ok` or `once`."""
    amount: int = 1
    branches: Sequence[str] | None = None
    """What the message itself says of its branches."""
    group: str = "all"
    """On a FIFO topic."""
    keyless: bool = False
    """Where the body does not hold the key: whether the publisher gives none."""

    @property
    def body(self) -> dict[str, Any]:
        said = {} if self.branches is None else {"branches": list(self.branches)}
        return {
            "id": self.key, "does": dict(self.does), "completes": self.completes, "amount": self.amount, **said
        }  # fmt: skip

    @property
    def digest(self) -> str:
        return digest(self.body)


@dataclass
class Ledger:
    """The test's own books."""

    published: dict[str, Published] = field(default_factory=dict)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each branch first failed with a payload."""
    ran: list[tuple[float, str, str, Any]] = field(default_factory=list)
    """Time, branch, payload and result of each run that came to its end."""
    again: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each branch was given a message for the second time, by name."""
    overtook: list[tuple[str, str]] = field(default_factory=list)
    """Branch and message that ran when one before it in its group, on a FIFO queue, was neither done nor dead."""
    fixed: bool = False
    closed: dict[str, tuple[float, str]] = field(default_factory=dict)
    """When each head's state left `open`, and for what."""
    full: dict[str, float] = field(default_factory=dict)
    """When each head had all results."""
    trace: list[tuple[float, tuple[Any, ...]]] = field(default_factory=list)


class World:
    def __init__(
        self,
        deployed: Deployed,
        seed: int | str,
        faults: Faults | None = None,
        *,
        lost: float = 0.0,
        outage: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """`outage`: from when to when, in seconds after the start, what the guarded branches call is down."""
        self.deployed, self.outage = deployed, outage
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.faults = faults or NoFaults()
        self.ledger = Ledger()
        self.counted: Counter[str] = Counter()
        self.guard = Guard(SETTINGS, self.chance, lambda: self.schedule.now) if deployed.guarded else None
        self.dynamodb = DynamoDB(tables(), lambda: self.schedule.now, self.chance)
        self.dynamodb.changes.append(self._see)
        self.s3 = S3([BUCKET])
        self.queues: dict[str, Queue] = {}
        self.dead: dict[str, Queue] = {}
        for name in (*deployed.branches, COMPLETER):
            self._add_queue(name)
        self.sqs = SQS([*self.queues.values(), *self.dead.values()], lambda: self.schedule.now, self.chance)
        services = {"dynamodb": self.dynamodb, "sqs": self.sqs, "s3": self.s3}
        self.network = Network(self.schedule, services, self.faults, self.chance, self.trace)
        self.functions = {name: self._function(self._starter(name), self._consumer(name)) for name in self.queues}
        self.sweeps = self._function(
            lambda sandbox: deployed.sweep(self._outside(sandbox)),
            lambda _, context, sweep: sweep_handler.process(context, sweep),
            called=lambda _: "sweep",
        )
        self.mappings = [self._mapping(name, lost) for name in self.queues]
        self._seen: dict[str, set[StoredMessage]] = {name: set() for name in self.queues}
        self._ticking = False
        self._sent = 0

    # What is deployed.

    def _add_queue(self, name: str) -> None:
        url = COMPLETIONS if name == COMPLETER else self.deployed.queue_url(name)
        self.dead[name] = Queue(dead_letters_of(url), 30)
        self.queues[name] = Queue(
            url,
            self.deployed.visibility_timeout,
            max_receive_count=self.deployed.native_receive_count(name),
            dead_letter_queue=self.dead[name],
            duplicate_chance=0.05,
            mishap=self.faults.spend,
        )
        self.queues[name].watchers.append(lambda: self._see_gone(name))

    def _function(self, start: Callable[..., Any], handle: Callable[..., Any], **more: Any) -> Function:
        return Function(self.schedule, self.deployed.timeout, self.chance, start, handle, self.trace, **more)

    def _starter(self, name: str) -> Callable[[Sandbox], Any]:
        def start(sandbox: Sandbox) -> Any:
            outside = self._outside(sandbox)
            if name == COMPLETER:
                return self.deployed.completion(self._completing(sandbox), outside)
            return self.deployed.branch(name, self._working(name, sandbox), outside)

        return start

    def _consumer(self, name: str) -> Callable[..., Any]:
        def consume(event: dict[str, Any], context: Context, edge: Any) -> Any:
            for record in event["Records"] if name != COMPLETER else ():
                if int(record["attributes"]["ApproximateReceiveCount"]) > 1:
                    message = record["messageAttributes"][NAME]["stringValue"]
                    self.ledger.again.setdefault((name, message), self.schedule.now)
            return handler.process(event, context, edge)

        return consume

    def _mapping(self, name: str, lost: float) -> EventSourceMapping:
        deployed = self.deployed
        polling = Polling(
            batch_size=deployed.batch_size, max_concurrency=deployed.max_concurrency, lost_delete_chance=lost
        )
        return EventSourceMapping(
            self.schedule, self.sqs, self.queues[name], self.functions[name], polling, self.chance, self.faults.spend
        )

    def _outside(self, sandbox: Sandbox) -> Outside:
        log = Silent()
        return Outside(
            dynamodb=Client(self.network, sandbox, "dynamodb"),
            sqs=Client(self.network, sandbox, "sqs"),
            s3=Client(self.network, sandbox, "s3"),
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            log=log,
            metrics=log,
            count=lambda metric, value, **_: self.counted.update({metric: value}),
            breaker=self.guard and self.guard.of(sandbox, self.network),
        )

    # What the user would have written.

    def _working(self, branch: str, sandbox: Sandbox) -> Callable[..., Any]:
        def work(order: Mapping[str, Any], invocation: Invocation) -> Any:
            sandbox.check_alive()
            does = order["does"].get(branch, "ok")
            if self.deployed.fifo:
                self._see_order(branch, invocation.correlation_id)
            self._take_time(sandbox)
            self._misbehave(does, branch, invocation.claim.payload, sandbox)
            result = {"branch": branch, "payload": invocation.claim.payload, "run": len(self.ledger.ran)}
            if does == "large":
                result["large"] = "x" * 5_000
            self.ledger.ran.append((self.schedule.now, branch, invocation.claim.payload, result))
            if not self.deployed.branches[branch]:
                return result
            return worked(branch, invocation.claim.payload, result)

        return work

    def _see_order(self, branch: str, name: str) -> None:
        queued = self.queues[branch].messages
        own = [message for message in queued if message.attributes[NAME]["StringValue"] == name]
        if not own:
            return
        first = min(own, key=lambda message: message.sequence)
        before = {
            message.attributes[NAME]["StringValue"]
            for message in queued
            if message.group == first.group and message.sequence < first.sequence
        }
        if any(not self._is_settled(branch, self.ledger.published[other]) for other in before - {name}):
            self.ledger.overtook.append((branch, name))

    def _is_settled(self, branch: str, message: Published) -> bool:
        if any(dead.attributes[NAME]["StringValue"] == message.name for dead in self.dead[branch].messages):
            return True
        if self.deployed.branches[branch]:
            return self.effect(branch, message.digest) is not None
        return any((who, what) == (branch, message.digest) for _, who, what, _ in self.ledger.ran)

    def _completing(self, sandbox: Sandbox) -> Callable[..., Any]:
        def complete(completion: Completion, invocation: Invocation) -> Effects:  # noqa: ARG001
            sandbox.check_alive()
            self._take_time(sandbox)
            self._misbehave(completion.message["completes"], COMPLETER, completion.key, sandbox)
            return noted(completion, at=str(self.schedule.now))

        return complete

    def _take_time(self, sandbox: Sandbox) -> None:
        sandbox.sleep(self.chance.choice((0.0, 0.1, 1.0)))
        if self.faults.choose(Call("function", "Work", {})) is not None:
            sandbox.crash()

    def _misbehave(self, does: str, who: str, what: str, sandbox: Sandbox) -> None:
        if self.ledger.fixed:
            return
        if who in self.deployed.guarded and self.outage[0] <= self.schedule.now - START < self.outage[1]:
            self.ledger.failures[who, what] += 1
            self.ledger.failed.setdefault((who, what), self.schedule.now)
            raise RuntimeError("what it calls is down")
        if does == "refuses":
            raise PermanentError("not for us")
        if does == "kills":
            sandbox.crash()
        if self.ledger.failures[who, what] < {"once": 1, "never": 10**9}.get(does, 0):
            self.ledger.failures[who, what] += 1
            self.ledger.failed.setdefault((who, what), self.schedule.now)
            raise RuntimeError("the warehouse does not answer")

    # What happens.

    def publish(self, messages: Iterable[Published]) -> None:
        for message in messages:
            self.ledger.published[message.name] = message
            for branch, times in message.at.items():
                for at in times:
                    self.schedule.at(START + at, lambda branch=branch, message=message: self._send(branch, message))

    def _send(self, branch: str, message: Published) -> None:
        said = {NAME: message.name, "correlation-id": message.name}
        if not self.deployed.key_path and not message.keyless:
            said["idempotency-key"] = message.key
        self._sent += 1
        in_order = {"MessageGroupId": message.group, "MessageDeduplicationId": f"{self._sent}"}
        self.sqs.send_message(
            QueueUrl=self.deployed.queue_url(branch),
            MessageBody=json.dumps(message.body),
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in said.items()},
            **(in_order if self.deployed.fifo else {}),
        )
        self._keep_ticking()

    def _keep_ticking(self) -> None:
        if not self._ticking:
            self._ticking = True
            self.schedule.after(self.chance.uniform(0, SWEEP_SECONDS), self._tick)

    def _tick(self) -> None:
        """The sweep's rule, as long as there may be something for it. Sometimes it is invoked twice."""
        self._ticking = False
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            self.sweeps.invoke({}, lambda _: None)
        unannounced = any(contract.SHARD in item for item in self.dynamodb.tables[HEADS].items.values())
        if unannounced or any(queue.messages for queue in self.queues.values()):
            self._keep_ticking()

    def run(self) -> None:
        """Until the queues are drained, no head is open, and nothing is under way."""
        self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
        left = {name: len(queue.messages) for name, queue in self.queues.items() if queue.messages}
        assert not left, f"not drained after {LONGEST_SECONDS} s: {left}"

    def redrive(self, name: str) -> None:
        """All dead letters of a queue, with the shipped command."""
        operator_model.redrive(
            SimpleNamespace(  # type: ignore[arg-type]
                queue=self.queues[name],
                dead_letter_queue=self.dead[name],
                schedule=self.schedule,
                chance=self.chance,
                network=self.network,
                run=self._run_after_redrive,
                trace=self.trace,
            )
        )

    def _run_after_redrive(self) -> None:
        self._keep_ticking()
        self.run()

    def close(self) -> None:
        self.schedule.close()

    # What was seen.

    def trace(self, *fields: Any) -> None:
        self.ledger.trace.append((self.schedule.now - START, fields))

    def head(self, key: str) -> Item | None:
        return self.dynamodb.tables[HEADS].items.get((f"{NAMESPACE}#{key}",))

    def heads(self) -> dict[str, Item]:
        items = self.dynamodb.tables[HEADS].items.values()
        return {item["fan_in"]["S"].partition("#")[2]: item for item in items if contract.STATE in item}

    def completed(self) -> dict[str, Item]:
        return {item["id"]["S"]: item for item in self.dynamodb.tables[COMPLETED].items.values()}

    def effect(self, branch: str, payload: str) -> Item | None:
        return self.dynamodb.tables[EFFECTS].items.get((f"{branch} {payload}",))

    def _see(self, table: str, before: Item | None, after: Item | None) -> None:
        if table != HEADS or after is None or contract.STATE not in after:
            return
        key = after["fan_in"]["S"].partition("#")[2]
        state = after[contract.STATE]["S"]
        if names(after, contract.DONE) == names(after, contract.EXPECTED):
            self.ledger.full.setdefault(key, self.schedule.now)
        if state != "open":
            self.ledger.closed.setdefault(key, (self.schedule.now, state))
        if before is None:
            return
        old = before[contract.STATE]["S"]
        assert old in ("open", state), f"the head's state went from {old} to {state}"
        assert after[contract.EXPECTED] == before[contract.EXPECTED], "the expected branches changed"
        for name, value in before.items():
            if name.startswith(contract.RESULT_PREFIX):
                assert after.get(name) == value, "a result was replaced"
        if old != "open":
            assert names(after, contract.DONE) == names(before, contract.DONE), "a result came in after the end"

    def _see_gone(self, name: str) -> None:
        """A message that has left its branch's queue has left something behind."""
        if name == COMPLETER:
            return
        queue = self.queues[name]
        known = self._seen[name]
        gone = known - set(queue.messages)
        self._seen[name] = set(queue.messages)
        for message in gone:
            if message.deleted:  # else SQS has taken it to the dead-letter queue
                self._judge_acknowledged(name, message)

    def _judge_acknowledged(self, branch: str, message: StoredMessage) -> None:
        published = self.ledger.published[message.attributes[NAME]["StringValue"]]
        redriven = [each for each in self.queues[branch].messages if "redrive" in each.attributes]
        if any(each.attributes.get(NAME) == message.attributes[NAME] for each in self.dead[branch].messages + redriven):
            return
        head = self.head(published.key)
        assert head is not None, f"acknowledged without a head: {published.name} by {branch}"
        if head[contract.PAYLOAD]["S"] != published.digest:
            return
        heard = names(head, contract.DONE) | names(head, contract.LATE)
        assert branch in heard, f"acknowledged without its result: {published.name} by {branch}"


def names(item: Item, attribute: str) -> set[str]:
    return set(item.get(attribute, {}).get("SS", ()))
