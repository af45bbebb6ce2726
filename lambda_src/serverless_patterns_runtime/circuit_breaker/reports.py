"""What is written down of a breaker: one log line a transition, and counts.

Of an error its type and no word: it may quote a payload.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.circuit_breaker import contract
from serverless_patterns_runtime.circuit_breaker.state import State
from serverless_patterns_runtime.error_fields import describe

__all__ = ["Count", "Reports", "count_as_metric"]

Count = Callable[[str, int, str, str], None]
"""Name of the metric, how many, breaker, table."""


def count_as_metric(metric: str, value: int, breaker: str, table: str) -> None:
    from serverless_patterns_runtime.telemetry import count  # not at the top: hardly ever is there anything to count

    dimensions = {contract.BREAKER_DIMENSION: breaker, contract.TABLE_DIMENSION: table}
    count(metric, value, namespace=contract.METRICS_NAMESPACE, dimensions=dimensions)


@dataclass(frozen=True)
class Reports:
    breaker: str
    table: str
    logger: Any
    count: Count

    def opened(self, state: State, error: BaseException) -> None:
        self._count(contract.METRIC_OPENED)
        self._transition("closed", "open", state, f"failed too often, the last time with {type(error).__name__}")

    def suspected(self, state: State, error: BaseException) -> None:
        """Nothing is counted: the probe may well find that the downstream answers."""
        self._transition(
            "closed", "half-open", state, f"a message has used up its tries, the last time with {type(error).__name__}"
        )

    def opened_again(self, state: State, error: BaseException) -> None:
        self._count(contract.METRIC_OPENED)
        self._transition("half-open", "open", state, f"the probe failed with {type(error).__name__}")

    def probes(self, state: State) -> None:
        self._count(contract.METRIC_PROBED)
        self._transition("open", "half-open", state, "the cool-down is over, or the last prober is dead")

    def closed(self, state: State) -> None:
        self._count(contract.METRIC_CLOSED)
        self._transition("half-open", "closed", state, "the downstream answered")

    def refused(self, calls: int) -> None:
        if calls:
            self._count(contract.METRIC_REFUSED, calls)

    def uncounted(self, state: State) -> None:
        fields = {"breaker": self.breaker, "epoch": state.epoch}
        self.logger.warning("a failure was not counted by the circuit breaker: many others were", extra=fields)

    def store_unavailable(self, error: BaseException) -> None:
        self._count(contract.METRIC_STORE_UNAVAILABLE)
        fields = {"breaker": self.breaker, "table": self.table, **describe(error, with_message=False)}
        self.logger.warning("the circuit breaker's table cannot be used: calls go on unguarded", extra=fields)

    def _transition(self, before: str, after: str, state: State, reason: str) -> None:
        fields = {"breaker": self.breaker, "from": before, "to": after, "epoch": state.epoch, "reason": reason}
        self.logger.warning("circuit", extra=fields)

    def _count(self, metric: str, value: int = 1) -> None:
        self.count(metric, value, self.breaker, self.table)
