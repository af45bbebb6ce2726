"""When a failed message comes back, and when it is too old to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aws_cdk import Duration

from serverless_patterns_runtime.circuit_breaker.contract import LONGEST_REFUSAL_SECONDS

from ._checks import Problems, is_token, seconds
from ._delivery import LONGEST_RETENTION_SECONDS, MAX_VISIBILITY_SECONDS, MOST_RETENTION_SECONDS


@dataclass(frozen=True)
class Retries:
    """The delays between tries, and the age that ends them."""

    base: Duration
    longest: Duration
    max_age: Duration | None

    def ending(self, retention: int | None, visibility: Duration) -> Retries:
        """With an age before a message vanishes, unless one was given: a circuit breaker may refuse it for so long.

        It is looked at when it is received. So the age is the retention without twice the longest wait, yet half of it.
        """
        if self.max_age is not None or retention is None:
            return self
        waits = (LONGEST_REFUSAL_SECONDS, seconds(visibility) or 0, seconds(self.longest) or 0)
        return replace(self, max_age=Duration.seconds(max(retention // 2, retention - 2 * max(waits))))

    def check(self, problems: Problems, retention: int | None) -> None:
        """Check the delays, and the age against the queue's retention in seconds (`None`: a token)."""
        fix = "SQS hides a message for 12 hours at most"
        problems.duration("retry_max_delay", self.longest, 1, MAX_VISIBILITY_SECONDS, fix)
        fix = "the delay starts below retry_base_delay and grows to retry_max_delay"
        problems.duration("retry_base_delay", self.base, 1, seconds(self.longest) or MAX_VISIBILITY_SECONDS, fix)
        if self.max_age is not None:
            fix = "SQS deletes what is older than the queue's retention"
            problems.duration("max_age", self.max_age, 1, retention or LONGEST_RETENTION_SECONDS, fix)

    def check_end(
        self,
        problems: Problems,
        argument: str,
        retention: int | None,
        max_receive_count: int,
        visibility: Duration,
        *,
        handled: bool,
    ) -> None:
        """Refuse tries that may last longer than the queue keeps a message: it would vanish without a dead letter.

        Args:
            problems: Takes what is wrong, and knows which numbers are wrong already.
            argument: What the user knows the queue's retention as.
            retention: Seconds that the queue keeps a message; `None` when that is a token.
            max_receive_count: How many tries a message gets.
            visibility: How long a try that crashed hides its message.
            handled: Whether our runtime delays retries; without it only the visibility timeout does.
        """
        wrong = problems.have("max_receive_count", "retry_max_delay", "retention_period")
        if retention is None or is_token(max_receive_count) or wrong:
            return
        waits = {"the visibility timeout": visibility, **({"retry_max_delay": self.longest} if handled else {})}
        name, wait = max(((name, seconds(length) or 0) for name, length in waits.items()), key=lambda it: it[1])
        least = max_receive_count * wait
        if least > retention:
            must = f"be at least {least:,} seconds (max_receive_count {max_receive_count:,} x {name}, {wait:,} seconds)"
            fix = f"lower max_receive_count or {name}" + (", or raise it" if least <= MOST_RETENTION_SECONDS else "")
            why = "SQS deletes what is older, without a dead letter"
            problems.add(argument, must, f"{retention:,} seconds", f"{fix}: {why}")
