"""Topics with subscribers of every kind, in two stacks, and a ledger in which their functions leave marks."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from serverless_patterns import (
    ApiProxy,
    ClaimCheck,
    Defaults,
    FanIn,
    FanOutTopic,
    Handler,
    Route,
    SagaStateMachine,
    SagaStep,
)
from serverless_patterns.testing import Deployment, EmbeddedCloud, wait_until
from tests.live.queue_stack import AMPLE, BRIEF, LiveQueue
from tests.live.rest_calls import Api

HANDLERS = Path(__file__).parent / "handlers"
FIXED = "the cause is fixed"
BRANCHES = ("Stock", "Mail", "Abroad")
"""Those of `events` that take part in its fan-in."""
WAIT_SECONDS = 60
EVENT = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {"id": {"type": "string"}, "kind": {"type": "string"}},
}


class FanOutStack(Stack):
    def __init__(self, scope: App, id: str, partner: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        self._environment = {"PARTNER": partner}
        self.elsewhere = Stack(scope, f"{id}Elsewhere")
        Defaults.of(self.elsewhere).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self.events = self._define_events()
        self.hasty = self._define_hasty()
        self.bucket = s3.Bucket(self, "Bucket", removal_policy=RemovalPolicy.DESTROY)
        self.uploads = FanOutTopic(self, "Uploads", idempotency_key="detail.object.sequencer")
        self.uploads.add_subscriber("Catalogue", self._does("catalogue"))
        self.uploads.publish_from(self.bucket, prefix="incoming/", suffix=".jpg")
        routes = [Route("POST /events", self.events, body=EVENT)]
        self.api = ApiProxy(self, "Api", public=True, access_logs=False, routes=routes)

    def _define_events(self) -> FanOutTopic:
        events = FanOutTopic(
            self,
            "Events",
            idempotency_key="id",
            attributes={"kind": "$.kind"},
            claim_check=ClaimCheck(keep=["kind", "country"]),
            unmatched="keep",
            fan_in=FanIn(on_complete=self._does("complete")),
        )
        self.audit = sqs.Queue(self, "Audit", removal_policy=RemovalPolicy.DESTROY)
        steps = [SagaStep("Reserve", self._does("reserve"), nothing_to_undo=True)]
        self.checkout = SagaStateMachine(self, "Checkout", steps=steps)
        placed, swedish = {"kind": ["placed"]}, {"kind": ["placed"], "country": ["se"]}
        events.add_subscriber("Stock", self._does("stock"), filter=placed, filter_scope="body")
        events.add_subscriber("Mail", self._does("mail", BRIEF), filter={"kind": ["placed", "notice"]})
        events.add_subscriber(
            "Abroad", self._does("abroad", BRIEF), filter=swedish, filter_scope="body", scope=self.elsewhere
        )
        _see_again_soon(events.subscribers["Abroad"].queue)
        events.add_subscriber("Audit", self.audit, filter={"kind": [{"anything-but": "nobody's"}]})
        events.add_subscriber("Checkout", self.checkout, filter={"kind": ["checkout"]})
        return events

    def _define_hasty(self) -> FanOutTopic:
        fan_in = FanIn(on_complete=self._does("complete"), deadline=Duration.seconds(1))
        hasty = FanOutTopic(self, "Hasty", idempotency_key="id", fan_in=fan_in)
        hasty.add_subscriber("Quick", self._does("quick"))
        hasty.add_subscriber("Stalled", self._does("wait", Duration.seconds(60)))
        return hasty

    def _does(self, function: str, timeout: Duration = AMPLE) -> Handler:
        return Handler(
            HANDLERS,
            f"fan_out:{function}",
            tables={"LEDGER": self.ledger},
            environment=self._environment if function == "wait" else {},
            timeout=timeout,
            customize=_hurry,
        )


def _hurry(function: lambda_.Function) -> None:
    """Between two tries of a message there is up to a minute by default, and a test would wait for it."""
    function.add_environment("RETRY_BASE_SECONDS", "1")
    function.add_environment("RETRY_MAX_SECONDS", "1")


def _see_again_soon(queue: Any) -> None:
    """What a killed function had is seen again when its time is up, and not after six times that."""
    queue.queue.node.default_child.visibility_timeout = BRIEF.to_seconds() + 1


class LiveFan:
    """The deployed topics as publishers, subscribers and an operator see them."""

    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: FanOutStack) -> None:
        self.cloud, self.stack, self.named = cloud, stack, deployment.physical_id
        self.api = Api(deployment.url(stack.api))
        self._sns, self._dynamodb = cloud.client("sns"), cloud.client("dynamodb")
        self._subscribed = lambda topic, name: LiveQueue(cloud, deployment, stack, topic.subscribers[name].queue)
        self.branches = {name: self._subscribed(stack.events, name) for name in BRANCHES}
        self.quick, self.stalled = (self._subscribed(stack.hasty, name) for name in ("Quick", "Stalled"))
        self.starter = self._subscribed(stack.events, "Checkout")
        self.completions, self.hasty_completions = (
            LiveQueue(cloud, deployment, stack, gathering_of(topic).completions)
            for topic in (stack.events, stack.hasty)
        )

    def publish(self, bodies: Iterable[Mapping[str, Any]], topic: FanOutTopic | None = None) -> None:
        """As the topic's own publishers do, ten at once."""
        entries = [
            {"Message": json.dumps(body), "MessageAttributes": _attributes(body["id"], body.get("kind", "any"))}
            for body in bodies
        ]
        arn = self.named((topic or self.stack.events).topic)
        for start in range(0, len(entries), 10):
            batch = [{"Id": str(at), **entry} for at, entry in enumerate(entries[start : start + 10])]
            answer = self._sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=batch)
            assert not answer.get("Failed")

    def publish_as_a_stranger(self, body: Mapping[str, Any]) -> None:
        """Who knows the topic and nothing of this package."""
        self._sns.publish(TopicArn=self.named(self.stack.events.topic), Message=json.dumps(body))

    def marks(self, what: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What the ledger holds of a branch, or of `Completion`, by message."""
        found = self.branches["Stock"].marks(f"{what} {id}" for id in ids)
        return {name.removeprefix(f"{what} "): mark for name, mark in found.items()}

    def wait_marked(self, what: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        wanted = list(ids)
        wait_until(
            lambda: len(self.marks(what, wanted)) == len(wanted),
            WAIT_SECONDS,
            f"{what} of {len(wanted)} messages, the first {wanted[:3]}",
            interval_seconds=0.2,
        )
        return self.marks(what, wanted)

    def wait_ended(self, ids: Iterable[str]) -> dict[str, "End"]:
        """Completed, and nothing under way that could complete them again."""
        marks = self.wait_marked("Completion", ids)
        self.wait_drained()
        return self.ends(marks)

    def ends(self, ids: Iterable[str]) -> dict[str, "End"]:
        return {id: End.of(mark) for id, mark in self.marks("Completion", ids).items()}

    def wait_drained(self) -> None:
        """Every branch of `events` first, and then what they have announced."""
        for queue in (*self.branches.values(), self.completions):
            queue.wait_drained()

    def in_flight(self, url: str) -> int:
        name: Any = "ApproximateNumberOfMessagesNotVisible"
        answer = self.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def sweep(self, topic: FanOutTopic, *, at_once: int = 1) -> None:
        """As the rule does each minute."""
        name, client = self.named(gathering_of(topic).sweep_function), self.cloud.client("lambda")

        def invoke(_: int) -> None:
            answer = client.invoke(FunctionName=name, Payload=b"{}")
            assert "FunctionError" not in answer, answer["Payload"].read()

        with ThreadPoolExecutor(at_once) as threads:
            list(threads.map(invoke, range(at_once)))

    def head(self, topic: FanOutTopic, id: str) -> dict[str, Any]:
        """Of a message's fan-in."""
        key: Any = {"fan_in": {"S": f"{topic.node.id}#{id}"}}
        table = self.named(gathering_of(topic).table)
        item = self._dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def done(self, topic: FanOutTopic, id: str) -> set[str]:
        """Branches whose result is there."""
        return set(self.head(topic, id).get("done", ()))

    def received(self, queue: sqs.IQueue, count: int) -> list[dict[str, Any]]:
        """So many messages of a queue, or more; they are taken out."""
        client, url, taken = self.cloud.client("sqs"), self.named(queue), list[dict[str, Any]]()

        def take() -> bool:
            found: Any = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=1
            ).get("Messages", [])
            for message in found:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            taken.extend(found)
            return len(taken) >= count and not found

        wait_until(take, WAIT_SECONDS, f"{count} messages in {queue.node.id}")
        return taken


def gathering_of(topic: FanOutTopic) -> Any:
    """Its fan-in, defined."""
    assert topic.fan_in is not None
    return topic.fan_in


class End(NamedTuple):
    """What `on_complete` was told, and how often it was."""

    times: float
    outcome: str
    results: dict[str, Any]
    missing: list[str]
    text: float
    correlation_id: str

    @classmethod
    def of(cls, mark: Mapping[str, Any]) -> "End":
        said = {**mark, **{name: json.loads(mark[name]) for name in ("results", "missing")}}
        return cls(**{name: said[name] for name in cls._fields})


def _attributes(id: str, kind: str) -> dict[str, Any]:
    said = {"kind": kind, "correlation-id": f"c-{id}"}
    return {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}
