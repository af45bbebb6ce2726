"""A REST API that somebody else defined: what can be seen of it, what must be said, and what stays its owner's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Stack, Token, Validations
from aws_cdk import aws_apigateway as apigateway

from .._checks import Problems
from .deployments import redeploy
from .gateway import Gateway, follow_authorizers
from .names import camel
from .neighbours import check_beside, neighbours, remember

if TYPE_CHECKING:
    from constructs import Construct

    from .routes import Planned

_AS_TEXT = "take JSON as text"


@dataclass(frozen=True)
class ExistingApi:
    """Somebody else's API, as far as it can be seen."""

    given: apigateway.RestApiBase
    seen: apigateway.RestApi | None
    """The same, when it is defined in this app."""

    follows: bool
    """Whether its own deployment follows its methods, so that the routes are put on it as its owner's are."""

    id: str
    root: str
    stage_name: str
    binary_media_types: Sequence[str]

    def check(self, problems: Problems, scope: Construct, routes: Sequence[Planned], *, cors: bool) -> None:
        """Refuse routes that it has, or that need what is its owner's.

        Args:
            problems: Takes what is wrong.
            scope: Where the routes will be.
            routes: All of them.
            cors: Whether the gateway is to answer preflights.
        """
        for one in (one for one in routes if one.route.throttle is not None):
            fix = "set it for the method where the stage is defined"
            problems.add(f"{one.facts.label} throttle", "be left out with rest_api", repr(one.route.throttle), fix)
        json = [one for one in routes if one.takes_a_body and one.facts.content == "json"]
        if json and {"*/*", "application/json"} & {*self.binary_media_types}:
            fix = "name those that are not JSON: as binary, a JSON body reaches neither the schema nor a queue"
            problems.add("rest_api", _AS_TEXT, repr([*self.binary_media_types]), fix)
        if cors and self.seen is not None and self.follows and self.seen.root.default_cors_preflight_options:
            fix = "leave it out: the API answers preflights of every path by its default_cors_preflight_options"
            problems.add("cors", "be left out for this rest_api", "a Cors", fix)
        check_beside(problems, neighbours(scope, self.id, self.seen), routes, cors=cors)

    def attach(self, scope: Construct, routes: Sequence[Planned], *, cors: bool) -> Attached:
        """What the routes are put on, below the scope unless the API's own deployment follows them.

        Args:
            scope: The construct of the routes.
            routes: Remembered, so that no other construct of the app takes them.
            cors: Whether pages of other origins are to read the answers.
        """
        follow_authorizers(scope)
        if not self.follows:
            remember(scope, self.id, routes)
        if cors:
            Validations.of(scope).add_warning(
                "serverless-patterns:cors-of-gateway-errors",
                "cors does not reach the errors that the gateway itself answers: they are the owner's of rest_api. "
                "Give its gateway responses DEFAULT_4XX and DEFAULT_5XX the header Access-Control-Allow-Origin",
            )
        if self.follows and self.seen is not None:
            stage: apigateway.StageBase = self.seen.deployment_stage
            return Attached(self.given, stage, self.stage_name, None, self.seen, existing=self)
        view = apigateway.RestApi.from_rest_api_attributes(
            scope,
            "RestApi",
            rest_api_id=self.id,
            root_resource_id=self.root,
            rest_api_name=self.given.rest_api_name,
        )
        named = apigateway.Stage.from_stage_attributes(scope, "Stage", rest_api=view, stage_name=self.stage_name)
        stage, routed = cast(apigateway.StageBase, named), cast(apigateway.RestApiBase, view)
        return Attached(self.given, stage, self.stage_name, None, routed, existing=self)

    def stage_seen(self) -> apigateway.Stage | None:
        """The stage, when it is defined in this app."""
        return None if self.seen is None else self.seen.deployment_stage


@dataclass(frozen=True, kw_only=True)
class Attached(Gateway):
    """Somebody else's API, as routes are put on it: itself, or in another stack, or imported, a view of it."""

    existing: ExistingApi

    @property
    def owned(self) -> bool:
        """Whether all of it is the construct's own."""
        return False

    def resource(self, scope: Construct, parts: Sequence[str]) -> apigateway.IResource | None:
        """What the API has at a path already; `None`: nothing that can be seen."""
        found: Any = None if self.existing.seen is None else self.existing.seen.root
        for part in parts:
            found = None if found is None else found.get_resource(part)
        if found is None or self.existing.follows:
            return found
        path = "/" + "/".join(parts)
        return apigateway.Resource.from_resource_attributes(
            scope,
            f"Known{camel(path)}",
            rest_api=cast(apigateway.IRestApi, self.routed),
            path=path,
            resource_id=found.resource_id,
        )

    def deploy(
        self, scope: Construct, methods: Sequence[apigateway.Method], authorizers: Iterable[apigateway.IAuthorizer]
    ) -> None:
        """Let the stage have the methods."""
        if not self.existing.follows:
            stage = self.existing.stage_seen()
            after = [stage] if stage is not None and Stack.of(stage) is Stack.of(scope) else []
            redeploy(scope, self.routed, self.existing.stage_name, methods, authorizers, after)


def check_named(scope: Construct, existing: ExistingApi | None) -> None:
    """CloudWatch knows a REST API by its name alone.

    Raises:
        ValueError: nobody said the name of an imported API.
    """
    if existing is None or existing.seen is not None:
        return
    name = existing.given.rest_api_name
    if not Token.is_unresolved(name) and name == existing.given.node.id:  # what CDK takes when nobody says one
        problems = Problems(scope.node.path)
        fix = "pass rest_api_name to from_rest_api_attributes (and let the import have another id)"
        problems.add("rest_api", "be imported with its name for metrics", "none", fix)
        problems.raise_any()
