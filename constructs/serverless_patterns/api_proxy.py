"""The front door: an HTTP API in front of business functions, queues and backends.

Richardson: Microservices Patterns (2018), "API gateway"; Idempotency-Key: draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from ._alarms import define_alarms
from ._api_proxy.advice import warn_of_routes, warn_of_wide_grant
from ._api_proxy.alarms import api_alarms, check_alarms
from ._api_proxy.arguments import check_arguments, check_binary, warn_of_timeout
from ._api_proxy.callers import allow_gateway, grant_invoke
from ._api_proxy.challenges import challenges
from ._api_proxy.cross_origin import gateway_error_headers
from ._api_proxy.document import document
from ._api_proxy.domain_checks import check_domain
from ._api_proxy.domains import define_domain, server, url
from ._api_proxy.functions import ToldFunctions
from ._api_proxy.gateway import define_gateway, protect
from ._api_proxy.known_routes import known, url_of
from ._api_proxy.looking import given, look
from ._api_proxy.methods import Methods
from ._api_proxy.metrics import Measured
from ._api_proxy.planning import plan
from ._api_proxy.throttling import method_options
from ._api_proxy.usage_plan_checks import check_usage_plans
from ._api_proxy.usage_plans import define_usage_plans
from ._api_proxy.wrong_kinds import check_kinds
from ._checks import Problems, path_of
from ._idempotency import Idempotency
from .defaults import Alarms, settings_of
from .throttle import Throttle

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms

    from ._interfaces import AlarmAction, Authorizer, Key, RestApi
    from .cors import Cors
    from .domain import Domain
    from .route import Route
    from .usage_plan import UsagePlan

__all__ = ["ApiProxy"]

_THROTTLE = Throttle(rate=100, burst=200)
_CLAIMS_RETENTION = Duration.days(7)
_INTEGRATION_TIMEOUT = Duration.seconds(29)
_MAX_LATENCY = Duration.seconds(5)
_STAGE_NAME = "live"


class ApiProxy(Measured):
    """An HTTP API: every request is authenticated, bounded and validated before it reaches its target.

    ```python
    ApiProxy(self, "Api", authorizer=LambdaAuthorizer(Handler(code, "auth:identify", secrets={"SIGNING_KEY": key})),
        routes=[
            Route("POST /orders", fulfilment, body=ORDER, respond={"order_id": "$.order_id"}),
            Route("GET /orders/{order_id}", Handler(code, "orders:get", tables={"ORDERS": orders})),
        ])
    ```

    Behind a `Handler`, one `Idempotency-Key` has one answer, and with `Effects` one effect.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default namespace of the claims.
        routes: What it serves. Their order means nothing.
        authorizer: Who may call a route that names no other: one of ours, or of `aws_apigateway`.
        public: `True`: anybody may call a route that names no authorizer.
        throttle: Of every route that has none of its own.
        cors: Which pages of other origins may use it. Default: none.
        claims: Table to share, with the partition key `claim` (String). Default: one of its own, if a route needs it.
        claims_namespace: Separates constructs that share a table, each its own. Data: never change it. Default: `id`.
        claims_retention: How long a key and its answer are remembered; an hour or more.
        integration_timeout: How long the gateway waits, 50 ms to 300 s; above 29 s AWS has to raise a quota first.
        max_body_bytes: Functions refuse more with 413; to 6 MB, less a third for bytes.
        binary_media_types: Whose bodies reach functions, and clients that accept them, as bytes: `image/png`; or `*/*`.
        access_logs: A line for each request. On AWS the account needs a role for it, once: `ApiAccount`. Default: yes.
        stage_name: First part of every path, `live`; of an imported `rest_api`, the stage that gets the routes.
        rest_api: Attach to this one, a `RestApi` or an imported one; its stage, and what belongs to that, stays its
            owner's. Default: one of its own.
        domain: A name of one's own for it. Default: API Gateway's.
        usage_plans: Of clients with API keys, on routes with `api_key_required=True`.
        web_acl: ARN of a regional web ACL of AWS WAF ($5 a month, and more by rule and request).
        encryption_key: Customer key for claims, logs and variables. Default: that of `Defaults`, else AWS's own.
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.
        max_latency: One answer in 100 that takes longer raises an alarm.

    Attributes:
        rest_api, stage: What is owned, or attached to.
        url: Of the stage, by its domain if it has one; with a slash at the end.
        domain_name: `None` without a `domain`.
        usage_plans: By name.
        functions: By route: the function that answers it; not of targets without one.
        authorizer_functions: By name, as in its `Handler`: the function that says who calls.
        claims: The table of claims; `None` when no route needs one.
        access_log_group: `None` with `access_logs=False` or `rest_api`.
        alarms: By name: ServerErrors, Latency; none with `rest_api`.
        required_endpoints: AWS services that the functions must reach when they run in a VPC.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        routes: Sequence[Route],
        authorizer: Authorizer | None = None,
        public: bool = False,
        throttle: Throttle = _THROTTLE,
        cors: Cors | None = None,
        claims: dynamodb.ITable | None = None,
        claims_namespace: str | None = None,
        claims_retention: Duration = _CLAIMS_RETENTION,
        integration_timeout: Duration = _INTEGRATION_TIMEOUT,
        max_body_bytes: int = 1_048_576,
        binary_media_types: Sequence[str] = (),
        access_logs: bool | None = None,
        stage_name: str | None = None,
        rest_api: RestApi | None = None,
        domain: Domain | None = None,
        usage_plans: Sequence[UsagePlan] = (),
        web_acl: str | None = None,
        encryption_key: Key | None = None,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
        max_latency: Duration = _MAX_LATENCY,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        once = Idempotency(None, claims, id if claims_namespace is None else claims_namespace, claims_retention)
        said = {"access_logs": access_logs, "alarms": alarms, "alarm_actions": alarm_actions, "domain": domain}
        said |= {"throttle": given(throttle, _THROTTLE), "max_latency": given(max_latency, _MAX_LATENCY)}
        said |= {"usage_plans": usage_plans or None, "web_acl": web_acl}
        existing = look(problems, scope, rest_api, stage_name, binary_media_types, said)
        binary = existing.binary_media_types if existing else binary_media_types
        told = ToldFunctions(once, max_body_bytes, binary, cors, integration_timeout)
        own_stage = _STAGE_NAME if rest_api is not None or stage_name is None else stage_name
        check_arguments(problems, told, throttle, binary_media_types, own_stage)
        check_alarms(problems, alarms, max_latency)
        check_domain(problems, scope, domain)
        check_kinds(problems, told, web_acl, encryption_key, alarm_actions)
        problems.raise_any()  # what follows leans on these
        whole = plan(problems, scope, id, routes, authorizer, public, told, settings)
        check_binary(problems, whole.routes, binary)
        if existing is not None:
            existing.check(problems, scope, whole.routes, cors=cors is not None)
        problems.raise_any()
        plans = [] if existing else check_usage_plans(problems, usage_plans, whole.routes, throttle)
        problems.raise_any()

        super().__init__(scope, id)
        key = cast("kms.IKey | None", encryption_key or settings.encryption_key)
        self._routes, self._existing = {one.route.route: one for one in whole.routes}, existing
        attached = existing.attach(self, whole.routes, cors=cors is not None) if existing else None
        gateway = attached or define_gateway(
            self,
            stage_name=own_stage,
            throttle=throttle,
            method_options=method_options(whole.routes),
            binary_media_types=binary_media_types,
            access_logs=access_logs is not False,
            error_headers=gateway_error_headers(cors),
            challenges=challenges(whole.routes),
            settings=settings,
            key=key,
        )
        self.rest_api, self.stage = gateway.rest_api, gateway.stage
        self.access_log_group = gateway.access_log_group
        self.domain_name = define_domain(self, self.rest_api, self.stage, domain)
        self._domain, self.url = domain, url(self.stage, domain)
        removal = settings.removal_policy
        self.claims = once.define(self, key=key, removal_policy=removal) if whole.claims else None
        self.required_endpoints = whole.required_endpoints
        functions, invoked = whole.define_functions(self, self.claims, settings, key)
        self.functions: Mapping[str, lambda_.IFunction] = functions
        allow_gateway(self, gateway.routed, gateway.stage_name, whole.invoked(invoked))
        authorizing, asked = whole.define_authorizers(self, settings, key)
        self.authorizer_functions: Mapping[str, lambda_.IFunction] = authorizing
        methods = Methods(self, gateway, told, functions=invoked, authorizers=asked)
        self.usage_plans = define_usage_plans(self, self.stage, plans, methods.define(whole.routes))
        gateway.deploy(self, methods.defined, methods.authorizers)
        if web_acl is not None:
            protect(self, self.stage, web_acl)
        warn_of_timeout(self, integration_timeout)
        warn_of_routes(self, whole.routes)
        actions = settings.alarm_actions if alarm_actions is None else alarm_actions
        wanted = [] if existing else api_alarms(self.stage, max_latency)
        self.alarms = define_alarms(self, wanted, alarms or settings.alarms, actions)

    def function_for(self, route: str) -> lambda_.IFunction:
        """The function that answers a route, written as there: `GET /orders/{order_id}`."""
        return known(self, self.functions, route)

    def url_for(self, route: str, **parameters: object) -> str:
        """The address of a route, its path's parameters filled in and encoded."""
        return url_of(self, self.url, known(self, self._routes, route).path, parameters)

    def grant_invoke(self, grantee: iam.IGrantable, *routes: str) -> iam.Grant:
        """Allow calling routes that an `IamAuthorizer` guards; without routes, all of these."""
        chosen = [known(self, self._routes, route) for route in routes] or [*self._routes.values()]
        warn_of_wide_grant(self, chosen, [*self._routes.values()])
        return grant_invoke(self, self.rest_api, self.stage.stage_name, grantee, chosen, all=not routes)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of the routes."""
        return document(self.node.id, [*self._routes.values()], server(self._domain))
