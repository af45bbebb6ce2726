"""One simulated account with a map: its two state machines, the shipped functions behind them, and what goes wrong."""

import io
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime import Effects, Gathered, Invocation, PermanentError, Update
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.parallel_map import completion_handler, gather_handler, handler
from serverless_patterns_runtime.parallel_map.edge import Edge, Gathering, Works
from serverless_patterns_runtime.parallel_map.items import Items

from .asl import Answered
from .dynamodb_model import DynamoDB, Table
from .faults import Call, Faults, NoFaults
from .lambda_model import Context, Function, Sandbox
from .map_definition import COMPLETE, FUNCTION_SECONDS, GATHER, GET_OBJECT, NAMESPACE, PROCESS, MapPlan, definitions
from .network import Client, Network
from .saga_world import SagaWorld
from .state_machines_model import Run, StateMachines, arn_of
from .virtual_time import Schedule
from .world import CLAIMS, START, Log, Metrics

__all__ = ["MAIN", "NAME", "NEVER", "Death", "MapWorld"]

MAIN, COMPLETION = "Pages", "Completion"
NAME = "document-7"
KEY = "manifest.json"
GATHER_SECONDS = 300
LONGEST_SECONDS = 7 * 24 * 3600
LEDGER = "LEDGER"


@dataclass(frozen=True)
class Death:
    """Of the execution, and how often EventBridge tells of an end without success."""

    at: int
    """Number of what happens in the account just before; 0 never."""
    status: str = "ABORTED"
    events: int = 1


NEVER = Death(0)


class Objects:
    def __init__(self, text: str) -> None:
        self.text = text

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        assert (Bucket, Key) == ("manifests", KEY)
        return {"Body": io.BytesIO(self.text.encode())}


class Letters:
    """SQS, as far as dead letters go."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, dict[str, Any]]] = []
        """Bodies, and why."""
        self.first: dict[str, float] = {}
        """When an item's first dead letter was sent, by its key."""
        self.clock: Callable[[], float] = lambda: 0.0

    def send_message(
        self, *, QueueUrl: str, MessageBody: str, MessageAttributes: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        assert QueueUrl == "letters"
        why = json.loads(MessageAttributes["dead-letter"]["StringValue"])
        self.sent.append((json.loads(MessageBody), why))
        self.first.setdefault(why["idempotency_key"], self.clock())
        return {"MessageId": str(len(self.sent))}


class MapWorld:
    _task = SagaWorld._task

    def __init__(
        self,
        plan: MapPlan,
        items: Sequence[Any],
        seed: int | str,
        faults: Faults | None = None,
        *,
        death: Death = NEVER,
        completes: str = "ok",
        defines: Callable[[MapPlan], tuple[Mapping[str, Any], Mapping[str, Any]]] = definitions,
        given: Any = None,
    ) -> None:
        """`completes`: what `on_complete` does, as an item's `does`."""
        self.plan, self.items, self.death, self._completes = plan, list(items), death, completes
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.faults = faults or NoFaults()
        self.trace: list[tuple[float, tuple[Any, ...]]] = []
        self.happened = 0
        self.attempts: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        """Effects, by idempotency key: as the table shows them, or a provider outside."""
        self.results: dict[str, Any] = {}
        """By claim, as the table shows them first."""
        self.told: list[Gathered] = []
        """What `on_complete` was given, whenever it ran."""
        self.outcomes: Counter[str] = Counter()
        self.done_at: dict[str, float] = {}
        """When an effect was last had."""
        self.letters, self.objects = Letters(), Objects(json.dumps(self.items))
        self.letters.clock = lambda: self.schedule.now
        tables = {CLAIMS: Table({"claim": "S"}, time_to_live="expires_at"), "ledger": Table({"id": "S"})}
        self.dynamodb = DynamoDB(tables, lambda: self.schedule.now, self.chance)
        self.dynamodb.changes.append(self._see)
        self.functions = {
            PROCESS: self._function(FUNCTION_SECONDS, self._item_works, handler.process),
            GATHER: self._function(GATHER_SECONDS, self._gathering, gather_handler.process),
            COMPLETE: self._function(FUNCTION_SECONDS, self._completion_works, completion_handler.process),
        }
        services: dict[str, Any] = {name: self._task(function) for name, function in self.functions.items()}
        services[GET_OBJECT] = self._read
        self._main, self._completion = defines(plan)
        self.machines = StateMachines(
            {MAIN: self._main, COMPLETION: self._completion},
            services,
            self.schedule,
            self.chance,
            self._see_call,
            on_end=self._ended,
        )
        outside = {"dynamodb": self.dynamodb, "stepfunctions": self.machines, "sqs": self.letters, "s3": self.objects}
        self.network = Network(self.schedule, outside, self.faults, self.chance, self._see_call)
        self._given = ({"manifest": KEY} if plan.in_s3 else {"pages": self.items}) if given is None else given

    # What is deployed.

    def _function(self, seconds: float, start: Callable[[Sandbox], Any], handle: Callable[..., Any]) -> Function:
        def handled(event: Any, context: Context, edge: Any) -> Any:
            return handle(event, context, edge)

        return Function(
            self.schedule,
            seconds,
            self.chance,
            start,
            handled,
            self._see_call,
            called=lambda event: f"{event.get('task', '')} {event.get('index', '')}",
        )

    def _edge(self, sandbox: Sandbox) -> Edge:
        format = "json" if self.plan.in_s3 else "input"
        client = Client(self.network, sandbox, "s3")
        path = "$.manifest" if self.plan.in_s3 else "$.pages"
        bucket = "manifests" if self.plan.in_s3 else ""
        key = "$.id" if self.plan.keyed else ""
        return Edge(
            dynamodb=Client(self.network, sandbox, "dynamodb"),
            stepfunctions=Client(self.network, sandbox, "stepfunctions"),
            items=Items(path, key, format, bucket, self.plan.max_items, client.get_object),
            claims_table_name=CLAIMS,
            claims_namespace=NAMESPACE,
            claims_retention_seconds=30 * 24 * 3600,
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(self._hear),
            metrics=Metrics(),
            tables={LEDGER: "ledger"},
        )

    def _works(self, sandbox: Sandbox, function: Callable[..., Any]) -> Works:
        business = BusinessFunction(function, "pages:any", True, self.plan.effects)
        return Works(self._edge(sandbox), business, max_result_bytes=32_768)

    def _item_works(self, sandbox: Sandbox) -> Works:
        return self._works(sandbox, lambda item, invocation: self._act(sandbox, item, invocation))

    def _completion_works(self, sandbox: Sandbox) -> Works:
        def complete(gathered: Gathered, invocation: Invocation) -> Any:
            self.told.append(gathered)
            return self._act(sandbox, {"does": self._completes}, invocation)

        return self._works(sandbox, complete)

    def _gathering(self, sandbox: Sandbox) -> Gathering:
        return Gathering(self._edge(sandbox), Client(self.network, sandbox, "sqs"), "letters", self.plan.tolerated)

    # What users' functions do.

    def _act(self, sandbox: Sandbox, item: Any, invocation: Invocation) -> Any:
        does = item.get("does", "ok") if isinstance(item, dict) else "ok"
        key = invocation.idempotency_key
        self.attempts[key] += 1
        sandbox.sleep(item.get("seconds", 0.1) if isinstance(item, dict) else 0.1)
        failing = self.attempts[key] <= {"fails once": 1, "fails": 10**9}.get(does, 0)
        if does == "is refused":
            raise PermanentError("no page")
        if does == "hangs" or (does == "hangs once" and self.attempts[key] == 1):
            sandbox.sleep(10**6)
        if failing:
            raise RuntimeError("not now")
        result = {"drawn": self.chance.getrandbits(64)}
        if self.plan.effects:
            return Effects([Update(LEDGER, {"id": key}, add={"times": 1})], result=result)
        self.done[key] += 1
        self.done_at[key] = self.schedule.now
        if does == "fails after":
            raise RuntimeError("after the effect")
        return result

    # Around the state machines.

    def _read(self, parameters: Any, answered: Answered) -> None:
        assert parameters == {"Bucket": "manifests", "Key": KEY}
        self.schedule.after(0.05, lambda: answered(self.objects.text))

    def run(self) -> Run:
        """Until nothing is left to happen, the late included."""
        self.main = self.machines.start(MAIN, NAME, self._given)
        self.schedule.run(until=self.schedule.now + 3 * LONGEST_SECONDS)
        return self.main

    def close(self) -> None:
        self.schedule.close()

    @property
    def completions(self) -> Sequence[Run]:
        return self.machines.runs(COMPLETION)

    def claims(self) -> Mapping[Any, Mapping[str, Any]]:
        return self.dynamodb.tables[CLAIMS].items

    def _ended(self, machine: str, run: Run) -> None:
        assert run.ended is not None
        if machine != MAIN or run.ended.status == "SUCCEEDED":
            return
        told = {"arn": f"{arn_of(MAIN).replace(':stateMachine:', ':execution:')}:{NAME}", "status": run.ended.status}
        for number in range(self.death.events):
            later = self.chance.uniform(0, 5)
            self.schedule.after(
                later, lambda number=number: self.machines.start(COMPLETION, f"event-{number}", dict(told))
            )

    def _hear(self, text: str, fields: Mapping[str, Any]) -> None:
        self.trace.append((self.schedule.now - START, (text, fields)))
        self.outcomes[f"{text}: {fields.get('outcome')}"] += 1

    def _choose(self, call: Call) -> str | None:
        fault = self.faults.choose(call)
        if fault is not None:
            self._see_call(call.service, call.operation, fault)
        return fault

    def _see_call(self, who: str, what: str, more: Any) -> None:
        self.trace.append((self.schedule.now - START, (who, what, more)))
        self.happened += 1
        if self.death.at and self.happened == self.death.at:
            run, status = self.machines.runs(MAIN)[0], self.death.status
            self.schedule.after(0, lambda: run.stop(status))

    def _see(self, table: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        if after is None:
            return
        if table == "ledger":
            old = int((before or {"times": {"N": "0"}})["times"]["N"])
            self.done[after["id"]["S"]] += int(after["times"]["N"]) - old
            self.done_at[after["id"]["S"]] = self.schedule.now
        elif "answer" in after:
            self.results.setdefault(after["claim"]["S"], json.loads(after["answer"]["S"]))
