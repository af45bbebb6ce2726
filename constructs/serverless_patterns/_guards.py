"""Who may call a route: one authorizer for each, or `public=True`. Defines what the authorizers need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway

from serverless_patterns_runtime.api_proxy.contract import Evidence
from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.lambda_authorizer.contract import HANDLER, Env

from ._checks import Problems
from ._environment import check_size, variables
from ._function import business_function_env, define_function, endpoints, provisioned
from ._running import check_in_pattern, check_provisioned
from .authorizers import IamAuthorizer, LambdaAuthorizer
from .handler import Handler

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ._interfaces import Authorizer
    from .defaults import Settings

_TIMEOUT = Duration.seconds(5)  # the caller waits for it before anything else
_MOST_TIMEOUT_SECONDS = 29  # API Gateway waits no longer for an authorizer
_LONGEST_CACHE_SECONDS = 3600  # API Gateway quota
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_VARIABLES = (*BusinessFunctionEnv._fields, *Env._fields)


class Guard(NamedTuple):
    """What stands before one route."""

    evidence: Evidence
    given: Any = None
    """The authorizer; `None`: nobody."""


PUBLIC = Guard("none")


def guard_of(problems: Problems, label: str, authorizer: Authorizer | None, public: bool, api: Guard | None) -> Guard:
    """The guard of a route, or of the API; public where it is wrong, which is a problem.

    Args:
        problems: Takes what is wrong.
        label: Such as `routes['GET /orders'] `; empty for the API.
        authorizer: What the user gave.
        public: Likewise.
        api: What holds for the API; `None`: nothing.
    """
    if type(public) is not bool:
        problems.add(f"{label}public", "be True or False", repr(public), "True lets everybody in")
    if authorizer is not None and public:
        problems.add(f"{label}public", "be left out with an authorizer", "True", "choose one of the two")
    if authorizer is None:
        if public:
            return PUBLIC
        return api or PUBLIC
    evidence = _evidence(authorizer)
    if evidence is None:
        fix = "or another authorizer of aws_apigateway for a REST API; public=True lets everybody in"
        got = f"a value of type {type(authorizer).__name__}"
        problems.add(f"{label}authorizer", "be an IamAuthorizer or a LambdaAuthorizer", got, fix)
        return PUBLIC
    return Guard(evidence, authorizer)


def _evidence(authorizer: Any) -> Evidence | None:
    if isinstance(authorizer, IamAuthorizer):
        return "iam"
    if isinstance(authorizer, LambdaAuthorizer):
        return "lambda"
    if not hasattr(authorizer, "authorizer_id"):
        return None
    kinds: Mapping[Any, Evidence] = {
        apigateway.AuthorizationType.COGNITO: "cognito",
        apigateway.AuthorizationType.CUSTOM: "lambda",
        apigateway.AuthorizationType.IAM: "iam",
    }
    return kinds.get(authorizer.authorization_type)


@dataclass(frozen=True)
class OwnAuthorizer:
    """A `LambdaAuthorizer` of ours, and the name that all below it has."""

    given: LambdaAuthorizer
    id: str
    label: str

    def check(self, problems: Problems, scope: Construct, settings: Settings) -> None:
        """Refuse what API Gateway and Lambda refuse, and a function that writes."""
        label, handler = self.label, self.given.handler
        if not isinstance(handler, Handler):  # pyright: ignore[reportUnnecessaryIsInstance]
            fix = "for a function of another kind use aws_apigateway.RequestAuthorizer"
            problems.add(f"{label} handler", "be a Handler", f"a value of type {type(handler).__name__}", fix)
            return
        if not _HEADER.fullmatch(str(self.given.header)):
            problems.add(f"{label} header", "be the name of a header", repr(self.given.header), "for example 'X-Token'")
        fix = "0 asks for every request"
        problems.duration(f"{label} results_cache_ttl", self.given.results_cache_ttl, 0, _LONGEST_CACHE_SECONDS, fix)
        if handler.returns_effects:
            fix = "it says who calls, and its answer is cached: write where the request is handled"
            problems.add(f"{label} handler", "return a Caller or None", f"{handler} -> Effects", fix)
        if handler.timeout is not None:
            fix = "API Gateway waits no longer"
            problems.duration(f"{label} handler timeout", handler.timeout, 1, _MOST_TIMEOUT_SECONDS, fix)
        check_in_pattern(problems, f"{label} handler", handler, scope, settings, _VARIABLES)
        warm, reserved = handler.provisioned_concurrent_executions, handler.reserved_concurrent_executions
        check_provisioned(problems, f"{label} handler provisioned_concurrent_executions", warm, reserved)
        told = variables(handler, self._told(), "", settings.environment)
        check_size(problems, f"{label} handler", told)

    @property
    def required_endpoints(self) -> tuple[str, ...]:
        """AWS services that it calls."""
        return endpoints(self.given.handler)

    def define(self, scope: Construct, settings: Settings, key: kms.IKey | None) -> apigateway.IAuthorizer:
        """The authorizer, with the function that it asks."""
        handler = self.given.handler
        function = define_function(
            scope,
            self.id,
            handler,
            entry_point=HANDLER,
            contract=self._told(),
            timeout=handler.timeout or _TIMEOUT,
            settings=settings,
            encryption_key=key,
            reserved_concurrent_executions=handler.reserved_concurrent_executions,
            required_endpoints=self.required_endpoints,
        )
        authorizer = apigateway.RequestAuthorizer(
            scope,
            f"{self.id}Request",
            handler=provisioned(scope, f"{self.id}Live", function, handler),
            identity_sources=[apigateway.IdentitySource.header(self.given.header)],
            results_cache_ttl=self.given.results_cache_ttl,
        )
        return cast(apigateway.IAuthorizer, authorizer)

    def _told(self) -> dict[str, str]:
        return {**business_function_env(self.given.handler), **Env(IDENTITY_HEADER=self.given.header)._asdict()}


class MethodGuard(NamedTuple):
    """What a method is told."""

    authorization_type: apigateway.AuthorizationType | None
    authorizer: apigateway.IAuthorizer | None


def method_guard(guard: Guard, own: Mapping[LambdaAuthorizer, apigateway.IAuthorizer]) -> MethodGuard:
    """What a method is told of its guard."""
    if guard.given is None:
        return MethodGuard(apigateway.AuthorizationType.NONE, None)
    if isinstance(guard.given, IamAuthorizer):
        return MethodGuard(apigateway.AuthorizationType.IAM, None)
    if isinstance(guard.given, LambdaAuthorizer):
        return MethodGuard(None, own[guard.given])
    return MethodGuard(None, guard.given)


def own_authorizers(guards: Iterable[Guard]) -> list[LambdaAuthorizer]:
    """Each `LambdaAuthorizer` once, in the order of its first route."""
    return list(dict.fromkeys(guard.given for guard in guards if isinstance(guard.given, LambdaAuthorizer)))
