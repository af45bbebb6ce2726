"""What the table says of a breaker."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.circuit_breaker import contract

__all__ = ["OPEN", "State"]

OPEN = "open"
CLOSED = "closed"


class State(NamedTuple):
    """As `contract` has it, attribute by attribute. Without an item: closed, and never failed."""

    open: bool = False
    epoch: int = 0
    failures: tuple[float, ...] | None = None
    open_until: float = 0.0
    prober: str | None = None
    probe_until: float = 0.0
    opened_at: float = 0.0

    @classmethod
    def from_item(cls, item: Mapping[str, Any] | None) -> "State":
        """Raises KeyError and ValueError for what no version of this has written."""
        if item is None:
            return cls()
        failures = item.get(contract.FAILURES)
        return cls(
            open=item.get(contract.STATE, {"S": CLOSED})["S"] == OPEN,
            epoch=int(_number(item, contract.EPOCH)),
            failures=None if failures is None else tuple(float(time["N"]) for time in failures["L"]),
            open_until=_number(item, contract.OPEN_UNTIL),
            prober=item[contract.PROBER]["S"] if contract.PROBER in item else None,
            probe_until=_number(item, contract.PROBE_UNTIL),
            opened_at=_number(item, contract.OPENED_AT),
        )

    def is_probed(self, now: float) -> bool:
        """Whether somebody who may still be alive probes."""
        return self.open and self.prober is not None and now <= self.probe_until


def _number(item: Mapping[str, Any], name: str) -> float:
    return float(item[name]["N"]) if name in item else 0.0
