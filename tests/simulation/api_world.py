"""One simulated account with an API: its clients, the gateway, the shipped function behind it, and what goes wrong."""

import contextlib
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.api_proxy import contract, handler
from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.api_proxy.settings import ClaimsSettings, Settings
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings

from .api_clients import Client, Gateway
from .api_ledger import EFFECTS, Ask, Books, business_function, fallback
from .dynamodb_model import DynamoDB, Table
from .faults import Call, Faults, NoFaults
from .guarding import BREAKER, BREAKERS, Guard
from .lambda_model import Context, Function, Sandbox
from .network import Client as AwsClient
from .network import Network
from .virtual_time import Schedule
from .world import CLAIMS, START, Log, Metrics

__all__ = ["ApiWorld", "Deployment", "Handled"]

LONGEST_SECONDS = 1800
ROUTES = ("POST /payments", "POST /refunds", "POST /public/payments", "POST /public/refunds")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What the construct would have deployed."""

    effects: bool = True
    key_mode: contract.KeyMode = "required"
    timeout: float = 25.0
    integration_timeout: float = 29.0
    retention: int = 7 * 24 * 3600
    """Of claims, in seconds."""
    breaker: BreakerSettings | None = None
    """What guards every route."""
    fallback: bool = False
    """Whether every route has one."""


@dataclass(frozen=True)
class Handled:
    """One invocation that came to an answer, and what the table said of its key before and after."""

    ask: Mapping[str, Any]
    """The event."""
    result: Mapping[str, Any]
    mishaps: Sequence[str]
    """Faults that its own requests met."""
    failed: bool
    """The function said so."""
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class ApiWorld:
    def __init__(self, deployment: Deployment, seed: int | str, faults: Faults | None = None) -> None:
        self.deployment = deployment
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.books = Books()
        self.faults = faults or NoFaults()
        self.guard = deployment.breaker and Guard(deployment.breaker, self.chance, lambda: self.schedule.now)
        self.clients: list[Client] = []
        self.trace: list[tuple[float, tuple[Any, ...]]] = []
        self.on_handled: list[Callable[[Handled], None]] = []
        self._mishaps: defaultdict[str, list[str]] = defaultdict(list)
        self.dynamodb = DynamoDB(
            {
                CLAIMS: Table({"claim": "S"}, time_to_live="expires_at"),
                "effects-table": Table({"id": "S"}),
                BREAKERS: Table({"breaker": "S"}),
            },
            lambda: self.schedule.now,
            self.chance,
        )
        self.dynamodb.changes.append(self._see)
        self.network = Network(self.schedule, {"dynamodb": self.dynamodb}, self.faults, self.chance, self._see_call)
        self.function = Function(
            self.schedule,
            deployment.timeout,
            self.chance,
            self._edge,
            self._handle,
            self._see_call,
            called=lambda event: event["requestContext"]["requestId"],
        )
        self.gateway = Gateway(
            self.schedule, self.function, deployment.integration_timeout, self._choose, self.chance, self.books
        )

    # What is deployed.

    def settings(self) -> Settings:
        def route(name: str) -> contract.RouteSettings:
            evidence: contract.Evidence = "none" if "/public/" in name else "lambda"
            made: contract.RouteSettings = {
                "evidence": evidence,
                "idempotency": self.deployment.key_mode,
                "content": "json",
            }
            if self.guard:
                made["circuit_breaker"] = BREAKER
            if self.deployment.fallback:
                made["fallback"] = "payments:later"
            return made

        return Settings(
            business_function="payments:pay",
            returns_effects=self.deployment.effects,
            tables={EFFECTS: "effects-table"},
            claims=ClaimsSettings(CLAIMS, "Api", self.deployment.retention),
            max_body_bytes=1_048_576,
            binary_media_types=(),
            cross_origin=None,
            routes={name: route(name) for name in ROUTES},
        )

    def _edge(self, sandbox: Sandbox) -> Edge:
        effects = self.deployment.effects
        function = business_function(self.books, sandbox, self._choose, self._owner_of, effects=effects)
        return Edge(
            settings=self.settings(),
            business_function=BusinessFunction(function, "payments:pay", True, effects),
            dynamodb=AwsClient(self.network, sandbox, "dynamodb"),
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(
                lambda text, fields: self.trace.append((self.schedule.now - START, (sandbox.name, text, fields)))
            ),
            metrics=Metrics(),
            validators={},
            breakers={BREAKER: self.guard.of(sandbox, self.network)} if self.guard else {},
            fallbacks=dict.fromkeys(ROUTES, BusinessFunction(fallback, "payments:later", False, False))
            if self.deployment.fallback
            else {},
        )

    def _handle(self, event: dict[str, Any], context: Context, edge: Edge) -> Any:
        sandbox = edge.dynamodb._sandbox
        self._mishaps[sandbox.name] = []
        before, start = self._claim_for(event), self.schedule.now
        result = handler.process(event, context, edge)
        if sandbox.alive:
            failed = any(run.failed for run in self.books.runs if run.sandbox is sandbox and run.start >= start)
            handled = Handled(event, result, self._mishaps[sandbox.name], failed, before, self._claim_for(event))
            for told in self.on_handled:
                told(handled)
        return result

    # What happens.

    def outage(self, start: float, end: float) -> None:
        """What the function calls is down, in seconds after the start. Its clients bear with it, and a cool-down."""
        self.books.outages.append((START + start, START + end))
        self.schedule.at(START + end, self._outage_is_over)

    def _outage_is_over(self) -> None:
        assert self.deployment.breaker is not None
        self.books.last_mishap = self.schedule.now + self.deployment.breaker["open_seconds"]

    def ask(self, asks: Sequence[Ask]) -> None:
        self.clients += [Client(self.schedule, self.gateway, ask, self.chance) for ask in asks]

    def run(self) -> None:
        """Until nobody has anything left to ask. Raises when that never happens."""
        self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
        waiting = [client.ask for client in self.clients if not client.contented and client.ask.patience > 10**6]
        assert not waiting, f"never answered: {waiting}"

    def close(self) -> None:
        self.schedule.close()

    # What was seen.

    def claims(self) -> Mapping[Any, Mapping[str, Any]]:
        return self.dynamodb.tables[CLAIMS].items

    def _claim_for(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Only if the function has run for its operation: the test knows no other way from one to the other."""
        operation = operation_of(event)
        claim = next((run.claim for run in self.books.runs if run.operation == operation), None)
        found = self.claims().get((claim,))
        return None if found is None else dict(found)

    def _owner_of(self, claim: str) -> str | None:
        item = self.claims().get((claim,))
        return None if item is None else item["owner"]["S"]

    def _choose(self, call: Call) -> str | None:
        fault = self.faults.choose(call)
        if fault is not None:
            self._see_call(call.service, call.operation, fault)
        return fault

    def _see_call(self, who: str, what: str, more: Any) -> None:
        self.trace.append((self.schedule.now - START, (who, what, more)))
        if isinstance(more, str) and more and what not in {"invoked", "answered"}:
            self.books.last_mishap = self.schedule.now
            self._mishaps[who].append(more)

    def _see(self, table: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        if after is None or table == BREAKERS:
            return
        if table == "effects-table":
            times = int(after["times"]["N"]) - int((before or {"times": {"N": "0"}})["times"]["N"])
            self.books.committed[after["id"]["S"]] += times
        elif after["done"]["BOOL"]:
            self.books.recorded.add(after["owner"]["S"])


def operation_of(event: Mapping[str, Any]) -> str | None:
    """As `Ask.operation` and the function name it; None without a key."""
    with contextlib.suppress(KeyError):
        (key,) = event["multiValueHeaders"]["Idempotency-Key"]
        caller = event["requestContext"].get("authorizer", {}).get("principalId")
        return f"{caller} {event['httpMethod']} {event['resource']} {key}"
    return None
