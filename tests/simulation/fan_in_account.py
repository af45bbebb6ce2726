"""A topic with a fan-in as the construct would have deployed it: branches, sweep, and the function that completes."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from serverless_patterns_runtime import Completion, Effects, Update
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.fan_in.announcements import Announcements
from serverless_patterns_runtime.fan_in.branch import Branch
from serverless_patterns_runtime.fan_in.heads import Heads
from serverless_patterns_runtime.fan_in.opening import Completions
from serverless_patterns_runtime.fan_in.reports import Reports
from serverless_patterns_runtime.fan_in.results import Results
from serverless_patterns_runtime.fan_in.settings import BranchSettings
from serverless_patterns_runtime.fan_in.sweeping import Sweep
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.settings import Settings

from .dynamodb_model import Table
from .guarding import BREAKERS

__all__ = [
    "BUCKET",
    "CLAIMS",
    "COMPLETED",
    "COMPLETIONS",
    "EFFECTS",
    "HEADS",
    "NAMESPACE",
    "Deployed",
    "Outside",
    "Silent",
    "dead_letters_of",
    "noted",
    "queue_of",
    "tables",
    "worked",
]

HEADS, CLAIMS, EFFECTS, COMPLETED = "fan-ins", "claims", "effects-table", "completed-table"
BUCKET, NAMESPACE = "results", "Orders"
COMPLETIONS = "https://sqs.invalid/completions"
DAY = 24 * 3600
OLDEST_SECONDS = 4 * 3600
"""Behind a breaker: what kills its probes would be held for as long as the queue keeps it."""


def tables() -> dict[str, Table]:
    return {
        HEADS: Table({"fan_in": "S"}, time_to_live="expires_at", indexes={"due": ("shard", "due")}),
        CLAIMS: Table({"claim": "S"}, time_to_live="expires_at"),
        EFFECTS: Table({"id": "S"}),
        COMPLETED: Table({"id": "S"}),
        BREAKERS: Table({"breaker": "S"}),
    }


def queue_of(branch: str, *, fifo: bool = False) -> str:
    return f"https://sqs.invalid/{branch}" + (".fifo" if fifo else "")


def dead_letters_of(queue_url: str) -> str:
    name = queue_url.removesuffix(".fifo")
    return f"{name}-dead" + queue_url[len(name) :]


class Silent:
    """Stands for the logger and for metrics; nobody listens."""

    log_level = 20

    def append_keys(self, **_: Any) -> None: ...

    def append_context_keys(self, **_: Any) -> Any:
        return nullcontext()

    def info(self, *_: Any, **__: Any) -> None: ...

    debug = warning = error = info

    def add_metric(self, **_: Any) -> None: ...

    def flush_metrics(self) -> None: ...


def noted(completion: Completion, **more: str) -> Effects:
    """What `on_complete` does: it counts, and says what it was told."""
    told = {
        "outcome": completion.outcome,
        "results": json.dumps(completion.results),
        "missing": json.dumps(completion.missing),
        "message": json.dumps(completion.message),
    }
    return Effects([Update("COMPLETED", {"id": completion.key}, add={"times": 1}, set={**told, **more})])


def worked(branch: str, payload: str, result: Any) -> Effects:
    """What a branch's function does: it counts, and keeps its result."""
    where = {"id": f"{branch} {payload}"}
    return Effects([Update("EFFECTS", where, add={"times": 1}, set={"result": json.dumps(result)})], result)


class Outside(NamedTuple):
    """What one function sees of the world."""

    dynamodb: Any
    sqs: Any
    s3: Any
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: random.Random
    log: Any
    metrics: Any
    count: Callable[..., None]
    breaker: Any = None


@dataclass(frozen=True, kw_only=True)
class Deployed:
    branches: Mapping[str, bool]
    """By name: whether its function returns Effects."""
    expected_path: str = ""
    """Of a list of branches in the body; empty: all of them take part."""
    unknown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Branches that one of them does not know: it was deployed before them."""
    deadline: int = 60
    retention: int = 30 * DAY
    key_path: str = "id"
    timeout: float = 30.0
    batch_size: int = 1
    max_concurrency: int = 2
    max_receive_count: int = 5
    retry_base: int = 5
    fifo: bool = False
    """Topic and branches; what completes is not."""
    guarded: Sequence[str] = ()
    """Branches that share a breaker. Each counts attempts, and buries what is too old."""

    @property
    def visibility_timeout(self) -> float:
        return 6 * self.timeout

    def counts_attempts(self, name: str) -> bool:
        return self.batch_size > 1 or name in self.guarded

    def native_receive_count(self, name: str) -> int:
        if name in self.guarded or (self.fifo and self.batch_size > 1):
            return 1000
        return 30 if self.counts_attempts(name) else self.max_receive_count

    def queue_url(self, name: str) -> str:
        """Of a branch."""
        return queue_of(name, fifo=self.fifo)

    def branch(self, name: str, function: Callable[..., Any], outside: Outside) -> Edge:
        heads, results = self._heads(outside), self._results(outside)
        branch = Branch(
            BranchSettings(
                branch=name,
                subscribers={
                    other: {} for other in self.branches if not self.expected_path and self._knows(name, other)
                },
                expected_path=self.expected_path,
                deadline_seconds=self.deadline,
                retention_seconds=self.retention,
                completions_queue_url=COMPLETIONS,
            ),
            heads,
            results,
            Announcements(outside.sqs, COMPLETIONS, heads, self.retention),
            Reports(NAMESPACE, HEADS, outside.log, outside.count),
            key_path=self.key_path,
            sleep=outside.sleep,
            chance=outside.random,
        )
        effects = self.branches[name]
        edge = self._edge(self.queue_url(name), name, function, outside, effects=effects, key=self.key_path)
        return edge._replace(branch=branch, breaker=outside.breaker if name in self.guarded else None)

    def completion(self, function: Callable[..., Any], outside: Outside, *, effects: bool = True) -> Edge:
        opened = Completions(self._heads(outside), self._results(outside)).open
        edge = self._edge(COMPLETIONS, "Completions", function, outside, effects=effects, key="key")
        return edge._replace(open=opened)

    def sweep(self, outside: Outside) -> Sweep:
        heads = self._heads(outside)
        return Sweep(
            heads,
            Announcements(outside.sqs, COMPLETIONS, heads, self.retention),
            Reports(NAMESPACE, HEADS, outside.log, outside.count),
            outside.random,
            outside.clock,
        )

    def _knows(self, name: str, other: str) -> bool:
        return other not in self.unknown.get(name, ())

    def _heads(self, outside: Outside) -> Heads:
        return Heads(outside.dynamodb, HEADS, NAMESPACE, outside.clock)

    def _results(self, outside: Outside) -> Results:
        return Results(lambda: outside.s3, BUCKET, NAMESPACE)

    def _edge(
        self, queue_url: str, name: str, function: Callable[..., Any], outside: Outside, *, effects: bool, key: str
    ) -> Edge:
        return Edge(
            settings=Settings(
                business_function="orders:work",
                returns_effects=effects,
                tables={"EFFECTS": EFFECTS, "COMPLETED": COMPLETED},
                claims_table_name=CLAIMS,
                claims_namespace=f"{NAMESPACE}{name}",
                claims_retention_seconds=self.retention,
                queue_url=queue_url,
                dead_letter_queue_url=dead_letters_of(queue_url),
                idempotency_key=key,
                visibility_timeout_seconds=int(self.visibility_timeout),
                max_receive_count=self.max_receive_count,
                count_attempts=self.counts_attempts(name),
                max_age_seconds=OLDEST_SECONDS if name in self.guarded else 0,
                retry_base_seconds=self.retry_base,
                retry_max_seconds=900,
            ),
            business_function=BusinessFunction(function, "orders:work", True, effects),
            dynamodb=outside.dynamodb,
            sqs=outside.sqs,
            clock=outside.clock,
            sleep=outside.sleep,
            random=outside.random,
            logger=outside.log,
            metrics=outside.metrics,
        )
