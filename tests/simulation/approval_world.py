"""One simulated account with a saga that asks: who decides, the shipped functions between, and what goes wrong."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from serverless_patterns_runtime import ApprovalRequest
from serverless_patterns_runtime.api_proxy import handler as api
from serverless_patterns_runtime.api_proxy.edge import Edge as ApiEdge
from serverless_patterns_runtime.api_proxy.settings import Settings as ApiSettings
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.saga_state_machine import asking, decision
from serverless_patterns_runtime.saga_state_machine.approvals import Approvals
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions
from serverless_patterns_runtime.saga_state_machine.settings import Settings

from .approval_definition import APPROVAL, NOTIFY, with_approval
from .asl import Answered, Execution, TaskFailure
from .aws_errors import ServiceError
from .event_source_mapping import Answer
from .faults import Call, Faults
from .lambda_model import Context, Function, Sandbox
from .network import Client
from .saga_definition import LONGEST_FUNCTION_SECONDS, NAMESPACE, Plan
from .saga_world import SagaWorld
from .step_functions_model import MACHINE
from .world import CLAIMS, START, Log, Metrics

__all__ = ["ApprovalWorld", "Decider", "Told"]

PLANS = (Plan(name="Reserve"), Plan(name="Ship"))
ROUTE = "POST /approvals/{id}"
PAUSE_SECONDS = 3.0
PATIENCE = 40


@dataclass(frozen=True)
class Decider:
    """Somebody who is told, and what they do about it."""

    name: str
    says: str = "approve"
    after: float = 1.0
    """Seconds from when they are first told."""
    again: int = 0
    """How often they say the same again once they have an answer."""


@dataclass(frozen=True)
class Told:
    decider: Decider
    status: int
    body: Any


@dataclass(eq=False)
class Waiting:
    """What the shipped code's client of Step Functions reaches: the executions of the interpreter."""

    execution: Execution
    answered: list[str] = field(default_factory=list[str])

    def send_task_success(self, *, taskToken: str, output: str) -> Mapping[str, Any]:
        return self._answer(taskToken, json.loads(output))

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> Mapping[str, Any]:
        return self._answer(taskToken, TaskFailure(error, cause))

    def describe_execution(self, *, executionArn: str) -> Mapping[str, Any]:
        assert executionArn == f"{MACHINE.replace(':stateMachine:', ':execution:')}:{self.execution.name}"
        ended = self.execution.ended
        return {
            "name": self.execution.name,
            "status": "RUNNING" if ended is None else ended.status,
            "startDate": datetime.fromtimestamp(START, UTC),
        }

    def _answer(self, token: str, answer: Any) -> Mapping[str, Any]:
        told = self.execution.waiting.get(token)
        if told is None:
            raise ServiceError("TaskTimedOut", f"Task Timed Out: '{token}'")
        self.answered.append(token)
        told(answer)
        return {}


class ApprovalWorld(SagaWorld):
    def __init__(
        self,
        deciders: Sequence[Decider],
        seed: int | str,
        faults: Faults | None = None,
        *,
        notify: Sequence[str] = (),
    ) -> None:
        """`notify`: what the function that tells people does at its first runs: `fails` or `dies`."""
        super().__init__(PLANS, seed, faults, defines=with_approval)
        self.deciders = deciders
        self.told: list[Told] = []
        self.ids: list[str] = []
        """That people were sent."""
        self._notify = list(notify)
        self.step_functions = Waiting(self.execution)
        self.network._services = {**self.network._services, "stepfunctions": self.step_functions}  # type: ignore[dict-item]
        ask = self._task(self._function_of(LONGEST_FUNCTION_SECONDS, self._asking, asking.process))

        def invoke(parameters: Any, answered: Answered) -> None:
            assert parameters["FunctionName"] == NOTIFY
            ask(parameters["Payload"], answered)

        self.execution.services = {
            **self.execution.services,
            NOTIFY: ask,
            "arn:aws:states:::lambda:invoke.waitForTaskToken": invoke,
        }
        self._door = self._function_of(25.0, self._deciding, api.process)

    # What is deployed.

    def _function_of(self, timeout: float, edge: Any, process: Any) -> Function:
        def handle(event: dict[str, Any], context: Context, edge: Any) -> Any:
            return process(event, context, edge)

        return Function(self.schedule, timeout, self.chance, edge, handle, self._see_call, lambda _: "")

    def _asking(self, sandbox: Sandbox) -> Edge:
        def notify(request: ApprovalRequest) -> None:
            does = self._notify.pop(0) if self._notify else "tells"
            if does == "fails":
                raise RuntimeError("no mail today")
            if does == "dies":
                sandbox.crash()
            self._tell(request)

        return Edge(
            settings=Settings(
                business_function="mail:ask",
                returns_effects=False,
                tables={},
                claims_table_name=CLAIMS,
                claims_namespace=NAMESPACE,
                claims_retention_seconds=30 * 24 * 3600,
                max_result_bytes=32_768,
            ),
            business_function=BusinessFunction(notify, "mail:ask", False, False),
            dynamodb=Client(self.network, sandbox, "dynamodb"),
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(lambda text, fields: self.trace.append((self.schedule.now, ("asking", text, fields)))),
            metrics=Metrics(),
        )

    def _deciding(self, sandbox: Sandbox) -> ApiEdge:
        approvals = Approvals(Client(self.network, sandbox, "dynamodb"), CLAIMS, NAMESPACE, 0, sandbox.clock)
        executions = CallersExecutions(Client(self.network, sandbox, "stepfunctions"), MACHINE, sandbox.sleep)

        def decide(request: Any) -> Any:
            return decision.decided(request, approvals, executions, APPROVAL, sandbox.clock)

        return ApiEdge(
            settings=ApiSettings(
                business_function="saga:decide",
                returns_effects=False,
                tables={},
                claims=None,
                max_body_bytes=10_000,
                binary_media_types=(),
                cross_origin=None,
                routes={ROUTE: {"evidence": "lambda", "idempotency": "off", "content": "json"}},
            ),
            business_function=BusinessFunction(decide, "saga:decide", False, False),
            dynamodb=None,
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(lambda *_: None),
            metrics=Metrics(),
            validators={},
        )

    # Who decides.

    def _tell(self, request: ApprovalRequest) -> None:
        self.ids.append(request.id)
        if len(self.ids) == 1:
            for decider in self.deciders:
                self.schedule.after(decider.after, lambda decider=decider: self._ask(decider, decider.again, PATIENCE))

    def _ask(self, decider: Decider, again: int, patience: int) -> None:
        """By any of the ids so far; until there is an answer that another try cannot change."""
        assert patience, f"never answered: {decider}"
        event = {
            "httpMethod": "POST",
            "resource": "/approvals/{id}",
            "path": "/approvals/x",
            "multiValueHeaders": {"Content-Type": ["application/json"]},
            "multiValueQueryStringParameters": None,
            "pathParameters": {"id": self.chance.choice(self.ids)},
            "requestContext": {"requestId": f"r-{patience}", "authorizer": {"principalId": decider.name}},
            "body": json.dumps({"decision": decider.says}),
            "isBase64Encoded": False,
        }
        fault = self._choose(Call("client", "Request", {"name": decider.name}))

        def retry() -> None:
            self.schedule.after(PAUSE_SECONDS, lambda: self._ask(decider, again, patience - 1))

        def heard(answer: Answer) -> None:
            if answer.error is not None or answer.result["statusCode"] >= 500 or fault == "answer lost on its way":
                return retry()
            status = answer.result["statusCode"]
            self.told.append(Told(decider, status, json.loads(answer.result["body"])))
            if again:
                self.schedule.after(PAUSE_SECONDS, lambda: self._ask(decider, again - 1, PATIENCE))
            return None

        if fault == "request lost":
            return retry()
        if fault == "sent twice":
            self._door.invoke(event, lambda _: None)
        return self._door.invoke(event, heard)
