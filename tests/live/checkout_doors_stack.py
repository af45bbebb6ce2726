"""One saga behind an API."""

import json
from pathlib import Path
from typing import Any, cast

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns import (
    ApiProxy,
    Defaults,
    Handler,
    LambdaAuthorizer,
    Route,
    SagaApproval,
    SagaStateMachine,
    SagaStep,
)

HANDLERS = Path(__file__).parent / "handlers"
ORDER = {"type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "string"}}}


class CheckoutDoorsStack(Stack):
    def __init__(self, scope: App, id: str, *, version: int = 1) -> None:
        """The second version has one step more and one approval less, and every function is another one."""
        super().__init__(scope, id)
        self._version = version
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        self.saga = SagaStateMachine(
            self,
            "Checkout",
            steps=[
                SagaStep(
                    "Reserve",
                    self._handler("reserve"),
                    compensation=self._handler("release"),
                    no_effect_errors=["SoldOut"],
                ),
                SagaStep("Ship", self._handler("ship"), compensation=self._handler("call_back")),
            ],
        )
        notify, large, huge = self._handler("tell_manager"), *map(_above, (1_000, 100_000))
        manager = SagaApproval(
            "Manager",
            when=sfn.Condition.and_(large, sfn.Condition.not_(huge)),
            notify=notify,
            timeout=Duration.hours(1),
        )
        auditor = SagaApproval("Auditor", when=huge, notify=notify, timeout=Duration.hours(1))
        self.asking = SagaStateMachine(
            self,
            "Asking",
            retired_steps=[auditor] if version > 1 else [],
            steps=[
                SagaStep("Reserve", self._handler("reserve"), compensation=self._handler("release")),
                manager,
                *([auditor] if version == 1 else []),
                SagaStep("Ship", self._handler("ship"), compensation=self._handler("call_back")),
                *([SagaStep("Bill", self._handler("call_back"), nothing_to_undo=True)] if version > 1 else []),
            ],
        )
        self.impatient = SagaStateMachine(
            self,
            "Impatient",
            steps=[
                SagaStep("Reserve", self._handler("reserve"), compensation=self._handler("release")),
                SagaApproval("Manager", notify=self._handler("tell_manager"), timeout=Duration.seconds(60)),
            ],
        )
        # A minute is the shortest that synth allows: too long for a test.
        self._shorten(self.impatient, seconds=3)
        self.api = ApiProxy(
            self,
            "Api",
            authorizer=LambdaAuthorizer(self._handler("identify", tables={})),
            access_logs=False,
            routes=[
                Route("POST /checkout", self.saga.start(), body=ORDER),
                Route("GET /checkout/{execution}", self.saga.status(results=["Ship"])),
                Route("GET /all/{execution}", self.saga.status(any_caller=True)),
                Route("POST /asking", self.asking.start(), body=ORDER),
                Route("GET /asking/{execution}", self.asking.status(results=["Manager"])),
                Route("POST /approvals/{id}", self.asking.decision("Manager")),
                Route("POST /audits/{id}", self.asking.decision("Auditor")),
                Route("POST /impatient", self.impatient.start(), body=ORDER),
                Route("GET /impatient/{execution}", self.impatient.status()),
                Route("POST /late/{id}", self.impatient.decision("Manager")),
            ],
        )

    def _shorten(self, saga: SagaStateMachine, *, seconds: int) -> None:
        resource = cast(sfn.CfnStateMachine, saga.state_machine.node.default_child)
        text = resource.definition_string
        assert text is not None
        whole = json.dumps(self.resolve(text))
        for name, now in (("Heartbeat", 30), ("Timeout", 90)):
            assert f'\\"{name}Seconds\\":{now}' in whole
            whole = whole.replace(f'\\"{name}Seconds\\":{now}', f'\\"{name}Seconds\\":{now * seconds // 30}')
        resource.add_property_override("DefinitionString", json.loads(whole))

    def _handler(self, function: str, **more: Any) -> Handler:
        given = {"tables": {"LEDGER": self.ledger}, "environment": {"DEPLOYED": str(self._version)}, **more}
        return Handler(HANDLERS, f"checkout_doors:{function}", **given)


def _above(amount: int) -> sfn.Condition:
    return sfn.Condition.number_greater_than("$.amount", amount)
