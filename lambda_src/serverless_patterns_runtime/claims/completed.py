"""Looking up whether a key's work is complete, without claiming it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.claims.claim import Claim, Holder

__all__ = ["CompletedClaims"]


@dataclass(frozen=True)
class CompletedClaims:
    dynamodb: Any
    table_name: str
    clock: Callable[[], float]

    def hold(self, claim: Claim) -> bool:
        """Whether the work on this key and payload was completed, and the table still has to know it."""
        holder = self.find(claim)
        return holder is not None and holder.payload == claim.payload

    def find(self, claim: Claim) -> Holder | None:
        """The completed work on this key, whatever its payload, while the table has to know it."""
        item: dict[str, Any] | None = self.dynamodb.get_item(
            TableName=self.table_name, Key={contract.PARTITION_KEY: {"S": claim.id}}, ConsistentRead=True
        ).get("Item")
        return None if item is None else self.judge(item)

    def judge(self, item: dict[str, Any]) -> Holder | None:
        """What an item of the table says, as `find`."""
        holder = Holder.from_item(item)
        return holder if holder.done and holder.expires_at >= self.clock() else None
