"""What is known at synth of the database that a view's rows are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import jsii
from aws_cdk import Stack
from aws_cdk import aws_rds as rds

from ._shapes import told

if TYPE_CHECKING:
    from ._checks import Problems

_POSTGRESQL = "POSTGRESQL"


def check_engine(problems: Problems, argument: str, server: Any) -> None:
    """Refuse what is no PostgreSQL. Of what is imported, and of a proxy, it may not be known."""
    engine: Any = getattr(server, "engine", None)
    family: Any = getattr(engine, "engine_family", None)
    if isinstance(family, str) and family != _POSTGRESQL:
        problems.add(argument, "be PostgreSQL", f"{family}, of {server.node.path}", "views in SQL are for PostgreSQL")


def check_secret(problems: Problems, secret: Any) -> None:
    """Refuse what is no secret: a password itself, or its ARN."""
    if secret is not None and not (hasattr(secret, "secret_arn") and hasattr(secret, "grant_read")):
        fix = (
            "pass a secretsmanager.Secret that holds them, as cluster.secret; an ARN by Secret.from_secret_complete_arn"
        )
        kind = f"a value of type {type(secret).__name__}"  # never what may be a password
        problems.add("secret", "be a secret with username and password", kind, fix)


def data_api_of(cluster: Any) -> bool | None:
    """Whether its Data API is on. None: only the running cluster knows."""
    resource: Any = cluster.node.default_child
    if isinstance(resource, rds.CfnDBCluster):
        said = Stack.of(resource).resolve(resource.enable_http_endpoint)
        return said if isinstance(said, bool) else False if said is None else None
    try:
        said = cast("Any", jsii).get(cluster, "enableDataApi")
    except Exception:  # another version's, or a user's own class
        return None
    return True if said is True else None  # False is what an imported one has when nothing was said


def check_cluster(problems: Problems, argument: str, cluster: Any) -> None:
    """Refuse what has no Data API."""
    if data_api_of(cluster) is False:
        fix = "write DatabaseCluster(..., enable_data_api=True)"
        problems.add(argument, "have its Data API on", f"one where it is off, {cluster.node.path}", fix)


def check_kind(problems: Problems, argument: str, value: Any, member: str, must: str, fix: str) -> None:
    """Refuse what has no such member."""
    if not hasattr(value, member):
        problems.add(argument, must, told(value), fix)
