"""Where a route leads: what a target is told, and what it gives back. Targets meet here: no construct knows another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeGuard

from serverless_patterns_runtime.api_proxy.contract import Evidence, KeyMode

from ._checks import Problems

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_apigateway as apigateway
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from ._api_proxy.cross_origin import CrossOriginAnswers
    from .handler import Handler

# How the gateway itself names the caller, in a mapping template.
_CALLERS: Mapping[Evidence, str] = {
    "none": "public",
    "iam": "$context.identity.userArn",
    "cognito": "$context.authorizer.claims.sub",
    "lambda": "$context.authorizer.principalId",
}


@dataclass(frozen=True, kw_only=True)
class RouteFacts:
    """One route of an API, as far as it is known without its target."""

    name: str
    """`POST /orders/{order_id}`: what the user wrote."""

    method: str
    """`GET`, ..., or `ANY`."""

    path: str
    parameters: tuple[str, ...]
    """Of the path; the last one may stand for the rest of it (`greedy`)."""

    greedy: bool
    body: Mapping[str, Any] | None
    """JSON schema that the gateway and the function check; `None`: none."""

    content: Literal["json", "bytes"]
    query: Mapping[str, Any] | None
    """JSON schema of an object, one property for each parameter of the query string."""

    params: Mapping[str, Any] | None
    """JSON schema of an object, whose properties are parameters of the path."""

    respond: Mapping[str, str] | None
    """Fields of the answer by name: where in the body each is, as `$.order_id`."""

    message_group: str | None
    """Where in the body the FIFO message group is, as `$.order_id`."""

    asked_idempotency: KeyMode | None
    evidence: Evidence
    challenge: str | None = None
    """What a 401 says in `WWW-Authenticate`; `None`: nothing."""

    scopes: tuple[str, ...] = ()
    """Of which a Cognito access token needs one."""

    @property
    def label(self) -> str:
        """How messages name the route: put the argument behind it, as in `routes['POST /orders'] body`."""
        return f"routes[{self.name!r}]"

    @property
    def caller(self) -> str:
        """Who calls, in a mapping template: an expression of the gateway, or the word `public`."""
        return _CALLERS[self.evidence]


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a target is connected: everything in it is defined or decided."""

    scope: Construct
    """The API's construct. What a target defines goes below it, under an id from a name, and is found there again
    (`scope.node.try_find_child`) by the next route to the same target."""

    rest_api: apigateway.IRestApi
    resource: apigateway.IResource
    facts: RouteFacts
    cors: CrossOriginAnswers | None
    timeout: Duration
    """Of the integration: pass it to every integration that calls something."""

    functions: Mapping[Handler, lambda_.IFunction]
    """What is to be invoked for each handler: the function or its alias."""

    roles: dict[str, iam.Role] = field(default_factory=dict[str, "iam.Role"])
    """What the gateway calls as, by the address of what it may call (`node.addr`): shared by all routes of the API."""


class Connection(NamedTuple):
    """What a method is made of besides what every route has: authorizer, models, validator, API key."""

    integration: apigateway.Integration
    method_responses: Sequence[apigateway.MethodResponse] = ()
    request_parameters: Mapping[str, bool] = {}
    """As `method.request.header.Idempotency-Key`; `True`: the gateway answers 400 without it."""


class RouteTarget(Protocol):
    """Something that a route can lead to."""

    @property
    def handler(self) -> Handler | None:
        """The business function that the API has to run for it, with claims where it needs some; `None`: none."""
        ...

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """What holds for `Idempotency-Key`: what was asked for, else the target's default."""
        ...

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse what the target cannot do for the route.

        Args:
            problems: Takes what is wrong.
            facts: The route.
            timeout: Of the integration.
        """
        ...

    def connect(self, site: Site) -> Connection:
        """Define the integration. Called once for each route, sorted by path and method."""
        ...

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """Descriptions by status or `default`, for the OpenAPI document; the gateway's own errors are added to it."""
        ...


class Routable(Protocol):
    """What joins routes by itself: constructs and value classes."""

    def _route_target(self) -> RouteTarget: ...


def is_routable(value: Any) -> TypeGuard[Routable]:
    """Whether the value can be asked for its target."""
    return callable(getattr(value, "_route_target", None))


class Starting(NamedTuple):
    """What starts with a message, once for each key: a saga's executions."""

    arn: str
    """Of the state machine."""

    max_input_bytes: int
    grant: Callable[[lambda_.Function], None]
    """Lets a function start them, and look at those that were started."""


class Startable(Protocol):
    """What a message can start."""

    def _starting(self) -> Starting: ...


def is_startable(value: Any) -> TypeGuard[Startable]:
    """Whether the value can be asked what starts."""
    return callable(getattr(value, "_starting", None))


class Companion(Protocol):
    """A target that is of use only beside another one of the same API."""

    def check_beside(
        self, problems: Problems, facts: RouteFacts, routes: Sequence[tuple[RouteTarget, RouteFacts]]
    ) -> None:
        """Refuse what does not go together with the API's routes."""
        ...


def is_companion(target: Any) -> TypeGuard[Companion]:
    """Whether the target wants to see all routes."""
    return callable(getattr(target, "check_beside", None))


def takes_the_rest(target: Any) -> bool:
    """Whether a target on a route for `ANY` takes what the other methods of the path leave."""
    return getattr(target, "takes_the_rest", False) is True


def stands_for(target: Any) -> str | None:
    """The route of the same function whose requests a target takes at another place; `None`: its own."""
    return getattr(target, "stands_for", None)


def passes_bytes(target: Any) -> bool:
    """Whether a body reaches what is behind the target, and comes back from it, as bytes where the API says so."""
    return getattr(target, "passes_bytes", False) is True


def refuse_idempotency(problems: Problems, facts: RouteFacts, what: str) -> None:
    """For a target that keeps no key."""
    if facts.asked_idempotency not in (None, "off"):
        fix = "only a Handler and a LoadLeveledQueue keep keys"
        got = repr(facts.asked_idempotency)
        problems.add(f"{facts.label} idempotency", f"be 'off' in front of {what}", got, fix)


def refuse_queue_arguments(problems: Problems, facts: RouteFacts, what: str) -> None:
    """For a target that answers by itself and has no message groups."""
    for argument, value in (("respond", facts.respond), ("message_group", facts.message_group)):
        if value is not None:
            fix = "only a LoadLeveledQueue takes it"
            problems.add(f"{facts.label} {argument}", f"be left out in front of {what}", "a value", fix)
