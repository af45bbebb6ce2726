"""What is written down of a fan-in: counts that its branches and its sweep share, and log lines without payloads."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.telemetry import count

__all__ = ["Reports"]

_WORDS = {
    contract.METRIC_LATE_RESULTS: "the fan-in has ended: the result came too late, and is refused",
    contract.METRIC_UNEXPECTED_RESULTS: "the fan-in does not expect this branch: its result is refused",
    contract.METRIC_CONFLICTING_RESULTS: "the fan-in of this key is another message's: the result is refused",
}
"""Said of refused results: what the branch has done stays done."""


@dataclass(frozen=True)
class Reports:
    namespace: str
    table_name: str
    logger: Any
    count: Callable[..., None] = count

    def tell(self, told: Sequence[str], correlation_id: str) -> None:
        """`told`: names of metrics."""
        for metric, times in Counter(told).items():
            dimensions = {contract.FAN_IN_DIMENSION: self.namespace, contract.TABLE_DIMENSION: self.table_name}
            self.count(metric, times, namespace=contract.METRICS_NAMESPACE, dimensions=dimensions)
            fields = {"fan_in": self.namespace, "correlation_id": correlation_id}
            if metric in _WORDS:
                self.logger.warning(_WORDS[metric], extra=fields)
            else:
                self.logger.info("fan-in ended", extra={**fields, "end": metric})
