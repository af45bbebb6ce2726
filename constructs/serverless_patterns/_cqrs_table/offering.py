"""What a defined table offers: its commands and aggregates behind routes, to other functions, and its own indexes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_dynamodb as dynamodb

from .._checks import Problems
from .._grantee import check_grantee
from .._grants import grant_ask
from .commands import command_function, token_secret
from .commands_known import warn_of_commands
from .doors import command_door, get_door
from .names import check_command
from .watching import Measured, command_alarm

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_secretsmanager as secretsmanager

    from .._fan_out_topic.subscriptions import Watch
    from ..data_api_sink import DataApiSink
    from ..defaults import Settings
    from ..open_search_sink import OpenSearchSink
    from ..sql_sink import SqlSink
    from .documents import CqrsDocument
    from .projection import Projection
    from .reading import Readable
    from .route_targets import Door
    from .views import CqrsView
    from .write_model import WriteModel


@dataclass(frozen=True, eq=False, kw_only=True)
class Defined:
    """What its parts are made with."""

    model: WriteModel
    settings: Settings
    key: kms.IKey | None
    watch: Watch
    secret: Callable[[], secretsmanager.ISecret]
    grant_command: Callable[[iam.IGrantable], iam.Grant]
    readables: dict[str, Readable] = field(default_factory=dict[str, "Readable"])
    doors: dict[str, Door] = field(default_factory=dict[str, "Door"])
    sinks: dict[str, SqlSink | DataApiSink | OpenSearchSink] = field(
        default_factory=dict[str, "SqlSink | DataApiSink | OpenSearchSink"]
    )
    """By view, of those that are not in DynamoDB."""


class Offering(Measured):
    """A table, once it is defined."""

    claims: dynamodb.ITable
    command_function: lambda_.IFunction
    views: dict[str, CqrsView]
    documents: dict[str, CqrsDocument]
    projection: Projection | None
    alarms: dict[str, cloudwatch.Alarm]

    def command(self, name: str) -> Door:
        """For a `Route`: `Route("POST /orders/{order_id}/confirm", orders.command("confirm"))`.

        The aggregate's key is in the path or in the body, the command's id is the `Idempotency-Key`. `If-Match` and
        `If-None-Match: *` say what version it is for.

        Raises:
            ValueError: for a command that is none of `commands`.
        """
        problems = Problems(f"{self.node.path}.command")
        check_command(problems, name, self._defined.model.asked.commands)
        problems.raise_any()
        doors = self._defined.doors
        if name not in doors:  # the same one twice is one function
            doors[name] = command_door(self.node.id, name, self._defined.model)
        return doors[name]

    def get(self) -> Door:
        """For a `Route`: `Route("GET /orders/{order_id}", orders.get())`: one aggregate, as it is now."""
        doors = self._defined.doors
        if "" not in doors:
            doors[""] = get_door(self.node.id, self._defined.model)
        return doors[""]

    def grant_command(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow invoking `command_function`."""
        check_grantee(self, "grant_command", grantee)
        return self._defined.grant_command(grantee)

    @property
    def control_function(self) -> lambda_.IFunction:
        """What `serverless-patterns view` asks; its name as a stack's output is what people type.

        Raises:
            ValueError: for a table without views.
        """
        if self.projection is None:
            problems = Problems(self.node.path)
            problems.add("control_function", "be asked for after the first view", "no view", "add one with view()")
            problems.raise_any()
        assert self.projection is not None
        return cast("lambda_.IFunction", self.projection.control)

    def grant_control(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `serverless-patterns view`: to ask the control function, which may all that a rebuild needs."""
        check_grantee(self, "grant_control", grantee)
        return grant_ask(grantee, self.control_function)

    def add_global_secondary_index(self, **arguments: Any) -> None:
        """Add an index to the table of aggregates: arguments as those of `dynamodb.Table`.

        Raises:
            ValueError: for a table of yours, whose indexes are where it is defined.
        """
        if self._defined.model.asked.table is not None:
            problems = Problems(f"{self.node.path}.add_global_secondary_index")
            problems.add("table", "be its own", self.table.node.path, "add the index where that table is defined")
            problems.raise_any()
        cast(dynamodb.Table, self.table).add_global_secondary_index(**arguments)

    def _begin(self, model: WriteModel, settings: Settings, key: kms.IKey | None, watch: Watch) -> None:
        self.table, self.claims = model.table, model.claims
        commands = command_function(self, model, settings, key)
        self.command_function = commands.target
        self.views, self.documents, self.projection = {}, {}, None
        self.alarms = watch.define(self, [command_alarm(commands.function)], settings)
        warn_of_commands(self, model.asked.decide, model.asked.commands)
        self._defined = Defined(
            model=model,
            settings=settings,
            key=key,
            watch=watch,
            secret=token_secret(self, key),
            grant_command=commands.grant,
        )
