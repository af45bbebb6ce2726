"""`serverless-patterns` as an operator runs it: a process of its own, deployed queues, the shipped consumer."""

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from serverless_patterns import Defaults, Handler, LoadLeveledQueue
from serverless_patterns.testing import Deployment, EmbeddedCloud, wait_until
from tests.live.queue_stack import HANDLERS, LiveQueue

FIXED = "the cause is fixed"
COMMAND = [sys.executable, "-m", "serverless_patterns.cli"]
DEADLINE_SECONDS = 60


class RedriveStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        handler = Handler(HANDLERS, "ledger:record", tables={"LEDGER": self.ledger}, timeout=Duration.seconds(5))
        self.shop = LoadLeveledQueue(self, "Shop", consumer=handler, max_concurrency=2, idempotency_key="id")
        self.plain, self.plain_dead = self._pair("Plain", fifo=None)
        self.ordered, self.ordered_dead = self._pair("Ordered", fifo=True)
        self.role = iam.Role(self, "Operator", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore
        self.shop.grant_redrive(self.role)
        CfnOutput(self, "ShopQueue", value=self.shop.queue.queue_url)
        CfnOutput(self, "PlainDeadLetters", value=self.plain_dead.queue_arn)

    def _pair(self, id: str, *, fifo: bool | None) -> tuple[sqs.Queue, sqs.Queue]:
        dead = sqs.Queue(self, f"{id}Dead", fifo=fifo, removal_policy=RemovalPolicy.DESTROY)
        after = sqs.DeadLetterQueue(queue=dead, max_receive_count=2)
        return sqs.Queue(self, id, fifo=fifo, dead_letter_queue=after, removal_policy=RemovalPolicy.DESTROY), dead


class Operator:
    """At a shell, with credentials for the cloud."""

    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: RedriveStack) -> None:
        self.cloud, self.deployment, self.stack = cloud, deployment, stack
        self.sqs = cloud.client("sqs")
        self.environment = cloud.environment

    def as_role(self, role: iam.Role) -> "Operator":
        """The same, with the rights of a role alone."""
        arn = self.cloud.client("iam").get_role(RoleName=self.deployment.physical_id(role))["Role"]["Arn"]
        given = self.cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="operator")["Credentials"]
        operator = Operator(self.cloud, self.deployment, self.stack)
        operator.environment = self.cloud.environment | {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }
        return operator

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        command = [*COMMAND, *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen([*COMMAND, *arguments], env=self.environment, stdout=subprocess.PIPE, text=True)

    def url(self, queue: sqs.Queue) -> str:
        return self.deployment.physical_id(queue)

    def counts(self, queue: sqs.Queue) -> tuple[int, int]:
        """Visible and hidden messages."""
        names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=names)["Attributes"]
        return int(attributes[names[0]]), int(attributes[names[1]])

    def wait_for(self, queue: sqs.Queue, visible: int) -> None:
        """So many messages, and none hidden."""
        message = f"{visible} visible messages in {queue.node.id}"
        wait_until(lambda: self.counts(queue) == (visible, 0), DEADLINE_SECONDS, message)

    def take(self, queue: sqs.Queue) -> list[Any]:
        taken: list[Any] = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.url(queue),
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            taken += messages
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.url(queue), ReceiptHandle=message["ReceiptHandle"])
        return taken


@pytest.fixture(scope="module")
def operator(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[Operator]:
    app = embedded_cloud.app(Path(tmp_path_factory.mktemp("redrive")) / "cdk.out")
    stack = RedriveStack(app, "Redrive")
    with embedded_cloud.deploy(app) as deployment:
        yield Operator(embedded_cloud, deployment, stack)


def test_after_the_fix_a_redrive_brings_back_what_was_fixed_and_each_has_one_effect(operator: Operator) -> None:
    stack = operator.stack
    queue = LiveQueue(operator.cloud, operator.deployment, stack, stack.shop)  # type: ignore[arg-type]
    broken, healthy = [f"broken-{n}" for n in range(12)], [f"healthy-{n}" for n in range(5)]
    queue.send({"id": id, "needs_fix": True} for id in broken)
    queue.send({"id": id} for id in healthy)
    queue.send_bodies(["{", "[", "not json"])
    queue.wait_drained()
    wait_until(lambda: queue.depth(queue.dead_letter_url) == 15, DEADLINE_SECONDS, "15 dead letters")

    seen = json.loads(operator.run("peek", "Redrive.ShopQueue", "--json"))
    assert {(r["reason"], r["error_type"], r["messages"]) for r in seen["reasons"]} >= {
        ("not fixed yet", "PermanentError", 12)
    }
    assert seen["messages"] == 15

    queue.write_mark(FIXED)
    shown = json.loads(operator.run("redrive", "Redrive.ShopQueue", "--reason", "not fixed", "--yes", "--json"))
    assert (shown["complete"], len(shown["moved"])) == (True, 12)
    queue.wait_drained()
    everything = [*broken, *healthy]
    assert {id: mark["times"] for id, mark in queue.marks(everything).items()} == dict.fromkeys(everything, 1.0)
    table = operator.run("peek", "Redrive.ShopQueue")
    assert "not fixed yet" not in table
    assert "\n3 messages. SQS deletes the oldest in 13 d 23 h.\n" in table


def test_an_operator_who_was_granted_the_redrive_and_nothing_else_can_do_it(operator: Operator) -> None:
    stack = operator.stack
    queue = LiveQueue(operator.cloud, operator.deployment, stack, stack.shop)  # type: ignore[arg-type]
    granted = operator.as_role(stack.role)
    for body in ("granted {", "granted ["):
        operator.sqs.send_message(QueueUrl=queue.dead_letter_url, MessageBody=body)
    assert json.loads(granted.run("peek", queue.url, "--json"))["messages"] >= 2
    shown = json.loads(granted.run("redrive", queue.url, "--limit", "1", "--yes", "--json"))
    assert (shown["complete"], len(shown["moved"])) == (True, 1)


def test_what_sqs_dead_lettered_itself_is_named_and_comes_back_with_its_message_id_as_key(operator: Operator) -> None:
    queue, dead = operator.stack.plain, operator.stack.plain_dead
    sent = operator.sqs.send_message(QueueUrl=operator.url(queue), MessageBody="slow")["MessageId"]

    def dead_lettered() -> bool:
        operator.sqs.receive_message(QueueUrl=operator.url(queue), VisibilityTimeout=0)
        return operator.counts(dead) == (1, 0)

    wait_until(dead_lettered, DEADLINE_SECONDS, "the dead letter")
    assert " received more than 2 times " in operator.run("peek", operator.url(queue).rsplit("/", 1)[-1])
    operator.wait_for(dead, 1)
    operator.run("redrive", operator.url(queue), "--yes")
    [message] = operator.take(queue)
    redrive = json.loads(message["MessageAttributes"]["redrive"]["StringValue"])
    assert (message["Body"], redrive) == ("slow", {"idempotency_key": sent, "correlation_id": sent})
    assert operator.take(dead) == []


def put_dead(operator: Operator, dead: sqs.Queue, count: int, groups: int = 0) -> None:
    for number in range(count):
        fifo: Any = {"MessageGroupId": f"g{number % groups}", "MessageDeduplicationId": str(number)} if groups else {}
        operator.sqs.send_message(QueueUrl=operator.url(dead), MessageBody=str(number), **fifo)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_redrive_hides_nothing_and_the_same_command_finishes(operator: Operator, number: int) -> None:
    queue, dead = operator.stack.plain, operator.stack.plain_dead
    put_dead(operator, dead, 30)
    command = ("redrive", "Redrive.PlainDeadLetters", "--to", operator.url(queue), "--yes")
    with operator.start(*command, "--rate", "5") as process:
        wait_until(lambda: operator.counts(queue)[0] > 4, DEADLINE_SECONDS, "some to be moved")
        process.send_signal(number)
        printed = process.communicate(timeout=DEADLINE_SECONDS)[0]
    assert "\nStopped: interrupted.\n" in printed
    assert process.returncode == 1
    moved = int(printed.split("\nMoved ")[1].split()[0])
    assert 5 <= moved < 30
    operator.wait_for(dead, 30 - moved)
    operator.run(*command, "--rate", "1000")
    assert sorted(int(message["Body"]) for message in operator.take(queue)) == list(range(30))
    operator.wait_for(dead, 0)


def test_fifo_groups_come_back_in_order_and_what_an_earlier_run_had_sent_is_not_sent_twice(operator: Operator) -> None:
    queue, dead = operator.stack.ordered, operator.stack.ordered_dead
    put_dead(operator, dead, 25, groups=2)
    letters = json.loads(operator.run("peek", operator.url(dead), "--json", "--bodies"))["letters"]
    first = next(letter for letter in letters if letter["body"] == "0")
    # As a run leaves it that is killed between sending and deleting.
    deduplication_id = f"redrive-{first['message_id']}"
    operator.sqs.send_message(
        QueueUrl=operator.url(queue), MessageBody="0", MessageGroupId="g0", MessageDeduplicationId=deduplication_id
    )
    operator.run("redrive", operator.url(dead), "--to", operator.url(queue), "--yes", "--rate", "1000")
    messages = operator.take(queue)
    for group in (0, 1):
        bodies = [int(m["Body"]) for m in messages if m["Attributes"]["MessageGroupId"] == f"g{group}"]
        assert bodies == list(range(group, 25, 2))
    operator.wait_for(dead, 0)


def test_a_name_that_is_wrong_ends_with_what_to_type(operator: Operator) -> None:
    command = [*COMMAND, "peek", "Redrive.Shop"]
    done = subprocess.run(command, env=operator.cloud.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: Stack Redrive has no output Shop. Its outputs: PlainDeadLetters, ShopQueue.\n"
