"""The table of heads: every step of a fan-in is one request, under the condition that makes it safe to repeat."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.contract import Outcome
from serverless_patterns_runtime.fan_in.head import Head

__all__ = ["Heads", "NotRecorded"]

_NAMES = {
    "#fan_in": contract.PARTITION_KEY,
    "#state": contract.STATE,
    "#expected": contract.EXPECTED,
    "#done": contract.DONE,
    "#late": contract.LATE,
    "#payload": contract.PAYLOAD,
    "#shard": contract.SHARD,
    "#due": contract.DUE,
    "#expires_at": contract.TIME_TO_LIVE,
}


class NotRecorded(Exception):
    """A result was refused by the head that there is, or there is none."""

    def __init__(self, found: Head | None) -> None:
        super().__init__("the head does not take this result")
        self.found = found


class Heads(NamedTuple):
    """Raises Contended when DynamoDB does not take a request now, ClientError and BotoCoreError otherwise."""

    dynamodb: Any
    table_name: str
    namespace: str
    clock: Callable[[], float]

    def find(self, key: str) -> Head | None:
        """As it is now. One that has expired is none."""
        item = self._item(self._id(key))
        return None if item is None else self._live(Head.from_item(key, item))

    def message(self, key: str) -> str | None:
        """What the branches got, as JSON."""
        item = self._item(_message_id(self._id(key)))
        return None if item is None else item[contract.MESSAGE]["S"]

    def create(self, head: Head, message: str, expires_at: int) -> bool:
        """With the message's item, which expires then. False: somebody else was faster."""
        new = head.item(self._id(head.key)) | {contract.SHARD: {"S": _shard(self._id(head.key))}}
        kept = {
            contract.PARTITION_KEY: {"S": _message_id(self._id(head.key))},
            contract.MESSAGE: {"S": message},
            contract.TIME_TO_LIVE: {"N": str(expires_at)},
        }
        try:
            self.dynamodb.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": self.table_name, "Item": kept}},
                    {
                        "Put": {
                            "TableName": self.table_name,
                            "Item": new,
                            **self._expression(
                                "ConditionExpression", "attribute_not_exists(#fan_in) OR #expires_at < :now"
                            ),
                            "ExpressionAttributeValues": {":now": {"N": str(int(self.clock()))}},
                        }
                    },
                ]
            )
        except ClientError as error:
            codes = [reason.get("Code", "") for reason in error.response.get("CancellationReasons", [])]
            if "ConditionalCheckFailed" in codes:
                return False
            if not NOT_NOW.isdisjoint((error_code(error), *codes)):
                raise Contended("DynamoDB does not take the request now") from error
            raise
        return True

    def record(self, key: str, payload: str, branch: str, kept: str) -> Head:
        """With this branch's result in it: the first one that came. Raises NotRecorded."""
        try:
            item = self._update(
                key,
                "SET #result = if_not_exists(#result, :result) ADD #done :branches",
                "#state = :open AND #payload = :payload AND contains(#expected, :branch)",
                {":result": kept, ":branches": {branch}, ":open": "open", ":payload": payload, ":branch": branch},
                names={"#result": contract.RESULT_PREFIX + branch},
                ReturnValues="ALL_NEW",
            )
        except _Refused as refused:
            found = None if refused.item is None else self._live(Head.from_item(key, refused.item))
            raise NotRecorded(found) from None
        return Head.from_item(key, item)

    def refuse(self, key: str, branch: str) -> bool:
        """Note that this branch came in vain. False: that was noted before."""
        try:
            self._update(
                key,
                "ADD #late :branches",
                "attribute_exists(#fan_in) AND NOT contains(#late, :branch)",
                {":branches": {branch}, ":branch": branch},
            )
        except _Refused:
            return False
        return True

    def close(self, key: str) -> bool:
        """At the deadline, while something is missing: from then on nothing is recorded. False: look again."""
        try:
            self._update(
                key,
                "SET #state = :deadline",
                "#state = :open AND (attribute_not_exists(#done) OR size(#done) < size(#expected))",
                {":deadline": "deadline", ":open": "open"},
            )
        except _Refused:
            return False
        return True

    def finish(self, key: str, outcome: Outcome, retention_seconds: int) -> bool:
        """Once it is announced. False: somebody else was faster."""
        try:
            self._update(
                key,
                "SET #state = :outcome, #expires_at = :expires_at REMOVE #shard, #due",
                "attribute_exists(#shard)",
                {":outcome": outcome, ":expires_at": int(self.clock()) + retention_seconds},
            )
        except _Refused:
            return False
        return True

    def due(self, shard: int) -> Iterator[str]:
        """Keys whose deadline is over and that are not announced, the oldest first; perhaps not all yet."""
        query: dict[str, Any] = {
            "TableName": self.table_name,
            "IndexName": contract.DUE_INDEX,
            **self._expression("KeyConditionExpression", "#shard = :shard AND #due <= :now"),
            "ExpressionAttributeValues": {":shard": {"S": str(shard)}, ":now": {"N": str(int(self.clock()))}},
        }
        while True:
            page = self.dynamodb.query(**query)
            for item in page["Items"]:
                yield item[contract.PARTITION_KEY]["S"].removeprefix(f"{self.namespace}#")
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _live(self, head: Head) -> Head | None:
        return None if head.expires_at is not None and head.expires_at < int(self.clock()) else head

    def _id(self, key: str) -> str:
        return f"{self.namespace}#{key}"

    def _item(self, identifier: str) -> dict[str, Any] | None:
        return self.dynamodb.get_item(
            TableName=self.table_name, Key={contract.PARTITION_KEY: {"S": identifier}}, ConsistentRead=True
        ).get("Item")

    def _expression(self, kind: str, text: str, names: Mapping[str, str] = _NAMES) -> dict[str, Any]:
        return {kind: text, "ExpressionAttributeNames": {name: names[name] for name in names if name in text}}

    def _update(
        self,
        key: str,
        expression: str,
        condition: str,
        values: Mapping[str, object],
        names: Mapping[str, str] | None = None,
        **more: str,
    ) -> dict[str, Any]:
        text = f"{condition} {expression}"
        known = {**_NAMES, **(names or {})}
        try:
            return self.dynamodb.update_item(
                TableName=self.table_name,
                Key={contract.PARTITION_KEY: {"S": self._id(key)}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: known[name] for name in known if name in text},
                ExpressionAttributeValues={name: serialize(value) for name, value in values.items()},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **more,
            ).get("Attributes", {})
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                raise _Refused(error.response.get("Item")) from error
            if error_code(error) in NOT_NOW:
                raise Contended("DynamoDB does not take the request now") from error
            raise


class _Refused(Exception):
    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__("the condition does not hold")
        self.item = item


def _message_id(head_id: str) -> str:
    return f"message/{head_id}"


def _shard(head_id: str) -> str:
    return str(int(hashlib.sha256(head_id.encode()).hexdigest()[:8], 16) % contract.SHARDS)
