"""A request with an `Idempotency-Key` stays where it was first sent, whatever becomes of the route's percentage."""

import hashlib
from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.contract import Side

__all__ = ["Pins", "PinsUnavailable"]


_THROTTLED = ("ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException")


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
        return self._asked(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(route, key),
                UpdateExpression="SET #side = if_not_exists(#side, :wanted), #expires = :expires",
                ExpressionAttributeNames={"#side": contract.SIDE, "#expires": contract.EXPIRES_AT},
                ExpressionAttributeValues={
                    ":wanted": {"S": wanted},
                    # Of its latest use, so that a pin is never deleted between two tries.
                    ":expires": {"N": str(int(self._clock()) + self._seconds)},
                },
                ReturnValues="ALL_NEW",
            )["Attributes"][contract.SIDE]["S"]
        )

    def known(self, route: str, key: str) -> Side | None:
        """Without pinning it. Raises PinsUnavailable."""
        found = self._asked(
            lambda: self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="#kind = :kind",
                ExpressionAttributeNames={"#kind": contract.PARTITION_KEY},
                ExpressionAttributeValues={":kind": _key(route, key)[contract.PARTITION_KEY]},
                ConsistentRead=True,
            )["Items"]
        )
        return found[0][contract.SIDE]["S"] if found else None

    def _asked(self, request: Callable[[], Any]) -> Any:
        try:
            try:
                return request()
            except Exception as error:
                if not _passes(error):
                    raise
                return request()  # a pin that was written is found
        except Exception as error:
            raise PinsUnavailable from error


def _key(route: str, key: str) -> dict[str, Any]:
    kind = f"{contract.PIN}#{route}#{hashlib.sha256(key.encode()).hexdigest()}"
    return {contract.PARTITION_KEY: {"S": kind}, contract.SORT_KEY: {"S": contract.PIN}}


def _passes(error: Exception) -> bool:
    """Whether DynamoDB itself says that it may be otherwise in a moment: what went without an answer has cost time."""
    from botocore.exceptions import ClientError  # not at the top: DynamoDB hardly ever refuses

    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response.get("Error", {}).get("Code", "") in _THROTTLED
