"""How often a message may be tried, where SQS cannot say.

In a batch, healthy messages are received again with one that failed before them in their FIFO group, killed the
function or took all its time. Their receive counts climb without an attempt, and SQS would take them to the dead-letter
queue too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from serverless_patterns_runtime.claims.attempts import Noted
from serverless_patterns_runtime.errors import AttemptsExhausted
from serverless_patterns_runtime.load_leveled_queue.message import Message
from serverless_patterns_runtime.load_leveled_queue.verdicts import Failed, Refused, Verdict

__all__ = ["AttemptLimit"]


@dataclass(frozen=True)
class AttemptLimit:
    limit: int
    count: Callable[[str, int], Noted]
    """Notes that a message's n-th receive was an attempt, and says how many attempts that makes."""

    take_back: Callable[[str, int], None]
    """The other way: it was none."""

    take_all_back: Callable[[str], None]
    """None of a message's attempts was one; said of it once."""

    enabled: bool
    """False: every receive is an attempt, and SQS's own count says how many there were."""

    def number_of(self, message: Message) -> Noted:
        """Counts the attempt that is about to start. The first receive costs no write.

        Raises AttemptsExhausted when there were enough: all of them died without a word.
        """
        if not self.enabled or message.receive_count == 1:
            return Noted(message.receive_count)
        attempt = self.count(message.id, message.receive_count)
        if attempt.number > self.limit:
            raise AttemptsExhausted(f"started {self.limit} times, with no end that could be recorded")
        return attempt

    def withdraw(self, message: Message) -> None:
        """What `number_of` counted was no attempt: it failed for what nobody's attempt can help."""
        if self.enabled and message.receive_count > 1:
            self.take_back(message.id, message.receive_count)

    def excuse(self, message: Message) -> None:
        """As many as it may have failed for what may be nobody's fault of its own: it starts anew."""
        self.take_all_back(message.id)

    def judge(self, message: Message, attempt: Noted, verdict: Verdict) -> Verdict:
        """The last failure that a message may have is a refusal."""
        if not isinstance(verdict, Failed):
            return verdict
        if self.enabled and message.receive_count == 1:
            attempt = self.count(message.id, message.receive_count)
        if attempt.number < self.limit:
            return verdict
        last = type(verdict.error).__name__
        return Refused(AttemptsExhausted(f"failed {attempt.number} times, the last time with {last}"))
