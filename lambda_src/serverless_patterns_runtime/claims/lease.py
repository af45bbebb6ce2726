"""One lease, for one key: for who waits for an answer. One request before the work, and one after it.

As `leases`: at least once, fenced by an owner token, never taken before its deadline. What an attempt that died, or
failed, may have done nobody knows, so it stays counted until the work is done: later attempts have higher numbers, and
whoever asks with another payload is refused.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.claims.claim import Claim, Contended, Holder, RunningElsewhere
from serverless_patterns_runtime.claims.contention import NOT_NOW, tries
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Lease"]

_NAMES = {
    "#claim": contract.PARTITION_KEY,
    "#payload": contract.PAYLOAD,
    "#owner": contract.OWNER,
    "#free_at": contract.FREE_AT,
    "#done": contract.DONE,
    "#answer": contract.ANSWER,
    "#attempt": contract.ATTEMPT,
    "#begun_at": contract.BEGUN_AT,
    "#expires_at": contract.TIME_TO_LIVE,
}


@dataclass(frozen=True)
class Lease:
    dynamodb: Any
    table_name: str
    retention_seconds: int
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: random.Random
    claim: Claim
    owner: str
    """Token of this attempt: whoever lost its lease can record nothing."""

    def take(self, until: int, *, dated: bool = False) -> Holder:
        """The claim as it stands now: ours until `until` (epoch seconds), or `done` and no more to do.

        `dated`: it also keeps, from the first attempt on, when that was.

        Raises IdempotencyKeyReused, RunningElsewhere, or Contended when DynamoDB does not take the request now. After
        any other error it is unknown whether the lease is held: it holds until its deadline, then.
        """
        now = int(self.clock())
        begun = ", #begun_at = if_not_exists(#begun_at, :now)" if dated else ""
        try:
            response = self._update(
                "SET #owner = :owner, #payload = :payload, #free_at = :until, #expires_at = :expires_at,"
                f" #done = :false, #attempt = if_not_exists(#attempt, :zero) + :one{begun} REMOVE #answer",
                "attribute_not_exists(#claim) OR (#free_at < :now AND (#payload = :payload OR #expires_at < :now))",
                {
                    ":owner": self.owner,
                    ":payload": self.claim.payload,
                    ":until": until,
                    ":expires_at": now + self.retention_seconds,
                    ":false": False,
                    ":zero": 0,
                    ":one": 1,
                    ":now": now,
                },
                returning="ALL_NEW",
            )
        except ClientError as error:
            if error_code(error) in NOT_NOW:
                raise Contended("DynamoDB does not take the request now") from error
            holder = _found(error)
            if holder is None:
                raise
            if holder.owner != self.owner:  # else our own request, whose first answer was lost
                holder.judge(self.claim)
            return holder
        return Holder.from_item(response["Attributes"])

    def complete(self, answer: str | None, remaining: Callable[[], float]) -> Holder | None:
        """Record the answer. None when that is done; else who has the claim by now, with the answer that counts.

        Raises IdempotencyKeyReused and RunningElsewhere as `take`; Contended when time runs out. After any other error
        it is unknown whether it is recorded.
        """
        expires_at = int(self.clock()) + self.retention_seconds
        changes, values = "#done = :true, #free_at = :expires_at, #expires_at = :expires_at", {}
        if answer is not None:
            changes, values = f"{changes}, #answer = :answer", {":answer": answer}
        values |= {":true": True, ":expires_at": expires_at, ":owner": self.owner}
        for _ in tries(remaining, self.sleep, self.random):
            try:
                self._update(f"SET {changes} REMOVE #attempt", "#owner = :owner", values)
                return None
            except ClientError as error:
                if error_code(error) not in NOT_NOW:
                    return self._lost(error)
        raise AssertionError("tries end by Contended")

    def give_back(self, held: Holder, *, forget: bool) -> Holder | None:
        """Let the next attempt begin at once. Returns and raises as `complete`; no second try.

        `forget`: nothing was done, so the key stands for nothing. Otherwise, and after an earlier attempt that may have
        done something, it keeps its payload and its count.
        """
        try:
            if forget and held.attempt == 1:
                self._request(self.dynamodb.delete_item, "#owner = :owner", {":owner": self.owner})
            else:
                self._update("SET #free_at = :zero", "#owner = :owner", {":zero": 0, ":owner": self.owner})
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException" and "Item" not in error.response:
                return None
            return self._lost(error)
        return None

    def _lost(self, error: ClientError) -> Holder:
        """What the fence found; raises when that is somebody at work."""
        if error_code(error) != "ConditionalCheckFailedException":
            raise error
        holder = _found(error)
        if holder is None:
            raise RunningElsewhere(int(self.clock())) from error
        holder.judge(self.claim)
        return holder

    def _update(
        self, expression: str, condition: str, values: Mapping[str, object], returning: str = "NONE"
    ) -> dict[str, Any]:
        return self._request(
            self.dynamodb.update_item, condition, values, UpdateExpression=expression, ReturnValues=returning
        )

    def _request(
        self, operation: Callable[..., dict[str, Any]], condition: str, values: Mapping[str, object], **more: str
    ) -> dict[str, Any]:
        text = f"{condition} {more.get('UpdateExpression', '')}"
        return operation(
            TableName=self.table_name,
            Key={contract.PARTITION_KEY: serialize(self.claim.id)},
            ConditionExpression=condition,
            ExpressionAttributeNames={name: path for name, path in _NAMES.items() if name in text},
            ExpressionAttributeValues={name: serialize(value) for name, value in values.items()},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **more,
        )


def _found(error: ClientError) -> Holder | None:
    """What a condition that does not hold has found."""
    item: dict[str, Any] | None = error.response.get("Item")
    return None if item is None else Holder.from_item(item)
