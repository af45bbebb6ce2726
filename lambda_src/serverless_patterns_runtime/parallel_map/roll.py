"""The roll of an execution's items: what the claims table says has become of each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.claim import Contended, Holder
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.claims.contract import PARTITION_KEY
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.edge import Edge
from serverless_patterns_runtime.parallel_map.items import Item

__all__ = ["Entry", "called"]

AT_ONCE = 50
"""Items, each with a claim and a record: BatchGetItem reads a hundred."""

_ROUNDS = 8
_PAUSE_SECONDS = 0.1


class Entry(NamedTuple):
    """What has become of one item."""

    item: Item
    state: Literal["processed", "failed", "open"]
    answer: str | None = None
    """JSON; None of what is processed: it was not kept, because it could not be."""
    error_type: str = ""
    reason: str = ""

    @property
    def result(self) -> Any:
        return None if self.answer is None else json.loads(self.answer)


def called(edge: Edge, items: Sequence[Item]) -> Iterator[Entry]:
    """In the order of the items. Raises Contended; ClientError and BotoCoreError: then ask again."""
    rest = iter(items)
    while some := list(islice(rest, AT_ONCE)):
        found = _read(edge, _keys(edge, some))
        yield from (_entry(edge, item, found) for item in some)


def _entry(edge: Edge, item: Item, found: Mapping[str, Mapping[str, Any]]) -> Entry:
    record = found.get(contract.failed_key(edge.claims_namespace, item.execution, item.index))
    if record is not None:
        told = (record[contract.ERROR_TYPE]["S"], record[contract.REASON]["S"])
        return Entry(item, "failed", None, *told)
    if item.key is None:
        return Entry(item, "open")
    claim = item.claim(edge.claims_namespace)
    there = found.get(claim.id)
    holder = None if there is None else Holder.from_item(dict(there))
    if holder is None or not holder.done or holder.undone or holder.payload != claim.payload:
        return Entry(item, "open")
    return Entry(item, "processed", holder.answer)


def _keys(edge: Edge, items: Sequence[Item]) -> list[str]:
    """Each once: two items may have one key."""
    namespace = edge.claims_namespace
    keys = [contract.failed_key(namespace, item.execution, item.index) for item in items]
    keys += [contract.item_key(namespace, item.execution, item.key) for item in items if item.key is not None]
    return list(dict.fromkeys(keys))


def _read(edge: Edge, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    wanted = [{PARTITION_KEY: {"S": key}} for key in keys]
    for number in range(_ROUNDS):
        asked = {edge.claims_table_name: {"Keys": wanted, "ConsistentRead": True}}
        try:
            answer = edge.dynamodb.batch_get_item(RequestItems=asked)
        except ClientError as error:
            if error_code(error) in NOT_NOW:
                raise Contended("DynamoDB does not take the request now") from error
            raise
        for item in answer.get("Responses", {}).get(edge.claims_table_name, ()):
            found[item[PARTITION_KEY]["S"]] = item
        wanted = answer.get("UnprocessedKeys", {}).get(edge.claims_table_name, {}).get("Keys", [])
        if not wanted:
            return found
        edge.sleep(_PAUSE_SECONDS * 2**number)
    raise Contended("DynamoDB does not tell of all items")
