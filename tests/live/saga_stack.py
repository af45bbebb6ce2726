"""One stack with a saga of three steps: one with effects in our transaction, one outside, one behind the pivot."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns import Defaults, Handler, Retry, SagaStateMachine, SagaStep
from serverless_patterns.testing import Deployment, EmbeddedCloud
from tests.interpreters.trace import Step, trace_of
from tests.live.honesty.raw_state_machine import Execution

HANDLERS = Path(__file__).parent / "handlers"
BRIEF = Duration.seconds(5)  # a killed step is tried again six seconds after this
AMPLE = Duration.seconds(10)
STEPS = ("ReserveStock", "ChargeCard", "Ship")


class SagaStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        twice = {"retry": Retry(2), "compensation_retry": Retry(2)}
        declared = {"no_effect_errors": ["Declined"]}
        reserve, charge = (
            SagaStep("ReserveStock", self._does("reserve"), compensation=self._does("release"), **twice, **declared),
            SagaStep(
                "ChargeCard",
                self._does("charge", timeout=BRIEF),
                compensation=self._does("refund"),
                pivot=True,
                **twice,
                **declared,
            ),
        )
        ship = SagaStep("Ship", self._does("ship"), retry=Retry(2))
        self.saga = SagaStateMachine(self, "Checkout", steps=[reserve, charge, ship])

    def _does(self, function: str, timeout: Duration = AMPLE) -> Handler:
        return Handler(HANDLERS, f"checkout:{function}", tables={"LEDGER": self.ledger}, timeout=timeout)


class LiveSaga:
    """A deployed saga, from outside."""

    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: SagaStack) -> None:
        self.cloud = cloud
        self._named = deployment.physical_id
        self._stack = stack

    def start(self, name: str, script: Mapping[str, Any]) -> Execution:
        states = self.cloud.client("stepfunctions")
        machine, document = self._named(self._stack.saga.state_machine), json.dumps({"script": script})
        return Execution(
            states, states.start_execution(stateMachineArn=machine, name=name, input=document)["executionArn"]
        )

    def trace(self, execution: Execution) -> list[Step]:
        execution.ended(60)
        return trace_of(execution.history())

    def function_of(self, step: str) -> str:
        return self._named(self._stack.saga.function_for(step))

    def net(self, name: str) -> dict[str, int]:
        """By step, what an execution has done and not undone."""
        items = self._items(self._stack.ledger)
        found = {item["id"]["S"]: int(item["net"]["N"]) for item in items}
        return {step: found.get(f"Checkout#{name}#{step}", 0) for step in STEPS}

    def parked(self, name: str) -> list[str]:
        """Steps of an execution."""
        items = self._items(self._stack.saga.claims)
        return sorted(item["step"]["S"] for item in items if item["claim"]["S"].startswith(f"parked#Checkout#{name}#"))

    def _items(self, table: Any) -> list[Any]:
        client = self.cloud.client("dynamodb")
        pages = client.get_paginator("scan").paginate(TableName=self._named(table), ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]
