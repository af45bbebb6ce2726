"""Raw queues, tables and functions made by API: what is tested here is the emulator, not our constructs."""

import io
import json
import os
import textwrap
import time
import zipfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns.testing import Cloud, EmbeddedCloud, wait_until
from tests.live.honesty.raw_rest_api import RawRestApi
from tests.live.honesty.raw_state_machine import RawStateMachine, machine, scale_waiting

HERE = Path(__file__).parent
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    elsewhere = os.environ.get("LIVE_ENDPOINT") or os.environ.get("LIVE_AWS")
    for item in items:
        if elsewhere and HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="the honesty suite is about the emulator that we pin"))


@pytest.fixture(scope="session")
def cloud(embedded_cloud: Cloud) -> EmbeddedCloud:
    assert isinstance(embedded_cloud, EmbeddedCloud)
    return embedded_cloud


@dataclass(frozen=True)
class Queue:
    sqs: Any
    url: str
    arn: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def send(self, *bodies: str, **more: Any) -> list[str]:
        return [self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)["MessageId"] for body in bodies]

    def send_to_group(self, group: str, *bodies: str) -> None:
        for body in bodies:
            self.send(body, MessageGroupId=group, MessageDeduplicationId=body)

    def receive(self, most: int = 10) -> list[dict[str, Any]]:
        return self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=most,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])

    def wait_for(self, count: int, deadline_seconds: float = 20) -> list[dict[str, Any]]:
        """Receive until so many have come; they stay, invisible."""
        received: list[dict[str, Any]] = []

        def all_came() -> bool:
            received.extend(self.receive())
            return len(received) >= count

        wait_until(all_came, deadline_seconds, f"{count} messages in {self.url}")
        return received

    def attributes(self) -> dict[str, str]:
        return self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]

    def depth(self) -> int:
        attributes = self.attributes()
        return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])


@dataclass(frozen=True)
class Function:
    cloud: EmbeddedCloud
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}"

    def invoke(self, **event: Any) -> Any:
        """What it returns; raises what it raised, as text."""
        answer = self.cloud.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(payload["errorMessage"])
        return payload

    def warm_up(self) -> None:
        """So that a cold start on a busy machine does not outlast a short visibility timeout."""
        self.invoke(Records=[])

    def records(self) -> list[dict[str, Any]]:
        """What it printed as JSON, in order."""
        return [json.loads(line) for line in self.cloud.logs(self.name) if line.startswith("{")]


@pytest.fixture
def leftovers() -> Generator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def queue(cloud: EmbeddedCloud, leftovers: ExitStack, fresh_name: str) -> Callable[..., Queue]:
    sqs = cloud.client("sqs")
    made: list[str] = []

    def make(*, fifo: bool = False, dead_letters: tuple[Queue, int] | None = None, **attributes: str) -> Queue:
        if dead_letters:
            policy = {"deadLetterTargetArn": dead_letters[0].arn, "maxReceiveCount": dead_letters[1]}
            attributes["RedrivePolicy"] = json.dumps(policy)
        if fifo:
            attributes["FifoQueue"] = "true"
        made.append(f"{fresh_name}-{len(made)}{'.fifo' if fifo else ''}")
        url = sqs.create_queue(QueueName=made[-1], Attributes=attributes)["QueueUrl"]  # pyright: ignore[reportArgumentType]
        leftovers.callback(sqs.delete_queue, QueueUrl=url)
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return Queue(sqs, url, arn)

    return make


@pytest.fixture
def table(cloud: EmbeddedCloud, leftovers: ExitStack, fresh_name: str) -> str:
    """A table with the partition key `id`."""
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName=fresh_name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    leftovers.callback(dynamodb.delete_table, TableName=fresh_name)
    return fresh_name


@pytest.fixture
def role(cloud: EmbeddedCloud, fresh_name: str) -> Callable[..., str]:
    iam = cloud.client("iam")
    made: list[str] = []

    def make(*statements: Mapping[str, Any], service: str = "lambda") -> str:
        made.append(f"{fresh_name}-{len(made)}")
        principal = {"Service": f"{service}.amazonaws.com"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=made[-1], AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=made[-1], PolicyName="given", PolicyDocument=policy(*statements))
        return arn

    return make


@pytest.fixture
def function(
    cloud: EmbeddedCloud, leftovers: ExitStack, fresh_name: str, role: Callable[..., str]
) -> Callable[..., Function]:
    made: list[str] = []

    def make(
        source: str,
        *,
        statements: Iterable[Mapping[str, Any]] = (EVERYTHING,),
        environment: Mapping[str, str] | None = None,
        timeout: int = 10,
        layers: Iterable[str] = (),
    ) -> Function:
        made.append(f"{fresh_name}-{len(made)}")
        cloud.client("lambda").create_function(
            FunctionName=made[-1],
            Runtime="python3.13",
            Role=role(*statements),
            Handler="index.handler",
            Code={"ZipFile": zipped({"index.py": source})},
            Environment={"Variables": dict(environment or {})},
            Timeout=timeout,
            Layers=list(layers),
        )
        leftovers.callback(cloud.client("lambda").delete_function, FunctionName=made[-1])
        return Function(cloud, made[-1])

    return make


@pytest.fixture
def consume(cloud: EmbeddedCloud, leftovers: ExitStack) -> Callable[..., None]:
    """Let a function consume a queue until the test ends."""
    client = cloud.client("lambda")

    def connect(source: Queue, consumer: Function, **settings: Any) -> None:
        settings = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"], **settings}
        mapping = client.create_event_source_mapping(EventSourceArn=source.arn, FunctionName=consumer.name, **settings)
        leftovers.callback(client.delete_event_source_mapping, UUID=mapping["UUID"])

    return connect


@pytest.fixture
def steadily() -> Callable[[Callable[[], object], float], None]:
    """Fail as soon as an answer stops being true before the time is over: for what must not happen."""

    def hold(condition: Callable[[], object], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert condition()
            time.sleep(0.1)

    return hold


def zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, source in files.items():
            archive.writestr(name, textwrap.dedent(source))
    return buffer.getvalue()


@pytest.fixture
def layer(cloud: EmbeddedCloud, leftovers: ExitStack, fresh_name: str) -> Callable[[Mapping[str, str]], str]:
    client = cloud.client("lambda")

    def make(files: Mapping[str, str]) -> str:
        content = {"ZipFile": zipped({f"python/{name}": source for name, source in files.items()})}
        version = client.publish_layer_version(LayerName=fresh_name, Content=content)
        leftovers.callback(client.delete_layer_version, LayerName=fresh_name, VersionNumber=version["Version"])
        return version["LayerVersionArn"]

    return make


@pytest.fixture
def rest_api(cloud: EmbeddedCloud, leftovers: ExitStack, fresh_name: str) -> Callable[..., RawRestApi]:
    def make(**settings: Any) -> RawRestApi:
        made = RawRestApi(cloud, fresh_name, **settings)
        leftovers.callback(made.client.delete_rest_api, restApiId=made.id)
        made.deploy()
        return made

    return make


@pytest.fixture
def state_machine(
    cloud: EmbeddedCloud, leftovers: ExitStack, fresh_name: str, role: Callable[..., str]
) -> Callable[..., RawStateMachine]:
    """Made from its states, the first first."""
    client = cloud.client("stepfunctions")
    made: list[str] = []

    def make(
        states: Mapping[str, Any], *, statements: Iterable[Mapping[str, Any]] = (EVERYTHING,), **settings: Any
    ) -> RawStateMachine:
        made.append(f"{fresh_name}-{len(made)}")
        settings = {"definition": machine(states), "roleArn": role(*statements, service="states"), **settings}
        arn = client.create_state_machine(name=made[-1], **settings)["stateMachineArn"]
        leftovers.callback(client.delete_state_machine, stateMachineArn=arn)
        return RawStateMachine(client, arn)

    return make


@pytest.fixture
def waiting(cloud: EmbeddedCloud) -> Generator[Callable[[float], None]]:
    """Let a second of a state machine's waiting, or of a retry's, take so long."""

    yield lambda seconds: scale_waiting(cloud, seconds)
    scale_waiting(cloud, 1)


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass(frozen=True)
class UserPool:
    client: Any
    id: str
    app: str

    @property
    def arn(self) -> str:
        return f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{self.id}"

    def sign_in(self, name: str, password: str = "Correct-horse-1") -> str:
        """Make the user; an identity token of theirs."""
        self.client.admin_create_user(UserPoolId=self.id, Username=name, MessageAction="SUPPRESS")
        self.client.admin_set_user_password(UserPoolId=self.id, Username=name, Password=password, Permanent=True)
        answer = self.client.admin_initiate_auth(
            UserPoolId=self.id,
            ClientId=self.app,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )
        return answer["AuthenticationResult"]["IdToken"]


@pytest.fixture
def user_pool(cloud: EmbeddedCloud, leftovers: ExitStack, fresh_name: str) -> UserPool:
    client = cloud.client("cognito-idp")
    id = client.create_user_pool(PoolName=fresh_name)["UserPool"]["Id"]
    leftovers.callback(client.delete_user_pool, UserPoolId=id)
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    app = client.create_user_pool_client(UserPoolId=id, ClientName="app", ExplicitAuthFlows=flows)["UserPoolClient"]
    return UserPool(client, id, app["ClientId"])
