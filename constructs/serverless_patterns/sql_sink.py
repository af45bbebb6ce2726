"""`SqlSink`: a view of a `CqrsTable` in PostgreSQL, by a driver."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Stack, Validations
from aws_cdk import aws_ec2 as ec2

from serverless_patterns_runtime.cqrs_sql.contract import DRIVERS, SqlTold

from ._checks import Problems
from ._cqrs_table.sinks import check_placed, placed
from ._requirements import brings
from ._shapes import several, told
from ._sql_driver import check_driver
from ._sql_names import check_names
from ._sql_servers import check_engine, check_kind, check_secret

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from ._interfaces import Secret
    from .handler import Handler

__all__ = ["SqlSink"]

_PACKAGES = {"pg8000.dbapi": ("pg8000",), "psycopg": ("psycopg",), "psycopg2": ("psycopg2", "psycopg2-binary")}
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class SqlSink:
    """Rows in PostgreSQL, by a driver: an RDS instance, Aurora, or an RDS Proxy in front of them. A description.

    ```python
    SqlSink(proxy.endpoint, database="shop", table="orders_by_customer", vpc=vpc, server=proxy, secret=secret)
    ```

    The view's functions run in the VPC, with routes to what they call. The user needs USAGE and CREATE on the schema.

    Args:
        host: Name of the server or of the proxy.
        database: Name of the database.
        table: What other programs read: an SQL view of this name shows the live rows.
        vpc: Where the functions run.
        server: The proxy, cluster or instance: it lets the functions in. Default: nothing is allowed, and synth warns,
            unless `security_groups` are those that the database lets in already.
        secret: With `username` and `password`.
        user: Without a secret: who signs in by IAM. `server` has to be given, and allows it.
        port: Of the server. Default: 5,432.
        schema: It must be there. Default: `public`.
        driver: `pg8000.dbapi`, `psycopg` or `psycopg2`, which the handler's `requirements` have to bring; or
            `module:function`, in the handler's code: called with `host`, `port`, `user`, `password`, `database` and
            `ssl_context` by name, it returns a DB-API connection.
        certificates: File in the handler's code: authorities to trust, as the bundle of RDS. Default: those of the
            system, which know an RDS Proxy.
        vpc_subnets: Which subnets of the VPC. Default: those with a route out.
        security_groups: Of the functions. Default: one of their own.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        host: str,
        *,
        database: str,
        table: str,
        vpc: ec2.IVpc,
        server: Any = None,
        secret: Secret | None = None,
        user: str | None = None,
        port: int = 5432,
        schema: str = "public",
        driver: str = "pg8000.dbapi",
        certificates: str | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
    ) -> None:
        problems = Problems(f"SqlSink({told(table)})")
        self.host, self.database, self.table, self.schema = host, database, table, schema
        self.vpc, self.vpc_subnets, self.server = vpc, vpc_subnets, server
        self.security_groups = several(problems, "security_groups", security_groups)
        self.secret, self.user, self.port = secret, user, port
        self.driver, self.certificates = driver, certificates
        check_names(problems, database, schema, table)
        problems.whole_number("port", port, 1, 65_535, "PostgreSQL listens at 5432")
        self._check_texts(problems)
        self._check_network(problems)
        check_secret(problems, secret)
        self._check_user(problems)
        problems.raise_any()

    @property
    def services(self) -> tuple[str, ...]:
        """Of AWS, that the functions call because of it."""
        return () if self.secret is None else ("secretsmanager",)

    def placed(self, handler: Handler) -> Handler:
        """The same, where the functions run."""
        return placed(self, handler)

    def check(self, problems: Problems, handler: Handler) -> None:
        """What the view's function lacks, or has another way."""
        if ":" in self.driver:
            check_driver(problems, handler.code, self.driver)
        check_placed(problems, self, handler)
        known = _PACKAGES.get(self.driver, ())
        if known and (handler.requirements is None or not any(brings(handler.requirements, one) for one in known)):
            got = "none" if handler.requirements is None else str(handler.requirements)
            fix = "lock the driver with the hashes of its wheels, and pass the file as requirements"
            problems.add("project requirements", f"bring {' or '.join(known)}, the sink's driver", got, fix)
        if self.certificates is not None and not (handler.code / self.certificates).is_file():
            fix = "put the file beside the functions: it is part of their code"
            problems.add("sink certificates", f"be a file in {handler.code}", repr(self.certificates), fix)

    def warn(self, view: Construct) -> None:
        """Say that nothing here lets the functions in: it may be done elsewhere."""
        if self.server is None and not self.security_groups:
            Validations.of(view).add_warning(
                "serverless-patterns:sink-without-server",
                f"nothing lets the functions of this view connect to the database of {self.table}, at port {self.port}:"
                " pass the proxy, cluster or instance as server, or security_groups that it lets in",
            )

    def allow(self, function: lambda_.Function) -> None:
        """Let the function in, and read the secret."""
        if self.server is not None:
            function.connections.allow_to(self.server, ec2.Port.tcp(self.port), "rows of a view")
            if self.user is not None:
                self.server.grant_connect(function, self.user)
        if self.secret is not None:
            self.secret.grant_read(cast(Any, function))

    @property
    def place(self) -> str:
        """What tells this store from others."""
        return f"sql {self.host}:{self.port}/{self.database} {self.schema}.{self.table}"

    def described(self, stack: Stack) -> str:
        """As the runtime reads it."""
        sink = SqlTold(
            kind="sql",
            table=self.table,
            schema=self.schema,
            driver=self.driver,
            host=self.host,
            port=self.port,
            database=self.database,
        )
        if self.secret is not None:
            sink["secret"] = self.secret.secret_arn
        if self.user is not None:
            sink["user"] = self.user
        if self.certificates is not None:
            sink["certificates"] = self.certificates
        return stack.to_json_string(sink)

    def _check_texts(self, problems: Problems) -> None:
        for argument, value, fix in (
            ("host", self.host, "write proxy.endpoint, or cluster.cluster_endpoint.hostname"),
            ("user", self.user, "who signs in by IAM, as the database knows the name"),
            ("certificates", self.certificates, "a file in the handler's code: 'eu-central-1-bundle.pem'"),
        ):
            wanted = value is not None or argument == "host"
            if wanted and (not isinstance(value, str) or not value):
                problems.add(argument, "be a name", told(value), fix)
        if self.driver not in DRIVERS and not (isinstance(self.driver, str) and _FUNCTION.fullmatch(self.driver)):  # pyright: ignore[reportUnnecessaryIsInstance]
            fix = "a known driver, or a function of your own that connects: 'connecting:connect'"
            problems.add("driver", f"be {', '.join(DRIVERS)} or module:function", told(self.driver), fix)

    def _check_network(self, problems: Problems) -> None:
        check_kind(problems, "vpc", self.vpc, "vpc_id", "be an ec2.Vpc", "pass the one that the database is in")
        for group in self.security_groups:
            fix = "write SecurityGroup.from_security_group_id(...) for an id"
            check_kind(problems, "security_groups", group, "security_group_id", "hold ec2.SecurityGroups", fix)
        if self.server is not None:
            fix = "pass the proxy, cluster or instance: its security group lets the functions in"
            check_kind(problems, "server", self.server, "connections", "be what has connections", fix)
            check_engine(problems, "server", self.server)

    def _check_user(self, problems: Problems) -> None:
        if (self.secret is None) == (self.user is None):
            got, fix = "none" if self.secret is None else "both", "a secret's password, or a user who signs in by IAM"
            problems.add("secret", "be given, or else user", got, fix)
        elif self.user is not None and not hasattr(self.server, "grant_connect"):
            fix = "IAM has to allow it there: pass the proxy, cluster or instance as server"
            problems.add("server", "have grant_connect for a user without a secret", told(self.server), fix)
