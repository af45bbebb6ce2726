"""A gateway under steady traffic for minutes: the shipped routers, with the settings that are shipped."""

import base64
import random
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from serverless_patterns_runtime.strangler_gateway import handler, record
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.aws import Invoked
from serverless_patterns_runtime.strangler_gateway.breakers import Breakers
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.pins import Pins
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer
from serverless_patterns_runtime.strangler_gateway.settings import Settings
from serverless_patterns_runtime.strangler_gateway.shares import Shares

from ...simulation.dynamodb_model import Table
from ..consumer import Context
from . import gateway_model
from .gateway import TABLE, Gateway, migration, route_settings

__all__ = ["GET", "POST", "Traffic"]

GET, POST = "GET /profile/{id}", "POST /profile/{id}"
ENVIRONMENTS = 10
"""Of the router, at work at once: what 100 requests a second need that take 0.1 s each."""

OK = Invoked("", b'{"statusCode": 200, "body": "new"}')
CRASHED = Invoked("Unhandled", b"{}")


class Traffic:
    """`bad(seconds)`: how likely the new side is to fail then."""

    def __init__(self, bad: Callable[[float], float], *, seed: int = 1, **route: Any) -> None:
        given = {"initial_percent": 100.0, **route}
        routes = {GET: route_settings(**given), POST: route_settings(**given, fallback=False)}
        self.gateway = Gateway(migration(routes, force_header="X-Side"))
        self.gateway.dynamodb.service.tables["breakers"] = Table({"breaker": "S"})
        self.chance = random.Random(seed)
        self.bad = bad
        self.began = self.gateway.clock()
        self.circuits: list[tuple[float, str]] = []
        """When a breaker told what."""
        self.answered: list[tuple[float, int, str]] = []
        """When, how, and by whom."""
        self._environments = [self._environment() for _ in range(ENVIRONMENTS)]

    @property
    def now(self) -> float:
        return self.gateway.clock() - self.began

    def runs(self, seconds: float, route: str, *, a_second: float = 100, forced: bool = False) -> "Traffic":
        method = route.partition(" ")[0]
        lines = [f"{method} /profile/5 HTTP/1.1", "Host: shop.example"] + ["X-Side: new"] * forced
        event = gateway_model.event("\r\n".join([*lines, "", ""]).encode(), "/profile/{id}")
        with patch.object(record, "_print", lambda _: None):
            for _ in range(int(seconds * a_second)):
                self.gateway.passes(1 / a_second)
                edge = self.chance.choice(self._environments)
                result = handler.process(event, Context(self.gateway.clock), edge)
                body = base64.b64decode(result["body"]).decode() if result["isBase64Encoded"] else "ours"
                self.answered.append((self.now, result["statusCode"], body))
        return self

    def heard(self, metric: str) -> list[float]:
        return [when for when, said in self.circuits if said == metric]

    def rolled_back(self) -> list[float]:
        """When."""
        items = self.gateway.entries("history#")
        return sorted(int(item["at"]["N"]) - self.began for item in items if item["by"]["S"] == "rollback")

    def _environment(self) -> Edge:
        gateway = self.gateway
        settings = Settings(gateway.code, "https://legacy.invalid", TABLE, "breakers", {"Profile": "fn"}, "", "x", "r")
        tell = record.teller("Shop", gateway.clock)
        shares = Shares(gateway.code, TABLE, gateway.dynamodb, gateway.clock, self.chance, tell)
        return Edge(
            settings=settings,
            shares=shares,
            pins=Pins(gateway.dynamodb, TABLE, gateway.clock),
            dynamodb=gateway.dynamodb,  # type: ignore[arg-type]
            functions=self,
            legacy=self,
            services={},
            breakers=Breakers(settings, gateway.dynamodb, gateway.clock, self.chance, gateway.logger, self._count),
            clock=gateway.clock,
            random=self.chance,
            logger=gateway.logger,
        )

    def _count(self, metric: str, *_: Any) -> None:
        self.circuits.append((self.now, metric))

    # Both sides.

    def invoke(self, function: str, payload: bytes, seconds: float, *, again: bool = False) -> Invoked:  # noqa: ARG002
        return CRASHED if self.chance.random() < self.bad(self.now) else OK

    def send(self, function: str, payload: bytes, seconds: float) -> None: ...

    def ask(self, arrival: Arrival, deadline: float) -> ProxyAnswer:  # noqa: ARG002
        return ProxyAnswer(200, [], b"legacy")
