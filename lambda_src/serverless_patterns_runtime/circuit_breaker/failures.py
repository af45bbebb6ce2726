"""Which failures count, and for how long."""

from collections.abc import Iterable

from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["counts", "with_one_more"]


def counts(error: BaseException | None, settings: BreakerSettings) -> bool:
    """Whether the error says that the downstream is down."""
    if error is None:
        return False
    if not settings["counts"]:
        return not isinstance(error, PermanentError)
    return any(kind.__name__ in settings["counts"] for kind in type(error).__mro__)


def with_one_more(failures: Iterable[float], now: float, settings: BreakerSettings) -> list[float]:
    """Those of the window and one of `now`, oldest first, no more than open it."""
    recent = [time for time in failures if time > now - settings["window_seconds"]]
    return sorted([*recent, now])[-settings["failure_threshold"] :]
