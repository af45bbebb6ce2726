"""One simulated account whose API starts executions of a saga: clients, the gateway, the shipped function, faults."""

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.api_proxy import handler
from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.api_proxy.settings import Settings
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.saga_state_machine import start
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions

from .api_clients import Client, Gateway
from .api_ledger import Ask, Books, Reply
from .faults import Faults, NoFaults
from .lambda_model import Context, Function, Sandbox
from .network import Client as AwsClient
from .network import Network
from .schedules import Violation
from .step_functions_model import MACHINE, StepFunctions
from .virtual_time import Schedule
from .world import START, Log, Metrics

__all__ = ["StartWorld", "check", "input_of"]

LONGEST_SECONDS = 1800
ROUTES = ("POST /checkout", "POST /public/checkout")


class StartWorld:
    def __init__(self, asks: Sequence[Ask], seed: int | str, faults: Faults | None = None) -> None:
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.faults = faults or NoFaults()
        self.books = Books()
        self.step_functions = StepFunctions(lambda: self.schedule.now, self.chance)
        self.network = Network(
            self.schedule, {"stepfunctions": self.step_functions}, self.faults, self.chance, lambda *_: None
        )
        function = Function(self.schedule, 25.0, self.chance, self._edge, self._handle, lambda *_: None, lambda _: None)
        gateway = Gateway(self.schedule, function, 29.0, self.faults.choose, self.chance, self.books)
        self.clients = [Client(self.schedule, gateway, ask, self.chance) for ask in asks]

    def run(self) -> None:
        try:
            self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
            check(self)
        finally:
            self.schedule.close()

    def told(self) -> list[list[Reply]]:
        """What each client was told in the end."""
        return [[reply for _, reply in client.told] for client in self.clients]

    def _edge(self, sandbox: Sandbox) -> Edge:
        executions = CallersExecutions(AwsClient(self.network, sandbox, "stepfunctions"), MACHINE, sandbox.sleep)

        def function(request: Any, invocation: Any) -> Any:
            return start.started(request, invocation, executions, 100_000)

        return Edge(
            settings=Settings(
                business_function="saga:start",
                returns_effects=False,
                tables={},
                claims=None,
                max_body_bytes=1_048_576,
                binary_media_types=(),
                cross_origin=None,
                routes={
                    name: {
                        "evidence": "none" if "/public/" in name else "lambda",
                        "idempotency": "required",
                        "content": "json",
                        "own_keys": True,
                    }
                    for name in ROUTES
                },
            ),
            business_function=BusinessFunction(function, "saga:start", True, False),
            dynamodb=None,
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(lambda *_: None),
            metrics=Metrics(),
            validators={},
        )

    def _handle(self, event: dict[str, Any], context: Context, edge: Edge) -> Any:
        return handler.process(event, context, edge)


def input_of(ask: Ask) -> Mapping[str, Any]:
    """What its execution has to be given."""
    caller = None if ask.caller is None else {"id": ask.caller, "kind": "lambda"}
    return {**json.loads(ask.body), "caller": caller}


def check(world: StartWorld) -> None:
    """Raises Violation."""
    started = {known.name: json.loads(known.input) for known in world.step_functions.started}
    first: dict[str, Mapping[str, Any]] = {}
    names: dict[str, set[str]] = {}
    for client in world.clients:
        if not client.contented:
            raise Violation(f"never answered: {client.ask}")
        first.setdefault(client.ask.operation, {})
    for reply in world.books.replies:
        if reply.status not in {202, 409} and reply.status < 500:
            raise Violation(f"told something else: {reply.status}")
        if reply.status == 202:
            name = json.loads(reply.body)["execution"]
            names.setdefault(reply.ask.operation, set()).add(name)
            if started.get(name) != input_of(reply.ask):
                raise Violation("told of an execution with another input, or of none")
    if len(started) != len(first):
        raise Violation(f"not one execution for a key: {len(started)} for {len(first)}")
    for operation, several in names.items():
        if len(several) != 1:
            raise Violation(f"told of several executions: {operation}")
    for reply in world.books.replies:
        if reply.status == 409 and input_of(reply.ask) in started.values():
            raise Violation("told 409 for the input that was started")
