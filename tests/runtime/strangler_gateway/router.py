"""A gateway's router over sides that a test plays: a raw server as legacy, a function for the new side."""

import io
import itertools
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from serverless_patterns_runtime.circuit_breaker.permit import Permit
from serverless_patterns_runtime.strangler_gateway import handler
from serverless_patterns_runtime.strangler_gateway.addresses import Resolve, resolved
from serverless_patterns_runtime.strangler_gateway.aws import Invoked
from serverless_patterns_runtime.strangler_gateway.contract import Migration, NewSide, RouteSettings, Side
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.pins import PinsUnavailable
from serverless_patterns_runtime.strangler_gateway.settings import Settings
from serverless_patterns_runtime.strangler_gateway.upstream import HttpUpstream
from serverless_patterns_runtime.telemetry import Logger

from ..consumer import Clock, Context
from . import gateway_model
from .gateway_model import Parts
from .raw_server import RawServer

_services = itertools.count(1)

ROUTE = "GET /profile/{id}"
SAVE = "POST /profile/{id}"


def route_settings(**changed: Any) -> RouteSettings:
    settings: dict[str, Any] = {
        "generation": 1,
        "initial_percent": 0,
        "function": "Profile",
        "timeout_seconds": 2.0,
        "sticky": {},
        "fallback": True,
        "breaker": {"failure_threshold": 5, "window_seconds": 60, "open_seconds": 30, "cache_seconds": 5},
    }
    return settings | changed  # type: ignore[return-value]


def migration(**changed: Any) -> Migration:
    made: dict[str, Any] = {
        "gateway": "Shop",
        "cookie": "shop-side",
        "cache_seconds": 5.0,
        "deadline_seconds": 29.0,
        "max_body_bytes": 4_500_000,
        "legacy_timeout_seconds": 5.0,
        "legacy_headers": {},
        "loopback": True,
        "private": False,
        "base_path": "",
        "routes": {ROUTE: route_settings(), SAVE: route_settings(fallback=False)},
    }
    return made | changed  # type: ignore[return-value]


class Functions:
    """The new side: `answer` is what a function does with an event."""

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Any] = lambda _: {"statusCode": 200, "body": "new"}
        self.events: list[dict[str, Any]] = []

    def invoke(self, function: str, payload: bytes, seconds: float, *, again: bool = False) -> Invoked:  # noqa: ARG002
        event = json.loads(payload)
        self.events.append(event)
        answer = self.answer(event)
        return answer if isinstance(answer, Invoked) else Invoked("", json.dumps(answer).encode())

    def send(self, function: str, payload: bytes, seconds: float) -> None: ...


class Shares:
    def __init__(self) -> None:
        self.said: Mapping[str, float] | float = 0.0
        self.noted: list[tuple[str, bool]] = []
        self.kills: set[str] = set()

    def percent(self, route: str) -> float:
        return self.said if isinstance(self.said, int | float) else self.said[route]

    def killed(self, route: str) -> bool:
        return route in self.kills

    def note(self, route: str, failed: bool) -> None:
        self.noted.append((route, failed))


class Pins:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Side] = {}
        self.down = False

    def side(self, route: str, key: str, wanted: Side) -> Side:
        if self.down:
            raise PinsUnavailable
        return self.kept.setdefault((route, key), wanted)

    def known(self, route: str, key: str) -> Side | None:
        if self.down:
            raise PinsUnavailable
        return self.kept.get((route, key))


class NoBreaker:
    def permit(self, remaining: Callable[[], float]) -> Permit:
        assert remaining() > 0
        return Permit(self)

    def refused(self, calls: int) -> None: ...

    def judge(self, permit: Permit, error: BaseException | None) -> None: ...

    def suspect(self, permit: Permit, error: BaseException) -> None: ...

    def give_back(self, permit: Permit) -> None: ...


class Router:
    """`send(raw)` is what a caller gets for a raw request, by API Gateway's own account."""

    def __init__(self, legacy: RawServer, *, resolve: Resolve = resolved, **changed: Any) -> None:
        self.clock, self.functions, self.shares, self.pins = Clock(), Functions(), Shares(), Pins()
        self._stream = io.StringIO()
        made = migration(**changed)
        upstream = HttpUpstream(legacy.url, made, added=made["legacy_headers"], resolve=resolve)
        sides: Mapping[str, NewSide] = {**made["routes"], **made.get("done", {})}
        services = {
            name: HttpUpstream(side["url"], made, template=True) for name, side in sides.items() if "url" in side
        }
        self.edge = Edge(
            settings=Settings(made, legacy.url, "control", "breakers", {"Profile": "profile-fn"}, "", "x", "eu-west-1"),
            shares=self.shares,
            pins=self.pins,
            dynamodb=None,  # type: ignore[arg-type]
            functions=self.functions,
            legacy=upstream,
            services=services,
            breakers=dict.fromkeys(made["routes"], NoBreaker()),
            clock=self.clock,
            random=random.Random(7),
            logger=Logger(service=f"router-{next(_services)}", stream=self._stream),
        )

    def send(self, raw: bytes, resource: str = "/{proxy+}", *, timeout: float = 30.0, **more: Any) -> Parts:
        return self.give(gateway_model.event(raw, resource, **more), timeout=timeout)

    def give(self, event: dict[str, Any], *, timeout: float = 30.0) -> Parts:
        context = Context(self.clock, timeout)
        result = handler.process(event, context, self.edge)
        return gateway_model.answer(json.loads(json.dumps(result)))


def get(path: str = "/", *headers: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    lines = [b"%s %s HTTP/1.1" % (method, path.encode("latin-1")), b"Host: shop.example", *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", b""]) + body
