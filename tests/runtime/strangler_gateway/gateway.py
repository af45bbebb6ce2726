"""A gateway's routers and its control function: each an environment of its own, over one modelled table and clock."""

import io
import itertools
import json
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from serverless_patterns_runtime.strangler_gateway import control_handler
from serverless_patterns_runtime.strangler_gateway.contract import (
    BREAKER,
    CACHE_SECONDS,
    Migration,
    RollbackSettings,
    RouteSettings,
    Side,
)
from serverless_patterns_runtime.strangler_gateway.controlling import Control
from serverless_patterns_runtime.strangler_gateway.pins import Pins
from serverless_patterns_runtime.strangler_gateway.placement import Placement, placed
from serverless_patterns_runtime.strangler_gateway.shares import Shares
from serverless_patterns_runtime.telemetry import Logger

from ...simulation.dynamodb_model import Table
from ..api_proxy.modelled_dynamodb import ModelledDynamoDB
from ..consumer import Clock, Context

ROUTE, OTHER = "GET /profile/{id}", "POST /basket"
TABLE, BREAKERS = "control", "breakers"
CACHE = CACHE_SECONDS
ROLLBACK = RollbackSettings(max_error_percent=2, min_requests=50, window_seconds=60)
COOKIE = "shop-side"

_services = itertools.count(1)


def route_settings(**given: Any) -> RouteSettings:
    return {  # type: ignore[return-value]
        "generation": 1,
        "initial_percent": 0.0,
        "function": "Profile",
        "timeout_seconds": 10.0,
        "sticky": {},
        "fallback": True,
        "rollback": ROLLBACK,
        "breaker": BREAKER,
        **given,
    }


def migration(routes: Mapping[str, RouteSettings] | None = None, **given: Any) -> Migration:
    return {  # type: ignore[return-value]
        "gateway": "Shop",
        "cookie": COOKIE,
        "cache_seconds": CACHE,
        "deadline_seconds": 28.0,
        "max_body_bytes": 1_000_000,
        "legacy_timeout_seconds": 25.0,
        "legacy_headers": {},
        "loopback": False,
        "private": False,
        "base_path": "",
        "routes": dict(routes or {ROUTE: route_settings(), OTHER: route_settings()}),
        **given,
    }


class Caller:
    """What a request tells of who sends it."""

    def __init__(
        self,
        *,
        cookies: Mapping[str, str] | None = None,
        claims: Mapping[str, Any] | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        self.cookies = dict(cookies or {})
        self.claims = dict(claims or {})
        self._headers = headers or []

    def all(self, name: str) -> list[str]:
        return [value for known, value in self._headers if known.lower() == name.lower()]


class Router:
    """One environment."""

    def __init__(self, gateway: "Gateway", code: Migration, seed: int) -> None:
        self.random = random.Random(seed)
        self.code = code
        self.told: list[tuple[str, str | None]] = []
        self.shares = Shares(
            code,
            TABLE,
            gateway.dynamodb,
            gateway.clock,
            self.random,
            lambda metric, route, _: self.told.append((metric, route)),
        )
        self.pins = Pins(gateway.dynamodb, TABLE, gateway.clock)

    def percent(self, route: str = ROUTE) -> float:
        return self.shares.percent(route)

    def places(self, caller: Caller, route: str = ROUTE) -> Placement:
        return placed(self.code, self.code["routes"][route], caller, self.percent(route), self.random)

    def answers(self, requests: int = 1, errors: int = 0, route: str = ROUTE) -> None:
        """So many requests at this moment, of which the new side fails some."""
        for number in range(requests):
            self.shares.percent(route)
            self.shares.note(route, number < errors)

    def pinned(self, key: str, wanted: Side, route: str = OTHER) -> Side:
        return self.pins.side(route, key, wanted)


class Gateway:
    def __init__(self, code: Migration | None = None) -> None:
        self.clock = Clock()
        self.dynamodb = ModelledDynamoDB(self.clock)
        self.dynamodb.service.tables[TABLE] = Table({"kind": "S", "entry": "S"}, time_to_live="expires_at")
        self.dynamodb.service.tables[BREAKERS] = Table({"breaker": "S"})
        self.code = code or migration()
        self._seeds = itertools.count(1)
        self._stream = io.StringIO()
        # Powertools keeps one handler, and so one stream, a service name and process.
        self.logger = Logger(service=f"control-{next(_services)}", stream=self._stream)

    def router(self, code: Migration | None = None) -> Router:
        return Router(self, code or self.code, next(self._seeds))

    def asked(self, code: Migration | None = None, /, **command: Any) -> dict[str, Any]:
        """What the control function of this code answers."""
        chance = random.Random(next(self._seeds))
        control = Control(code or self.code, TABLE, BREAKERS, self.dynamodb, self.clock, chance)
        return json.loads(json.dumps(control_handler.process(command, Context(self.clock), control, self.logger)))

    def does(
        self, action: str, *, route: str = ROUTE, by: str = "ann", code: Migration | None = None, **more: Any
    ) -> Any:
        answer = self.asked(code, action=action, route=route, by=by, reason=more.pop("reason", "why"), **more)
        assert "refused" not in answer, answer
        return answer

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds

    def fails(self, error: Exception, *operations: str) -> None:
        def fail(_: Any) -> Any:
            raise error

        self.dynamodb.meets = dict.fromkeys(operations or ("Query", "UpdateItem", "TransactWriteItems"), fail)

    def works(self) -> None:
        self.dynamodb.meets.clear()

    def operations(self) -> Counter[str]:
        """Since this was last asked."""
        made = Counter(self.dynamodb.operations)
        self.dynamodb.operations.clear()
        return made

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return [dict(item) for key, item in self.dynamodb.items(TABLE).items() if key[0].startswith(kind)]

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]
