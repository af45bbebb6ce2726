"""How fast a full queue drains on the embedded cloud, beside a hand-written consumer without guarantees.

The emulator shares the machine with the functions and takes most of it: a ratio says what our requests add there.
"""

import time
from collections.abc import Mapping

from bench.figure import Figure
from bench.lambda_environment import sqs_event
from bench.live_app import deployed
from serverless_patterns.testing import Cloud, wait_until

NAMES = ("live_drain_vs_bare", "live_drain_leased_vs_bare")

MESSAGES = 600
ROUNDS = 5
DRAIN_SECONDS = 60


def figures() -> list[Figure]:
    from bench.live_stack import DrainStack  # here: it starts the CDK, a second that other benchmarks need not wait

    with deployed(DrainStack, "Drain") as (cloud, deployment, stack):
        queues = {name: Queue(cloud, deployment.physical_id(queue)) for name, queue in stack.queues.items()}
        rates = _best(queues)
        _check_written(cloud, deployment.physical_id(stack.orders), len(queues) * (ROUNDS + 1) * MESSAGES)
    return [_figure(NAMES[0], "effects", 0.6, rates), _figure(NAMES[1], "leased", 0.8, rates)]


def _figure(name: str, ours: str, goal: float, rates: Mapping[str, float]) -> Figure:
    return Figure(
        name=name,
        value=round(rates[ours] / rates["bare"], 3),
        unit="ratio",
        peer=1.0,
        better="higher",
        goal=goal,
        measured=f"{rates[ours]:.0f} against {rates['bare']:.0f} messages/s, best of {ROUNDS} drains of {MESSAGES}",
    )


def _check_written(cloud: Cloud, table: str, sent: int) -> None:
    """Nothing that failed or became a dead letter may count as fast."""
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table, Select="COUNT")
    written = sum(page["Count"] for page in pages)
    if written != sent:
        raise RuntimeError(f"{sent} orders were sent, {written} are in the table")


class Queue:
    """A deployed queue and the event source mapping behind it."""

    def __init__(self, cloud: Cloud, url: str) -> None:
        self._sqs, self._lambda = cloud.client("sqs"), cloud.client("lambda")
        self._url = url
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        (mapping,) = self._lambda.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        self._mapping = mapping["UUID"]

    def messages_per_second(self) -> float:
        """From the moment that consuming is switched on until the queue is empty."""
        self._consume(False)
        self._fill()
        started = time.perf_counter()
        self._consume(True)
        wait_until(self._is_empty, DRAIN_SECONDS, f"{self._url} to be empty", interval_seconds=0.05)
        return MESSAGES / (time.perf_counter() - started)

    def _consume(self, enabled: bool) -> None:
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=enabled)

    def _fill(self) -> None:
        bodies = [record["body"] for record in sqs_event(MESSAGES)["Records"]]
        for start in range(0, MESSAGES, 10):
            entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies[start : start + 10])]
            self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)

    def _is_empty(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return all(answer["Attributes"][name] == "0" for name in names)


def _best(queues: Mapping[str, Queue]) -> Mapping[str, float]:
    """Of interleaved rounds the best, since what else runs here can only slow; the first round starts the functions."""
    rounds = [{name: queue.messages_per_second() for name, queue in queues.items()} for _ in range(ROUNDS + 1)]
    return {name: max(rates[name] for rates in rounds[1:]) for name in queues}
