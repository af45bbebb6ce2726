"""Who calls whom: the gateway its functions, and callers that sign their requests the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from .._checks import Problems
from .._grantee import check_grantee
from .._grants import give

if TYPE_CHECKING:
    from constructs import Construct

    from .routes import Planned


def allow_gateway(
    scope: Construct, rest_api: apigateway.RestApiBase, stage_name: str, functions: Mapping[str, lambda_.IFunction]
) -> None:
    """One permission for each function, however many routes lead to it: a function's policy holds 20 KB.

    CDK warns of a function whose policy cannot be changed here.

    Args:
        scope: The API's construct.
        rest_api: Who calls.
        stage_name: The only stage that may: the console's test may not.
        functions: What is called, by the id that its permission gets.
    """
    source = rest_api.arn_for_execute_api("*", "/*", stage_name)
    for id, function in functions.items():
        function.add_permission(
            id,
            principal=cast(iam.IPrincipal, iam.ServicePrincipal("apigateway.amazonaws.com")),
            scope=scope,
            source_arn=source,
        )


def grant_invoke(
    scope: Construct,
    rest_api: apigateway.RestApiBase,
    stage_name: str,
    grantee: iam.IGrantable,
    routes: Sequence[Planned],
    *,
    all: bool,
) -> iam.Grant:
    """Allow a caller to sign requests for routes.

    Args:
        scope: The API's construct.
        rest_api: What is called.
        stage_name: Its stage.
        grantee: Who calls.
        routes: What it may call.
        all: Whether nobody named them: then those that IAM does not guard are left out.

    Raises:
        ValueError: one of them asks for something else than a signature.
    """
    check_grantee(scope, "grant_invoke", grantee)
    guarded = [one for one in routes if one.facts.evidence == "iam"]
    problems = Problems(scope.node.path)
    if not all:
        for one in (one for one in routes if one not in guarded):
            fix = "its authorizer decides who may call it"
            problems.add("grant_invoke()", "name routes that an IamAuthorizer guards", repr(one.route.route), fix)
    elif not guarded:
        problems.add("grant_invoke()", "find a route that an IamAuthorizer guards", "none", "pass IamAuthorizer()")
    problems.raise_any()
    arns = [rest_api.arn_for_execute_api(one.path.method, _pattern(one), stage_name) for one in guarded]
    return give(grantee, ["execute-api:Invoke"], arns)


def _pattern(one: Planned) -> str:
    """A path for IAM: it has no parameters, and `*` goes over slashes."""
    return "/" + "/".join("*" if part.startswith("{") else part for part in one.path.parts)
