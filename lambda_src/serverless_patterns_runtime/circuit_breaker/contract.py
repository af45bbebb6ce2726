"""What `CircuitBreaker` tells the functions that it guards, and what its item looks like. Both sides import this.

Times in the item are epoch seconds, with milliseconds as decimals.
"""

from typing import NamedTuple, TypedDict

PARTITION_KEY = "breaker"
"""Name of the breaker (S): a table may hold several."""

STATE = "state"
"""`closed` or `open` (S); absent: closed, and never failed. Half-open is `open` once `open_until` has passed."""

EPOCH = "epoch"
"""Rises with every transition (N). What an older epoch reports is not counted."""

FAILURES = "failures"
"""When calls failed within the window (L of N), oldest first, at most the threshold; only while closed."""

OPEN_UNTIL = "open_until"
"""From this second one call may probe (N)."""

PROBER = "prober"
"""Token of the call that probes (S)."""

PROBE_UNTIL = "probe_until"
"""From this second the prober counts as dead, and another call may probe (N)."""

OPENED_AT = "opened_at"
"""When the breaker left closed (N): how long the outage has lasted, over all probes that failed."""


LONGEST_REFUSAL_SECONDS = 1200
"""How far apart an open breaker's refusals of one message grow, at the least; before that each wait is at least half of
what the outage has lasted. The queue's own maxReceiveCount is sized by it."""

METRICS_NAMESPACE = "ServerlessPatterns"
METRIC_OPENED = "CircuitOpened"
"""Also when a probe failed: as long as the downstream is asked and fails, there is one for each cool-down."""
METRIC_CLOSED = "CircuitClosed"
METRIC_PROBED = "CircuitProbed"
METRIC_REFUSED = "CircuitRefused"
METRIC_STORE_UNAVAILABLE = "CircuitStoreUnavailable"

BREAKER_DIMENSION = "breaker"
"""Its name."""
TABLE_DIMENSION = "table"
"""Physical name. Every metric has exactly these two dimensions, none of the function's own (`service`): a breaker
belongs to several functions, and two stacks in one account may each have one of the same name."""


class Env(NamedTuple):
    """Variables that a construct sets on a function that has a breaker, and on no other: exactly these."""

    CIRCUIT_BREAKERS: str
    """JSON of `Breakers`. A queue's consumer has exactly one; behind an API, `RouteSettings` say which."""


class BreakerSettings(TypedDict):
    table: str
    """Physical name."""
    failure_threshold: int
    window_seconds: float
    open_seconds: float
    cache_seconds: float
    """How long a function that has seen it closed does not ask again."""
    counts: list[str]
    """Names of exception classes, their base classes included; empty: every error but `PermanentError`."""


Breakers = dict[str, BreakerSettings]
"""By the breaker's name."""
