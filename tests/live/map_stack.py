"""Three maps in one stack: inline, distributed over the input, distributed over an object in S3."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3

from serverless_patterns import Defaults, Handler, ParallelMap, Retry, S3Items
from serverless_patterns.testing import Deployment, EmbeddedCloud, wait_until
from tests.live.honesty.raw_state_machine import Execution

HANDLERS = Path(__file__).parent / "handlers"


class MapStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        name = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=name, removal_policy=RemovalPolicy.DESTROY)
        self.bucket = s3.Bucket(self, "Manifests", removal_policy=RemovalPolicy.DESTROY)
        render, done = self._handler("render"), self._handler("done")
        given: dict[str, Any] = {"handler": render, "on_complete": done, "key": "$.id", "retry": Retry(2)}
        self.inline = ParallelMap(self, "Inline", items="$.pages", max_concurrency=4, **given)
        given |= {"max_items": 200, "max_concurrency": 4, "tolerated_failure_percent": 2}
        self.distributed = ParallelMap(self, "Distributed", items="$.document.pages", mode="distributed", **given)
        items = S3Items(self.bucket, "$.manifest", format="jsonl", prefix="manifests/")
        self.from_s3 = ParallelMap(self, "FromS3", items=items, **given | {"max_items": 4})

    def _handler(self, function: str) -> Handler:
        return Handler(HANDLERS, f"map_pages:{function}", tables={"LEDGER": self.ledger}, timeout=Duration.seconds(10))


class LiveMaps:
    """From outside."""

    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: MapStack) -> None:
        self.cloud, self.stack = cloud, stack
        self._named = deployment.physical_id
        self._states = cloud.client("stepfunctions")

    def start(self, which: ParallelMap, name: str, document: Any) -> Execution:
        request = {"stateMachineArn": self._named(which.state_machine), "name": name, "input": json.dumps(document)}
        return Execution(self._states, self._states.start_execution(**request)["executionArn"])

    def stop(self, execution: Execution) -> None:
        self._states.stop_execution(executionArn=execution.arn)

    def complete(self, which: ParallelMap, execution: Execution, status: str) -> Execution:
        """As EventBridge would: the embedded cloud tells nobody of an end."""
        machine = self._named(which.completion_state_machine)
        told = json.dumps({"arn": execution.arn, "status": status})
        return Execution(
            self._states, self._states.start_execution(stateMachineArn=machine, input=told)["executionArn"]
        )

    def put(self, key: str, text: str) -> None:
        self.cloud.client("s3").put_object(Bucket=self._named(self.stack.bucket), Key=key, Body=text.encode())

    def marks(self, which: ParallelMap, name: str) -> dict[str, int]:
        """How often each item of an execution had its effect, by key."""
        prefix = f"{which.node.id}#{name}#"
        found = self._ledger()
        return {id.removeprefix(prefix): int(it["times"]["N"]) for id, it in found.items() if id.startswith(prefix)}

    def told(self, name: str) -> dict[str, Any]:
        """What `on_complete` was told, and how often."""
        item = self._ledger()[f"done {name}"]
        numbers = {field: int(item[field]["N"]) for field in ("times", "items", "processed", "bytes")}
        failed = [[part["S"] for part in pair["L"]] for pair in item["failed"]["L"]]
        return {**numbers, "outcome": item["outcome"]["S"], "failed": failed}

    def letters(self, which: ParallelMap, number: int) -> list[tuple[Any, dict[str, Any]]]:
        """Of so many items, taken from the queue: the item, and why. One may be sent twice: the emulator goes on with
        what was stopped, beside its completion."""
        sqs, url = self.cloud.client("sqs"), self._named(which.dead_letter_queue)
        found: dict[str, tuple[Any, dict[str, Any]]] = {}

        def enough() -> bool:
            got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            for message in got.get("Messages", ()):
                why = message["MessageAttributes"]["dead-letter"]["StringValue"]
                found[json.loads(why)["idempotency_key"]] = json.loads(message["Body"]), json.loads(why)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= number

        wait_until(enough, 20, f"{number} dead letters")
        assert len(found) == number, found
        return [*found.values()]

    def _ledger(self) -> dict[str, Any]:
        pages = self.cloud.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self._named(self.stack.ledger), ConsistentRead=True)
        return {item["id"]["S"]: item for page in found for item in page["Items"]}


def pages(number: int, **broken: Sequence[int]) -> list[dict[str, Any]]:
    """`pages(40, fails=[3])`."""
    return [{"id": f"p{at}", **{why: True for why, which in broken.items() if at in which}} for at in range(number)]
