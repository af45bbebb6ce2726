"""The head of one message's fan-in: what is expected, what is there."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.contract import State

__all__ = ["Head"]


class Head(NamedTuple):
    key: str
    """The message's idempotency key."""
    payload: str
    """SHA-256 of the message's canonical payload."""
    expected: frozenset[str]
    results: Mapping[str, str]
    """JSON of each branch's `KeptResult`."""
    due: int
    """When the deadline is; 0 once it is announced."""
    correlation_id: str
    state: State = "open"
    announced: bool = False
    expires_at: int | None = None

    @classmethod
    def from_item(cls, key: str, item: Mapping[str, Any]) -> "Head":
        done: list[str] = item.get(contract.DONE, {}).get("SS", [])
        return cls(
            key=key,
            payload=item[contract.PAYLOAD]["S"],
            expected=frozenset(item[contract.EXPECTED]["SS"]),
            results={branch: item[contract.RESULT_PREFIX + branch]["S"] for branch in done},
            due=int(item.get(contract.DUE, {}).get("N", 0)),
            correlation_id=item[contract.CORRELATION_ID]["S"],
            state=item[contract.STATE]["S"],
            announced=contract.SHARD not in item,
            expires_at=int(item[contract.TIME_TO_LIVE]["N"]) if contract.TIME_TO_LIVE in item else None,
        )

    def item(self, identifier: str) -> dict[str, Any]:
        """Of one that is new."""
        item: dict[str, Any] = {
            contract.PARTITION_KEY: identifier,
            contract.STATE: self.state,
            contract.EXPECTED: self.expected,
            contract.PAYLOAD: self.payload,
            contract.CORRELATION_ID: self.correlation_id,
            contract.DUE: self.due,
        }
        if self.results:
            item[contract.DONE] = set(self.results)
        return serialize_item(item | {contract.RESULT_PREFIX + branch: kept for branch, kept in self.results.items()})

    @property
    def missing(self) -> frozenset[str]:
        return self.expected - self.results.keys()
