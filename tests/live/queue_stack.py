"""One stack with a queue for each way of consuming, and a ledger in which their functions leave marks."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns import Defaults, Handler, LoadLeveledQueue
from serverless_patterns.testing import Cloud, Deployment, wait_until

HANDLERS = Path(__file__).parent / "handlers"
CAP = 2
BRIEF = Duration.seconds(2)  # a killed function's message is seen again after six times this
AMPLE = Duration.seconds(5)  # where nothing is killed: no batch runs out of it, however busy the machine
DRAIN_SECONDS = 90


class HasLedger(Protocol):
    ledger: dynamodb.TableV2


class QueueStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        self.steady = self._queue("Steady", "ledger:record", timeout=AMPLE)
        self.leased = self._queue("Leased", "ledger:call", timeout=AMPLE)
        self.ordered = self._queue("Ordered", "ledger:record", fifo=True)
        self.grouped = self._queue("Grouped", "ledger:record", fifo=True, batch_size=5, max_receive_count=3)

    def _queue(self, id: str, function: str, *, timeout: Duration = BRIEF, **how: Any) -> LoadLeveledQueue:
        handler = Handler(HANDLERS, function, tables={"LEDGER": self.ledger}, timeout=timeout)
        quick = {"retry_base_delay": Duration.seconds(1), "retry_max_delay": Duration.seconds(2)}
        return LoadLeveledQueue(self, id, consumer=handler, max_concurrency=CAP, idempotency_key="id", **quick, **how)


class LiveQueue:
    """A deployed queue as a sender and an operator see it."""

    def __init__(self, cloud: Cloud, deployment: Deployment, stack: HasLedger, queue: LoadLeveledQueue) -> None:
        self._cloud = cloud
        self._sqs = cloud.client("sqs")
        self._ledger = deployment.physical_id(stack.ledger)
        self.url = deployment.physical_id(queue.queue)
        self.dead_letter_url = deployment.physical_id(queue.dead_letter_queue)
        self.function_name = deployment.physical_id(queue.consumer_function)

    def send(self, works: Iterable[Mapping[str, Any]], *, group: str | None = None) -> None:
        self.send_bodies([json.dumps(work) for work in works], group=group)

    def send_bodies(self, bodies: list[str], *, group: str | None = None, **more: Any) -> None:
        for start in range(0, len(bodies), 10):
            entries: list[Any] = [
                {"Id": str(at), "MessageBody": body, **more} for at, body in enumerate(bodies[start : start + 10])
            ]
            for entry in entries if group else ():
                entry |= {"MessageGroupId": group, "MessageDeduplicationId": f"{group}-{start}-{entry['Id']}"}
            answer = self._sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
            assert not answer.get("Failed")

    def wait_drained(self) -> None:
        wait_until(lambda: self.depth(self.url) == 0, DRAIN_SECONDS, f"{self.url} to be drained", interval_seconds=0.2)

    def depth(self, url: str) -> int:
        names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def marks(self, ids: Iterable[str]) -> dict[str, dict[str, float | str]]:
        """What the ledger holds of these ids: numbers as floats."""
        dynamodb = self._cloud.client("dynamodb")
        found: dict[str, dict[str, float | str]] = {}
        for id in ids:
            item = dynamodb.get_item(TableName=self._ledger, Key={"id": {"S": id}}, ConsistentRead=True).get("Item")
            if item:
                found[id] = {
                    name: float(value["N"]) if "N" in value else value.get("S", "") for name, value in item.items()
                }
        return found

    def write_mark(self, id: str) -> None:
        item: Any = {"id": {"S": id}, "times": {"N": "1"}}
        self._cloud.client("dynamodb").put_item(TableName=self._ledger, Item=item)

    def take_dead_letters(self, count: int) -> list[dict[str, Any]]:
        """Wait until there are this many, and take them all out."""
        wait_until(lambda: self.depth(self.dead_letter_url) >= count, DRAIN_SECONDS, f"{count} dead letters")
        taken: list[dict[str, Any]] = []
        while len(taken) < count:
            answer = self._sqs.receive_message(
                QueueUrl=self.dead_letter_url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
                WaitTimeSeconds=1,
            )
            for message in answer.get("Messages", []):
                self._sqs.delete_message(QueueUrl=self.dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(dict(message))
        return taken


def reason_of(dead_letter: dict[str, Any]) -> dict[str, Any]:
    return json.loads(dead_letter["MessageAttributes"]["dead-letter"]["StringValue"])


def peak(intervals: Iterable[tuple[float, float]]) -> int:
    """How many intervals overlap at the worst moment; an end makes room before a start at the same time."""
    moments = sorted(moment for start, end in intervals for moment in ((start, 1), (end, -1)))
    running = most = 0
    for _, change in moments:
        running += change
        most = max(most, running)
    return most
