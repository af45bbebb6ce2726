"""A request with an `Idempotency-Key` stays where it was first sent, whatever becomes of the route's percentage."""

import hashlib
from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.contract import Side

__all__ = ["Pins", "PinsUnavailable"]


class PinsUnavailable(Exception):
    """Nobody can know where the key was first sent: it may be sent nowhere."""


class Pins:
    def __init__(
        self, dynamodb: Any, table: str, clock: Callable[[], float], seconds: int = contract.PIN_SECONDS
    ) -> None:
        """`seconds`: how long a pin holds after its latest use."""
        self._seconds = seconds
        self._dynamodb = dynamodb
        self._table = table
        self._clock = clock

    def side(self, route: str, key: str, wanted: Side) -> Side:
        """One write, of whoever comes first; all others are told. Raises PinsUnavailable."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        kind = f"{contract.PIN}#{route}#{digest}"
        try:
            written = self._dynamodb.update_item(
                TableName=self._table,
                Key={contract.PARTITION_KEY: {"S": kind}, contract.SORT_KEY: {"S": contract.PIN}},
                UpdateExpression="SET #side = if_not_exists(#side, :wanted), #expires = :expires",
                ExpressionAttributeNames={"#side": contract.SIDE, "#expires": contract.EXPIRES_AT},
                ExpressionAttributeValues={
                    ":wanted": {"S": wanted},
                    # Of its latest use, so that a pin is never deleted between two tries.
                    ":expires": {"N": str(int(self._clock()) + self._seconds)},
                },
                ReturnValues="ALL_NEW",
            )
            return written["Attributes"][contract.SIDE]["S"]
        except Exception as error:
            raise PinsUnavailable from error
