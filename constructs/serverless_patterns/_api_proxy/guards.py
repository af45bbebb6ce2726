"""Who may call a route: one authorizer for each, or `public=True`. Defines what the authorizers need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.api_proxy.contract import Evidence
from serverless_patterns_runtime.jwt_authorizer.contract import HANDLER as JWT_HANDLER
from serverless_patterns_runtime.lambda_authorizer.contract import HANDLER, Env

from .._checks import Problems, seconds
from .._code import runs_here
from .._environment import check_size, variables
from .._function import business_function_env, define_function, endpoints, provisioned
from .._running import check_in_pattern, check_provisioned
from ..authorizers import IamAuthorizer, LambdaAuthorizer
from ..handler import Handler
from ..jwt_authorizer import JwtAuthorizer
from .challenges import check_challenge
from .jwt_checks import is_plain, warn_of_vpc
from .wrong_kinds import refused_authorizer

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .._interfaces import Authorizer
    from ..defaults import Settings

_TIMEOUT = Duration.seconds(5)  # the caller waits for it before anything else
_MOST_TIMEOUT_SECONDS = 29  # API Gateway waits no longer for an authorizer
_LONGEST_CACHE_SECONDS = 3600  # API Gateway quota
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_OURS = (LambdaAuthorizer, JwtAuthorizer)
Ours = LambdaAuthorizer | JwtAuthorizer


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
        got, fix = refused_authorizer(authorizer)
        problems.add(f"{label}authorizer", "be an IamAuthorizer, a LambdaAuthorizer or a JwtAuthorizer", got, fix)
        return PUBLIC
    return Guard(evidence, authorizer)


def _evidence(authorizer: Any) -> Evidence | None:
    if isinstance(authorizer, IamAuthorizer):
        return "iam"
    if isinstance(authorizer, _OURS):
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
    """An authorizer that is a function of ours, and the name that all below it has."""

    given: Ours
    id: str
    label: str

    def check(self, problems: Problems, scope: Construct, settings: Settings) -> None:
        """Refuse what API Gateway and Lambda refuse, and a function that writes."""
        label, handler = self.label, self.given.handler
        if not isinstance(handler, Handler):  # pyright: ignore[reportUnnecessaryIsInstance]
            fix = "wrap it: LambdaAuthorizer(Handler(...)); other functions: aws_apigateway.RequestAuthorizer"
            problems.add(f"{label} handler", "be a Handler", f"a value of type {type(handler).__name__}", fix)
            return
        if not _HEADER.fullmatch(str(self.given.header)):
            problems.add(f"{label} header", "be the name of a header", repr(self.given.header), "for example 'X-Token'")
        if isinstance(self.given, LambdaAuthorizer):
            check_challenge(problems, f"{label} challenge", self.given.challenge)
        fix = "0 asks for every request"
        problems.duration(f"{label} results_cache_ttl", self.given.results_cache_ttl, 0, _LONGEST_CACHE_SECONDS, fix)
        if handler.returns_effects:
            fix = "it says who calls, and its answer is cached: write where the request is handled"
            problems.add(f"{label} handler", "return a Caller or None", f"{handler} -> Effects", fix)
        if handler.timeout is not None:
            fix = "API Gateway waits no longer"
            problems.duration(f"{label} handler timeout", handler.timeout, 1, _MOST_TIMEOUT_SECONDS, fix)
        told = self._told(scope)
        check_in_pattern(problems, f"{label} handler", handler, scope, settings, [*told])
        warm, reserved = handler.provisioned_concurrent_executions, handler.reserved_concurrent_executions
        check_provisioned(problems, f"{label} handler provisioned_concurrent_executions", warm, reserved)
        check_size(problems, f"{label} handler", variables(handler, told, "", settings.environment))
        if isinstance(self.given, JwtAuthorizer) and not runs_here(scope):
            self._check_transport(problems, self.given)

    def _check_transport(self, problems: Problems, given: JwtAuthorizer) -> None:
        argument = "issuer" if given.jwks_url is None else "jwks_url"
        address = given.issuer if given.jwks_url is None else given.jwks_url
        if given.jwks is None and is_plain(address):
            fix = "this machine is reached from the embedded cloud alone, which needs no TLS for it"
            problems.add(f"{self.label} {argument}", "be an https address", repr(address), fix)

    @property
    def required_endpoints(self) -> tuple[str, ...]:
        """AWS services that it calls."""
        return endpoints(self.given.handler)

    def define(
        self, scope: Construct, settings: Settings, key: kms.IKey | None
    ) -> tuple[lambda_.IFunction, apigateway.IAuthorizer]:
        """The function, and the authorizer that asks it."""
        handler = self.given.handler
        if isinstance(self.given, JwtAuthorizer):
            warn_of_vpc(scope, self.label, self.given, settings)
        function = define_function(
            scope,
            self.id,
            handler,
            entry_point=JWT_HANDLER if isinstance(self.given, JwtAuthorizer) else HANDLER,
            contract=self._told(scope),
            timeout=handler.timeout or _TIMEOUT,
            settings=settings,
            encryption_key=key,
            reserved_concurrent_executions=handler.reserved_concurrent_executions,
            required_endpoints=self.required_endpoints,
            beside_code=self.given.files() if isinstance(self.given, JwtAuthorizer) else {},
        )
        authorizer = apigateway.RequestAuthorizer(
            scope,
            f"{self.id}Request",
            handler=provisioned(scope, f"{self.id}Live", function, handler),
            identity_sources=[apigateway.IdentitySource.header(self.given.header)],
            results_cache_ttl=self.given.results_cache_ttl,
        )
        return cast(lambda_.IFunction, function), cast(apigateway.IAuthorizer, authorizer)

    def _told(self, scope: Construct) -> dict[str, str]:
        if isinstance(self.given, JwtAuthorizer):
            return self.given.env(plain_loopback=runs_here(scope))._asdict()
        remembered = "false" if seconds(self.given.results_cache_ttl) == 0 else "true"  # a token may be any number
        env = Env(IDENTITY_HEADER=self.given.header, RESULTS_REMEMBERED=remembered)
        return {**business_function_env(self.given.handler), **env._asdict()}


class MethodGuard(NamedTuple):
    """What a method is told."""

    authorization_type: apigateway.AuthorizationType | None
    authorizer: apigateway.IAuthorizer | None


def method_guard(guard: Guard, own: Mapping[Ours, apigateway.IAuthorizer]) -> MethodGuard:
    """What a method is told of its guard."""
    if guard.given is None:
        return MethodGuard(apigateway.AuthorizationType.NONE, None)
    if isinstance(guard.given, IamAuthorizer):
        return MethodGuard(apigateway.AuthorizationType.IAM, None)
    if isinstance(guard.given, _OURS):
        return MethodGuard(None, own[guard.given])
    return MethodGuard(None, guard.given)


def is_ours(guard: Guard) -> bool:
    """Whether it is a function that we define."""
    return isinstance(guard.given, _OURS)


def own_authorizers(guards: Iterable[Guard]) -> list[Ours]:
    """Each function of ours once, in the order of its first route."""
    return list(dict.fromkeys(guard.given for guard in guards if is_ours(guard)))
