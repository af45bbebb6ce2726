"""The command function, and the secret that signs what queries give away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

from serverless_patterns_runtime.cqrs_table.contract import COMMAND_HANDLER

from .._acknowledge import acknowledge
from .._consumer import TIMEOUT
from .._function import business_function_env, define_function, endpoints, provisioned
from .._grants import give

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ..defaults import Settings
    from .write_model import WriteModel

_ROTATED_BY_HAND = "it signs what is good for an hour: a new value is taken at once, and the one before it is, too"
_SECRET_CHARACTERS = 64


class Commands(NamedTuple):
    """What takes commands from other functions."""

    function: lambda_.Function
    target: lambda_.IFunction
    """It, or its alias."""

    def grant(self, grantee: iam.IGrantable) -> iam.Grant:
        """Invoke it."""
        return give(grantee, ["lambda:InvokeFunction"], [self.target.function_arn])


def command_function(scope: Construct, model: WriteModel, settings: Settings, key: kms.IKey | None) -> Commands:
    """Define it."""
    handler = model.asked.decide
    function = define_function(
        scope,
        "Commands",
        handler,
        entry_point=COMMAND_HANDLER,
        contract={**business_function_env(handler), **model.command_env},
        timeout=handler.timeout or TIMEOUT,
        settings=settings,
        encryption_key=key,
        reserved_concurrent_executions=handler.reserved_concurrent_executions,
        required_endpoints=endpoints(handler, "dynamodb"),
    )
    model.allow_deciding(function)
    return Commands(function, provisioned(scope, "CommandsLive", function, handler))


def token_secret(scope: Construct, key: kms.IKey | None) -> Callable[[], secretsmanager.ISecret]:
    """A secret that is defined when the first query needs it."""

    def secret() -> secretsmanager.ISecret:
        found = scope.node.try_find_child("TokenSecret")
        return cast("secretsmanager.ISecret", found or _define_secret(scope, key))

    return secret


def _define_secret(scope: Construct, key: kms.IKey | None) -> secretsmanager.Secret:
    secret = secretsmanager.Secret(
        scope,
        "TokenSecret",
        description=f"Signs the cursors of queries of {scope.node.path}",
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=_SECRET_CHARACTERS, exclude_punctuation=True
        ),
        encryption_key=key,
        removal_policy=RemovalPolicy.DESTROY,
    )
    acknowledge(secret, _ROTATED_BY_HAND, "AwsSolutions-SMG4")
    return secret
