"""One simulated account with a saga: the state machine, the shipped functions behind its steps, and what goes wrong."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.saga_state_machine import handler
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.settings import Settings

from .asl import Answered, Ended, Execution, Machine, TaskFailure
from .aws_errors import ServiceError
from .dynamodb_model import DynamoDB, Table
from .event_source_mapping import Answer
from .faults import Call, Faults, NoFaults
from .lambda_model import Context, Function, Sandbox
from .network import Client, Network
from .saga_definition import LONGEST_FUNCTION_SECONDS, NAMESPACE, Plan, definition
from .saga_ledger import EFFECTS, Books, action, compensation
from .virtual_time import Schedule
from .world import CLAIMS, START, Log, Metrics

__all__ = ["NAME", "SagaWorld"]

LONGEST_SECONDS = 7 * 24 * 3600
LATEST_INVOCATION_SECONDS = 60.0
NAME = "order-7"
INPUT = {"order_id": "7", "amount": 100, "lines": [{"product": "p", "price": 1.5}]}

Defines = Callable[[Sequence[Plan]], Mapping[str, Any]]


class SagaWorld:
    def __init__(
        self,
        plans: Sequence[Plan],
        seed: int | str,
        faults: Faults | None = None,
        *,
        defines: Defines = definition,
        max_result_bytes: int = 32_768,
        given: Mapping[str, Any] = INPUT,
    ) -> None:
        self.name = NAME
        self.plans = plans
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.books = Books()
        self.faults = faults or NoFaults()
        self.trace: list[tuple[float, tuple[Any, ...]]] = []
        self.outcomes: list[tuple[str, str, str]] = []
        """Kind, step and outcome of every task, as its log line says."""
        self._max_result_bytes = max_result_bytes
        self.dynamodb = DynamoDB(
            {CLAIMS: Table({"claim": "S"}, time_to_live="expires_at"), "effects-table": Table({"id": "S"})},
            lambda: self.schedule.now,
            self.chance,
        )
        self.dynamodb.changes.append(self._see)
        self.network = Network(self.schedule, {"dynamodb": self.dynamodb}, self.faults, self.chance, self._see_call)
        self.functions: list[Function] = []
        services: dict[str, Any] = {"arn:aws:states:::dynamodb:putItem": self._put_item}
        for plan in plans:
            for kind in ("action", "compensation"):
                function = self._function(plan, kind)
                self.functions.append(function)
                services[f"{kind} {plan.name}"] = self._task(function)
        self.execution: Execution = Execution(
            Machine(defines(plans)), NAME, given, services, self.schedule, self.chance, self._see_call
        )

    # What is deployed.

    def _function(self, plan: Plan, kind: str) -> Function:
        return Function(
            self.schedule,
            LONGEST_FUNCTION_SECONDS,
            self.chance,
            lambda sandbox: self._edge(sandbox, plan, kind),
            lambda event, context, edge: self._handle(event, context, edge),
            self._see_call,
            called=lambda _: f"{kind} {plan.name}",
        )

    def _edge(self, sandbox: Sandbox, plan: Plan, kind: str) -> Edge:
        write = action if kind == "action" else compensation
        function = write(self.books, plan, sandbox, self._choose)
        return Edge(
            settings=Settings(
                business_function=f"saga:{kind}",
                returns_effects=plan.effects,
                tables={EFFECTS: "effects-table"},
                claims_table_name=CLAIMS,
                claims_namespace=NAMESPACE,
                claims_retention_seconds=30 * 24 * 3600,
                max_result_bytes=self._max_result_bytes,
            ),
            business_function=BusinessFunction(function, f"saga:{kind}", True, plan.effects),
            dynamodb=Client(self.network, sandbox, "dynamodb"),
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(lambda text, fields: self._hear(kind, plan, text, fields)),
            metrics=Metrics(),
        )

    def _handle(self, event: dict[str, Any], context: Context, edge: Edge) -> Any:
        return handler.process(event, context, edge)

    # Between the state machine and what it calls.

    def _task(self, function: Function) -> Callable[[Any, Answered], None]:
        def invoke(event: Any, answered: Answered) -> None:
            def end(answer: Answer) -> None:
                answered(_told(answer))

            def ignore(_: Answer) -> None: ...

            match self._choose(Call("states", "Invoke", event)):
                case None:
                    function.invoke(event, end)
                case "not invoked":
                    self.schedule.after(0.1, lambda: answered(TaskFailure("Lambda.TooManyRequestsException")))
                case "result lost":
                    function.invoke(event, lambda _: answered(TaskFailure("Lambda.Unknown")))
                case "cut off":
                    function.invoke(event, ignore)
                    gone = self.chance.uniform(0, LONGEST_FUNCTION_SECONDS)
                    self.schedule.after(gone, lambda: answered(TaskFailure("Lambda.ClientExecutionTimeoutException")))
                case "invoked late":
                    late = self.chance.uniform(0, self.chance.choice((3.0, LATEST_INVOCATION_SECONDS)))
                    self.schedule.after(late, lambda: function.invoke(event, ignore))
                    self.schedule.after(0.1, lambda: answered(TaskFailure("Lambda.SdkClientException")))
                case "invoked twice":
                    function.invoke(event, self.chance.choice((end, ignore)))
                    function.invoke(event, end)
                case unknown:
                    raise AssertionError(unknown)

        return invoke

    def _put_item(self, parameters: Any, answered: Answered) -> None:
        fault = self._choose(Call("states", "PutItem", parameters))
        if fault != "throttled":
            try:
                self.dynamodb.put_item(**parameters)
            except ServiceError as error:
                self.schedule.fail(AssertionError(f"parking: {error.message}"))
        answer = {} if fault is None else TaskFailure("DynamoDB.ThrottlingException")
        self.schedule.after(0.01, lambda: answered(answer))

    # What happens.

    def run(self) -> Ended:
        """Until nothing is left to happen, the late included. Raises when the execution does not end."""
        self.execution.start()
        self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
        assert self.execution.ended is not None, "the execution has not ended"
        return self.execution.ended

    def close(self) -> None:
        self.schedule.close()

    # What was seen.

    def claims(self) -> Mapping[Any, Mapping[str, Any]]:
        return self.dynamodb.tables[CLAIMS].items

    def _hear(self, kind: str, plan: Plan, text: str, fields: Mapping[str, Any]) -> None:
        self.trace.append((self.schedule.now - START, (kind, plan.name, text, fields)))
        if "outcome" in fields:
            self.outcomes.append((kind, plan.name, fields["outcome"]))

    def _choose(self, call: Call) -> str | None:
        fault = self.faults.choose(call)
        if fault is not None:
            self._see_call(call.service, call.operation, fault)
        return fault

    def _see_call(self, who: str, what: str, more: Any) -> None:
        self.trace.append((self.schedule.now - START, (who, what, more)))

    def _see(self, table: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        if after is None:
            return
        if table == "effects-table":
            old = int((before or {"times": {"N": "0"}})["times"]["N"])
            self.books.count(after["id"]["S"], int(after["times"]["N"]) - old)
        elif "answer" in after:
            self.books.recorded.setdefault(after["claim"]["S"], after["answer"]["S"])


def _told(answer: Answer) -> Any:
    """As Step Functions hears it from Lambda."""
    if answer.error is None:
        return answer.result
    if answer.error in {"crashed", "timed out"}:
        return TaskFailure("Lambda.Unknown" if answer.error == "crashed" else "Sandbox.Timedout")
    name, _, message = answer.error.partition(": ")
    return TaskFailure(name, f'{{"errorMessage": "{message}", "errorType": "{name}"}}')
