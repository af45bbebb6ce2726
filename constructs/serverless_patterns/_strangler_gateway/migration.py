"""What the functions of a gateway read from their file: everything that is decided before deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serverless_patterns_runtime.strangler_gateway.contract import (
    BREAKER,
    CACHE_SECONDS,
    PIN_SECONDS,
    ROUTES_FILE,
    SAFE_METHODS,
    Migration,
    NewSide,
    RollbackSettings,
    RouteSettings,
    ShadowSettings,
    StickySettings,
)

from ..http_backend import HttpBackend
from .known_at_synth import length_of

if TYPE_CHECKING:
    from aws_cdk import Duration

    from ..legacy_backend import LegacyBackend
    from ..migrated_route import MigratedRoute, Sticky
    from .stages import Stages

_A_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class ToldRouter:
    """What is said of a gateway as a whole. Checked."""

    legacy: LegacyBackend
    sticky: Sticky
    integration_timeout: Duration
    max_body_bytes: int
    base_path: str | None
    force_header: str | None
    claims_retention: Duration
    """How long the new side remembers a key."""
    private: bool
    """Whether the router runs where private addresses are reached, and is meant to."""
    here: bool
    """Whether functions run on this machine."""


def migration_file(
    namespace: str,
    told: ToldRouter,
    stages: Stages,
    ids: Mapping[str, str],
) -> Mapping[str, str]:
    """The file by its name.

    Args:
        namespace: What the gateway is called in metrics, and callers are divided by.
        told: Of the gateway.
        stages: The routes.
        ids: By route: what `TARGETS` calls its function.
    """
    finished = stages.finished
    migration: Migration = {
        "gateway": namespace,
        "cookie": f"side-{namespace}",
        "cache_seconds": CACHE_SECONDS,
        "deadline_seconds": length_of(told.integration_timeout),
        "max_body_bytes": told.max_body_bytes,
        "legacy_timeout_seconds": length_of(told.legacy.timeout),
        "legacy_headers": dict(told.legacy.headers),
        "loopback": told.here,
        "private": told.private,
        "pin_seconds": max(PIN_SECONDS, int(length_of(told.claims_retention)) + _A_DAY),
        "base_path": f"/{told.base_path}" if told.base_path else "",
        "routes": {one.route: _settings(one, told.sticky, ids) for one in stages.migrating},
        "done": {one.route: _new_side(one, ids) for one in finished},
        "elsewhere": [one.route for one in stages.done if one not in finished],
        "legacy": [one.route for one in stages.listed],
        "left": {one.text: one.owner_name for one in stages.left if one.owner or not one.text.startswith("ANY ")},
    }
    if told.force_header is not None:
        migration["force_header"] = told.force_header
    return {ROUTES_FILE: json.dumps(migration, indent=1, sort_keys=True)}


def _settings(route: MigratedRoute, sticky: Sticky, ids: Mapping[str, str]) -> RouteSettings:
    method = route.route.partition(" ")[0]
    settings: RouteSettings = {
        **_new_side(route, ids),
        "generation": route.generation,
        "initial_percent": route.initial_percent,
        "timeout_seconds": length_of(route.timeout),
        "sticky": _sticky(route.sticky or sticky),
        "fallback": route.fallback is not False and method in (*SAFE_METHODS, "ANY"),
        "breaker": BREAKER,
    }
    if route.rollback is not None:
        settings["rollback"] = RollbackSettings(
            max_error_percent=route.rollback.max_error_percent,
            min_requests=route.rollback.min_requests,
            window_seconds=int(length_of(route.rollback.window)),
        )
    if route.shadow is not None:
        settings["shadow"] = ShadowSettings(
            percent=route.shadow.percent, compare=[*route.shadow.compare], declared=route.shadow.declared
        )
    return settings


def _new_side(route: MigratedRoute, ids: Mapping[str, str]) -> NewSide:
    if isinstance(route.target, HttpBackend):
        return {"url": route.target.url}
    return {"function": ids[route.route]}


def _sticky(sticky: Sticky) -> StickySettings:
    settings: StickySettings = {}
    if sticky.claim is not None:
        settings["claim"] = sticky.claim
    if sticky.header is not None:
        settings["header"] = sticky.header
    if sticky.cookie is not None:
        settings["cookie"] = sticky.cookie
    return settings
