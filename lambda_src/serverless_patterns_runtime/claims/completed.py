"""Looking up whether a key's work is complete, without claiming it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.claims.claim import Claim

__all__ = ["CompletedClaims"]


@dataclass(frozen=True)
class CompletedClaims:
    dynamodb: Any
    table_name: str
    clock: Callable[[], float]

    def hold(self, claim: Claim) -> bool:
        """Whether the work on this key and payload was completed, and the table still has to know it."""
        item: dict[str, Any] | None = self.dynamodb.get_item(
            TableName=self.table_name, Key={contract.PARTITION_KEY: {"S": claim.id}}, ConsistentRead=True
        ).get("Item")
        if item is None or not item[contract.DONE]["BOOL"]:
            return False
        return item[contract.PAYLOAD]["S"] == claim.payload and int(item[contract.TIME_TO_LIVE]["N"]) >= self.clock()
