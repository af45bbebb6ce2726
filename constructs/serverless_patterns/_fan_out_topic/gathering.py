"""The fan-in: where branches leave their results, what closes it, and what gets them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.fan_in import contract

from .._acknowledge import acknowledge_in_template
from .._bundled import BundledHandler
from .._checks import text
from .._function import define_function, endpoints
from .._grants import grant_dead_letter, grant_table_key, statement
from .._sweeping import sweep_every
from .._tables import define_table
from .._told import tell
from ..load_leveled_queue import LoadLeveledQueue
from .buckets import define_retained_bucket, grant_objects

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from ..defaults import Settings
    from ..fan_in import FanIn
    from .subscriptions import Watch

VARIABLES = (*contract.StoreEnv._fields, *contract.BranchEnv._fields)
COMPLETION_VARIABLES = (*contract.StoreEnv._fields, *contract.CompletionEnv._fields)
_BRANCH = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_SWEEP = ("dynamodb:GetItem", "dynamodb:UpdateItem")
_COMPLETION = ("dynamodb:GetItem",)
_SWEEP_SECONDS = 50  # less than between two sweeps
_UNDELIVERED = "the next sweep, a minute later, finds what this one has left"


@dataclass(frozen=True, eq=False)
class DefinedFanIn:
    """A fan-in, defined."""

    table: dynamodb.Table
    """One item for each message."""

    bucket: s3.IBucket
    """Results that are too large for it."""

    completions: LoadLeveledQueue
    """Runs `on_complete`."""

    sweep_function: lambda_.Function
    namespace: str
    """Its items', and its name in metrics."""

    _asked: FanIn

    def join(self, function: lambda_.IFunction, name: str, subscribers: str) -> None:
        """Let a consumer report its results, and tell it how.

        Args:
            function: Runs the subscriber's business function.
            name: The subscriber's.
            subscribers: Packed, of those that take part; known at the end of synth only.
        """
        asked = self._asked
        branch = contract.BranchEnv(
            FAN_IN_BRANCH=name,
            FAN_IN_SUBSCRIBERS="" if asked.expected is not None else subscribers,
            FAN_IN_EXPECTED=asked.expected or "",
            FAN_IN_DEADLINE_SECONDS=text(asked.deadline),
            FAN_IN_RETENTION_SECONDS=text(asked.retention),
            FAN_IN_COMPLETIONS_QUEUE_URL=self.completions.queue.queue_url,
        )
        tell(function, {**self._store, **branch._asdict()})
        self._allow(function, _BRANCH)
        grant_objects(function, self.bucket, f"{self.namespace}/*", ["s3:PutObject"])
        grant_dead_letter(function, self.completions.queue)

    def connect(self) -> None:
        """Tell sweep and completion where everything is, and let them have what they need of it."""
        sweep, consumer = cast(lambda_.IFunction, self.sweep_function), self.completions.consumer_function
        told = contract.SweepEnv(
            FAN_IN_COMPLETIONS_QUEUE_URL=self.completions.queue.queue_url,
            FAN_IN_RETENTION_SECONDS=text(self._asked.retention),
        )
        tell(sweep, {**self._store, **told._asdict()})
        self._allow(sweep, _SWEEP)
        index = f"{self.table.table_arn}/index/{contract.DUE_INDEX}"
        sweep.add_to_role_policy(statement(["dynamodb:Query"], [index]))
        tell(consumer, {**self._store, **contract.CompletionEnv(FAN_IN_COMPLETES="true")._asdict()})
        self._allow(consumer, _COMPLETION)
        grant_objects(consumer, self.bucket, f"{self.namespace}/*", ["s3:GetObject"])

    @property
    def retention(self) -> Duration:
        """How long an end is remembered."""
        return self._asked.retention

    @property
    def _store(self) -> dict[str, str]:
        return contract.StoreEnv(
            FAN_IN_TABLE_NAME=self.table.table_name,
            FAN_IN_NAMESPACE=self.namespace,
            FAN_IN_BUCKET=self.bucket.bucket_name,
        )._asdict()

    def _allow(self, function: lambda_.IFunction, actions: tuple[str, ...]) -> None:
        function.add_to_role_policy(statement(actions, [self.table.table_arn]))
        grant_table_key(function, self.table)


def define_fan_in(
    scope: Construct,
    asked: FanIn,
    namespace: str,
    claims: dynamodb.ITable,
    key: kms.IKey | None,
    settings: Settings,
    watch: Watch,
    access_logs: s3.IBucket | None,
) -> DefinedFanIn:
    """Everything that outlives a message's branches."""
    table = define_table(
        scope,
        "FanIn",
        contract.PARTITION_KEY,
        key=key,
        removal_policy=settings.removal_policy,
        time_to_live=contract.TIME_TO_LIVE,
    )
    table.add_global_secondary_index(
        index_name=contract.DUE_INDEX,
        partition_key=dynamodb.Attribute(name=contract.SHARD, type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name=contract.DUE, type=dynamodb.AttributeType.NUMBER),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )
    kept = asked.retention.plus(asked.deadline)  # a head's retention begins at its end
    bucket = define_retained_bucket(scope, "Results", kept, key, settings, access_logs)
    completions = LoadLeveledQueue(
        scope,
        "Completions",
        consumer=asked.on_complete,
        max_concurrency=asked.max_concurrency,
        idempotency_key="key",
        claims=claims,
        claims_namespace=f"{namespace}.Completions",
        claims_retention=asked.retention,
        encryption_key=key,
        alarms=watch.which,
        alarm_actions=watch.actions,
    )
    sweep = _define_sweep(scope, completions, key, settings)
    gathering = DefinedFanIn(table, bucket, completions, sweep, namespace, asked)
    gathering.connect()
    return gathering


def _define_sweep(
    scope: Construct, completions: LoadLeveledQueue, key: kms.IKey | None, settings: Settings
) -> lambda_.Function:
    handler = BundledHandler("Sweep", "sweep", memory_size=256)
    function = define_function(
        scope,
        "Sweep",
        handler,
        entry_point=contract.SWEEP_HANDLER,
        contract={},
        timeout=Duration.seconds(_SWEEP_SECONDS),
        settings=settings,
        encryption_key=key,
        reserved_concurrent_executions=None,
        required_endpoints=endpoints(handler, "dynamodb", "sqs"),
        undelivered=_UNDELIVERED,
    )
    grant_dead_letter(function, completions.queue)
    acknowledge_in_template(
        cast(lambda_.CfnFunction, function.node.default_child),
        checkov={"CKV_AWS_115": "one invocation a minute, which ends before the next: there is nothing to reserve"},
    )
    sweep_every(
        scope,
        "EachMinute",
        function,
        Duration.minutes(1),
        description="Closes fan-ins that are overdue, and announces what was not announced",
        undelivered=_UNDELIVERED,
    )
    return function
