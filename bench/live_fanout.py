"""From publishing to the last subscriber's effect on the embedded cloud, beside the CDK's own constructs.

Both topics have three subscribers, each a queue and a function that writes the order to a table; the peer's remember
nothing and log one line a batch. The emulator shares the machine with all of it: a ratio says what our requests add.
"""

import time
from collections.abc import Mapping, Sequence

from bench.figure import Figure
from bench.lambda_environment import sqs_event
from bench.live_app import deployed
from serverless_patterns.testing import Cloud, wait_until

NAMES = ("fanout_delay_vs_l2", "fanout_rate_vs_l2")

SINGLES = 15
MESSAGES = 200
ROUNDS = 3
SECONDS = 120


def figures() -> list[Figure]:
    from bench.fanout_stack import FanStack  # here: it starts the CDK, a second that other benchmarks need not wait

    with deployed(FanStack, "Fan") as (cloud, deployment, stack):
        fans = {
            name: Fan(cloud, deployment.physical_id(topic), [deployment.physical_id(table) for table in tables])
            for name, (topic, tables) in stack.topics.items()
        }
        rounds = [{name: fan.messages_per_second() for name, fan in fans.items()} for _ in range(ROUNDS + 1)]
        delays = [{name: fan.delay() for name, fan in fans.items()} for _ in range(SINGLES)]
    return [_delay(delays), _rate(rounds[1:])]  # the first round starts the functions


Measured = Sequence[Mapping[str, float]]


def _delay(delays: Measured) -> Figure:
    """Of interleaved messages the median: one alone is the emulator's next poll, sooner or later."""
    ours, plain = (_median([one[name] for one in delays]) for name in ("ours", "plain"))
    return Figure(
        name=NAMES[0],
        value=round(ours / plain, 3),
        unit="ratio",
        peer=1.0,
        better="lower",
        goal=1.2,
        measured=f"{ours * 1000:.0f} against {plain * 1000:.0f} ms, median of {SINGLES} messages one by one",
    )


def _rate(rounds: Measured) -> Figure:
    """Of interleaved rounds the best, since what else runs here can only slow."""
    ours, plain = (max(one[name] for one in rounds) for name in ("ours", "plain"))
    return Figure(
        name=NAMES[1],
        value=round(ours / plain, 3),
        unit="ratio",
        peer=1.0,
        better="higher",
        goal=0.8,
        measured=f"{ours:.0f} against {plain:.0f} messages/s to three subscribers, best of {ROUNDS} x {MESSAGES}",
    )


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


class Fan:
    """A deployed topic and the tables that its subscribers write to."""

    def __init__(self, cloud: Cloud, topic_arn: str, tables: Sequence[str]) -> None:
        self._sns, self._dynamodb = cloud.client("sns"), cloud.client("dynamodb")
        self._topic_arn, self._tables = topic_arn, tables
        self._sent = 0

    def messages_per_second(self) -> float:
        """From the first message's publishing until every table has every order."""
        return MESSAGES / self._seconds(MESSAGES, 0.05)

    def delay(self) -> float:
        """Of one message."""
        return self._seconds(1, 0.005)

    def _seconds(self, messages: int, interval_seconds: float) -> float:
        bodies = [record["body"] for record in sqs_event(messages)["Records"]]
        self._sent += messages
        started = time.perf_counter()
        for start in range(0, messages, 10):
            entries = [{"Id": str(at), "Message": body} for at, body in enumerate(bodies[start : start + 10])]
            if self._sns.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=entries).get("Failed"):
                raise RuntimeError("not everything was published")
        wait_until(self._is_written, SECONDS, f"{self._sent} orders in each table", interval_seconds=interval_seconds)
        return time.perf_counter() - started

    def _is_written(self) -> bool:
        """Each effect is an item, so that what failed or became a dead letter never counts as fast."""
        return all(self._count(table) >= self._sent for table in self._tables)

    def _count(self, table: str) -> int:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
        return sum(page["Count"] for page in pages)
