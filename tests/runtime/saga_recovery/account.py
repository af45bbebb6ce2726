"""A guardian and a ledger over a small account: executions that a test sets up, and a table of claims."""

import io
import itertools
import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.claims.outside import Outside
from serverless_patterns_runtime.saga_recovery import guardian_handler, ledger_handler
from serverless_patterns_runtime.saga_recovery.edge import GuardianEdge, LedgerEdge
from serverless_patterns_runtime.saga_state_machine.contract import BEHIND_THE_PIVOT, UNCLAIMED
from serverless_patterns_runtime.saga_state_machine.task import Task
from serverless_patterns_runtime.telemetry import Logger

from ...simulation import aws_errors
from ..api_proxy.modelled_dynamodb import ModelledDynamoDB
from ..consumer import Clock, Context, RecordedMetrics

MAIN = "arn:aws:states:eu-central-1:123456789012:stateMachine:Checkout"
RECOVERY = "arn:aws:states:eu-central-1:123456789012:stateMachine:Recovery"
INPUT = {"order_id": "7", "amount": 100}
STEPS = ("ReserveStock", "ChargeCard", "Ship")
RETENTION, LONGEST = 30 * 86_400, 3_600
_services = itertools.count(1)


class StepFunctions:
    """Executions, by machine and name; every request is held against botocore's model."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.executions: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.fails: dict[tuple[str, str], BaseException] = {}
        """By operation and name: raised once."""

    def put(self, machine: str, name: str, status: str, *, started: float | None = None, **more: Any) -> None:
        began = self._clock.now if started is None else started
        self.executions[machine, name] = {
            "name": name,
            "executionArn": f"{machine.replace(':stateMachine:', ':execution:')}:{name}",
            "stateMachineArn": machine,
            "status": status,
            "startDate": datetime.fromtimestamp(began, UTC),
            "input": json.dumps(INPUT),
            **({} if status == "RUNNING" else {"stopDate": datetime.fromtimestamp(began + 60, UTC)}),
            **more,
        }

    @property
    def recoveries(self) -> list[str]:
        return [name for machine, name in self.executions if machine == RECOVERY]

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Mapping[str, Any]:
        self._call("StartExecution", name, {"stateMachineArn": stateMachineArn, "name": name, "input": input})
        if (stateMachineArn, name) in self.executions:
            raise self._refusal("StartExecution", "ExecutionAlreadyExists")
        self.put(stateMachineArn, name, "RUNNING", input=input)
        return {}

    def describe_execution(self, *, executionArn: str) -> Mapping[str, Any]:
        self._call("DescribeExecution", executionArn.rsplit(":", 1)[-1], {"executionArn": executionArn})
        return self._at("DescribeExecution", executionArn)

    def list_executions(self, *, stateMachineArn: str, statusFilter: str, nextToken: str = "0") -> Mapping[str, Any]:
        request = {"stateMachineArn": stateMachineArn, "statusFilter": statusFilter, "nextToken": nextToken}
        self._call("ListExecutions", statusFilter, request)
        found = [
            it
            for (machine, _), it in self.executions.items()
            if machine == stateMachineArn and it["status"] == statusFilter
        ]
        found.sort(key=lambda it: it["startDate"], reverse=True)
        at = int(nextToken)
        return {"executions": found[at : at + 2], **({"nextToken": str(at + 2)} if len(found) > at + 2 else {})}

    def describe_state_machine_for_execution(self, *, executionArn: str) -> Mapping[str, Any]:
        request = {"executionArn": executionArn}
        self._call("DescribeStateMachineForExecution", executionArn.rsplit(":", 1)[-1], request)
        found = self._at("DescribeStateMachineForExecution", executionArn)
        steps = found.get("steps", STEPS)
        states = {step: {"Type": "Task", "Parameters": {"step": step, "kind": "action"}} for step in steps}
        for step in found.get("behind", ()):
            states[f"{step} called"] = {"Type": "Task", "Comment": f"{BEHIND_THE_PIVOT}{step}"}
        # In a branch, where no state of the others is.
        undoing = {f"Undo {step}": {"Comment": f"{UNCLAIMED}{step}"} for step in found.get("unclaimed", ())}
        others = {"Undo Both": {"Type": "Parallel", "Branches": [{"States": undoing}]}, "Undone": {"Type": "Choice"}}
        return {"definition": json.dumps({"StartAt": steps[0], "States": {**states, **others}})}

    def _at(self, operation: str, arn: str) -> dict[str, Any]:
        found = next((it for it in self.executions.values() if it["executionArn"] == arn), None)
        if found is None:
            raise self._refusal(operation, "ExecutionDoesNotExist")
        return found

    def _call(self, operation: str, name: str, request: dict[str, Any]) -> None:
        assert not aws_errors.wrong_parameters("stepfunctions", operation, request)
        self.calls.append((operation, name))
        if (operation, name) in self.fails:
            raise self.fails.pop((operation, name))

    def _refusal(self, operation: str, code: str) -> BaseException:
        return aws_errors.client_error("stepfunctions", operation, aws_errors.ServiceError(code, "no"))


class Account:
    def __init__(self) -> None:
        self.clock = Clock()
        self.dynamodb = ModelledDynamoDB(self.clock)
        self.stepfunctions = StepFunctions(self.clock)
        self.stream = io.StringIO()
        self.timeout = 200.0
        self.seen = GuardianEdge(self._outside(), MAIN, RECOVERY, set())

    def _outside(self) -> Outside:
        return Outside(
            dynamodb=self.dynamodb,
            stepfunctions=self.stepfunctions,
            claims_table_name="claims",
            claims_namespace="Checkout",
            claims_retention_seconds=RETENTION,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=random.Random(next(_services)),
            logger=Logger(service=f"recovery-{next(_services)}", stream=self.stream),
            metrics=RecordedMetrics(),
        )

    def dies(self, name: str = "order-7", status: str = "ABORTED", **more: Any) -> None:
        self.stepfunctions.put(MAIN, name, status, **more)

    def parks(self, name: str = "order-7", error: str = "COMPENSATION_PARKED", **more: Any) -> None:
        self.stepfunctions.put(MAIN, name, "FAILED", error=error, **more)

    # Who is asked.

    def ask(self, **question: Any) -> Any:
        """The guardian; another sandbox every time."""
        edge = self.seen._replace(outside=self._outside(), seen=set())
        return guardian_handler.process(question, Context(self.clock, self.timeout), edge)

    def sweep(self) -> None:
        """By one warm sandbox."""
        guardian_handler.process({"task": "sweep"}, Context(self.clock, self.timeout), self.seen)

    def tell(self, name: str = "order-7") -> None:
        arn = f"{MAIN.replace(':stateMachine:', ':execution:')}:{name}"
        event = {"source": "aws.states", "detail": {"executionArn": arn, "status": "ABORTED"}}
        edge = self.seen._replace(outside=self._outside(), seen=set())
        guardian_handler.process(event, Context(self.clock, self.timeout), edge)

    def ledger(self, **question: Any) -> Any:
        edge = LedgerEdge(self._outside(), MAIN, LONGEST)
        return ledger_handler.process(question, Context(self.clock, self.timeout), edge)

    def recall(self, *, steps: Sequence[str] = STEPS, pivot: str | None = "ChargeCard", **more: Any) -> Any:
        backward = list(steps) if pivot is None else list(steps[: steps.index(pivot) + 1])
        asked = {
            "task": "recall",
            "recovery": "order-7-1",
            "execution": "order-7",
            "steps": list(steps),
            "backward": backward,
            "behind": [step for step in steps if step not in backward],
        }
        return self.ledger(**asked, **({} if pivot is None else {"pivot": pivot}), **more)

    # What the table says.

    def claimed(self, step: str, *, done: bool = True, result: Any = None, kind: str = "action", **more: Any) -> None:
        """As the step's own functions leave it."""
        task = Task.of({"step": step, "kind": "action", "execution": "order-7", "state": more.pop("input", INPUT)})
        claim = task.action("Checkout") if kind == "action" else task.compensation("Checkout")
        ends = int(self.clock.now) + RETENTION
        free_at = more.pop("free_at", ends)
        item = claim.item(owner="me", free_at=free_at, done=done, expires_at=ends, answer=json.dumps(result))
        if not done:
            del item["answer"]
        self.dynamodb.put_item(TableName="claims", Item=item | serialize_item(more))

    def parked(self, step: str, **more: Any) -> None:
        document = {**INPUT, "saga": {"results": {}, "error": {"Error": "CardDeclined", "Cause": "above the limit"}}}
        item: dict[str, Any] = {
            "claim": {"S": f"parked#Checkout#order-7#{step}"},
            "step": {"S": step},
            "state": {"S": json.dumps(document)},
            "error": {"S": json.dumps({"Error": "BankIsDown", "Cause": "no answer"})},
        }
        self.dynamodb.put_item(TableName="claims", Item=item | more)

    def item(self, key: str) -> Mapping[str, Any]:
        return self.dynamodb.items("claims")[key,]

    def mark(self, name: str = "order-7") -> Mapping[str, Any] | None:
        found = [
            item
            for (key,), item in self.dynamodb.items("claims").items()
            if key.startswith(f"guarded#Checkout#{name}#")
        ]
        return found[0] if found else None

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]
