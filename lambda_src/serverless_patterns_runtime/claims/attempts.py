"""Attempts that really happened, counted where a queue's receive count climbs without one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from serverless_patterns_runtime.claims import contract

__all__ = ["Attempts", "Noted"]

_NAMES = {"#attempts": contract.ATTEMPTS, "#excused": contract.EXCUSED, "#expires_at": contract.TIME_TO_LIVE}


class Noted(NamedTuple):
    """What is known of a message's attempts."""

    number: int
    excused: bool = False
    """Whether as many as it may have failed before, and do not count."""


@dataclass(frozen=True)
class Attempts:
    dynamodb: Any
    table_name: str
    namespace: str
    retention_seconds: int
    clock: Callable[[], float]

    def count(self, message_id: str, receive_count: int) -> Noted:
        """Note the attempt of this receive; how many attempts at the message that makes.

        By message, so that a redriven one starts anew. A set of receives and no counter: a request that the SDK
        repeats, because its answer was lost, notes the same attempt again.
        """
        response = self._update(message_id, "ADD #attempts :receive", _receive(receive_count), ReturnValues="ALL_NEW")
        item = response["Attributes"]
        return Noted(len(item[contract.ATTEMPTS]["NS"]), contract.EXCUSED in item)

    def withdraw(self, message_id: str, receive_count: int) -> None:
        """What was noted for this receive was no attempt."""
        self._update(message_id, "DELETE #attempts :receive", _receive(receive_count))

    def excuse(self, message_id: str) -> None:
        """Nothing that was noted of the message was an attempt, and that is noted too."""
        self._update(message_id, "REMOVE #attempts", {":excused": {"BOOL": True}}, sets=", #excused = :excused")

    def _update(
        self, message_id: str, change: str, values: Mapping[str, Any], *, sets: str = "", **more: str
    ) -> dict[str, Any]:
        changes = f"{change} SET #expires_at = :expires_at{sets}"
        expires_at = {"N": str(int(self.clock()) + self.retention_seconds)}
        return self.dynamodb.update_item(
            TableName=self.table_name,
            Key={contract.PARTITION_KEY: {"S": f"{contract.ATTEMPTS}#{self.namespace}#{message_id}"}},
            UpdateExpression=changes,
            ExpressionAttributeNames={name: attribute for name, attribute in _NAMES.items() if name in changes},
            ExpressionAttributeValues={**values, ":expires_at": expires_at},
            **more,
        )


def _receive(receive_count: int) -> dict[str, Any]:
    return {":receive": {"NS": [str(receive_count)]}}
