"""What the template tests of StranglerGateway share."""

import json
from typing import Any

from aws_cdk import Stack

from serverless_patterns import Handler, LegacyBackend, MigratedRoute, StranglerGateway
from serverless_patterns_runtime.strangler_gateway.contract import ROUTES_FILE, Migration
from tests.template.apis import asset_of, get, take

URL = "https://monolith.example.com"


def legacy(**arguments: Any) -> LegacyBackend:
    return LegacyBackend(**{"url": URL, **arguments})


def a_route(route: str = "GET /profile/{id}", target: Any = None, **arguments: Any) -> MigratedRoute:
    """A route that is migrating unless the test says otherwise."""
    return MigratedRoute(route, get() if target is None else target, **{"stage": "migrating", **arguments})


def a_gateway(stack: Stack, *routes: MigratedRoute, id: str = "Gateway", **arguments: Any) -> StranglerGateway:
    """The pattern, open to anybody unless the test says otherwise, with one route unless it says which."""
    return StranglerGateway(
        stack, id, **{"legacy": legacy(), "auth": "legacy", "routes": routes or (a_route(),), **arguments}
    )


def the_migration(stack: Stack, function: str = "GatewayRouter") -> Migration:
    """What a function of the gateway reads from its file."""
    return json.loads((asset_of(stack, function) / ROUTES_FILE).read_text())


def three_stages(read: Handler | None = None) -> list[MigratedRoute]:
    """One route of each stage, and one that changes something."""
    read = read or get()
    return [
        a_route("GET /profile/{id}", read, initial_percent=5),
        a_route("POST /basket", take()),
        a_route("GET /catalogue", read, stage="done"),
        a_route("GET /reports/{day}", read, stage="legacy"),
    ]
