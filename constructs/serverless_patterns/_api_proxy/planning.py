"""All that an API is made of, checked before anything is defined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_lambda as lambda_

from .._bundled import name_of
from .._checks import Problems
from .function_target import FunctionTarget
from .functions import ApiFunction, ToldFunctions, routes_by_handler
from .guards import Guard, Ours, OwnAuthorizer, guard_of, is_ours, own_authorizers
from .names import camel, distinct, ids
from .routes import Planned, planned

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .._interfaces import Authorizer
    from ..defaults import Settings
    from ..handler import Handler

_LEAST_RETENTION_SECONDS = 3600  # longer than a function may run, and than anybody tries again


@dataclass(frozen=True)
class Plan:
    """Everything that an API is made of."""

    routes: Sequence[Planned]
    functions: Sequence[ApiFunction]
    authorizers: Sequence[OwnAuthorizer]

    @property
    def claims(self) -> bool:
        """Whether any function remembers keys."""
        return any(function.claims for function in self.functions)

    def define_functions(
        self, scope: Construct, claims: dynamodb.ITable | None, settings: Settings, key: kms.IKey | None
    ) -> tuple[dict[str, lambda_.IFunction], dict[Handler, lambda_.IFunction]]:
        """Define the functions of handlers.

        Returns:
            By route, what answers it, functions of the user's own included; and what is to be invoked by handler.
        """
        by_route: dict[str, lambda_.IFunction] = {}
        invoked: dict[Handler, lambda_.IFunction] = {}
        for one in self.functions:
            function, invoked[one.handler] = one.define(scope, claims, settings, key)
            by_route.update({led.route.route: function for led in one.routes})
        return {**by_route, **dict(self._given())}, invoked

    def define_authorizers(
        self, scope: Construct, settings: Settings, key: kms.IKey | None
    ) -> tuple[dict[str, lambda_.IFunction], dict[Ours, apigateway.IAuthorizer]]:
        """Define the functions that say who calls.

        Returns:
            The functions, by the name that their handler has (two of one name: and what asks for them); and the
            authorizers.
        """
        times = Counter(one.given.handler.function for one in self.authorizers)
        functions: dict[str, lambda_.IFunction] = {}
        asked: dict[Ours, apigateway.IAuthorizer] = {}
        for one in self.authorizers:
            name = one.given.handler.function
            known_as = name if times[name] == 1 else f"{name} of {one.label}"
            functions[known_as], asked[one.given] = one.define(scope, settings, key)
        return functions, asked

    def invoked(self, handlers: Mapping[Handler, lambda_.IFunction]) -> dict[str, lambda_.IFunction]:
        """Everything that the gateway invokes, once each, by the id of its permission."""
        ours = {f"{one.id}Permission": handlers[one.handler] for one in self.functions}
        given = {function.node.addr: function for _, function in self._given()}
        names = {address: f"{camel(function.node.path)}Permission" for address, function in given.items()}
        own = {address: address for address in given}
        return ours | {id: given[address] for address, id in distinct(names, own, ours).items()}

    def _given(self) -> list[tuple[str, lambda_.IFunction]]:
        return [
            (one.route.route, cast(lambda_.IFunction, one.target.function))
            for one in self.routes
            if isinstance(one.target, FunctionTarget)
        ]

    @property
    def required_endpoints(self) -> tuple[str, ...]:
        """AWS services that its functions call."""
        needs = [
            *(one.required_endpoints for one in self.functions),
            *(one.required_endpoints for one in self.authorizers),
        ]
        return tuple(sorted({service for services in needs for service in services}))


def plan(
    problems: Problems,
    scope: Construct,
    id: str,
    routes: Any,
    authorizer: Authorizer | None,
    public: bool,
    told: ToldFunctions,
    settings: Settings,
) -> Plan:
    """Check what the routes say, and name what they need.

    Args:
        problems: Takes what is wrong.
        scope: Where the API will be.
        id: The API's.
        routes: What the user gave.
        authorizer: Of every route that names none.
        public: Whether those are open to anybody.
        told: What every function is told.
        settings: What holds in the scope.
    """
    api = guard_of(problems, "", authorizer, public, None) if authorizer is not None or public else None
    found = planned(problems, routes, api, told.timeout, told.cors is not None)
    by_handler = routes_by_handler(found)
    functions = ids({handler: (name_of(handler), led[0].route.route) for handler, led in by_handler.items()})
    own = _own_authorizers(api if authorizer is not None else None, found)
    whole = Plan(
        routes=found,
        functions=[
            ApiFunction(functions[handler], handler, led, told)
            for handler, led in sorted(by_handler.items(), key=lambda item: functions[item[0]])
        ],
        authorizers=own,
    )
    for function in whole.functions:
        function.check(problems, id, scope, settings)
    for one in own:
        one.check(problems, scope, settings)
    if whole.claims:
        told.once.check_place(problems, scope)
        fix = "a caller may repeat a request for that long"
        told.once.check_retention(problems, _LEAST_RETENTION_SECONDS, fix)
    return whole


def _own_authorizers(api: Guard | None, routes: Sequence[Planned]) -> list[OwnAuthorizer]:
    first = {guard.given: "authorizer" for guard in [api] if guard and is_ours(guard)}
    for one in routes:
        if is_ours(one.guard):
            first.setdefault(one.guard.given, f"{one.facts.label} authorizer")
    used = own_authorizers(one.guard for one in routes)
    names = ids({given: (f"{_function_of(given)} authorizer", first[given]) for given in used})
    return sorted((OwnAuthorizer(given, names[given], first[given]) for given in used), key=lambda one: one.id)


def _function_of(given: Ours) -> str:
    return str(getattr(given.handler, "function", "wrong"))
