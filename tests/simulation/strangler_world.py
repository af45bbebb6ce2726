"""One simulated account with a gateway between two sides: the shipped router in many environments, the shipped control
function, operators and callers, and what goes wrong."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest.mock import patch

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from serverless_patterns_runtime.strangler_gateway import control_handler, handler, record
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.aws import Invoked
from serverless_patterns_runtime.strangler_gateway.breakers import Breakers
from serverless_patterns_runtime.strangler_gateway.contract import REMOVED_KEPT_SECONDS, Side
from serverless_patterns_runtime.strangler_gateway.controlling import Control
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.failure import Failed
from serverless_patterns_runtime.strangler_gateway.pins import Pins
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer
from serverless_patterns_runtime.strangler_gateway.settings import Settings
from serverless_patterns_runtime.strangler_gateway.shares import Shares
from serverless_patterns_runtime.strangler_gateway.standing import Standing

from ..runtime.strangler_gateway import gateway_model
from ..runtime.strangler_gateway.gateway import COOKIE, TABLE, migration, route_settings
from .dynamodb_model import DynamoDB, Table
from .event_source_mapping import Answer as Ended
from .faults import Call, Faults, NoFaults
from .guarding import BREAKERS
from .lambda_model import Context, Function, Sandbox
from .network import Client, Network
from .virtual_time import Schedule
from .world import START, Log

__all__ = ["CATALOGUE", "GONE", "ORDERS", "Ask", "Invocation", "StranglerWorld"]

CATALOGUE, ORDERS = "GET /catalogue/{id}", "POST /orders"
GONE = "GET /gone"
"""Was killed, has left the code, and was missed so long ago that the next sweep forgets it."""
RESOURCES = {CATALOGUE: "/catalogue/{id}", ORDERS: "/orders"}
LONGEST_SECONDS = 1_800.0
PAUSE_SECONDS = 1.0
MOST_TRIES = 600  # a breaker is open for half a minute each time


@dataclass(frozen=True)
class Ask:
    at: float
    """Seconds after the start."""
    caller: str
    route: str = CATALOGUE
    key: str | None = None
    """With one, the caller tries again until it is done."""
    again: int = 0
    """And so often after that, as if he had not heard."""
    forced: Side | None = None


@dataclass
class Invocation:
    """What became of one request to the gateway."""

    ask: Ask
    number: int
    began: float
    ended: float = float("inf")
    status: int = 0
    sandbox: str = ""
    sent: list[Side] = field(default_factory=list)
    mishaps: list[str] = field(default_factory=list)
    """Of its own requests, to AWS or to a side."""
    line: Mapping[str, Any] | None = None
    """The router's record."""


class Change(NamedTuple):
    at: float
    standing: Standing


class StranglerWorld:
    def __init__(self, seed: int | str, faults: Faults | None = None, **route: Any) -> None:
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.faults = faults or NoFaults()
        given = {"initial_percent": 0.0, **route}
        self.code = migration(
            {CATALOGUE: route_settings(**given), ORDERS: route_settings(**given, fallback=False)},
            force_header="X-Side",
        )
        self.invocations: list[Invocation] = []
        self.answers: list[tuple[float, Mapping[str, Any], Mapping[str, Any]]] = []
        """When the control function had answered, what it was asked, and what it said."""
        self.lines: list[Mapping[str, Any]] = []
        self.effects: defaultdict[str, list[Side]] = defaultdict(list)
        """By key: where it was done; each side does it once."""
        self.changes: defaultdict[str, list[Change]] = defaultdict(list)
        self.bad: Callable[[float], float] = lambda _: 0.0
        """How likely the new side is to fail at a moment, in seconds after the start."""
        self.circuits: list[tuple[float, str, str]] = []
        """When a route's breaker told what."""
        keys = Table({"kind": "S", "entry": "S"}, time_to_live="expires_at")
        self.dynamodb = DynamoDB(
            {TABLE: keys, BREAKERS: Table({"breaker": "S"})}, lambda: self.schedule.now, self.chance
        )
        self.dynamodb.changes.append(self._see)
        self.network = Network(self.schedule, {"dynamodb": self.dynamodb}, self.faults, self.chance, self._see_call)
        self.router = Function(
            self.schedule, 30.0, self.chance, self._edge, self._route, lambda *_: None, called=lambda _: ""
        )
        self.control = Function(
            self.schedule, 30.0, self.chance, self._control, self._command, lambda *_: None, called=lambda _: ""
        )
        self._open: dict[str, Invocation] = {}
        self._left = 0

    # What is deployed.

    def _edge(self, sandbox: Sandbox) -> tuple[Edge, Sandbox]:
        chance = random.Random(self.chance.getrandbits(64))
        dynamodb = Client(self.network, sandbox, "dynamodb", impatient=True)
        tell = record.teller(self.code["gateway"], sandbox.clock)
        sides = Sides(self, sandbox)
        settings = Settings(self.code, "https://legacy.invalid", TABLE, BREAKERS, {"Profile": "fn"}, "", "x", "r")
        log = Log(lambda *_: None)
        made = Edge(
            settings=settings,
            shares=Shares(self.code, TABLE, dynamodb, sandbox.clock, chance, tell),
            pins=Pins(dynamodb, TABLE, sandbox.clock),
            dynamodb=dynamodb,  # type: ignore[arg-type]
            functions=sides,
            legacy=sides,
            services={},
            breakers=Breakers(settings, dynamodb, sandbox.clock, chance, log, self._hear_a_breaker),
            clock=sandbox.clock,
            random=chance,
            logger=log,
        )
        return made, sandbox

    def _route(self, event: dict[str, Any], context: Context, edge: tuple[Edge, Sandbox]) -> Any:
        self._open[edge[1].name] = found = self.invocations[int(event["requestContext"]["requestId"])]
        found.sandbox = edge[1].name
        return handler.process(event, context, edge[0])

    def _control(self, sandbox: Sandbox) -> Control:
        chance = random.Random(self.chance.getrandbits(64))
        return Control(self.code, TABLE, BREAKERS, Client(self.network, sandbox, "dynamodb"), sandbox.clock, chance)

    def _command(self, event: dict[str, Any], context: Context, control: Control) -> Any:
        return control_handler.process(event, context, control, Log(lambda *_: None))

    # What happens.

    def ask(self, asks: Sequence[Ask]) -> None:
        for ask in asks:
            self._left += 1
            self.schedule.at(START + ask.at, lambda ask=ask: self._send(ask, 1))

    def say(self, at: float, action: str, route: str = CATALOGUE, *, by: str = "ann", **more: Any) -> None:
        """An operator, who says it again until he is answered."""
        command = {"action": action, "route": route, "by": by, "reason": f"by {by} at {at}", **more}
        self._left += 1
        self.schedule.at(START + at, lambda: self._say(command))

    def sweep(self, at: float) -> None:
        """As Lambda has it done for a schedule: again, when it fails."""
        self._left += 1
        self.schedule.at(START + at, lambda: self._say({"action": "sweep"}))

    def remove(self) -> None:
        """Leave a route in the tables that the code lists no more."""
        gone = Standing(40.0, killed=True, generation=1, version=2, by="ann", at=int(START), reason="bad").attributes()
        missed = {"missing_since": {"N": str(int(START) - REMOVED_KEPT_SECONDS)}}
        item = {"kind": {"S": "routes"}, "entry": {"S": GONE}, **gone, **missed}
        self.dynamodb.put_item(TableName=TABLE, Item=item)
        failed = {"failures": {"L": [{"N": f"{START - REMOVED_KEPT_SECONDS:.3f}"}]}}
        self.dynamodb.put_item(TableName=BREAKERS, Item={"breaker": {"S": GONE}, **failed})

    def run(self) -> None:
        """Until everybody has what he wants. Raises when that never happens."""
        with patch.object(record, "_print", self._hear):
            self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
        assert self._left == 0, f"{self._left} were never answered"

    def close(self) -> None:
        self.schedule.close()

    def _send(self, ask: Ask, tried: int, left: int | None = None) -> None:
        number = len(self.invocations)
        made = Invocation(ask, number, self.schedule.now)
        self.invocations.append(made)

        def ended(answer: Ended) -> None:
            made.ended = self.schedule.now
            made.status = 502 if answer.error is not None else answer.result["statusCode"]
            done = ask.key is None or made.status < 500
            rest = ask.again if left is None else left
            if done and not rest:
                self._left -= 1
                return
            assert tried < MOST_TRIES, f"{ask} is never done"
            self.schedule.after(PAUSE_SECONDS, lambda: self._send(ask, tried + 1, rest - done))

        self.router.invoke(_event(ask, number), ended)

    def _say(self, command: dict[str, Any]) -> None:
        def ended(answer: Ended) -> None:
            if answer.error is not None:
                self.schedule.after(PAUSE_SECONDS, lambda: self._say(command))
                return
            self.answers.append((self.schedule.now, command, answer.result))
            self._left -= 1

        self.control.invoke(command, ended)

    # What was seen.

    def invocation(self, sandbox: Sandbox) -> Invocation:
        """That is under way there."""
        return self._open[sandbox.name]

    def _see(self, table: str, _: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        if table == TABLE and after is not None and after["kind"]["S"] == "routes" and after["entry"]["S"] != GONE:
            route = after["entry"]["S"]
            self.changes[route].append(Change(self.schedule.now, Standing.of(after, self.code["routes"][route])))

    def _see_call(self, sandbox: str, _: str, fault: str) -> None:
        if fault and sandbox in self._open:
            self._open[sandbox].mishaps.append(fault)

    def _hear(self, text: str) -> None:
        line = json.loads(text)
        self.lines.append(line)
        if "function_request_id" in line:
            self.invocations[int(line["function_request_id"])].line = line

    def _hear_a_breaker(self, metric: str, _: int, route: str, __: str) -> None:
        self.circuits.append((self.schedule.now - START, route, metric))

    @property
    def mishaps(self) -> int:
        return self.faults.spent

    def history(self, route: str) -> list[Mapping[str, Any]]:
        kind = f"history#{route}"
        return [item for (found, _), item in self.dynamodb.tables[TABLE].items.items() if found == kind]


class Sides:
    """Both, as one environment reaches them: the new side's function, and legacy."""

    def __init__(self, world: StranglerWorld, sandbox: Sandbox) -> None:
        self._world = world
        self._sandbox = sandbox

    def invoke(self, function: str, payload: bytes, seconds: float, *, again: bool = False) -> Invoked:  # noqa: ARG002
        world = self._world
        try:
            self._forward("new")
        except Unanswered as lost:
            raise lost.error from None
        if world.chance.random() < world.bad(world.schedule.now - START):
            return Invoked("Unhandled", b"{}")
        return Invoked("", json.dumps({"statusCode": 200, "body": "new"}).encode())

    def send(self, function: str, payload: bytes, seconds: float) -> None: ...

    def ask(self, arrival: Arrival, deadline: float) -> ProxyAnswer:  # noqa: ARG002
        try:
            self._forward("legacy")
        except Unanswered as lost:
            raise Failed(502, "legacy does not answer") from lost
        return ProxyAnswer(200, [], b"legacy")

    def _forward(self, side: Side) -> None:
        world, now = self._world, self._world.invocation(self._sandbox)
        fault = world.faults.choose(Call("side", "Forward", {"side": side}))
        if fault:
            now.mishaps.append(fault if fault.startswith("crash") else f"{side} {fault}")
        if fault == "crash before":
            self._sandbox.crash()
        self._sandbox.sleep(world.chance.uniform(0, 0.05))
        if fault == "unreachable":
            raise Unanswered(EndpointConnectionError(endpoint_url="https://side.invalid"))
        now.sent.append(side)
        key = now.ask.key
        if key is not None and side not in world.effects[key]:
            world.effects[key].append(side)
        if fault == "crash after":
            self._sandbox.crash()
        if fault == "answer lost":
            raise Unanswered(ConnectionClosedError(endpoint_url="https://side.invalid"))


class Unanswered(Exception):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _event(ask: Ask, number: int) -> dict[str, Any]:
    method, _, path = ask.route.partition(" ")
    lines = [f"{method} {path.replace('{id}', '7')} HTTP/1.1", "Host: shop.example", f"Cookie: {COOKIE}={ask.caller}"]
    lines += [f"Idempotency-Key: {ask.key}"] if ask.key else []
    lines += [f"X-Side: {ask.forced}"] if ask.forced else []
    event = gateway_model.event("\r\n".join([*lines, "", ""]).encode(), RESOURCES[ask.route])
    event["requestContext"]["requestId"] = str(number)
    return event
