"""A table whose view is in the tests' own PostgreSQL server: functions of the embedded cloud reach it on loopback."""

import shutil
from importlib.metadata import files
from pathlib import Path
from typing import Any

from aws_cdk import App, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager

from serverless_patterns import CqrsTable, Defaults, Handler, SqlSink
from serverless_patterns.testing import Deployment, EmbeddedCloud, wait_until
from serverless_patterns_runtime.cqrs_views.sink import RowKey, StoredRow
from tests.live.cqrs_account import Account
from tests.live.cqrs_stack import COMMANDS, HANDLERS, WAIT_SECONDS, LiveOrders
from tests.runtime.cqrs_sql.postgres_server import DATABASE, PASSWORD, USER, Server
from tests.simulation.cqrs_shop import AGGREGATES, CONTROL, KEY, ROWS

TABLE = "orders_by_customer"
DRIVER = ("pg8000", "scramp", "asn1crypto", "python-dateutil", "six")


def code_with_the_driver(folder: Path) -> Path:
    """What `requirements=` would install, from the tests' own environment: no registry is asked."""
    for name in ("cqrs_orders.py", "sql_connecting.py"):
        shutil.copy(HANDLERS / name, folder)
    for package in DRIVER:
        for file in files(package) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                there = folder / file
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), there)
    return folder


class CqrsSqlStack(Stack):
    def __init__(self, scope: App, id: str, code: Path, server: Server) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self.orders = CqrsTable(self, "Orders", key=KEY, decide=Handler(code, "cqrs_orders:decide"), commands=COMMANDS)
        # The embedded cloud has no networks: it takes the functions' VPC, and does nothing with it.
        vpc = ec2.Vpc.from_vpc_attributes(
            self, "Vpc", vpc_id="vpc-12345678", availability_zones=["a"], private_subnet_ids=["subnet-12345678"]
        )
        group = ec2.SecurityGroup.from_security_group_id(self, "Group", "sg-12345678", mutable=False)
        signs_in = {"username": USER, "password": PASSWORD}
        secret = secretsmanager.Secret(
            self,
            "Password",
            secret_object_value={name: SecretValue.unsafe_plain_text(text) for name, text in signs_in.items()},
        )
        sink = SqlSink(
            server.host,
            port=server.port,
            database=DATABASE,
            table=TABLE,
            vpc=vpc,
            security_groups=[group],
            secret=secret,
            driver="sql_connecting:connect",
        )
        project = Handler(code, "cqrs_orders:by_customer")
        self.by_customer = self.orders.view(ROWS, project=project, partition_key="customer", sort_key="line", sink=sink)


class LiveSqlOrders(LiveOrders):
    """Without an API."""

    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: CqrsSqlStack, server: Server) -> None:
        self.cloud, self.server = cloud, server
        self.dynamodb, self._lambda = cloud.client("dynamodb"), cloud.client("lambda")
        projection: Any = stack.orders.projection
        named = deployment.physical_id
        self.control, self.bucket = named(projection.control), named(projection.parked)
        self.projector, self.decider = (
            named(function) for function in (stack.by_customer.projector_function, stack.orders.command_function)
        )
        tables = {AGGREGATES: stack.orders.table, CONTROL: projection.control_table}
        self.tables = {name: named(table) for name, table in tables.items()}

    def fill_for_the_first_time(self) -> None:
        self.ask(request="sweep")
        wait_until(lambda: self.standing(ROWS)["live"], WAIT_SECONDS, "the view to be filled")

    def shown(self) -> dict[tuple[str, str], Any]:
        """To who reads the database."""
        return {(pk, sk): row for pk, sk, row in self.server.ask(f'SELECT pk, sk, "row" FROM {TABLE}')}


class SqlAccount(Account):
    """Whose rows are in the database."""

    def stored(self, generation: int) -> list[StoredRow]:
        found = self._live.server.ask(f'SELECT pk, sk, version, source, "row" FROM {TABLE}_g{generation}')
        return [StoredRow(RowKey(pk, sk), version, source, row) for pk, sk, version, source, row in found]

    def parked(self) -> dict[str, str]:
        return {one["object"]: one["reason"] for one in self._live.parked(ROWS)}
