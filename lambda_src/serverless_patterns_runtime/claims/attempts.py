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

    def count(self, message_id: str) -> int:
        """One more attempt at this message: how many that makes. By message, so that a redriven one starts anew."""
        response = self.dynamodb.update_item(
            TableName=self.table_name,
            Key={contract.PARTITION_KEY: {"S": f"{contract.ATTEMPTS}#{self.namespace}#{message_id}"}},
            UpdateExpression="ADD #attempts :one SET #expires_at = :expires_at",
            ExpressionAttributeNames={"#attempts": contract.ATTEMPTS, "#expires_at": contract.TIME_TO_LIVE},
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":expires_at": {"N": str(int(self.clock()) + self.retention_seconds)},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(response["Attributes"][contract.ATTEMPTS]["N"])
