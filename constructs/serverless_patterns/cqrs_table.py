"""Commands write one table; views of it are the fold of its log, and are rebuilt while writes go on.

Young: CQRS Documents (2010). Homer, Sharp, Brader, Narumoto, Swanson: Cloud Design Patterns (2014), "Command and Query
Responsibility Segregation", "Materialized View".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration

from ._checks import Problems, path_of
from ._cqrs_table.arguments import Asked, Reading, check_asked
from ._cqrs_table.viewing import Viewing
from ._cqrs_table.write_model import define_write_model
from ._fan_out_topic.subscriptions import Watch
from ._idempotency import Idempotency
from .defaults import Alarms, settings_of

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from ._interfaces import AlarmAction, Bucket, Key
    from .handler import Handler

__all__ = ["CqrsTable"]

_CLAIMS_RETENTION = Duration.days(30)
_MAX_RECORD_AGE = Duration.hours(6)


class CqrsTable(Viewing):
    """A table that commands write, one aggregate an item, and views that follow it.

    ```python
    orders = CqrsTable(self, "Orders", key="order_id", decide=Handler(code, "orders:decide"), commands=["place"])
    by_customer = orders.view("ByCustomer", project=Handler(code, "orders:by_customer"), partition_key="customer_id")
    ```

    Each view equals the fold of the write log, whatever the order or duplication of its records; a rebuild is online.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default namespace of the claims.
        key: Name of the partition key, a string: an aggregate's.
        decide: Takes `(state, command)`, returns a `Decision`; it may be called several times for one command.
        commands: Names of the commands that there are. Default: `decide` says which.
        schema_version: Of the states that `decide` writes, from 1.
        upcast: Takes `(state, schema)`, returns the state of the next schema version. Same code as `decide`.
        table: An existing table, with this key, no sort key and a stream of NEW_AND_OLD_IMAGES.
        time_to_live_attribute: Of aggregates that go by themselves, in epoch seconds. Default: none.
        claims: Table of command ids to share, with the partition key `claim` (String). Default: one of its own.
        claims_namespace: Separates constructs that share a table. Data: never change it. Default: `id`.
        claims_retention: How long a command id is remembered; a day or more.
        batch_size: 1 to 10,000 records an invocation of a projector.
        max_batching_window: How long a batch may fill up, to 300 seconds. Default: not at all.
        parallelization_factor: 1 to 10 batches of a shard at once.
        retry_attempts: How often Lambda tries again what a projector never answered.
        max_record_age: The same in time: 60 seconds to 23 hours.
        encryption_key: Customer key for its own tables, buckets, queues, logs, variables, secrets and state machines.
            Default: that of `Defaults`, else keys that AWS owns.
        access_logs: Bucket for the access logs of its bucket. Default: none.
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.

    Attributes:
        table, claims: What is owned, or was given.
        command_function: Takes commands from other functions.
        views, documents: By name.
        projection: What is behind the views, or `None` before the first: `control_table`, `control`, `parked` (bucket),
            `projectors`, `machines`.
        alarms: By name: CommandErrors; with views IteratorAge, ProjectorErrors, ProjectorThrottles, RecordsLost,
            RebuildFailed, Parked, ProjectionLag, Unversioned, ControlErrors.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: str,
        decide: Handler,
        commands: Sequence[str] = (),
        schema_version: int = 1,
        upcast: Handler | None = None,
        table: dynamodb.ITable | None = None,
        time_to_live_attribute: str | None = None,
        claims: dynamodb.ITable | None = None,
        claims_namespace: str | None = None,
        claims_retention: Duration = _CLAIMS_RETENTION,
        batch_size: int = 100,
        max_batching_window: Duration | None = None,
        parallelization_factor: int = 1,
        retry_attempts: int = 5,
        max_record_age: Duration = _MAX_RECORD_AGE,
        encryption_key: Key | None = None,
        access_logs: Bucket | None = None,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        asked = Asked(
            key=key,
            decide=decide,
            commands=commands,
            schema_version=schema_version,
            upcast=upcast,
            table=table,
            time_to_live_attribute=time_to_live_attribute,
            once=Idempotency(None, claims, id if claims_namespace is None else claims_namespace, claims_retention),
            reading=Reading(
                batch_size=batch_size,
                max_batching_window=max_batching_window,
                parallelization_factor=parallelization_factor,
                retry_attempts=retry_attempts,
                max_record_age=max_record_age,
            ),
            encryption_key=cast("kms.IKey | None", encryption_key),
            access_logs=cast("s3.IBucket | None", access_logs),
        )
        check_asked(problems, scope, id, asked, settings)
        watch = Watch(alarms, alarm_actions)
        watch.check(problems)
        problems.raise_any()

        super().__init__(scope, id)
        own = cast("kms.IKey | None", encryption_key or settings.encryption_key)
        model = define_write_model(self, asked, settings, own)
        self._begin(model, settings, own, watch)
