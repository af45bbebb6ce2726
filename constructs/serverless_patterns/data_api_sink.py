"""`DataApiSink`: a view of a `CqrsTable` in Aurora PostgreSQL, over its Data API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Validations

from serverless_patterns_runtime.cqrs_sql.contract import DataApiTold

from ._checks import Problems
from ._grants import give
from ._shapes import told
from ._sql_names import check_names
from ._sql_servers import check_cluster, check_engine, check_kind, check_secret, data_api_of

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_rds as rds
    from constructs import Construct

    from ._interfaces import Secret
    from .handler import Handler

__all__ = ["DataApiSink"]

_ACTIONS = ("BeginTransaction", "CommitTransaction", "ExecuteStatement", "RollbackTransaction")


class DataApiSink:
    """Rows in Aurora PostgreSQL, over its Data API: no VPC, no driver, rows of up to 60 KB. A description.

    ```python
    DataApiSink(cluster, database="shop", table="orders_by_customer", secret=cluster.secret)
    ```

    Args:
        cluster: With its Data API on: `enable_data_api=True`. An imported one that does not say so is warned of.
        database: Name of the database.
        table: What other programs read: an SQL view of this name shows the live rows.
        secret: With `username` and `password`. The user needs USAGE and CREATE on the schema.
        schema: It must be there. Default: `public`.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    services = ("rds-data",)

    def __init__(
        self,
        cluster: rds.IDatabaseCluster | rds.DatabaseCluster,
        *,
        database: str,
        table: str,
        secret: Secret | None,
        schema: str = "public",
    ) -> None:
        problems = Problems(f"DataApiSink({told(table)})")
        self.cluster, self.database, self.table, self.schema, self.secret = cluster, database, table, schema, secret
        check_names(problems, database, schema, table)
        check_kind(problems, "cluster", cluster, "cluster_arn", "be a cluster of Aurora", "pass the DatabaseCluster")
        check_engine(problems, "cluster", cluster)
        if secret is None:
            problems.add("secret", "be given", "None", "the Data API signs in with it: secret=cluster.secret")
        check_secret(problems, secret)
        problems.raise_any()

    def placed(self, handler: Handler) -> Handler:
        """The same: it runs anywhere."""
        return handler

    def check(self, problems: Problems, handler: Handler) -> None:
        """The SDK is there. The Data API may have been switched on until now."""
        del handler
        check_cluster(problems, "sink cluster", self.cluster)

    def warn(self, view: Construct) -> None:
        """Say of an imported cluster that its Data API may be off."""
        if data_api_of(self.cluster) is None:
            Validations.of(view).add_warning(
                "serverless-patterns:data-api-unknown",
                f"whether the Data API of {self.cluster.node.path} is on is not known here: unless it is, no row is "
                "written. Import it by from_database_cluster_attributes(..., data_api_enabled=True)",
            )

    def allow(self, function: lambda_.Function) -> None:
        """Let the function run SQL, and read the secret."""
        give(function, [f"rds-data:{action}" for action in _ACTIONS], [self.cluster.cluster_arn])
        self._secret.grant_read(cast(Any, function))

    @property
    def place(self) -> str:
        """What tells this store from others."""
        return f"data-api {self.cluster.cluster_arn}/{self.database} {self.schema}.{self.table}"

    def described(self, stack: Stack) -> str:
        """As the runtime reads it."""
        sink = DataApiTold(
            kind="data-api",
            table=self.table,
            schema=self.schema,
            cluster=self.cluster.cluster_arn,
            secret=self._secret.secret_arn,
            database=self.database,
        )
        return stack.to_json_string(sink)

    @property
    def _secret(self) -> Secret:
        assert self.secret is not None
        return self.secret
