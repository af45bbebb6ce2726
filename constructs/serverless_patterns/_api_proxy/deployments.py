"""A deployment of our own that moves the stage of an API which somebody else defined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct, IConstruct

# A method of API Gateway is live only once it is in a deployment. One is never changed: what these say is part of its
# logical id, so that another one is made, and takes the stage.
_OF_METHODS = (
    "api_key_required",
    "authorization_scopes",
    "authorization_type",
    "authorizer_id",
    "http_method",
    "integration",
    "method_responses",
    "request_models",
    "request_parameters",
    "request_validator_id",
    "resource_id",
)
_OF_AUTHORIZERS = (
    "authorizer_result_ttl_in_seconds",
    "authorizer_uri",
    "identity_source",
    "identity_validation_expression",
    "provider_arns",
    "type",
)
# By identity of the app, which is kept, and by stack and API: see _namespaces.
_MADE: dict[
    int, tuple[IConstruct, dict[tuple[str, str], list[tuple[apigateway.Deployment, Sequence[IConstruct]]]]]
] = {}


def redeploy(
    scope: Construct,
    rest_api: apigateway.RestApiBase,
    stage_name: str,
    methods: Sequence[apigateway.Method],
    authorizers: Iterable[apigateway.IAuthorizer],
    after: Sequence[IConstruct],
) -> None:
    """Define it. It stays when it is replaced or its stack goes: one that a stage has cannot be deleted.

    Args:
        scope: The construct of the routes.
        rest_api: As they are put on it.
        stage_name: What it moves.
        methods: What it is made after, all of them.
        authorizers: Likewise, as far as CloudFormation makes them here.
        after: Likewise: the stage, in whose place it would make another.
    """
    deployment = apigateway.Deployment(
        scope,
        "Deployment",
        api=cast(apigateway.IRestApi, rest_api),
        description=f"Routes of {scope.node.path}",
        stage_name=stage_name,
        retain_deployments=True,
    )
    deployment.node.add_dependency(*methods, *after)
    for method in methods:
        deployment.add_to_logical_id(_said(method.node.default_child, _OF_METHODS))
    for authorizer in authorizers:
        if isinstance(authorizer, Construct):
            deployment.add_to_logical_id(_said(authorizer.node.default_child, _OF_AUTHORIZERS))
    _in_order(scope, rest_api, deployment, methods)


def _said(resource: IConstruct | None, names: Sequence[str]) -> dict[str, object]:
    values = {name: getattr(resource, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _in_order(
    scope: Construct, rest_api: apigateway.RestApiBase, deployment: apigateway.Deployment, methods: Sequence[IConstruct]
) -> None:
    """One at a time in a stack, after the methods of all: a method that is half made fails every deployment."""
    app = scope.node.root
    made = _MADE.setdefault(id(app), (app, {}))[1].setdefault((Stack.of(scope).node.path, rest_api.rest_api_id), [])
    for earlier, theirs in made:
        earlier.node.add_dependency(*methods)
        deployment.node.add_dependency(earlier, *theirs)
    made.append((deployment, methods))
