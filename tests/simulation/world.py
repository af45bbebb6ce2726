"""One simulated account: a queue with its dead-letter queue, the shipped consumer, its tables, and what goes wrong."""

import contextlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker.contract import LONGEST_REFUSAL_SECONDS, BreakerSettings
from serverless_patterns_runtime.load_leveled_queue import handler
from serverless_patterns_runtime.load_leveled_queue.commit_threads import CommitThreads
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.settings import Settings

from .dynamodb_model import DynamoDB, Table
from .event_source_mapping import EventSourceMapping, Polling
from .executor_model import SimulatedExecutor
from .faults import Faults, NoFaults
from .guarding import BREAKERS, Guard
from .lambda_model import Context, Function, Sandbox
from .ledger import EFFECTS, OPENING_STOCK, STOCK, Ledger, Sent, business_function
from .network import Client, Network
from .sqs_model import SQS, Queue, StoredMessage
from .virtual_time import Schedule

__all__ = ["Account", "World"]

START = 1_700_000_000.25
CLAIMS = "claims"

NAME = "sim-name"
"""The message attribute that carries `Sent.name`."""

LONGEST_SECONDS = 14 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the construct would have deployed."""

    effects: bool = True
    fifo: bool = False
    batch_size: int = 10
    max_concurrency: int = 2
    window: float = 0.0
    timeout: float = 30.0
    max_receive_count: int = 5
    commit_threads: int = 0
    """0: commits are carried out one after the other."""
    retry_base: int = 5
    retry_max: int = 900
    max_age: int = 0
    retention: int = 30 * 24 * 3600
    """Of claims, in seconds."""
    queue_retention: int = 4 * 24 * 3600
    key_path: str = "order.id"
    reserved_concurrency: int | None = None
    report_batch_item_failures: bool = True
    breaker: BreakerSettings | None = None
    """What guards the downstream; its item is in a table of its own."""

    @property
    def visibility_timeout(self) -> float:
        return 6 * self.timeout + self.window

    @property
    def queue_url(self) -> str:
        return "https://sqs.invalid/orders" + (".fifo" if self.fifo else "")

    @property
    def dead_letter_queue_url(self) -> str:
        return "https://sqs.invalid/orders-dead" + (".fifo" if self.fifo else "")

    @property
    def counts_attempts(self) -> bool:
        return self.batch_size > 1 or self.breaker is not None

    @property
    def oldest(self) -> int:
        """Where a breaker may refuse a message for as long as the queue keeps it; 0: no age."""
        longest_wait = max(LONGEST_REFUSAL_SECONDS, int(self.visibility_timeout), self.retry_max)
        least = self.queue_retention // 2
        return 0 if self.breaker is None else max(least, self.queue_retention - 2 * longest_wait)

    @property
    def native_receive_count(self) -> int:
        """SQS's own limit; far away where receives are not attempts, but reached before the messages expire."""
        if self.breaker is not None:
            return 1000
        if not self.counts_attempts:
            return self.max_receive_count
        in_half_the_retention = int(self.queue_retention / 2 / self.visibility_timeout)
        most = min(1000, 2 * (self.max_receive_count + 1) * self.batch_size, in_half_the_retention)
        return max(most, self.max_receive_count)


class Log:
    """Stands for Powertools' Logger; keeps the outcomes."""

    log_level = 20

    def __init__(self, heard: Callable[[str, dict[str, Any]], None]) -> None:
        self._heard = heard

    def append_keys(self, **_: Any) -> None: ...

    @contextlib.contextmanager
    def append_context_keys(self, **_: Any) -> Iterator[None]:
        yield

    def info(self, text: str, *, extra: dict[str, Any] | None = None) -> None:
        self._heard(text, extra or {})

    debug = warning = error = info


class Metrics:
    def add_metric(self, **_: Any) -> None: ...

    def flush_metrics(self) -> None: ...


@dataclass
class History:
    """What an outside observer could have written down."""

    dead: dict[str, float] = field(default_factory=dict)
    """When each sent message first reached the dead-letter queue, by name."""
    outcomes: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    """The handler's own log lines."""
    trace: list[tuple[float, tuple[Any, ...]]] = field(default_factory=list)


class World:
    def __init__(
        self, account: Account, seed: int | str, faults: Faults | None = None, *, duplicates: float = 0, lost: float = 0
    ) -> None:
        self.account = account
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.ledger = Ledger()
        self.history = History()
        self.faults = faults or NoFaults()
        self.guard = account.breaker and Guard(account.breaker, self.chance, lambda: self.schedule.now)
        self._build_tables()
        self._build_queues(duplicates)
        services = {"dynamodb": self.dynamodb, "sqs": self.sqs}
        self.network = Network(self.schedule, services, self.faults, self.chance, self.trace)
        self.function = Function(
            self.schedule,
            account.timeout,
            self.chance,
            self._edge,
            self._handle,
            self.trace,
            reserved_concurrency=account.reserved_concurrency,
        )
        polling = Polling(
            batch_size=account.batch_size,
            max_concurrency=account.max_concurrency,
            window=account.window,
            report_batch_item_failures=account.report_batch_item_failures,
            lost_delete_chance=lost,
        )
        self.mapping = EventSourceMapping(
            self.schedule, self.sqs, self.queue, self.function, polling, self.chance, self.faults.spend
        )

    def _build_tables(self) -> None:
        self.dynamodb = DynamoDB(
            {
                CLAIMS: Table({"claim": "S"}, time_to_live="expires_at"),
                "effects-table": Table({"id": "S"}),
                "stock-table": Table({"id": "S"}),
                BREAKERS: Table({"breaker": "S"}),
            },
            lambda: self.schedule.now,
            self.chance,
        )
        for product in ("1", "2"):
            self.dynamodb.put_item(
                TableName="stock-table", Item={"id": {"S": product}, "on_hand": {"N": str(OPENING_STOCK)}}
            )
        self.dynamodb.changes.append(self._see_effect)

    def _build_queues(self, duplicates: float) -> None:
        account = self.account
        self.dead_letter_queue = Queue(account.dead_letter_queue_url, 30)
        self.queue = Queue(
            account.queue_url,
            account.visibility_timeout,
            max_receive_count=account.native_receive_count,
            dead_letter_queue=self.dead_letter_queue,
            retention=account.queue_retention,
            duplicate_chance=duplicates,
            mishap=self.faults.spend,
        )
        self.sqs = SQS([self.queue, self.dead_letter_queue], lambda: self.schedule.now, self.chance)
        self.dead_letter_queue.watchers.append(self._see_dead_letters)

    # What is deployed.

    def settings(self) -> Settings:
        account = self.account
        return Settings(
            business_function="orders:fulfil",
            returns_effects=account.effects,
            tables={EFFECTS: "effects-table", STOCK: "stock-table"},
            claims_table_name=CLAIMS,
            claims_namespace="Orders",
            claims_retention_seconds=account.retention,
            queue_url=account.queue_url,
            dead_letter_queue_url=account.dead_letter_queue_url,
            idempotency_key=account.key_path,
            visibility_timeout_seconds=int(account.visibility_timeout),
            max_receive_count=account.max_receive_count,
            count_attempts=account.counts_attempts,
            max_age_seconds=account.max_age or account.oldest,
            retry_base_seconds=account.retry_base,
            retry_max_seconds=account.retry_max,
        )

    def _edge(self, sandbox: Sandbox) -> Edge:
        function = business_function(self.ledger, sandbox, self.faults.choose, effects=self.account.effects)
        threads = self.account.commit_threads
        return Edge(
            settings=self.settings(),
            business_function=BusinessFunction(function, "orders:fulfil", True, self.account.effects),
            dynamodb=Client(self.network, sandbox, "dynamodb"),
            sqs=Client(self.network, sandbox, "sqs"),
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(lambda text, fields: self.history.outcomes.append((self.schedule.now, text, fields))),
            metrics=Metrics(),
            commit_threads=CommitThreads(threads, SimulatedExecutor) if threads else None,
            breaker=self.guard.of(sandbox, self.network) if self.guard else None,
        )

    def _handle(self, event: dict[str, Any], context: Context, edge: Edge) -> Any:  # noqa: ARG002
        """Through the entry point that is deployed; it finds the edge of the sandbox that it runs in."""
        return handler.lambda_handler(event, context)

    # What happens.

    def send(self, messages: Sequence[Sent]) -> None:
        for message in messages:
            self.ledger.sent[message.name] = message
            self.schedule.at(START + message.at, lambda message=message: self._send(message))

    def _send(self, message: Sent) -> None:
        request: dict[str, Any] = {
            "QueueUrl": self.queue.url,
            "MessageBody": message.body,
            "MessageAttributes": {NAME: {"DataType": "String", "StringValue": message.name}},
        }
        if message.group is not None:
            request |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.name}
        elif message.delay:
            request["DelaySeconds"] = message.delay
        answer = self.sqs.send_message(**request)
        self.ledger.message_ids[message.name] = answer["MessageId"]
        keyed = message.key if self.account.key_path else answer["MessageId"]
        self.ledger.idempotency_keys[message.name] = keyed

    def run(self) -> None:
        """Until the queue is drained and nothing is under way. Raises when that never happens."""
        self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
        left = [message.body for message in self.queue.messages]
        if left or self.function.open:
            raise AssertionError(f"after {LONGEST_SECONDS} s not drained: {left}")

    def close(self) -> None:
        self.schedule.close()

    # What was seen.

    def trace(self, *fields: Any) -> None:
        self.history.trace.append((self.schedule.now - START, fields))

    def _see_effect(self, table: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        if table == "effects-table" and after is not None:
            times = int(after["times"]["N"]) - int((before or {"times": {"N": "0"}})["times"]["N"])
            for _ in range(times):
                self.ledger.committed.append((self.schedule.now, after["id"]["S"]))

    def _see_dead_letters(self) -> None:
        for message in self.dead_letter_queue.messages:
            self.history.dead.setdefault(name_of(message), self.schedule.now)

    def dead_letters(self) -> set[str]:
        """Names of the messages that are dead letters now."""
        return {name_of(message) for message in self.dead_letter_queue.messages}


def name_of(message: StoredMessage) -> str:
    return str(message.attributes[NAME]["StringValue"])


def order(
    name: str, does: str = "ok", *, key: str | None = None, group: str | None = None, at: float = 0.0, **more: Any
) -> Sent:
    """A message that asks for one order."""
    key = key or name
    body = {"order": {"id": key}, "does": does, "amount": 1, "product": "1", **more}
    return Sent(name, json.dumps(body), key, does, group, at)


def later(message: Sent, delay: int) -> Sent:
    return replace(message, delay=delay)
