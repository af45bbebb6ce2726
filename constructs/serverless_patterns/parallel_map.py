"""Parallel map: one function over every item of a list, and one end for all of them.

Hohpe, Woolf: Scatter-Gather (Enterprise Integration Patterns, 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from constructs import Construct

from serverless_patterns_runtime.parallel_map.contract import DEFAULT_MAX_RESULT_BYTES

from ._alarms import METRIC_PERIOD, define_alarms
from ._checks import Problems, path_of
from ._function import endpoints
from ._grantee import check_grantee
from ._grants import grant_start
from ._idempotency import Idempotency
from ._parallel_map.alarms import map_alarms
from ._parallel_map.checks import check_functions, check_plan, needed_seconds
from ._parallel_map.completing import tell_of_bad_ends
from ._parallel_map.functions import define_functions, let_look, services_of_map
from ._parallel_map.letters import define_item_letters
from ._parallel_map.machines import define_machines
from ._parallel_map.plan import Mode, Plan
from ._saga_state_machine.callers import Callers
from ._saga_state_machine.doors import start_door
from .defaults import ALARMS, Alarms, settings_of
from .saga_step import Retry

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn

    from ._interfaces import AlarmAction, Key
    from ._targets import RouteTarget
    from .handler import Handler
    from .s3_items import S3Items

__all__ = ["ParallelMap"]

_CLAIMS_RETENTION = Duration.days(30)
_TIMEOUT = Duration.hours(24)
_MOST_INPUT_BYTES = 240 * 1024  # of the 256 KiB of a state, with room for what the map adds to an item
_RETRY = Retry()


class ParallelMap(Construct):
    """One function over every item of a list; then `on_complete`, once, with what has become of each.

    ```python
    ParallelMap(self, "Pages", items="$.pages", key="$.id",
        handler=Handler(code, "pages:render"), on_complete=Handler(code, "pages:done", tables={"DOCUMENTS": documents}))
    ```

    Every item is processed or a dead letter. An execution succeeds when no more items failed than are tolerated.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default namespace of the claims.
        handler: Takes an item. What it returns is its result.
        on_complete: Takes a `Gathered`.
        items: Path of the list in the execution's input; or `S3Items`.
        key: Path, in an item, of its key. Default: its position in the list.
        mode: `inline` or `distributed`. Default: inline for up to 40 items of the input.
        max_items: 1 to 50,000. With more, none of the input is processed, and of an object the first so many are.
        max_concurrency: Items at once; at most 40 inline, else 10,000.
        tolerated_failure_percent: Of the items, 0 to 100; more, and the outcome is `failed`.
        retry: How often an item is tried.
        timeout: Of an execution: then what is left of it is dead letters, and `on_complete` is told.
        claims: Table to share, with the partition key `claim` (String). Default: one of its own.
        claims_namespace: Separates constructs that share a table, each its own. Data: never change it. Default: `id`.
        claims_retention: How long claims and results are kept; more than an execution and its redrive (14 days) take.
        max_result_bytes: Of each item's result, up to 262,144.
        encryption_key: Customer key for claims, queues, logs, variables and state machines. Default: that of
            `Defaults`, else keys that AWS owns.
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.

    Attributes:
        state_machine: The Standard state machine.
        completion_state_machine: Completes executions that timed out, were aborted, or failed.
        item_function: Behind the items.
        completion_function: Behind `on_complete`.
        gather_function: Ours: it closes and counts.
        claims: The table of claims, where results are too.
        dead_letter_queue: Of items.
        undelivered_queue: Ends that EventBridge could not tell the completion of: a message is an input to start it.
        alarms: By name: DeadLetters, CompletionFailed, CompletionNotStarted, Failed, TimedOut, Throttled.
        required_endpoints: AWS services that the functions must reach when they run in a VPC.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        handler: Handler,
        on_complete: Handler,
        items: str | S3Items = "$.items",
        key: str | None = None,
        mode: Mode | None = None,
        max_items: int = 40,
        max_concurrency: int = 10,
        tolerated_failure_percent: float = 0,
        retry: Retry = _RETRY,
        timeout: Duration = _TIMEOUT,
        claims: dynamodb.ITable | None = None,
        claims_namespace: str | None = None,
        claims_retention: Duration = _CLAIMS_RETENTION,
        max_result_bytes: int = DEFAULT_MAX_RESULT_BYTES,
        encryption_key: Key | None = None,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        once = Idempotency(None, claims, id if claims_namespace is None else claims_namespace, claims_retention)
        once.check_place(problems, scope)
        if alarms is not None:
            problems.one_of("alarms", alarms, ALARMS, "'critical' keeps what needs a person")
        numbers = (max_items, max_concurrency, tolerated_failure_percent)
        plan = Plan(items, key, mode, *numbers, handler, on_complete, retry, timeout)
        check_plan(problems, plan)
        fix = "a claim must outlive its execution, with its timeout, and its redrive (14 days)"
        once.check_retention(problems, needed_seconds(plan), fix)
        check_functions(problems, plan, once, max_result_bytes, id, scope, settings)
        problems.raise_any()

        super().__init__(scope, id)
        own = cast("kms.IKey | None", encryption_key or settings.encryption_key)
        self.claims: dynamodb.ITable = once.define(self, key=own, removal_policy=settings.removal_policy)
        letters = define_item_letters(self, own, settings.removal_policy)
        self.dead_letter_queue: sqs.IQueue = cast("sqs.IQueue", letters)
        defined = define_functions(self, plan, once, self.claims, letters, max_result_bytes, settings, own)
        machines = define_machines(self, plan, defined, settings, own)
        let_look(self, defined, machines.main, own)
        undelivered = cast("sqs.IQueue", tell_of_bad_ends(self, machines.main, machines.completion, own))
        self.undelivered_queue: sqs.IQueue = undelivered
        self.state_machine: sfn.StateMachine = machines.main
        self.completion_state_machine: sfn.StateMachine = machines.completion
        self.item_function = cast("lambda_.IFunction", defined.item)
        self.completion_function = cast("lambda_.IFunction", defined.completion)
        self.gather_function = cast("lambda_.IFunction", defined.gather)
        used = [endpoints(each, *services_of_map(plan), "sqs") for each in (handler, on_complete)]
        self.required_endpoints = tuple(sorted({name for names in used for name in names}))
        wanted = map_alarms(machines.main, machines.completion, self.dead_letter_queue, undelivered)
        actions = settings.alarm_actions if alarm_actions is None else alarm_actions
        self.alarms = define_alarms(self, wanted, alarms or settings.alarms, actions)
        self._door = start_door(id, machines.main, own, Callers(), _MOST_INPUT_BYTES)
        self._key = own

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow starting executions."""
        check_grantee(self, "grant_start", grantee)
        return grant_start(grantee, self.state_machine, self._key)

    def metric_started(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions that began."""
        return self.state_machine.metric_started(period=period, statistic="Sum")

    def metric_succeeded(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions in which no more items failed than are tolerated."""
        return self.state_machine.metric_succeeded(period=period, statistic="Sum")

    def metric_failed(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions in which more failed, or whose completion did."""
        return self.state_machine.metric_failed(period=period, statistic="Sum")

    def _route_target(self) -> RouteTarget:
        return self._door.target
