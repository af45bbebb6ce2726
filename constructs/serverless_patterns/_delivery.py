"""How messages travel from a queue to its consumer: the numbers that depend on each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration, Validations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from serverless_patterns_runtime.circuit_breaker.contract import LONGEST_REFUSAL_SECONDS

from ._acknowledge import acknowledge
from ._checks import Problems, is_token, seconds

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs

MAX_VISIBILITY_SECONDS = 43_200  # SQS quota: 12 hours
LONGEST_RETENTION_SECONDS = 14 * 86_400  # SQS quota: 14 days
MOST_RETENTION_SECONDS = LONGEST_RETENTION_SECONDS - 86_400  # of a queue whose dead letters live a day at least
VISIBILITY_FACTOR = 6  # AWS's advice: room for the retries that Lambda makes when the function is throttled

RECEIVE_LIMIT = 1000  # SQS's largest maxReceiveCount
_EARLY_REFUSALS = 40  # of the outages' first minutes, when a message comes back sooner than LONGEST_REFUSAL_SECONDS
_ADVISED_RECEIVES = 5  # AWS's advice for a queue with a cap
_MAX_BATCH, _MAX_BATCH_FIFO, _MAX_BATCH_WITHOUT_WINDOW = 10_000, 10, 10  # Lambda quotas
_MAX_WINDOW_SECONDS = 300  # Lambda quota


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What the queue and the event source mapping are told. Any number may be a token."""

    handled: bool
    """Whether our runtime stands between the queue and the business function."""

    own_queue: bool
    """Whether the queue is ours, so that we say when it gives up on a message."""

    guarded: bool
    """Whether a circuit breaker may refuse a message, again and again, without a try."""

    fifo: bool
    max_concurrency: int
    asked_batch_size: int | None
    max_batching_window: Duration | None
    max_receive_count: int

    @property
    def batch_size(self) -> int:
        """On FIFO one message, so that a failing one never holds up others that were received with it."""
        if self.asked_batch_size is None:
            return 1 if self.fifo else 10
        return self.asked_batch_size

    @property
    def counts_attempts(self) -> bool:
        """Whether the runtime counts attempts itself.

        In a batch, messages that were not tried come back with one that was: behind a failed one of their FIFO group,
        or beside one that killed the function or took all its time. Their receive counts climb together, and the
        queue's own count would dead-letter healthy messages. An existing standard queue keeps its own count, unless a
        circuit breaker may refuse its messages.
        """
        return self.guarded or (self.handled and self.batch_size != 1 and (self.own_queue or self.fifo))

    def receives_needed(self, retention_seconds: int | None) -> int | None:
        """More receives than a healthy message can need: when every other of its batch fails to the end, and when a
        circuit breaker refuses it for as long as the queue keeps it.

        `None` when that depends on a token.
        """
        if is_token(self.max_receive_count) or is_token(self.batch_size):
            return None
        among_failing = 2 * (self.max_receive_count + 1) * self.batch_size
        refused = 0
        if self.guarded:
            refused = _EARLY_REFUSALS + (retention_seconds or LONGEST_RETENTION_SECONDS) // LONGEST_REFUSAL_SECONDS
        return min(among_failing + refused, RECEIVE_LIMIT)

    def native_max_receive_count(self, visibility: Duration, retention_seconds: int | None) -> int:
        """When the queue itself gives up on a message.

        Where the runtime counts: too late for healthy ones, yet soon enough that a consumer that is broken altogether
        sends everything to the dead-letter queue before it expires. With a circuit breaker the first comes before the
        second: an outage is likelier.
        """
        if not self.counts_attempts:
            return self.max_receive_count
        hidden = seconds(visibility)
        in_time = retention_seconds // 2 // hidden if retention_seconds and hidden else RECEIVE_LIMIT
        needed = self.receives_needed(retention_seconds)
        if self.guarded:
            return max(needed or RECEIVE_LIMIT, min(in_time, RECEIVE_LIMIT))
        if needed is None:
            return min(in_time, RECEIVE_LIMIT)
        return max(self.max_receive_count, min(in_time, needed))

    def warn_of_expiry(self, scope: Construct, visibility: Duration, retention_seconds: int | None) -> None:
        """Advise where a consumer that is broken altogether would lose messages: they expire before all receives."""
        hidden = seconds(visibility)
        receives = self.native_max_receive_count(visibility, retention_seconds)
        if self.guarded and retention_seconds and hidden and receives * hidden > retention_seconds:
            Validations.of(scope).add_warning(
                "serverless-patterns:guarded-expiry",
                f"with a circuit_breaker a message needs {receives:,} receives, each of which may hide it for "
                f"{hidden:,} seconds: longer than its {retention_seconds:,} seconds in the queue, so a consumer that "
                "does not even start loses it without a dead letter. Shorten the function's timeout, or act on the "
                "alarm OldestMessage",
            )

    def check(self, problems: Problems) -> None:
        """Refuse what SQS and Lambda refuse, or what would break the pattern."""
        if type(self.max_concurrency) is int and self.max_concurrency == 1:
            fix = "for one at a time use fifo=True and send every message with the same group id"
            problems.add("max_concurrency", "be a whole number from 2 to 1,000", "1", fix)
        else:
            fix = "it is the cap on invocations at once"
            problems.whole_number("max_concurrency", self.max_concurrency, 2, 1000, fix)
        most, fix = (_MAX_BATCH_FIFO, "leave it out for 1") if self.fifo else (_MAX_BATCH, "leave it out for 10")
        problems.whole_number("batch_size", self.batch_size, 1, most, fix)
        problems.whole_number("max_receive_count", self.max_receive_count, 1, RECEIVE_LIMIT, "leave it out for 5")
        self._check_window(problems)

    def _check_window(self, problems: Problems) -> None:
        needed = type(self.batch_size) is int and self.batch_size > _MAX_BATCH_WITHOUT_WINDOW
        if self.fifo:
            if self.max_batching_window is not None:
                fix = "Lambda has no window there"
                problems.add("max_batching_window", "be left out on a FIFO queue", "a value", fix)
        elif self.max_batching_window is not None:
            low, fix = int(needed), "Lambda waits so long for a batch to fill up"
            problems.duration("max_batching_window", self.max_batching_window, low, _MAX_WINDOW_SECONDS, fix)
        elif needed:
            fix = "pass max_batching_window=Duration.seconds(1)"
            problems.add("max_batching_window", "be at least 1 second for batches above 10", "None", fix)

    def check_native_limit(
        self, problems: Problems, argument: str, max_receive_count: int, retention_seconds: int | None
    ) -> None:
        """Refuse an existing queue that would dead-letter what we still count."""
        least = self.receives_needed(retention_seconds)
        if not self.counts_attempts or least is None or is_token(max_receive_count):
            return
        if max_receive_count < least and self.guarded:
            must = f"be at least {least:,} with a circuit_breaker"
            fix = "set it where the queue is defined: each refusal is a receive, and the runtime counts tries itself"
            problems.add(argument, must, str(int(max_receive_count)), fix)
        elif max_receive_count < least:
            must = f"be at least {least:,} with FIFO batches of {self.batch_size}"
            fix = "set it where the queue is defined, or use batch_size=1: a failing message takes its group along"
            problems.add(argument, must, str(int(max_receive_count)), fix)

    def visibility(
        self, problems: Problems, argument: str, asked: Duration | None, timeout: Duration | None
    ) -> Duration:
        """The visibility timeout: 6 x function timeout + batching window, or longer when asked for.

        Args:
            problems: Takes what is wrong.
            argument: What the user knows it as.
            asked: What the user gave.
            timeout: Of the consumer; `None` when that is itself a problem.
        """
        length, window = seconds(timeout), seconds(self.max_batching_window or Duration.seconds(0))
        floor = 0 if length is None or window is None else VISIBILITY_FACTOR * length + window
        if asked is not None:
            fix = f"{VISIBILITY_FACTOR} x function timeout + batching window is the least that keeps retries apart"
            problems.duration(argument, asked, floor, MAX_VISIBILITY_SECONDS, fix)
            return asked
        if timeout is not None and not floor:
            fix = "six times a token cannot be computed at synth"
            problems.add(argument, "be given when the timeout or the window is a token", "None", fix)
        return Duration.seconds(floor)

    def connect(
        self, scope: Construct, queue: sqs.IQueue, target: lambda_.IFunction, reports_batch_item_failures: bool
    ) -> lambda_.EventSourceMapping:
        """Let Lambda poll the queue for the function, never more than the cap at once."""
        mapping = lambda_.EventSourceMapping(
            scope,
            "EventSourceMapping",
            target=target,
            event_source_arn=queue.queue_arn,
            batch_size=self.batch_size,
            max_batching_window=self.max_batching_window,
            max_concurrency=self.max_concurrency,
            report_batch_item_failures=reports_batch_item_failures,
        )
        reason = "a queue has no on-failure destination: it has a dead-letter queue"
        acknowledge(mapping, reason, "Serverless-LambdaEventSourceMappingDestination")
        self._warn(mapping)
        return mapping

    def _warn(self, scope: Construct) -> None:
        """Advise where a number is allowed and yet unwise."""
        count = self.max_receive_count
        if not is_token(count) and count < _ADVISED_RECEIVES:
            Validations.of(scope).add_warning(
                "serverless-patterns:max-receive-count",
                f"max_receive_count is {count}: a throttled receive counts too, so with fewer than {_ADVISED_RECEIVES} "
                "a healthy message may become a dead letter",
            )
        if self.fifo and not self.handled and self.batch_size != 1:
            Validations.of(scope).add_warning(
                "serverless-patterns:fifo-batch",
                "a failing message of a FIFO batch takes healthy ones of its group to the dead-letter queue: "
                "use batch_size=1, or a Handler, whose runtime counts attempts itself",
            )
