"""An approval, over a world that is small, visible and under the test's control."""

import inspect
import io
import itertools
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from serverless_patterns_runtime import ApprovalRequest, Caller, Request
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.saga_state_machine.approvals import Approvals
from serverless_patterns_runtime.saga_state_machine.asking import process
from serverless_patterns_runtime.saga_state_machine.decision import decided
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.settings import Settings
from serverless_patterns_runtime.telemetry import Logger

from ..api_proxy.modelled_dynamodb import ModelledDynamoDB
from ..consumer import Clock, Context, RecordedMetrics
from .step_functions import StepFunctions

STARTED = "2026-11-21T18:20:00.123Z"
ANN, BOB = Caller("ann"), Caller("bob")
SECONDS = 3_600
_services = itertools.count(1)


class Approving:
    """`ask`, `remind`, `close` as the state machine does; `decide` as a route does. Told are the requests so far."""

    def __init__(self, notify: Callable[..., Any] | None = None, *, level: str = "INFO") -> None:
        self.clock, self.metrics, self.aws = Clock(), RecordedMetrics(), StepFunctions()
        self.dynamodb: Any = ModelledDynamoDB(self.clock)
        self.told: list[ApprovalRequest] = []
        self.notify: Callable[..., Any] = notify or self.told.append
        self._stream = io.StringIO()
        self.aws.has("order-7", input={"amount": 5_000})
        settings = Settings(
            business_function="mail:ask",
            returns_effects=False,
            tables={},
            claims_table_name="claims",
            claims_namespace="Checkout",
            claims_retention_seconds=1_000_000,
            max_result_bytes=1_000,
        )
        takes_invocation = notify is not None and len(inspect.signature(notify).parameters) >= 2
        self.edge = Edge(
            settings=settings,
            business_function=BusinessFunction(
                lambda *arguments: self.notify(*arguments), "mail:ask", takes_invocation, False
            ),
            dynamodb=self.dynamodb,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=random.Random(5),
            logger=Logger(service=f"approval-{next(_services)}", level=level, stream=self._stream),
            metrics=self.metrics,
        )
        self.approvals = Approvals(self.dynamodb, "claims", "Checkout", 0, self.clock)

    def ask(self, token: str = "token-1", kind: str = "ask", **event: Any) -> Any:
        self.aws.waiting.add(token)
        return self.send(kind, token=token, seconds=SECONDS, **event)

    def remind(self, token: str = "token-2", **event: Any) -> Any:
        self.aws.waiting.clear()
        return self.ask(token, "remind", **event)

    def close(self, error: str | None = None, **event: Any) -> Any:
        """Because of an error, or since nobody has decided."""
        self.aws.waiting.clear()
        results = {} if error is None else {"Manager": {"Error": error, "Cause": ""}}
        return self.send("close", **{"state": {"amount": 5_000, "saga": {"results": results}}, **event})

    def send(self, kind: str, **event: Any) -> Any:
        given = {
            "step": "Manager",
            "kind": kind,
            "execution": "order-7",
            "started": STARTED,
            "retries": 0,
            "state": {"amount": 5_000, "saga": {"results": {"Reserve": {"bin": 3}}}},
            **event,
        }
        return process(json.loads(json.dumps(given)), Context(self.clock, 25.0), self.edge)

    def error_of(self, call: Callable[..., Any], *arguments: Any, **event: Any) -> tuple[str, str]:
        with pytest.raises(Exception) as raised:  # noqa: PT011
            call(*arguments, **event)
        return type(raised.value).__name__, str(raised.value)

    def decide(
        self, said: Any = "approve", *, id: str | None = None, caller: Caller | None = ANN, step: str = "Manager"
    ) -> Any:
        body = said if isinstance(said, dict) else {"decision": said}
        params = {"id": self.told[-1].id if id is None else id}
        request = Request.fake("POST /approvals/{id}", params=params, caller=caller, body=body)
        answer = decided(request, self.approvals, self.aws.known, step, self.clock)
        assert answer.status == 200
        return answer.body

    def refusal(self, *arguments: Any, **more: Any) -> int | None:
        """The status."""
        with pytest.raises(Exception) as raised:  # noqa: PT011
            self.decide(*arguments, **more)
        return getattr(raised.value, "status", None)

    @property
    def item(self) -> Any:
        (item,) = self.dynamodb.items("claims").values()
        return item

    @property
    def log(self) -> str:
        return self._stream.getvalue()

    @property
    def outcomes(self) -> list[str]:
        lines = [json.loads(line) for line in self.log.splitlines()]
        return [line["outcome"] for line in lines if line["message"] == "approval handled"]
