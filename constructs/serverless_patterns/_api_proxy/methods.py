"""Resources and methods of the gateway, in the order of their names: that of the routes changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from .._checks import Problems
from .._targets import Connection, RouteFacts, Site
from . import schemas as _schemas
from .arguments import EVERY_TYPE
from .credentials import sent_headers
from .cross_origin import add_preflight, template_answers
from .gateway import acknowledge_bytes, acknowledge_no_bodies
from .guards import Ours, method_guard

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from constructs import Construct

    from ..handler import Handler
    from .functions import ToldFunctions
    from .gateway import Gateway
    from .routes import Planned

_TWO_APIS = "Cannot attach authorizer to two"  # the CDK's own words


class Methods:
    """Defines the methods of an API."""

    def __init__(
        self,
        scope: Construct,
        gateway: Gateway,
        told: ToldFunctions,
        *,
        functions: Mapping[Handler, lambda_.IFunction],
        authorizers: Mapping[Ours, apigateway.IAuthorizer],
    ) -> None:
        self._scope = scope
        self._gateway, self._rest_api = gateway, cast(apigateway.IRestApi, gateway.routed)
        self._timeout = told.timeout
        self._cors, self._cors_answers = told.cors, template_answers(told.cors)
        self._validates = EVERY_TYPE not in told.binary_media_types
        self._functions = functions
        self._authorizers = authorizers
        self.defined: list[apigateway.Method] = []
        self.authorizers: list[apigateway.IAuthorizer] = []
        self._resources: dict[tuple[str, ...], apigateway.IResource] = {(): gateway.routed.root}
        self._roles: dict[str, iam.Role] = {}
        self._validator: apigateway.IRequestValidator | None = None

    def define(self, routes: Sequence[Planned]) -> Mapping[str, apigateway.Method]:
        """Define everything that the routes, which are sorted, name. Returns their methods, by route."""
        made: dict[str, apigateway.Method] = {}
        by_path: dict[tuple[str, ...], list[Planned]] = {}
        for one in routes:
            made[one.route.route] = self._define(one)
            by_path.setdefault(one.path.parts, []).append(one)
        if self._gateway.owned and self._validator is None:
            if not self._validates:
                acknowledge_bytes(self._gateway.rest_api)
            elif not any(one.takes_a_body for one in routes):
                acknowledge_no_bodies(self._gateway.rest_api)
        if self._cors is not None:
            for parts, there in by_path.items():
                needed = [sent_headers(one.guard, api_key=one.route.api_key_required) for one in there]
                names = [one.path.method for one in there]
                preflight = add_preflight(self._resource(parts), self._cors, names, chain.from_iterable(needed))
                self.defined.append(preflight)
        return made

    def _define(self, one: Planned) -> apigateway.Method:
        facts, resource = one.facts, self._resource(one.path.parts)
        site = Site(
            scope=self._scope,
            rest_api=self._rest_api,
            resource=resource,
            facts=facts,
            cors=self._cors_answers,
            timeout=self._timeout,
            functions=self._functions,
            roles=self._roles,
        )
        connection = one.target.connect(site)
        query = {} if facts.query is None or not self._validates else _schemas.query_parameters(facts.query)
        return self._add_method(one, resource, connection, {**connection.request_parameters, **query})

    def _add_method(
        self, one: Planned, resource: apigateway.IResource, connection: Connection, parameters: Mapping[str, bool]
    ) -> apigateway.Method:
        facts, guard = one.facts, method_guard(one.guard, self._authorizers)
        model = None if facts.body is None or not self._validates else self._model(facts.body)
        checked = model is not None or any(
            required and not name.startswith("method.request.path.") for name, required in parameters.items()
        )
        add = partial(
            resource.add_method,
            facts.method,
            connection.integration,
            authorization_type=guard.authorization_type,
            authorizer=guard.authorizer,
            authorization_scopes=[*facts.scopes] or None,
            api_key_required=one.route.api_key_required or None,
            method_responses=[*connection.method_responses] or None,
            request_parameters=parameters or None,
            # Under $default too, or a body would be let through for the type that it says to be.
            request_models=None if model is None else {"application/json": model, "$default": model},
            request_validator=self._the_validator() if checked else None,
        )
        method = self._added(add, facts)
        self.defined.append(method)
        self.authorizers += [guard.authorizer] if guard.authorizer and guard.authorizer not in self.authorizers else []
        return method

    def _added(self, add: Callable[[], apigateway.Method], facts: RouteFacts) -> apigateway.Method:
        try:
            return add()
        except RuntimeError as error:
            if _TWO_APIS not in str(error):
                raise
            problems = Problems(self._scope.node.path)
            fix = "API Gateway has it for one: make another authorizer for this one"
            problems.add(f"{facts.label} authorizer", "belong to one API", "one of another API", fix)
            problems.raise_any()
            raise

    def _model(self, schema: Mapping[str, Any]) -> apigateway.IModel:
        return _schemas.model(self._scope, self._rest_api, schema, alone=self._gateway.owned)

    def _resource(self, parts: tuple[str, ...]) -> apigateway.IResource:
        known = self._resources.get(parts)
        if known is None:
            known = self._gateway.resource(self._scope, parts)
        if known is None:
            known = self._resource(parts[:-1]).add_resource(parts[-1])
        self._resources[parts] = cast(apigateway.IResource, known)
        return cast(apigateway.IResource, known)

    def _the_validator(self) -> apigateway.IRequestValidator:
        if self._validator is None:
            self._validator = cast(
                apigateway.IRequestValidator,
                apigateway.RequestValidator(
                    self._scope,
                    "Validator",
                    rest_api=self._rest_api,
                    validate_request_body=True,
                    validate_request_parameters=True,
                ),
            )
        return self._validator
