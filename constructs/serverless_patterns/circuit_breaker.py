"""A circuit breaker: one state, shared by every function that calls the same downstream.

Nygard: Release It! (2nd edition, 2018), "Circuit Breaker".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serverless_patterns_runtime.circuit_breaker import contract

from ._alarms import METRIC_PERIOD, AlarmOn, define_alarms
from ._checks import Problems, is_token, path_of, seconds
from ._error_names import warn_of_errors
from ._namespaces import check_free, take
from ._once_complete import once_complete
from ._protection import Protection
from ._shapes import several
from ._tables import check_table, define_table
from .defaults import ALARMS, Alarms, settings_of

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms

    from ._interfaces import AlarmAction, Key

__all__ = ["CircuitBreaker"]

_WINDOW = Duration.seconds(60)
_OPEN_FOR = Duration.seconds(30)
_CACHE_AGE = Duration.seconds(5)
_MOST_FAILURES = 100  # their times are kept in one item
_LONGEST_WINDOW_SECONDS, _LONGEST_OPEN_SECONDS, _OLDEST_CACHE_SECONDS = 3600, 900, 60
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


class CircuitBreaker(Construct):
    """Stops calls to a downstream that is down, and lets exactly one at a time find out whether it is back.

    ```python
    partner = CircuitBreaker(self, "Partner", failure_threshold=5, counts=["PartnerDown"])
    LoadLeveledQueue(self, "Shipping", max_concurrency=5, circuit_breaker=partner,
        consumer=Handler(code, "partner:book"))
    ```

    One stands for one downstream: give it to everything that calls that, also in other stacks.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default name.
        failure_threshold: 1 to 100 failures within the window open it, whichever functions they come from.
        window: Older failures are forgotten; 1 second to 1 hour.
        open_for: How long every call is refused before one may probe; 1 second to 15 minutes.
        counts: Names of exception classes, their subclasses included. Default: every error but `PermanentError`.
        name: Key of its item, and its name in metrics and logs. Data: never change it. Default: `id`.
        cache_age: How long a function that saw it closed does not look again; 0 to 60 seconds, at most `open_for`.
        table: Table to share, with the partition key `breaker` (String). Default: one of its own.
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.
        encryption_key: Customer key of its own table. Default: that of `Defaults`, else keys that AWS owns.

    Attributes:
        table: Where its state is: what is owned, or was given.
        alarms: By name: Opened.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        failure_threshold: int = 5,
        window: Duration = _WINDOW,
        open_for: Duration = _OPEN_FOR,
        counts: Sequence[str] = (),
        name: str | None = None,
        cache_age: Duration = _CACHE_AGE,
        table: dynamodb.ITable | None = None,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
        encryption_key: Key | None = None,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        named = id if name is None else name
        fix = "leave it out for 5; each keeps the time of a failure in the breaker's item"
        problems.whole_number("failure_threshold", failure_threshold, 1, _MOST_FAILURES, fix)
        problems.duration("window", window, 1, _LONGEST_WINDOW_SECONDS, "failures that are older are forgotten")
        fix = "a probe after that long finds out whether the downstream is back"
        problems.duration("open_for", open_for, 1, _LONGEST_OPEN_SECONDS, fix)
        _check_cache(problems, cache_age, open_for)
        counted = _counted(problems, counts)
        _check_place(problems, scope, named, table, encryption_key)
        if alarms is not None:
            problems.one_of("alarms", alarms, ALARMS, "'critical' keeps it: an open breaker is critical")
        problems.raise_any()

        super().__init__(scope, id)
        key = cast("kms.IKey | None", encryption_key or settings.encryption_key)
        self.table: dynamodb.ITable = table or define_table(
            self, "Table", contract.PARTITION_KEY, key=key, removal_policy=settings.removal_policy
        )
        take(self, self.table, named)
        self._protects = Protection(
            path=self.node.path,
            name=named,
            table=self.table,
            settings={
                "failure_threshold": failure_threshold,
                "window_seconds": _length(window),
                "open_seconds": _length(open_for),
                "cache_seconds": _length(cache_age),
                "counts": counted,
            },
        )
        opened = AlarmOn(
            "Opened",
            self.metric_opened(),
            1,
            f"What {named} stands for is down: calls are refused, work waits. Nothing has to be switched on again",
            critical=True,
        )
        actions = settings.alarm_actions if alarm_actions is None else alarm_actions
        self.alarms = define_alarms(self, [opened], alarms or settings.alarms, actions)
        so = "errors by another name never open the breaker"
        once_complete(self, lambda: warn_of_errors(self, "counts", counted, self._protects.guarded, so))

    def _protection(self) -> Protection:
        return self._protects

    def metric_opened(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """How often it opened, probes that failed included."""
        return self._metric(contract.METRIC_OPENED, period)

    def metric_refused(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Calls that were refused."""
        return self._metric(contract.METRIC_REFUSED, period)

    def metric_store_unavailable(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """How often its table did not answer, so that calls went on unguarded."""
        return self._metric(contract.METRIC_STORE_UNAVAILABLE, period)

    def _metric(self, name: str, period: Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=contract.METRICS_NAMESPACE,
            metric_name=name,
            dimensions_map={
                contract.BREAKER_DIMENSION: self._protects.name,
                contract.TABLE_DIMENSION: self.table.table_name,
            },
            period=period,
            statistic="Sum",
        )


def _check_cache(problems: Problems, cache_age: Any, open_for: Any) -> None:
    fix = "each function looks at the breaker's item once in that time"
    problems.duration("cache_age", cache_age, 0, _OLDEST_CACHE_SECONDS, fix)
    age, cool_down = seconds(cache_age), seconds(open_for)
    if age is not None and cool_down is not None and age > cool_down and not problems.have("cache_age", "open_for"):
        fix = "a function that looks more rarely may never notice an outage: lower it, or raise open_for"
        problems.add("cache_age", f"be at most open_for, {cool_down:,} seconds", f"{age:,} seconds", fix)


def _counted(problems: Problems, counts: Any) -> list[str]:
    given = several(problems, "counts", counts)
    for one in given:
        if isinstance(one, type):
            fix = f"write {one.__name__!r}: a handler's code is never imported at synth"
            problems.add("counts", "hold names of exception classes", f"the class {one.__name__}", fix)
        elif not isinstance(one, str) or not one.isidentifier():
            fix = "write 'PartnerDown', without its module; leave counts out for every error but PermanentError"
            problems.add("counts", "hold names of exception classes", repr(one), fix)
    return sorted({str(one) for one in given})


def _check_place(problems: Problems, scope: Construct, name: Any, table: Any, key: Any) -> None:
    if not is_token(name) and not (isinstance(name, str) and _NAME.fullmatch(name)):
        fix = "it is data: choose a name that will not change"
        problems.add("name", "be 1 to 128 of A-Z a-z 0-9 . _ -", repr(name), fix)
    if table is None:
        return
    fix = "define it so, or leave table out"
    is_table = check_table(problems, "table", table, contract.PARTITION_KEY, fix)
    if key is not None:
        fix = "set it where that table is defined"
        problems.add("encryption_key", "be left out with a table of yours", "a value", fix)
    fix = "pass another name; where both stand for one downstream, share one CircuitBreaker"
    if is_table:
        check_free(problems, scope, table, "name", name, fix)


def _length(duration: Duration) -> float:
    """Seconds, also parts of one. A token stays one."""
    return duration.to_seconds() if seconds(duration) is None else duration.to_milliseconds() / 1000
