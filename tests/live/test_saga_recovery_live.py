"""A saga that is stopped from outside is undone; what was parked is resumed by the command, as an operator runs it.

The embedded cloud tells nobody of an execution's end, so the guardian hears of it by its sweep, which tests begin.
"""

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from serverless_patterns import Defaults, Handler, Retry, SagaStateMachine, SagaStep, SagaWait
from serverless_patterns.testing import Deployment, EmbeddedCloud, wait_until
from tests.live.handlers.checkout_steps import CLOSED

HANDLERS = Path(__file__).parent / "handlers"
COMMAND = [sys.executable, "-m", "serverless_patterns.cli", "saga"]
DEADLINE_SECONDS = 60


class SagaStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        steps = [
            SagaStep("Reserve", self._handler("reserve"), compensation=self._handler("release")),
            SagaStep("Pack", self._handler("pack"), nothing_to_undo=True, retry=Retry(1)),
            SagaWait("Cool", duration=Duration.days(1)),
        ]
        self.saga = SagaStateMachine(self, "Checkout", steps=steps)
        self.role = iam.Role(self, "Operator", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore
        self.saga.grant_resume(self.role)
        CfnOutput(self, "Guardian", value=self.saga.guardian.function_name)

    def _handler(self, function: str) -> Handler:
        tables = {"LEDGER": self.ledger}
        return Handler(HANDLERS, f"checkout_steps:{function}", tables=tables, timeout=Duration.seconds(10))


class LiveSaga:
    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: SagaStack) -> None:
        self._cloud = cloud
        self._states, self._dynamodb, self._lambda = map(cloud.client, ("stepfunctions", "dynamodb", "lambda"))  # type: ignore[arg-type]
        self._machine = deployment.physical_id(stack.saga.state_machine)
        self._recovery = deployment.physical_id(stack.saga.recovery_state_machine)
        self._ledger = deployment.physical_id(stack.ledger)
        self._claims = deployment.physical_id(stack.saga.claims)  # type: ignore[arg-type]
        self.guardian = deployment.physical_id(stack.saga.guardian)  # type: ignore[arg-type]
        self._environment = self._as(deployment.physical_id(stack.role))

    def start(self, name: str, **given: Any) -> None:
        self._states.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps({"id": name, **given}))

    def stop(self, name: str) -> None:
        self._states.stop_execution(executionArn=self._arn(self._machine, name))

    def sweep(self) -> None:
        told = self._lambda.invoke(FunctionName=self.guardian, Payload=b'{"task": "sweep"}')
        assert "FunctionError" not in told, told["Payload"].read()

    def end(self, name: str, *, recovery: bool = False) -> dict[str, Any]:
        arn = self._arn(self._recovery if recovery else self._machine, name)

        def ended() -> bool:
            return self._states.describe_execution(executionArn=arn)["status"] != "RUNNING"

        wait_until(ended, DEADLINE_SECONDS, f"{name} to end")
        return dict(self._states.describe_execution(executionArn=arn))

    def recoveries(self) -> list[str]:
        return [one["name"] for one in self._states.list_executions(stateMachineArn=self._recovery)["executions"]]

    def wait_for(self, name: str, state: str) -> None:
        def entered() -> bool:
            events = self._states.get_execution_history(executionArn=self._arn(self._machine, name))["events"]
            return any(event.get("stateEnteredEventDetails", {}).get("name") == state for event in events)

        wait_until(entered, DEADLINE_SECONDS, f"{name} to enter {state}")

    def mark(self, id: str) -> None:
        self._dynamodb.put_item(TableName=self._ledger, Item={"id": {"S": id}})

    def unmark(self, id: str) -> None:
        self._dynamodb.delete_item(TableName=self._ledger, Key={"id": {"S": id}})

    def is_marked(self, id: str) -> bool:
        key = {"id": {"S": id}}
        return "Item" in self._dynamodb.get_item(TableName=self._ledger, Key=key, ConsistentRead=True)

    def claim(self, key: str) -> dict[str, Any]:
        found = self._dynamodb.get_item(TableName=self._claims, Key={"claim": {"S": key}}, ConsistentRead=True)
        return dict(found.get("Item", {}))

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """The command, with the rights of somebody who may resume, and no others."""
        command = [*COMMAND, *arguments]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout

    def _arn(self, machine: str, name: str) -> str:
        return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"

    def _as(self, role: str) -> dict[str, str]:
        arn = self._cloud.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        given = self._cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="operator")["Credentials"]
        return dict(self._cloud.environment) | {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }


@pytest.fixture(scope="module")
def saga(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveSaga]:
    app = embedded_cloud.app(tmp_path_factory.mktemp("saga") / "cdk.out")
    stack = SagaStack(app, "Recoveries")
    with embedded_cloud.deploy(app) as deployment:
        yield LiveSaga(embedded_cloud, deployment, stack)


def test_an_execution_that_is_stopped_is_undone(saga: LiveSaga) -> None:
    saga.start("stopped")
    saga.wait_for("stopped", "Cool")
    assert saga.is_marked("stopped")
    saga.stop("stopped")
    saga.sweep()
    end = saga.end("stopped-1", recovery=True)
    assert (end["status"], json.loads(end["output"])["status"]) == ("SUCCEEDED", "COMPENSATED")
    assert not saga.is_marked("stopped")
    saga.sweep()
    assert saga.recoveries().count("stopped-1") == len([it for it in saga.recoveries() if it.startswith("stopped")])
    assert "stopped" not in saga.run("list", saga.guardian)


def test_what_was_parked_is_resumed_by_the_command(saga: LiveSaga) -> None:
    saga.mark(CLOSED)
    saga.start("parked", broken=True)
    assert saga.end("parked")["error"] == "COMPENSATION_PARKED"
    assert saga.is_marked("parked")
    saga.sweep()
    assert saga.recoveries().count("parked-1") == 0

    listed = json.loads(saga.run("list", saga.guardian, "--json"))["executions"]
    assert [(it["execution"], it["outcome"]) for it in listed] == [("parked", "COMPENSATION_PARKED")]
    assert CLOSED in saga.run("show", saga.guardian, "parked")

    saga.run("resume", saga.guardian, "parked", "--reason", "tried too early", "--yes")
    assert saga.end("parked-1", recovery=True)["error"] == "COMPENSATION_PARKED"

    saga.unmark(CLOSED)
    saga.run("resume", saga.guardian, "parked", "--reason", "it has opened again", "--yes")
    end = saga.end("parked-2", recovery=True)
    assert (end["status"], json.loads(end["output"])["error"]["Error"]) == ("SUCCEEDED", "PermanentError")
    assert not saga.is_marked("parked")
    assert saga.claim("parked#Checkout#parked#Reserve")["settled_by"] == {"S": "parked-2"}
    assert "it has opened again" in saga.run("show", saga.guardian, "parked")
    assert json.loads(saga.run("list", saga.guardian, "--json"))["executions"] == []
