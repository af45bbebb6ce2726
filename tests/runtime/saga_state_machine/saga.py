"""A function behind a saga's step, over a world that is small, visible and under the test's control."""

import inspect
import io
import itertools
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.handler import process
from serverless_patterns_runtime.saga_state_machine.settings import Settings
from serverless_patterns_runtime.telemetry import Logger

from ..api_proxy.modelled_dynamodb import ModelledDynamoDB
from ..consumer import Clock, Context, RecordedMetrics

_services = itertools.count(1)

INPUT = {"order_id": "7", "amount": 100}


class Step:
    """`act` and `undo` are invocations of warm functions over one table of claims; `function` may be replaced."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        effects: bool = True,
        level: str = "INFO",
        dynamodb: Any = None,
        **settings: Any,
    ) -> None:
        self.clock, self.metrics, self.function = Clock(), RecordedMetrics(), function
        self.dynamodb: Any = dynamodb or ModelledDynamoDB(self.clock, "rows")
        self.timeout = 25.0
        self._stream = io.StringIO()
        made = Settings(
            business_function="card:charge",
            returns_effects=effects,
            tables={"ROWS": "rows"},
            claims_table_name="claims",
            claims_namespace="Checkout",
            claims_retention_seconds=1000,
            max_result_bytes=1000,
        )._replace(**settings)
        self.edge = Edge(
            settings=made,
            business_function=BusinessFunction(
                lambda *arguments: self.function(*arguments),
                made.business_function,
                len(inspect.signature(function).parameters) >= 2,
                effects,
            ),
            dynamodb=self.dynamodb,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=random.Random(next(_services)),  # no two functions draw the same tokens
            # Powertools keeps one handler, and so one stream, a service name and process.
            logger=Logger(service=f"saga-{next(_services)}", level=level, stream=self._stream),
            metrics=self.metrics,
        )

    def act(self, **event: Any) -> Any:
        return self.send(self.event("action", **event))

    def undo(self, **event: Any) -> Any:
        return self.send(self.event("compensation", **event))

    def send(self, event: Any) -> Any:
        # Through JSON, as Lambda does it: nothing that is not JSON gets in or out.
        heard = json.loads(json.dumps(event))
        return json.loads(json.dumps(process(heard, Context(self.clock, self.timeout), self.edge)))

    @staticmethod
    def event(
        kind: str,
        *,
        step: str = "ChargeCard",
        input: Mapping[str, Any] = INPUT,
        saga: Mapping[str, Any] | None = None,
        execution: str = "order-7",
        retries: int = 0,
        **more: Any,
    ) -> dict[str, Any]:
        state = {**input, **({} if saga is None else {"saga": saga})}
        event = {"step": step, "kind": kind, "execution": execution, "retries": retries, "state": state}
        return event | more

    def error_of(self, call: Callable[..., Any], **event: Any) -> tuple[str, str]:
        """Name and words, as Lambda tells the state machine."""
        with pytest.raises(Exception) as raised:  # noqa: PT011
            call(**event)
        return type(raised.value).__name__, str(raised.value)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    @property
    def outcomes(self) -> list[str]:
        return [line["outcome"] for line in self.lines if line["message"] == "step handled"]

    def claim(self, key: str = "Checkout#order-7#ChargeCard") -> Mapping[str, Any] | None:
        return self.dynamodb.items("claims").get((key,))

    def row(self, id: str = "card") -> Mapping[str, Any] | None:
        return self.dynamodb.items("rows").get((id,))
