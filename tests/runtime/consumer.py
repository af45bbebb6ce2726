"""A consumer over scripted AWS: everything outside it is small, visible and under the test's control."""

import inspect
import io
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker.permit import Breaker
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.load_leveled_queue.commit_threads import CommitThreads
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.handler import process
from serverless_patterns_runtime.load_leveled_queue.settings import Settings
from serverless_patterns_runtime.telemetry import Logger

from . import scripted_aws
from .sqs_events import NOW

_services = itertools.count(1)

SETTINGS = Settings(
    business_function="orders:fulfil",
    returns_effects=False,
    tables={"ORDERS": "shop-orders", "STOCK": "shop-stock"},
    claims_table_name="claims",
    claims_namespace="Fulfilment",
    claims_retention_seconds=1000,
    queue_url="https://sqs.invalid/123456789012/fulfilment",
    dead_letter_queue_url="https://sqs.invalid/123456789012/dead",
    idempotency_key="",
    visibility_timeout_seconds=180,
    max_receive_count=5,
    count_attempts=False,
    max_age_seconds=0,
    retry_base_seconds=5,
    retry_max_seconds=900,
)

FIFO = {
    "queue_url": "https://sqs.invalid/123456789012/fulfilment.fifo",
    "dead_letter_queue_url": "https://sqs.invalid/123456789012/dead.fifo",
}


@dataclass
class Clock:
    now: float = NOW
    sleeps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@dataclass
class Context:
    """Lambda's, over a clock; `timeout` counts from its making."""

    clock: Clock
    timeout: float = 30.0
    aws_request_id: str = "request-1"

    def __post_init__(self) -> None:
        self._ends = self.clock.now + self.timeout

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - self.clock.now) * 1000)


class RecordedMetrics:
    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.flushes = 0

    def add_metric(self, *, name: str, unit: str, value: int) -> None:
        assert unit == "Count"
        self.counts[name] = self.counts.get(name, 0) + value

    def flush_metrics(self) -> None:
        self.flushes += 1


class Consumer:
    """`consume(record, ...)` is one invocation of a warm function; its answer is the ids that come back.

    `function` may be replaced between invocations, by one that takes as many arguments.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        level: str = "INFO",
        commit_threads: int = 0,
        clock: Clock | None = None,
        breaker: Breaker | None = None,
        **settings: Any,
    ) -> None:
        self.dynamodb, self.sqs = scripted_aws.dynamodb(), scripted_aws.sqs()
        self.clock, self.metrics = clock or Clock(), RecordedMetrics()
        self.timeout = 30.0
        self._stream = io.StringIO()
        made, self.function = SETTINGS._replace(**settings), function
        self.edge = Edge(
            settings=made,
            business_function=BusinessFunction(
                lambda *arguments: self.function(*arguments),
                made.business_function,
                len(inspect.signature(function).parameters) >= 2,
                made.returns_effects,
            ),
            dynamodb=self.dynamodb,
            sqs=self.sqs,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=random.Random(7),
            # Powertools keeps one handler, and so one stream, a service name and process.
            logger=Logger(service=f"service-{next(_services)}", level=level, stream=self._stream),
            metrics=self.metrics,
            commit_threads=CommitThreads(commit_threads) if commit_threads else None,
            resources=DeployedResources(made.tables, client=lambda _: self.dynamodb, variables={}),
            breaker=breaker,
        )

    def answer(self, *records: dict[str, Any]) -> dict[str, Any]:
        return process({"Records": list(records)}, Context(self.clock, self.timeout), self.edge)

    def consume(self, *records: dict[str, Any]) -> list[str]:
        answer = self.answer(*records)
        assert set(answer) == {"batchItemFailures"}
        assert all(set(failure) == {"itemIdentifier"} for failure in answer["batchItemFailures"])
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every line is one JSON object, or this raises."""
        return [json.loads(line) for line in self.log_text.splitlines()]

    @property
    def log_text(self) -> str:
        return self._stream.getvalue()

    def outcomes(self) -> dict[str, str]:
        return {line["message_id"]: line["outcome"] for line in self.log if "outcome" in line}

    def dead_letters(self) -> list[dict[str, Any]]:
        """Each with the JSON of its reason."""
        return [
            request | {"reason": json.loads(request["MessageAttributes"]["dead-letter"]["StringValue"])}
            for request in self.sqs.requests("SendMessage")
        ]

    def delays(self) -> dict[str, int]:
        """By receipt handle: how long the message stays away."""
        return {
            entry["ReceiptHandle"]: entry["VisibilityTimeout"]
            for request in self.sqs.requests("ChangeMessageVisibilityBatch")
            for entry in request["Entries"]
        }
