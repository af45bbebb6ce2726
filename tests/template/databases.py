"""What the tests of views in SQL share: a network, databases, and sinks in them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager

from serverless_patterns import DataApiSink, SqlSink
from tests.template.cqrs import a_function, by_customer, orders

NAMES = {"database": "shop", "table": "orders_by_customer"}


def a_vpc(stack: Stack, id: str = "Vpc") -> Any:
    return ec2.Vpc(stack, id, max_azs=2, restrict_default_security_group=False)


def a_cluster(stack: Stack, vpc: Any, id: str = "Cluster", **arguments: Any) -> Any:
    postgres = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_6)
    given = {"engine": postgres, "writer": rds.ClusterInstance.serverless_v2("Writer"), "enable_data_api": True}
    return rds.DatabaseCluster(stack, id, vpc=vpc, **{**given, **arguments})


def a_sink(vpc: Any, cluster: Any, /, **arguments: Any) -> SqlSink:
    """By a function that connects."""
    given = {**NAMES, "vpc": vpc, "server": cluster, "secret": cluster.secret, "driver": "connecting:connect"}
    return SqlSink(cluster.cluster_endpoint.hostname, **{**given, **arguments})


def a_data_api_sink(cluster: Any, /, **arguments: Any) -> DataApiSink:
    return DataApiSink(**{"cluster": cluster, "secret": cluster.secret, **NAMES, **arguments})


def an_imported_cluster(stack: Stack, id: str = "Theirs", **arguments: Any) -> Any:
    """Nothing of it is in the template."""
    group = ec2.SecurityGroup.from_security_group_id(stack, f"{id}Group", "sg-87654321", mutable=False)
    given = {
        "cluster_identifier": "shop",
        "cluster_endpoint_address": "shop.cluster.example",
        "port": 5432,
        "security_groups": [group],
    }
    return rds.DatabaseCluster.from_database_cluster_attributes(stack, id, **{**given, **arguments})


def an_imported_secret(stack: Stack, id: str = "Password") -> Any:
    arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop-AbCdEf"
    return secretsmanager.Secret.from_secret_complete_arn(stack, id, arn)


def in_sql(stack: Stack, kind: str, *, runs: Mapping[str, Any] = MappingProxyType({}), **arguments: Any) -> Any:
    """A table of its own with a view in SQL. Database, secret and network are other stacks'.

    Args:
        stack: Where.
        kind: `driver` or `data api`.
        runs: Arguments of all functions; `security_groups` are those of the sink, if it has any.
        arguments: The table's.
    """
    id, given = kind.title().replace(" ", ""), dict(runs)
    table = orders(stack, id, decide=a_function(**given), **arguments)
    secret = an_imported_secret(stack, f"{id}Password")
    cluster = an_imported_cluster(stack, f"{id}Cluster", data_api_enabled=True)
    if kind == "data api":
        sink: Any = a_data_api_sink(cluster, secret=secret)
    else:
        vpc = ec2.Vpc.from_vpc_attributes(
            stack, f"{id}Vpc", vpc_id="vpc-87654321", availability_zones=["a"], private_subnet_ids=["subnet-87654321"]
        )
        sink = a_sink(vpc, cluster, secret=secret, security_groups=given.pop("security_groups", ()))
    by_customer(table, project=a_function("by_customer", **given), sink=sink)
    return table
