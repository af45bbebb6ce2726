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


class Env(NamedTuple):
    """Variables that a construct sets and the function reads: exactly these."""

    CIRCUIT_BREAKERS: str
    """JSON of `Breakers`; empty: none."""


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
