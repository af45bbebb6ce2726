"""One invocation of the projector: a batch of the stream, or objects of the bucket to try again."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.projector import Outcome, Projector, Unavailable
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.replaying import Replaying
from serverless_patterns_runtime.cqrs_views.retry_contract import Retried
from serverless_patterns_runtime.error_fields import describe

__all__ = ["Mark", "Projection"]

Mark = Callable[[Collection[str]], None]
"""Told which views have changed, after they have: documents are built from them. May raise: then it is told again."""

RETRY_SECONDS = 10.0
"""Left of an invocation, to begin with another object."""


class Projection(NamedTuple):
    """Everything outside, and the projector over it."""

    projector: Projector
    mark: Mark
    logger: Any
    metrics: Any
    counts: bool = True
    """What is so of the records themselves, which other projectors read too."""

    def project(self, records: Sequence[Mapping[str, Any]], remaining: Callable[[], float]) -> dict[str, Any]:
        """What Lambda's poller understands: the records from the first that is named on come again."""
        changes = [Change.from_record(record, self.projector.write_model.key) for record in records]
        outcome = self._outcome(changes, remaining)
        self._measure(changes, outcome)
        failed = outcome.failed[:1]
        return {"batchItemFailures": [{"itemIdentifier": change.sequence_number} for change in failed]}

    def retry(self, names: Sequence[str], remaining: Callable[[], float]) -> Retried:
        """What does not get its turn is left as well."""
        done: list[str] = []
        for name in names:
            if remaining() < RETRY_SECONDS:
                break
            try:
                if Replaying(self.projector, self.mark).replay(name, remaining):
                    done.append(name)
            except Exception as error:
                said = {"object": name, **describe(error, with_message=False)}
                self.logger.warning("retry failed", extra=said)
        self.logger.info("retried", extra={"done": len(done), "left": len(names) - len(done)})
        return Retried(done=done, left=[name for name in names if name not in done])

    def _outcome(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Outcome:
        try:
            outcome = self.projector.project(changes, remaining)
            if outcome.views:
                self.mark(outcome.views)
        except Exception as error:
            if not isinstance(error, Unavailable | ClientError | BotoCoreError):
                self.logger.error("batch failed", extra=describe(error, with_message=False))
                raise
            self.logger.warning("batch comes again", extra=describe(error, with_message=False))
            return Outcome(changes, [], set())
        return outcome

    def _measure(self, changes: Sequence[Change], outcome: Outcome) -> None:
        unversioned = sum(change.lost_its_version for change in changes)
        removed = [change.removed_by for change in changes]
        expired, by_user = removed.count("time_to_live"), removed.count("user")
        counts = {contract.METRIC_PARKED: len(outcome.parked)}
        if self.counts:
            counts |= {contract.METRIC_UNVERSIONED: unversioned}
            counts |= {contract.METRIC_EXPIRED: expired, contract.METRIC_REMOVED: by_user}
        for name, count in counts.items():
            if count:
                self.metrics.add_metric(name=name, unit="Count", value=count)
        if changes and not outcome.failed:
            lag = self.projector.clock() - min(change.created_at for change in changes)
            self.metrics.add_metric(name=contract.METRIC_LAG, unit="Seconds", value=max(0.0, lag))
        self.metrics.flush_metrics()
        self.logger.info(
            "projected",
            extra={
                "records": len(changes),
                "views": sorted(outcome.views),
                "parked": len(outcome.parked),
                "come_again": bool(outcome.failed),
                "removed_by_time_to_live": expired,
                "removed_by_user": by_user,
            },
        )
