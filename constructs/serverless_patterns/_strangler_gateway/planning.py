"""All that a gateway is made of, checked before anything is defined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._api_proxy.planning import plan
from .._code import runs_here
from ..migrated_route import Sticky
from .advice import warn_of_long_functions, warn_of_required_keys
from .arguments import LEGACY, check_times
from .functions import Defined, Functions, check_functions
from .legacy_checks import check_legacy, check_no_circle, check_router_network
from .migration import ToldRouter, migration_file
from .route_checks import check_routes
from .router import Router
from .stages import Stages
from .stand_in import check_stand_ins
from .targets import check_targets, target_ids
from .wiring import connect

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .._api_proxy.functions import ToldFunctions
    from .._checks import Problems
    from ..defaults import Settings
    from ..domain import Domain
    from ..route import Route


@dataclass(frozen=True)
class Whole:
    """Everything that a gateway is made of."""

    stages: Stages
    router: Router
    routes: Sequence[Route]
    """Of its API."""

    ids: Mapping[str, str]
    """By route that the router may be asked for: what it knows its function by."""

    told: ToldRouter

    def define_functions(
        self, scope: Construct, namespace: str, settings: Settings, key: kms.IKey | None
    ) -> Defined | None:
        """The router and what goes with it; `None` when nothing goes through one."""
        if not self.stages.router:
            return None
        file = migration_file(namespace, self.told, self.stages, self.ids)
        functions = Functions(scope, self.stages.legacy, file, settings, key)
        defined = functions.define(timeout=self.told.integration_timeout, shadowed=bool(self._shadowed))
        self.router.function = defined.router
        return defined

    def connect(self, scope: Construct, defined: Defined, rest_api: apigateway.RestApiBase, stage_name: str) -> None:
        """Let the API call the router, and that the new side."""
        connect(defined, scope, rest_api, stage_name, self.router.invoked, self.ids, self._shadowed)
        warn_of_long_functions(scope, self.stages.migrating)
        warn_of_required_keys(scope, self.stages.migrating)

    @property
    def _shadowed(self) -> list[str]:
        return [one.route for one in self.stages.migrating if one.shadow is not None]


def planned(
    problems: Problems,
    scope: Construct,
    id: str,
    told: ToldFunctions,
    settings: Settings,
    *,
    legacy: Any,
    routes: Any,
    auth: Any,
    always_route: bool,
    sticky: Sticky | None,
    domain: Domain | None,
    stage_name: str,
    force_header: str | None,
) -> Whole:
    """Check what was said of legacy and of routes, and that all of it goes together.

    Raises:
        ValueError: with everything that is wrong, what others found included.
    """
    is_legacy = check_legacy(problems, scope, legacy)
    private = is_legacy and legacy.vpc is not None
    found = check_routes(problems, scope, routes, authorized=auth != LEGACY, private=private)
    if is_legacy:
        check_no_circle(problems, legacy, domain)
        check_times(problems, legacy, [one for one, _ in found.values()], told.timeout)
    problems.raise_any()  # what follows leans on these
    prefix = stage_name if domain is None else domain.base_path
    stages, router = Stages(found, legacy, always_route, f"/{prefix}" if prefix else "", runs_here(scope)), Router()
    if stages.router:
        check_router_network(problems, legacy, settings.vpc)
        check_functions(problems, scope, legacy, settings)
    stages.check_quotas(problems)
    check_stand_ins(problems, found, stages.left)
    translated = stages.translated(router)
    authorizer = None if auth == LEGACY else auth
    whole = plan(problems, scope, id, translated, authorizer, auth == LEGACY, told, settings)
    known = [*stages.migrating, *stages.finished]
    ids = target_ids(whole.functions, known)
    check_targets(problems, known, ids, {"LEGACY_URL": legacy.url, **settings.environment})
    problems.raise_any()
    told_to_router = ToldRouter(
        legacy=legacy,
        sticky=sticky or Sticky(),
        integration_timeout=told.timeout,
        max_body_bytes=told.max_body_bytes,
        base_path=None if domain is None else domain.base_path,
        force_header=force_header,
        claims_retention=told.once.retention,
        private=private or (is_legacy and legacy.vpc_link is not None and settings.vpc is not None),
        here=stages.here,
    )
    return Whole(stages, router, translated, ids, told_to_router)
