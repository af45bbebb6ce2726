"""The way out of a monolith: one route after the other, some callers first, and back in seconds.

Fowler: StranglerFigApplication (2004); Sato: CanaryRelease (2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, cast

from aws_cdk import Duration, Names

from ._alarms import define_alarms
from ._api_proxy.functions import ToldFunctions
from ._checks import Problems, path_of
from ._idempotency import Idempotency
from ._strangler_gateway.arguments import BYTES, LEGACY, MOST_CHARACTERS, check_api, check_gateway
from ._strangler_gateway.functions import SERVICES
from ._strangler_gateway.offering import Offering
from ._strangler_gateway.planning import planned
from ._strangler_gateway.watching import define_dashboard, gateway_alarms
from ._strangler_gateway.wiring import deploy_after_permissions
from .api_proxy import ApiProxy
from .defaults import Alarms, settings_of
from .throttle import Throttle

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from ._interfaces import AlarmAction, Authorizer, Key
    from .domain import Domain
    from .legacy_backend import LegacyBackend
    from .migrated_route import MigratedRoute, Sticky

__all__ = ["StranglerGateway"]

_THROTTLE = Throttle(rate=1000, burst=2000)
_CLAIMS_RETENTION = Duration.days(7)
_INTEGRATION_TIMEOUT = Duration.seconds(29)
_MAX_LATENCY = Duration.seconds(5)
_STAGE_NAME = "live"


class StranglerGateway(Offering):
    """An API in front of a legacy system, whose routes move to new code by percentage, and back in seconds.

    ```python
    StranglerGateway(self, "Shop", auth="legacy", legacy=LegacyBackend("https://monolith.example.com"), routes=[
        MigratedRoute("GET /profile/{id}", Handler(code, "profile:get"), stage="migrating", initial_percent=5),
    ])
    ```

    What is not listed goes to legacy, as it did before.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default namespace of the claims.
        legacy: What answers everything that nobody else does.
        routes: What is about to leave it, leaves it or has left it. Their order means nothing.
        auth: `legacy`: everybody is let through to it, as before. An authorizer: it is asked about every request.
        always_route: Whether legacy's own routes go through the router too: fewer differences, one Lambda call more.
        force_header: With this header a caller chooses the side, `new` or `legacy`; his answer's says who answered.
            Default: nobody does.
        sticky: What names a caller when the gateway's own cookie does not. Default: nothing, so that cookie is set.
        domain: A name of one's own. Default: API Gateway's.
        throttle: Of every route that has none of its own.
        claims: As of `ApiProxy`: of the functions that it defines for the new side.
        claims_namespace: Likewise. Data: never change it. Default: `id`.
        claims_retention: Likewise.
        namespace: Its name in metrics; callers are divided by it. Data: never change it. Default: made of its path.
        integration_timeout: How long the gateway waits for a side.
        max_body_bytes: The router and functions refuse more with 413; to 4,500,000.
        access_logs: A line for each request, as of `ApiProxy`.
        stage_name: First part of every path. Default: `live`.
        web_acl: ARN of a regional web ACL of AWS WAF.
        encryption_key: Customer key for tables, logs and variables. Default: that of `Defaults`, else AWS's own.
        dashboard: Share, errors, latency and differences of every route that is migrating ($3 a month).
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.
        max_latency: One answer in 100 that takes longer raises an alarm.

    Attributes:
        api: The `ApiProxy` that it is built on.
        url: Of the stage, by its domain if it has one; with a slash at the end.
        functions: By route: the new side's function, of routes that are migrating or done.
        router_function: `None` when nothing goes through one.
        control_function: What `serverless-patterns route` asks; `None` likewise.
        shadow_function: `None` when no route that is migrating has a shadow.
        control_table: Where percentages are; `None` without a router.
        breaker_table: Where breakers are; `None` likewise.
        alarms: By name: ServerErrors, Latency; with a router RolledBack, NewSideErrors, RouteStoreUnavailable.
        dashboard: `None` unless asked for.
        required_endpoints: AWS services that the functions must reach when they run in a VPC.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        legacy: LegacyBackend,
        routes: Sequence[MigratedRoute],
        auth: Literal["legacy"] | Authorizer,
        always_route: bool = False,
        force_header: str | None = None,
        sticky: Sticky | None = None,
        domain: Domain | None = None,
        throttle: Throttle = _THROTTLE,
        claims: dynamodb.ITable | None = None,
        claims_namespace: str | None = None,
        claims_retention: Duration = _CLAIMS_RETENTION,
        namespace: str | None = None,
        integration_timeout: Duration = _INTEGRATION_TIMEOUT,
        max_body_bytes: int = 4_194_304,
        access_logs: bool = True,
        stage_name: str | None = None,
        web_acl: str | None = None,
        encryption_key: Key | None = None,
        dashboard: bool = False,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
        max_latency: Duration = _MAX_LATENCY,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        once = Idempotency(None, claims, id if claims_namespace is None else claims_namespace, claims_retention)
        told = ToldFunctions(once, max_body_bytes, BYTES, None, integration_timeout)
        check_gateway(
            problems,
            told,
            legacy=legacy,
            routes=routes,
            auth=auth,
            namespace=namespace,
            sticky=sticky,
            force_header=force_header,
            always_route=always_route,
            dashboard=dashboard,
        )
        check_api(
            problems,
            scope,
            told,
            throttle=throttle,
            stage_name=stage_name or _STAGE_NAME,
            domain=domain,
            web_acl=web_acl,
            encryption_key=encryption_key,
            alarms=alarms,
            alarm_actions=alarm_actions,
            max_latency=max_latency,
        )
        whole = planned(
            problems,
            scope,
            id,
            told,
            settings,
            legacy=legacy,
            routes=routes,
            auth=auth,
            always_route=always_route,
            sticky=sticky,
            domain=domain,
            stage_name=stage_name or _STAGE_NAME,
            force_header=force_header,
        )

        super().__init__(scope, id)
        key = cast("kms.IKey | None", encryption_key or settings.encryption_key)
        name = namespace or Names.unique_resource_name(self, separator="-", max_length=MOST_CHARACTERS)
        self._namespace, self._routes = name, whole.stages.routes
        defined = whole.define_functions(self, name, settings, key)
        self.api = ApiProxy(
            self,
            "Api",
            routes=whole.routes,
            authorizer=None if auth == LEGACY else auth,
            public=auth == LEGACY,
            throttle=throttle,
            claims=claims,
            claims_namespace=once.namespace,
            claims_retention=claims_retention,
            integration_timeout=integration_timeout,
            max_body_bytes=max_body_bytes,
            binary_media_types=BYTES,
            access_logs=access_logs,
            stage_name=stage_name,
            domain=domain,
            web_acl=web_acl,
            encryption_key=encryption_key,
            alarms=alarms,
            alarm_actions=alarm_actions,
            max_latency=max_latency,
        )
        self.url = self.api.url
        self.functions = {name: one for name, one in self.api.functions.items() if name in whole.stages.routes}
        if defined is not None:
            whole.connect(self, defined, self.api.rest_api, stage_name or _STAGE_NAME)
        deploy_after_permissions(self.api.rest_api, self, self.api)
        self.router_function = cast("lambda_.IFunction | None", defined and defined.router)
        self.control_function = cast("lambda_.IFunction | None", defined and defined.control)
        self.shadow_function = cast("lambda_.IFunction | None", defined and defined.shadow)
        self.control_table = cast("dynamodb.ITable | None", defined and defined.control_table)
        self.breaker_table = cast("dynamodb.ITable | None", defined and defined.breaker_table)
        self.required_endpoints = tuple(sorted({*self.api.required_endpoints, *(SERVICES if defined else ())}))
        actions = settings.alarm_actions if alarm_actions is None else alarm_actions
        own = define_alarms(self, gateway_alarms(name) if defined else [], alarms or settings.alarms, actions)
        self.alarms: Mapping[str, cloudwatch.Alarm] = {**self.api.alarms, **own}
        migrating = whole.stages.migrating
        self.dashboard = define_dashboard(self, migrating) if dashboard and migrating else None
