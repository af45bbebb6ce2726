"""SNS and S3 as publishing meets them: what is refused, lost or half done by a script, and everything else is kept."""

import random
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from serverless_patterns_runtime import Invocation
from serverless_patterns_runtime.fan_out_topic.contract import Publishing
from serverless_patterns_runtime.fan_out_topic.message_attributes import from_sns
from serverless_patterns_runtime.fan_out_topic.sns_topic import SnsTopic

from .. import scripted_aws
from ..consumer import Clock

TOPIC_ARN = "arn:aws:sns:eu-central-1:123456789012:OrderEvents"

SETTINGS = Publishing(
    topic_arn=TOPIC_ARN, fifo=False, key="", attributes={}, claim_check_bucket="", claim_check_keep=[]
)

Entry = dict[str, Any]

LOST = ConnectionClosedError(endpoint_url="https://sns.invalid")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://sns.invalid")

MOST_BYTES = 262_144


class Sns:
    """`faults` are taken one a request: an error before it, `after` an error, or codes of entries that fail."""

    def __init__(self) -> None:
        self.published: list[Entry] = []
        """In the order in which subscribers get them, duplicates by a lost answer among them."""
        self.faults: list[Any] = []
        self.client = scripted_aws.ScriptedClient("sns", {"PublishBatch": self._publish})
        self._deduplicated: set[str] = set()

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.client.requests("PublishBatch")

    def _publish(self, request: dict[str, Any]) -> Any:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, BaseException):
            return fault
        entries: list[Entry] = request["PublishBatchRequestEntries"]
        check_request(entries)
        failing: dict[int, tuple[str, bool]] = fault if isinstance(fault, dict) else {}
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for position, entry in enumerate(entries):
            if position in failing:
                code, senders = failing[position]
                answer["Failed"].append({"Id": entry["Id"], "Code": code, "Message": "no", "SenderFault": senders})
            else:
                self._keep(entry)
                answer["Successful"].append({"Id": entry["Id"], "MessageId": f"id-{entry['Id']}"})
        if isinstance(fault, tuple):  # ("after", error)
            return fault[1]
        return fault(answer) if callable(fault) else answer

    def _keep(self, entry: Entry) -> None:
        id = entry.get("MessageDeduplicationId")
        if id is None or id not in self._deduplicated:
            self.published.append(entry)
        if id is not None:
            self._deduplicated.add(id)


def check_request(entries: list[Entry]) -> None:
    """What SNS refuses of a whole request."""
    assert 1 <= len(entries) <= 10
    assert len({entry["Id"] for entry in entries}) == len(entries)
    assert sum(map(size, entries)) <= MOST_BYTES
    for entry in entries:
        assert len(entry["MessageAttributes"]) <= 10
        assert all(attribute.get("StringValue") != "" for attribute in entry["MessageAttributes"].values())


def size(entry: Entry) -> int:
    attributes = entry["MessageAttributes"].items()
    return len(entry["Message"].encode()) + sum(
        len(name.encode())
        + len(value["DataType"])
        + len(value["BinaryValue"] if "BinaryValue" in value else value["StringValue"].encode())
        for name, value in attributes
    )


def attributes(entry: Entry) -> dict[str, Any]:
    return dict(from_sns(entry["MessageAttributes"]))


def refused(code: str, status: int = 400) -> ClientError:
    return scripted_aws.error("PublishBatch", code, ResponseMetadata={"HTTPStatusCode": status})


class World:
    """A topic, its bucket and one invocation's time."""

    def __init__(
        self,
        *,
        seconds: float = 30.0,
        invocation_key: str = "invocation-1",
        correlation_id: str = "correlation-1",
        **settings: Any,
    ) -> None:
        self.sns = Sns()
        self.objects: dict[str, bytes] = {}
        self.s3 = scripted_aws.ScriptedClient("s3", {"PutObject": self._put})
        self.clock = Clock()
        end = self.clock.now + seconds
        self.invocation = Invocation.fake(
            idempotency_key=invocation_key, correlation_id=correlation_id, remaining=lambda: end - self.clock.now
        )
        given: Any = {**SETTINGS, **settings}
        self.topic = SnsTopic("ORDER_EVENTS", given, self._client, self.clock, self.clock.sleep, random.Random(7))

    def publish(self, *messages: Any, alone: bool = False) -> Any:
        return self.topic.publish(messages, None if alone else self.invocation)

    def _client(self, service: str) -> Any:
        return {"sns": self.sns.client, "s3": self.s3}[service]

    def _put(self, request: dict[str, Any]) -> Any:
        self.objects[request["Key"]] = request["Body"]
        return {}


def answered(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """A fault: everything is published, and the answer says this."""
    return lambda answer: change(answer)
