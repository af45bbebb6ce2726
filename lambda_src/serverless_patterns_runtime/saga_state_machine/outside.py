"""Effects outside: keys as a provider has them, and how long an outcome may stay unknown. Both sides import this.

Executions under way hold what is here in their definitions: an interval may be added, and none changed.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise

__all__ = ["DIGEST_CHARACTERS", "PLACEHOLDER", "key_of", "settling_waits", "unsettled_error", "wait_for_outcome"]

PLACEHOLDER = re.compile(r"\{(namespace|execution|step|digest)\}")

DIGEST_CHARACTERS = 32
"""Hexadecimal, of SHA-256: chance makes no two of them equal."""

UNDO_SUFFIX = "_undo"
"""Behind the step's name in the key of its compensation."""

_INTERVALS = (5, 60, 600, 3600)
"""Seconds. A retrier has one interval, so there is one for each."""

_ASKED_PER_INTERVAL = 12
"""An outcome that stays unknown is asked for at least so many times more rarely than it has been unknown."""


def key_of(format: str, *, namespace: str, execution: str, step: str, claim: str, payload: str) -> str:
    """`step` with `UNDO_SUFFIX` for a compensation. `digest` is of the claim's id and of what it is about."""
    values: Mapping[str, str] = {
        "namespace": namespace,
        "execution": execution,
        "step": step,
        "digest": sha256(f"{claim}#{payload}".encode()).hexdigest()[:DIGEST_CHARACTERS],
    }
    return PLACEHOLDER.sub(lambda found: values[found[1]], format)


def unsettled_error(interval: int) -> str:
    """The name of the error after which the state machine asks again in so many seconds."""
    return f"Unsettled{interval}"


def settling_waits(within: int) -> Mapping[int, int]:
    """How many retries after each interval are enough, whatever `wait_for_outcome` chooses."""
    intervals = _intervals(within)
    last = intervals[-1]
    # Of the others: as long as it has not been unknown for long, and when the next longer one is too long for the rest.
    return {each: _ASKED_PER_INTERVAL + 1 + longer // each for each, longer in pairwise(intervals)} | {
        last: within // last + 1
    }


def wait_for_outcome(within: int, waited: float, retry_after: float) -> int | None:
    """Seconds until it is asked for again; None when it has been unknown for too long."""
    least, intervals = max(retry_after, waited / _ASKED_PER_INTERVAL), _intervals(within)
    asked = next((at for at, each in enumerate(intervals) if each >= least), len(intervals) - 1)
    fitting = (each for each in reversed(intervals[: asked + 1]) if waited + each <= within)
    interval = next(fitting, None)
    return None if interval is None or interval < min(retry_after, intervals[-1]) else interval


def _intervals(within: int) -> tuple[int, ...]:
    return tuple(each for each in _INTERVALS if each <= within) or _INTERVALS[:1]
