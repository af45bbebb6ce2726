"""Rows in a view's own DynamoDB table."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.cqrs_table.settings import MAX_KEYS, read_batch
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.row_items import item_key, item_of, prefix_of, row_of
from serverless_patterns_runtime.cqrs_views.sink import (
    Contested,
    Page,
    RowChange,
    RowKey,
    SinkUnavailable,
    StoredRow,
    Unstorable,
)
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["DynamoDbSink"]

_GUARD = "attribute_not_exists(#pk) OR (#row.#source = :source AND #row.#version < :version)"
_EXACTLY = "#row.#source = :source AND #row.#version = :version AND #row.#deleted = :deleted AND #row.#mark = :mark"
_NAMES = {
    "#pk": contract.ROW_PARTITION,
    "#row": contract.ROW_ABOUT,
    "#source": contract.ROW_SOURCE,
    "#version": contract.ROW_VERSION,
    "#deleted": contract.ROW_DELETED,
    "#mark": contract.ROW_MARK,
}

DELETED_AT_ONCE = 25
"""By one BatchWriteItem."""

DROPPED_PAGE = 1_000
ROUNDS = 6


class DynamoDbSink(NamedTuple):
    """A port of `Sink`. One conditional PutItem a change."""

    dynamodb: Any
    table_name: str
    has_sort: bool
    """Whether the view has a sort key."""
    together: Together
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    new_mark: Callable[[], str] = partial(secrets.token_hex, 8)

    def prepare(self, generation: int) -> None: ...

    def publish(self, generation: int) -> None: ...

    def write(self, generation: int, changes: Sequence[RowChange]) -> Sequence[Contested]:
        contested = self.together([partial(self._write, generation, change) for change in changes])
        return [one for one in contested if one is not None]

    def replace_tombstone(self, generation: int, change: RowChange, seen: StoredRow) -> bool:
        exactly = {":source": {"S": seen.source}, ":version": {"N": str(seen.version)}}
        exactly |= {":deleted": {"BOOL": True}, ":mark": {"S": seen.mark}}
        return self._put(generation, change, _EXACTLY, exactly) is None

    def read(self, generation: int, keys: Sequence[RowKey]) -> Sequence[StoredRow | None]:
        wanted = list(dict.fromkeys(keys))
        found: dict[RowKey, StoredRow] = {}
        for start in range(0, len(wanted), MAX_KEYS):
            asked = [item_key(generation, key) for key in wanted[start : start + MAX_KEYS]]
            request = {self.table_name: {"Keys": asked, "ConsistentRead": True}}
            answer = _sent(lambda request=request: read_batch(self.dynamodb, request, self._rounds()))
            for row in map(self._row, answer.get(self.table_name, ())):
                found[row.key] = row
        return [found.get(key) for key in keys]

    def rows(self, generation: int, segment: int, segments: int, resume: str | None) -> Page:
        answer = self._scan(generation, segment, segments, resume)
        return Page([self._row(item) for item in answer["Items"]], _resume(answer))

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None:
        answer = self._scan(generation, segment, segments, resume, Limit=DROPPED_PAGE)
        keys = [{name: item[name] for name in (contract.ROW_PARTITION, contract.ROW_SORT)} for item in answer["Items"]]
        batches = [keys[start : start + DELETED_AT_ONCE] for start in range(0, len(keys), DELETED_AT_ONCE)]
        self.together([partial(self._delete, batch) for batch in batches])
        return _resume(answer)

    def _write(self, generation: int, change: RowChange) -> Contested | None:
        guard = {":source": {"S": change.source}, ":version": {"N": str(change.version)}}
        found = self._put(generation, change, _GUARD, guard)
        if found is None or found.source == change.source or (change.row is None and found.row is not None):
            return None
        return Contested(change, found)

    def _put(self, generation: int, change: RowChange, condition: str, values: Mapping[str, Any]) -> StoredRow | None:
        """What is there instead; None: it is written."""
        expires_at = int(self.clock()) + contract.TOMBSTONE_SECONDS
        item = item_of(generation, change, expires_at, self.new_mark() if change.row is None else "")
        request = {
            "TableName": self.table_name,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {name: known for name, known in _NAMES.items() if name in condition},
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self.dynamodb.put_item(**request)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                item = error.response.get("Item")
                return self._row(item) if item else _vanished(change)
            if error_code(error) == "ValidationException":
                raise Unstorable(
                    "DynamoDB refuses the row: its keys have another type than the view, or no text"
                ) from error
            raise SinkUnavailable(error_code(error)) from error
        except BotoCoreError as error:
            raise SinkUnavailable(type(error).__name__) from error
        return None

    def _row(self, item: Mapping[str, Any]) -> StoredRow:
        return row_of(item, has_sort=self.has_sort)

    def _scan(self, generation: int, segment: int, segments: int, resume: str | None, **more: Any) -> Any:
        request: dict[str, Any] = {
            "TableName": self.table_name,
            "Segment": segment,
            "TotalSegments": segments,
            "ConsistentRead": True,
            "FilterExpression": "begins_with(#pk, :generation)",
            "ExpressionAttributeNames": {"#pk": contract.ROW_PARTITION},
            "ExpressionAttributeValues": {":generation": {"S": prefix_of(generation)}},
            **more,
        }
        if resume is not None:
            request["ExclusiveStartKey"] = json.loads(resume)
        return _sent(lambda: self.dynamodb.scan(**request))

    def _delete(self, keys: Sequence[Mapping[str, Any]]) -> None:
        left: Any = {self.table_name: [{"DeleteRequest": {"Key": key}} for key in keys]}
        for _ in self._rounds():
            left = _sent(lambda left=left: self.dynamodb.batch_write_item(RequestItems=left)).get("UnprocessedItems")
            if not left:
                return

    def _rounds(self) -> Iterator[int]:
        for number in range(ROUNDS):
            yield number
            self.sleep(0.05 * 2**number)
        raise SinkUnavailable("DynamoDB does not take all of a batch")


def _vanished(change: RowChange) -> StoredRow:
    """It was there when the condition was looked at, and its time to live ended: like one of another aggregate."""
    return StoredRow(change.key, 0, "", None)


def _resume(answer: Mapping[str, Any]) -> str | None:
    last = answer.get("LastEvaluatedKey")
    return json.dumps(last) if last else None


def _sent(request: Callable[[], Any]) -> Any:
    try:
        return request()
    except (ClientError, BotoCoreError, Contended) as error:
        code = error_code(error) if isinstance(error, ClientError) else type(error).__name__
        raise SinkUnavailable(code) from error
