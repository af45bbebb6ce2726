"""Trying again when DynamoDB says "not now"."""

import random
from collections.abc import Callable, Iterator
from itertools import count

from serverless_patterns_runtime.claims.claim import Contended

__all__ = ["NOT_NOW", "tries"]

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0

NOT_NOW = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)
"""Codes, of a request or of one reason in it, that say nothing was written and another try may succeed."""


def tries(remaining: Callable[[], float], sleep: Callable[[float], None], chance: random.Random) -> Iterator[int]:
    """One at once, the next ones after growing pauses with full jitter. Raises Contended when time runs out."""
    pause = FIRST_PAUSE_SECONDS
    for number in count(1):
        yield number
        delay = chance.uniform(0, pause)
        if remaining() <= delay:
            raise Contended("items stayed contended for as long as there was time to try")
        sleep(delay)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
