"""What routes of a table lead to, as the ordinary target for functions takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_iam as iam

from serverless_patterns_runtime.cqrs_queries import contract as queries
from serverless_patterns_runtime.cqrs_table.contract import COMMAND_DOOR, GET_DOOR
from serverless_patterns_runtime.cqrs_views.document_contract import DocumentEnv
from serverless_patterns_runtime.fan_out_topic.packed import packed

from .._bundled import BundledHandler, running_as
from .._grants import give
from .._told import tell
from .route_targets import CommandTarget, Door, ReadTarget

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_secretsmanager as secretsmanager

    from .reading import Readable
    from .write_model import WriteModel

_NOT_YET = "There is nothing to read yet, or it is not as new as min_version: ask again as Retry-After says"


def command_door(id: str, name: str, model: WriteModel) -> Door:
    """Takes one command: `decide` runs in it."""
    asked = model.asked

    def grant(function: lambda_.Function) -> None:
        model.allow_deciding(cast(iam.IGrantable, function))
        tell(cast("lambda_.IFunction", function), asked.once.env(model.claims))  # as variables, a route's are the API's

    handler = running_as(
        asked.decide,
        f"{id} {name}",
        COMMAND_DOOR,
        services=["dynamodb"],
        own_keys=True,
        environment={**model.env, **asked.command_env(name)},
        grants=[grant],
    )
    return Door(CommandTarget(handler, asked.key))


def get_door(id: str, model: WriteModel) -> Door:
    """Shows one aggregate, as it is now. It runs `upcast`, where there is one."""
    grants = [_granting(model.allow_reading)]
    known_as, services = f"{id} get", ["dynamodb"]
    upcast = model.asked.upcast
    if upcast is None:
        handler = BundledHandler(known_as, GET_DOOR, services=services, environment=model.env, grants=grants)
    else:
        handler = running_as(upcast, known_as, GET_DOOR, services=services, environment=model.env, grants=grants)
    described = {"200": "The aggregate's state, with its version as ETag", "404": "There is none"}
    return Door(ReadTarget(handler, "get()", model.asked.key, described))


def query_door(known_as: str, model: WriteModel, view: Readable, secret: secretsmanager.ISecret, wait: int) -> Door:
    """Answers queries of one view. It has the view's code: `min_version` asks what its rows have to be."""
    env = queries.Env(
        QUERY_VIEW=packed({"view": view.seen.told}),
        QUERY_TABLE_NAME=view.table.table_name,
        QUERY_CONTROL_TABLE_NAME=view.control.table_name,
        QUERY_SECRET_ARN=secret.secret_arn,
        QUERY_WAIT_SECONDS=str(wait),
    )

    def grant(function: lambda_.Function) -> None:
        view.grant(cast(iam.IGrantable, function))
        model.allow_reading(cast(iam.IGrantable, function))
        _grant_secret(cast(iam.IGrantable, function), secret)

    handler = running_as(
        view.seen.handler,
        known_as,
        queries.QUERY_DOOR,
        services=["dynamodb", "secretsmanager"],
        environment={**model.env, **env._asdict()},
        grants=[grant],
        timeout=None,  # that of the API, not of the projector
        reserved_concurrent_executions=None,
    )
    described: Mapping[str, str] = {
        "200": "Rows, and a cursor where there are more",
        "400": "The cursor or min_version is not of this view",
        "410": "The view was filled anew since the cursor was given: begin again",
        "503": _NOT_YET,
    }
    return Door(ReadTarget(handler, "query()", view.seen.partition_key, described))


def document_door(
    id: str, name: str, control: dynamodb.ITable, bucket: s3.IBucket | None, grant: Callable[[lambda_.Function], object]
) -> Door:
    """Answers a document as it was built last."""
    env = DocumentEnv(
        DOCUMENT=name,
        DOCUMENT_CONTROL_TABLE_NAME=control.table_name,
        DOCUMENT_BUCKET_NAME="" if bucket is None else bucket.bucket_name,
    )
    handler = BundledHandler(
        f"{id} {name}",
        queries.DOCUMENT_DOOR,
        services=["dynamodb", *([] if bucket is None else ["s3"])],
        environment=env._asdict(),
        grants=[grant],
    )
    described = {"200": "The document, and when its build began", "503": "It has not been built yet"}
    return Door(ReadTarget(handler, "query()", None, described))


def _grant_secret(grantee: iam.IGrantable, secret: secretsmanager.ISecret) -> None:
    """Not `grant_read`: that writes the function's role into the key's policy, and its logs need the key: a circle."""
    give(grantee, ["secretsmanager:GetSecretValue"], [secret.secret_arn])
    if secret.encryption_key is not None:
        secret.encryption_key.grant(grantee, "kms:Decrypt")


def _granting(allow: Callable[[iam.IGrantable], None]) -> Callable[[lambda_.Function], object]:
    def grant(function: lambda_.Function) -> None:
        allow(cast(iam.IGrantable, function))

    return grant
