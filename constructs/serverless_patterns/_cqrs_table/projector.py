"""A projector: the function that reads the stream for a group of views, and the one that rebuilds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.cqrs_table.contract import Env as TableEnv
from serverless_patterns_runtime.cqrs_views.contract import (
    PROJECTOR_HANDLER,
    REBUILD_HANDLER,
    Env,
    RebuildsTold,
)
from serverless_patterns_runtime.cqrs_views.projector_contract import ProjectorEnv
from serverless_patterns_runtime.fan_out_topic.packed import packed

from .._acknowledge import acknowledge_in_template
from .._fits import check_fits
from .._function import define_function, endpoints
from .._grants import give, grant_table_key
from .._told import tell
from .late import late, late_list
from .parked import allow_clearing, allow_parking
from .permissions import allow
from .rebuilding import define_machine
from .sinks import variable_of
from .streams import read_stream

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct, IConstruct

    from ..defaults import Settings
    from ..handler import Handler
    from .seen import Seen
    from .sinks import ViewSink
    from .write_model import WriteModel

Views = dict[str, "tuple[Seen, dynamodb.ITable | None]"]
VARIABLES = (*TableEnv._fields, *Env._fields, *ProjectorEnv._fields)
PROJECTOR_TIMEOUT = Duration.seconds(60)
REBUILD_TIMEOUT = Duration.minutes(15)
_PROJECTS = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_REBUILDS = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
)
_POINTERS = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem")
_PROGRESS = (*_POINTERS, "dynamodb:DeleteItem", "dynamodb:PutItem")
FITS = "one function is told of all views, and of all documents: give them shorter names, or have fewer"
_WITH_SINKS = f"{FITS}; a sink's mappings count: map what is searched, and no more"
_UNDELIVERED = "its event source mapping has a destination for what it never answered"
_BY_ITS_SHARDS = "it is invoked once for each shard at a time, and more would not be of use"
_BY_ITS_MACHINE = "its state machine invokes it as often as it has segments"


@dataclass(eq=False)
class Projector:
    """Fills a group of views, and rebuilds them."""

    suffix: str
    handler: Handler
    function: lambda_.Function
    rebuild_function: lambda_.Function
    event_source_mapping: lambda_.CfnEventSourceMapping
    machine: sfn.StateMachine
    elsewhere: bool
    """Whether the rows of its views are in another store than DynamoDB."""

    views: Views = field(default_factory=dict[str, "tuple[Seen, dynamodb.ITable | None]"])

    def add(self, seen: Seen, table: dynamodb.ITable | None) -> None:
        """Let both write the rows of one more view."""
        self.views[seen.name] = seen, table
        for function in self.functions:
            if table is not None:
                grant_table_key(function, table)
            if seen.sink is not None:
                seen.sink.allow(function)
                described = seen.sink.described(Stack.of(function))
                tell(cast("lambda_.IFunction", function), {variable_of(seen.name): described})

    def told(self) -> RebuildsTold:
        """As the control function knows it."""
        machine, projector = self.machine.state_machine_arn, self.function.function_arn
        return RebuildsTold(machine=machine, projector=projector, views=sorted(self.views))

    @property
    def functions(self) -> tuple[lambda_.Function, lambda_.Function]:
        """Both, which have the code of its views."""
        return self.function, self.rebuild_function


@dataclass(frozen=True, eq=False, kw_only=True)
class Places:
    """What projectors share."""

    scope: Construct
    model: WriteModel
    control: dynamodb.Table
    parked: s3.Bucket
    documents: str
    """Of `Env`, known at the end of synth only."""

    queues: Mapping[str, sqs.IQueue]
    """Of documents, likewise."""

    settings: Settings
    key: kms.IKey | None

    @property
    def named(self) -> dict[str, str]:
        """What its functions are called in logs and metrics: where the table is, of which there is one."""
        table = self.scope.node.scope
        return {"POWERTOOLS_SERVICE_NAME": self.scope.node.path if table is None else table.node.path}


def define_projector(
    places: Places, suffix: str, handler: Handler, sink: ViewSink | None, *, counts: bool
) -> Projector:
    """Define both functions of a group, and let one read the stream.

    Args:
        places: What all groups share.
        suffix: Sets its ids apart.
        handler: How all of its views' functions run.
        sink: Of the first of its views; None: all are in DynamoDB.
        counts: Whether it counts what every group reads.
    """
    scope, stack = places.scope, Stack.of(places.scope)
    views: Views = {}
    services = () if sink is None else sink.services
    env = Env(
        VIEWS=late(lambda: packed({"views": [views[name][0].told for name in sorted(views)]})),
        VIEW_TABLES=late(lambda: stack.to_json_string(places_of(views))),
        CONTROL_TABLE_NAME=places.control.table_name,
        PARKED_BUCKET_NAME=places.parked.bucket_name,
        DOCUMENTS=places.documents,
    )

    def define(
        id: str, entry_point: str, timeout: Duration, why: str, told: Mapping[str, str], **more: Any
    ) -> lambda_.Function:
        function = define_function(
            scope,
            f"{id}{suffix}",
            handler,
            entry_point=entry_point,
            contract={**places.model.env, **env._asdict(), **places.named, **told},
            timeout=timeout,
            settings=places.settings,
            encryption_key=places.key,
            reserved_concurrent_executions=handler.reserved_concurrent_executions,
            required_endpoints=endpoints(handler, "dynamodb", "s3", "sqs", *services),
            **more,
        )
        check_fits(cast("lambda_.IFunction", function), "views", FITS if sink is None else _WITH_SINKS, named)
        if handler.reserved_concurrent_executions is None:
            resource = cast(lambda_.CfnFunction, function.node.default_child)
            acknowledge_in_template(resource, checkov={"CKV_AWS_115": why})
        allow_parking(function, places.parked, places.key)
        return function

    def named() -> list[IConstruct]:
        views_tables = [table for _, table in _tables(views)]
        return [places.control, places.parked, *places.model.own_table, *views_tables, *places.queues.values()]

    def tables() -> list[str]:
        return [table.table_arn for _, table in _tables(views)]

    timeout = handler.timeout or PROJECTOR_TIMEOUT
    told = ProjectorEnv(COUNTS="yes" if counts else "")._asdict()
    function = define("Projector", PROJECTOR_HANDLER, timeout, _BY_ITS_SHARDS, told, undelivered=_UNDELIVERED)
    allow(function, _POINTERS, places.control)
    allow_clearing(function, places.parked, places.key)
    places.model.allow_reading(function)
    if sink is None:
        give(function, _PROJECTS, late_list(tables))
    rebuild = define("Rebuild", REBUILD_HANDLER, REBUILD_TIMEOUT, _BY_ITS_MACHINE, {})
    allow(rebuild, _PROGRESS, places.control)
    places.model.allow_stamping(rebuild)
    if sink is None:
        give(rebuild, _REBUILDS, late_list(tables))
    mapping = read_stream(scope, suffix, places.model, function, places.parked, places.key)
    machine = define_machine(scope, suffix, rebuild, function, places.settings, places.key)
    return Projector(suffix, handler, function, rebuild, mapping, machine, sink is not None, views)


def places_of(views: Views) -> dict[str, str]:
    """Of `Env`: where the rows of each are."""
    return {name: seen.place(table) for name, (seen, table) in sorted(views.items())}


def _tables(views: Views) -> list[tuple[str, dynamodb.ITable]]:
    return [(name, table) for name, (_, table) in sorted(views.items()) if table is not None]


def documents_told(stack: Stack, documents: dict[str, Any]) -> str:
    """Of `Env`: a token that names all documents at the end of synth."""
    return late(lambda: stack.to_json_string({name: documents[name] for name in sorted(documents)}))
