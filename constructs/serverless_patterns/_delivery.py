"""How messages travel from a queue to its consumer: the numbers that depend on each other."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration

from ._checks import Problems, is_token, seconds

MAX_VISIBILITY_SECONDS = 43_200  # SQS quota: 12 hours
VISIBILITY_FACTOR = 6  # AWS's advice: room for the retries that Lambda makes when the function is throttled
NATIVE_RECEIVE_LIMIT = 1000  # SQS's largest maxReceiveCount

_MAX_BATCH, _MAX_BATCH_FIFO, _MAX_BATCH_WITHOUT_WINDOW = 10_000, 10, 10  # Lambda quotas
_MAX_WINDOW_SECONDS = 300  # Lambda quota


@dataclass(frozen=True)
class Delivery:
    """What the event source mapping and the queue are told. Any number may be a token."""

    fifo: bool
    max_concurrency: int
    batch_size: int
    max_batching_window: Duration | None
    max_receive_count: int

    @property
    def counts_attempts(self) -> bool:
        """Whether the runtime counts attempts itself.

        In a FIFO batch of several, messages behind a failed one return unprocessed and their receive counts climb
        with it: the queue's own count would dead-letter healthy messages.
        """
        return self.fifo and self.batch_size != 1

    @property
    def native_max_receive_count(self) -> int:
        """When the queue itself gives up on a message."""
        return NATIVE_RECEIVE_LIMIT if self.counts_attempts else self.max_receive_count

    def visibility_seconds(self, timeout: Duration) -> int | None:
        """The shortest safe visibility timeout; `None` when it depends on a token."""
        length, window = seconds(timeout), seconds(self.max_batching_window or Duration.seconds(0))
        return None if length is None or window is None else VISIBILITY_FACTOR * length + window


def delivery(
    problems: Problems,
    *,
    fifo: bool,
    max_concurrency: int,
    batch_size: int | None,
    max_batching_window: Duration | None,
    max_receive_count: int,
) -> Delivery:
    """Check the numbers and put them together."""
    if not is_token(max_concurrency) and type(max_concurrency) is int and max_concurrency == 1:
        fix = "for one at a time use fifo=True and send every message with the same group id"
        problems.add("max_concurrency", "be a whole number from 2 to 1,000", "1", fix)
    else:
        problems.whole_number("max_concurrency", max_concurrency, 2, 1000, "the cap on invocations at once")
    if batch_size is None:
        batch_size = 1 if fifo else 10
    most = _MAX_BATCH_FIFO if fifo else _MAX_BATCH
    kind = "a FIFO queue hands over at most 10" if fifo else "leave it out for 10"
    problems.whole_number("batch_size", batch_size, 1, most, kind)
    problems.whole_number("max_receive_count", max_receive_count, 1, NATIVE_RECEIVE_LIMIT, "leave it out for 5")
    _check_window(problems, fifo, batch_size, max_batching_window)
    return Delivery(fifo, max_concurrency, batch_size, max_batching_window, max_receive_count)


def _check_window(problems: Problems, fifo: bool, batch_size: int, window: Duration | None) -> None:
    if window is None:
        if not fifo and type(batch_size) is int and batch_size > _MAX_BATCH_WITHOUT_WINDOW:
            fix = "pass max_batching_window=Duration.seconds(1)"
            problems.add("max_batching_window", "be at least 1 second for batches above 10", "None", fix)
    elif fifo:
        problems.add("max_batching_window", "be left out on a FIFO queue", "one", "FIFO batches never wait")
    else:
        low = 1 if type(batch_size) is int and batch_size > _MAX_BATCH_WITHOUT_WINDOW else 0
        problems.duration("max_batching_window", window, low, _MAX_WINDOW_SECONDS, "how long a batch may fill up")


def check_visibility(
    problems: Problems, argument: str, asked: Duration | None, delivery: Delivery, timeout: Duration | None
) -> Duration:
    """The visibility timeout: 6 x function timeout + batching window, or longer when asked for."""
    needed = None if timeout is None else delivery.visibility_seconds(timeout)
    if timeout is not None and needed is None and asked is None:
        fix = "six times a token cannot be computed at synth: say it"
        problems.add(argument, "be given when a timeout is a token", "None", fix)
    floor = needed or 0
    if floor > MAX_VISIBILITY_SECONDS:
        fix = "shorten the function's timeout"
        problems.add(argument, f"be at most {MAX_VISIBILITY_SECONDS:,} seconds", f"{floor:,} seconds", fix)
    elif asked is not None:
        fix = f"{VISIBILITY_FACTOR} x function timeout + batching window is the least that keeps retries apart"
        problems.duration(argument, asked, floor, MAX_VISIBILITY_SECONDS, fix)
        return asked
    return Duration.seconds(floor)
