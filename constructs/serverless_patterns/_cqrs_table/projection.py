"""The read side of a table: defined with its first view."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import RemovalPolicy, Stack
from constructs import Construct, IConstruct

from serverless_patterns_runtime.cqrs_views.contract import PARTITION_KEY, ControlEnv
from serverless_patterns_runtime.fan_out_topic.packed import packed

from .._fits import check_fits
from .._grants import give, queue_key
from .._tables import define_table
from .control import define_control
from .groups import same_group, suffix_of
from .late import late, late_list
from .parked import define_parked
from .projector import FITS, Places, Projector, define_projector, documents_told, places_of
from .rebuilding import allow_rebuilds

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sqs as sqs

    from serverless_patterns_runtime.cqrs_views.document_contract import DocumentTold

    from ..defaults import Settings
    from .seen import Seen
    from .write_model import WriteModel


class Projection(Construct):
    """Projectors, the bucket of what they could not project, and what rebuilds their views."""

    def __init__(self, scope: Construct, model: WriteModel, settings: Settings, key: kms.IKey | None) -> None:
        super().__init__(scope, "Projection")
        self._model, self._settings, self._key = model, settings, key
        self.control_table: dynamodb.Table = define_table(
            self, "ControlTable", PARTITION_KEY, key=key, removal_policy=RemovalPolicy.DESTROY
        )
        self.parked: s3.Bucket = define_parked(self, key, settings, model.asked.access_logs)
        self.projectors: list[Projector] = []
        self._documents: dict[str, DocumentTold] = {}
        self._queues: dict[str, sqs.IQueue] = {}
        self._senders: set[str] = set()
        self._places = Places(
            scope=self,
            model=model,
            control=self.control_table,
            parked=self.parked,
            documents=documents_told(Stack.of(self), self._documents),
            queues=self._queues,
            settings=settings,
            key=key,
        )
        self.control: lambda_.Function = define_control(self, self._places, self._control_env())
        check_fits(cast("lambda_.IFunction", self.control), "views", FITS, self._named)

    def add_view(self, seen: Seen, table: dynamodb.ITable | None) -> Projector:
        """The projector that fills the view, which is defined if it has to be. Returns it."""
        elsewhere = seen.sink is not None
        alike = (each for each in self.projectors if each.elsewhere == elsewhere)
        found = next((each for each in alike if same_group(each.handler, seen.handler)), None)
        projector = found or self._define(seen)
        projector.add(seen, table)
        return projector

    def add_document(self, name: str, told: DocumentTold, queue: sqs.IQueue) -> None:
        """Let everything that changes a view send a document's message."""
        self._documents[name], self._queues[name] = told, queue
        for function in self._functions():
            self._let_send(function, queue)

    def _define(self, seen: Seen) -> Projector:
        elsewhere = seen.sink is not None
        suffix = suffix_of(seen.handler, self._model.asked.decide, elsewhere=elsewhere)
        projector = define_projector(self._places, suffix, seen.handler, seen.sink, counts=not self.projectors)
        allow_rebuilds(self.control, projector.machine, self._key)
        self.projectors.append(projector)
        for function in projector.functions:
            for queue in self._queues.values():
                self._let_send(function, queue)
        return projector

    def _functions(self) -> list[lambda_.Function]:
        return [self.control, *(function for each in self.projectors for function in each.functions)]

    def _let_send(self, function: lambda_.Function, queue: sqs.IQueue) -> None:
        if function.node.path not in self._senders:  # one permission for all queues, in any order
            self._senders.add(function.node.path)
            queues = late_list(lambda: [self._queues[name].queue_arn for name in sorted(self._queues)])
            give(function, ["sqs:SendMessage"], queues)
        key = queue_key(queue)
        if key is not None:
            key.grant(function, "kms:Decrypt", "kms:GenerateDataKey")

    def _control_env(self) -> ControlEnv:
        return ControlEnv(
            VIEWS=late(lambda: packed({"views": [seen.told for seen in self._views()]})),
            VIEW_TABLES=late(lambda: Stack.of(self).to_json_string(self._all_places())),
            AGGREGATES_TABLE_NAME=self._model.table.table_name,
            CONTROL_TABLE_NAME=self.control_table.table_name,
            PARKED_BUCKET_NAME=self.parked.bucket_name,
            DOCUMENTS=self._places.documents,
            REBUILDS=late(lambda: Stack.of(self).to_json_string([each.told() for each in self._in_order()])),
        )

    def _named(self) -> list[IConstruct]:
        """What its variables have names of."""
        views = [table for each in self.projectors for _, table in each.views.values() if table is not None]
        others = [resource for each in self.projectors for resource in (each.machine, each.function)]
        return [self.control_table, self.parked, *self._model.own_table, *views, *others, *self._queues.values()]

    def _in_order(self) -> list[Projector]:
        return sorted(self.projectors, key=lambda each: each.suffix)

    def _all_places(self) -> dict[str, str]:
        return places_of({name: view for each in self.projectors for name, view in each.views.items()})

    def _views(self) -> list[Seen]:
        found = {name: seen for each in self.projectors for name, (seen, _) in each.views.items()}
        return [found[name] for name in sorted(found)]
