"""A tombstone on a key: from now on its work may not happen, and what it has done so far is known.

Whoever works on the key commits, or records, under a condition that a tombstone does not meet; so of the two exactly
one comes first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.claims.claim import Claim, Contended, Holder, RunningElsewhere
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Left", "Tombstone"]

_NAMES = {
    "#claim": contract.PARTITION_KEY,
    "#payload": contract.PAYLOAD,
    "#owner": contract.OWNER,
    "#free_at": contract.FREE_AT,
    "#done": contract.DONE,
    "#undone": contract.UNDONE,
    "#answer": contract.ANSWER,
    "#attempt": contract.ATTEMPT,
    "#expires_at": contract.TIME_TO_LIVE,
}

_SET = "SET #undone = :true, #owner = :owner, #payload = :payload, #free_at = :expires_at, #expires_at = :expires_at"


class Left(NamedTuple):
    """What the work on a key has left of itself."""

    done: bool
    began: bool
    """Whether an attempt has taken a lease. One that returns Effects takes none."""
    answer: str | None


NOTHING = Left(done=False, began=False, answer=None)


@dataclass(frozen=True)
class Tombstone:
    dynamodb: Any
    table_name: str
    retention_seconds: int
    clock: Callable[[], float]
    claim: Claim
    owner: str
    """Replaces the owner of a lease that has ended: it can record nothing any more."""

    def lay(self) -> Left:
        """What there is to undo. The same however often it is asked for.

        Raises RunningElsewhere while an attempt may still be at work, and Contended when DynamoDB does not take the
        request now. After any other error it is unknown whether the tombstone is laid; asking again settles it.
        """
        try:
            item = self._update(
                f"{_SET}, #done = if_not_exists(#done, :false)",
                "attribute_not_exists(#claim) OR (#payload = :payload"
                " AND (#undone = :true OR #done = :true OR #free_at < :now))",
            )
        except ClientError as error:
            holder = _found(error)
            if holder.payload == self.claim.payload:
                raise RunningElsewhere(holder.free_at) from error
            return self._instead_of(holder)
        return Left(
            done=item[contract.DONE]["BOOL"],
            began=contract.ATTEMPT in item,
            answer=item[contract.ANSWER]["S"] if contract.ANSWER in item else None,
        )

    def forestall(self) -> bool:
        """Lay it unless the work is done, once and for ever: whether it is laid. Raises as `lay`."""
        try:
            self._update(
                f"{_SET}, #done = if_not_exists(#done, :false)",
                "attribute_not_exists(#claim) OR (#payload = :payload"
                " AND (#undone = :true OR (#done = :false AND #free_at < :now)))",
            )
        except ClientError as error:
            holder = _found(error)
            if holder.payload != self.claim.payload:
                self._instead_of(holder)
                return True
            if holder.done:
                return False
            raise RunningElsewhere(holder.free_at) from error
        return True

    def give_up(self, holder: str | None) -> Holder | None:
        """For who knows that the work has done nothing so far: `holder` of the lease, None where there is none.

        None when that is so for ever; else who has done it meanwhile, with the answer that counts. Raises as `lay`, and
        what `Holder.judge` raises.
        """
        unclaimed = "attribute_not_exists(#claim) OR #expires_at < :now"
        mine = unclaimed if holder is None else "#owner = :holder"
        try:
            self._update(
                f"{_SET}, #done = :false REMOVE #answer, #attempt",
                f"{mine} OR (#payload = :payload AND #undone = :true AND #done = :false)",
                {} if holder is None else {":holder": holder},
            )
        except ClientError as error:
            found = _found(error)
            found.judge(self.claim)
            return found
        return None

    def _instead_of(self, other: Holder) -> Left:
        """The key is another payload's. Ours is refused for as long as that lives, and has done nothing."""
        if other.expires_at < int(self.clock()):
            try:
                self._update(
                    f"{_SET}, #done = :false REMOVE #answer, #attempt",
                    "attribute_not_exists(#claim) OR #expires_at < :now",
                )
            except ClientError as error:
                raise RunningElsewhere(_found(error).free_at) from error
        return NOTHING

    def _update(
        self, expression: str, condition: str, more: Mapping[str, object] | None = None
    ) -> dict[str, dict[str, Any]]:
        """The item as it is now. Raises Contended; ClientError with what the condition has found, or another."""
        now = int(self.clock())
        values = {
            ":true": True,
            ":false": False,
            ":owner": self.owner,
            ":payload": self.claim.payload,
            ":expires_at": now + self.retention_seconds,
            ":now": now,
            **(more or {}),
        }
        text = f"{expression} {condition} "
        try:
            return self.dynamodb.update_item(
                TableName=self.table_name,
                Key={contract.PARTITION_KEY: serialize(self.claim.id)},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: path for name, path in _NAMES.items() if name in text},
                ExpressionAttributeValues={
                    name: serialize(value) for name, value in values.items() if _names(name, text)
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )["Attributes"]
        except ClientError as error:
            if error_code(error) in NOT_NOW:
                raise Contended("DynamoDB does not take the request now") from error
            raise


def _names(value: str, text: str) -> bool:
    return any(f"{value}{end}" in text for end in " ,)")


def _found(error: ClientError) -> Holder:
    """What a condition that does not hold has found. Raises any other error."""
    item: dict[str, Any] | None = error.response.get("Item")
    if item is None:
        raise error
    return Holder.from_item(item)
