"""Attempts that really happened, counted where a queue's receive count climbs without one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.claims import contract

__all__ = ["Attempts"]


@dataclass(frozen=True)
class Attempts:
    dynamodb: Any
    table_name: str
    namespace: str
    retention_seconds: int
    clock: Callable[[], float]

    def count(self, message_id: str, receive_count: int) -> int:
        """Note the attempt of this receive; how many attempts at the message that makes.

        By message, so that a redriven one starts anew. A set of receives and no counter: a request that the SDK
        repeats, because its answer was lost, notes the same attempt again.
        """
        response = self._update(message_id, receive_count, "ADD", ReturnValues="ALL_NEW")
        return len(response["Attributes"][contract.ATTEMPTS]["NS"])

    def withdraw(self, message_id: str, receive_count: int) -> None:
        """What was noted for this receive was no attempt."""
        self._update(message_id, receive_count, "DELETE")

    def _update(self, message_id: str, receive_count: int, change: str, **more: str) -> dict[str, Any]:
        return self.dynamodb.update_item(
            TableName=self.table_name,
            Key={contract.PARTITION_KEY: {"S": f"{contract.ATTEMPTS}#{self.namespace}#{message_id}"}},
            UpdateExpression=f"{change} #attempts :receive SET #expires_at = :expires_at",
            ExpressionAttributeNames={"#attempts": contract.ATTEMPTS, "#expires_at": contract.TIME_TO_LIVE},
            ExpressionAttributeValues={
                ":receive": {"NS": [str(receive_count)]},
                ":expires_at": {"N": str(int(self.clock()) + self.retention_seconds)},
            },
            **more,
        )
