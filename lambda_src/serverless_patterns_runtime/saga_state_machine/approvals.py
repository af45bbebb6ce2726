"""Approvals in the table: each is decided once, or closed without a decision, whichever is written first.

Step Functions waits with a token. The token is in the item, and in nothing that leaves here; people get an id, of which
the item holds a digest. All that can race (deciders, repeated requests, the time-out) meets in one conditional write.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.claims.contract import PARTITION_KEY, TIME_TO_LIVE
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.request import Caller
from serverless_patterns_runtime.saga_state_machine import approval_contract as contract
from serverless_patterns_runtime.saga_state_machine.approval import (
    AlreadyDecided,
    Asking,
    Decision,
    Superseded,
    TooLate,
    UnknownApproval,
)
from serverless_patterns_runtime.saga_state_machine.executions import owner

__all__ = ["Approvals", "decision_of"]


class Approvals(NamedTuple):
    dynamodb: Any
    table_name: str
    namespace: str
    retention_seconds: int
    clock: Callable[[], float]

    def ask(self, asking: Asking) -> tuple[str, int]:
        """The id by which it can be decided from now on, and until when. Raises AlreadyDecided, Superseded, ..."""
        locator = self._locator(asking.execution, asking.started, asking.step)
        now = int(self.clock())
        try:
            item = self._update(
                locator,
                "SET #token = :token, #asked = :number, #execution = :execution, #step = :step, #expires_at = :kept,"
                " #deadline = if_not_exists(#deadline, :deadline) ADD #secrets :secret",
                "attribute_not_exists(#decision) AND attribute_not_exists(#closed)"
                " AND (attribute_not_exists(#asked) OR #asked <= :number)",
                {
                    ":token": asking.token,
                    ":number": asking.number,
                    ":execution": asking.execution,
                    ":step": asking.step,
                    ":kept": now + asking.seconds + self.retention_seconds,
                    ":deadline": now + asking.seconds,
                    ":secret": {_digest(asking.secret)},
                },
            )
        except _Refused as refused:
            raise (AlreadyDecided if "decision" in refused.item else Superseded) from None
        return f"{locator}{asking.secret}", int(item["deadline"])

    def decide(self, id: str, step: str, *, approve: bool, caller: Caller, comment: str | None, at: str) -> Decision:
        """What is recorded of a decision: this one, or what the same caller has said before.

        Raises UnknownApproval, TooLate, and as `ask`.
        """
        locator, secret = id[: contract.LOCATOR_CHARACTERS], id[contract.LOCATOR_CHARACTERS :]
        if not secret:
            raise UnknownApproval
        digest, said = _digest(secret), contract.APPROVE if approve else contract.REJECT
        by = owner(caller)
        try:
            item = self._update(
                locator,
                "SET #decision = :decision, #by = :by, #at = :at, #comment = :comment",
                "contains(#secrets, :digest) AND #step = :step AND attribute_not_exists(#decision)"
                " AND attribute_not_exists(#closed) AND #deadline > :now",
                {
                    ":decision": said,
                    ":by": by,
                    ":at": at,
                    ":comment": comment,
                    ":digest": digest,
                    ":step": step,
                    ":now": int(self.clock()),
                },
            )
        except _Refused as refused:
            item = refused.item
            if digest not in item.get("secrets", ()) or item.get("step") != step:
                raise UnknownApproval from None
            if item.get("decision") != said or item.get("by") != by:
                raise TooLate from None
        return decision_of(item)

    def close(self, execution: str, started: str, step: str) -> Decision | None:
        """From now on nobody can decide. What was decided before; None for nothing."""
        try:
            self._update(
                self._locator(execution, started, step),
                "SET #closed = :true, #expires_at = :kept",
                "attribute_not_exists(#decision)",
                {":true": True, ":kept": int(self.clock()) + self.retention_seconds},
            )
        except _Refused as refused:
            return decision_of(refused.item)
        return None

    def waits(self, execution: str, started: int, step: str) -> bool:
        """Whether somebody can decide now. `started`: whole epoch seconds. Raises what the client raises."""
        locator = contract.approval_locator(self.namespace, execution, started, step)
        key = serialize(contract.approval_key(self.namespace, locator))
        found = self.dynamodb.get_item(TableName=self.table_name, Key={PARTITION_KEY: key}).get("Item")
        item = {} if found is None else deserialize_item(found)
        open = "deadline" in item and not item.keys() & {"closed", "decision"}
        return open and item["deadline"] > self.clock()

    def _locator(self, execution: str, started: str, step: str) -> str:
        seconds = int(datetime.fromisoformat(started).timestamp())
        return contract.approval_locator(self.namespace, execution, seconds, step)

    def _update(self, locator: str, expression: str, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The item as it is now. Raises _Refused with what the condition has found, Contended, ClientError, ..."""
        text = f"{expression} {condition}"
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table_name,
                Key={PARTITION_KEY: serialize(contract.approval_key(self.namespace, locator))},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: path for name, path in _NAMES.items() if name in text},
                ExpressionAttributeValues={name: serialize(value) for name, value in values.items()},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            code = error_code(error)
            if code in NOT_NOW:
                raise Contended("DynamoDB does not take the request now") from error
            if code != "ConditionalCheckFailedException":
                raise
            raise _Refused(deserialize_item(error.response.get("Item", {}))) from None  # pyright: ignore[reportArgumentType]
        return deserialize_item(answer["Attributes"])


class _Refused(Exception):
    """A condition does not hold."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__()
        self.item = item


_NAMES = {
    **{
        f"#{name}": name
        for name in (
            "asked",
            "at",
            "by",
            "closed",
            "comment",
            "deadline",
            "decision",
            "execution",
            "secrets",
            "step",
            "token",
        )
    },
    "#expires_at": TIME_TO_LIVE,
}


def decision_of(item: Mapping[str, Any]) -> Decision:
    """What an item says that has been decided."""
    return Decision(
        token=item.get("token"),
        execution=item.get("execution", ""),
        approve=item["decision"] == contract.APPROVE,
        by=item["by"],
        at=item["at"],
        comment=item.get("comment"),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
