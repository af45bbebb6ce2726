"""The deployed table as the simulation's invariants see an account: its items, its aggregates, what is parked."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

from serverless_patterns_runtime.cqrs_table.aggregate import Schema
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views.row_items import row_of
from serverless_patterns_runtime.cqrs_views.sink import StoredRow
from tests.live.cqrs_stack import LiveOrders, eventually
from tests.simulation import cqrs_invariants
from tests.simulation.cqrs_shop import AGGREGATES, CONTROL, KEY, ROWS, TOTALS
from tests.simulation.cqrs_world import CqrsWorld

__all__ = ["Account", "records", "settled", "states"]

_KEYS = {AGGREGATES: (KEY,), ROWS: ("pk", "sk"), TOTALS: ("pk", "sk"), CONTROL: ("item",)}


class Account:
    """Of a `CqrsWorld` what its invariants read."""

    def __init__(self, live: LiveOrders) -> None:
        self._live = live
        tables = {
            name: SimpleNamespace(items=_items(live, live.tables[name], keys))
            for name, keys in _KEYS.items()
            if name in live.tables
        }
        self.dynamodb = SimpleNamespace(tables=tables)

    def states(self) -> dict[str, tuple[int, dict[str, Any] | None]]:
        model = WriteModel(None, AGGREGATES, KEY, Schema(1))
        found = [model.aggregate(item) for item in self.dynamodb.tables[AGGREGATES].items.values()]
        return {one.key: (one.version, one.state) for one in found if one.version is not None}

    def stored(self, generation: int) -> list[StoredRow]:
        items = self.dynamodb.tables[ROWS].items.values()
        return [row_of(item, has_sort=True) for item in items if item["pk"]["S"].startswith(f"{generation}#")]

    def parked(self) -> dict[str, str]:
        return {one["object"]: one["reason"] for view in (ROWS, TOTALS) for one in self._live.parked(view)}


def settled(
    live: LiveOrders,
    invariants: Sequence[Callable[[CqrsWorld], None]] = cqrs_invariants.AT_THE_END,
    account: type[Account] = Account,
) -> None:
    """Wait until the simulation's invariants hold of what is deployed."""
    eventually(lambda: cqrs_invariants.check(cast("CqrsWorld", account(live)), invariants))


def states(live: LiveOrders) -> dict[str, dict[str, Any]]:
    """Of aggregates that there are."""
    return {key: state for key, (_, state) in Account(live).states().items() if state is not None}


def records(live: LiveOrders, keys: set[str]) -> list[dict[str, Any]]:
    """Of the stream, of these aggregates, as Lambda's poller has them."""
    streams = cast("Any", live.cloud.client("dynamodbstreams"))
    arn = live.dynamodb.describe_table(TableName=live.tables[AGGREGATES])["Table"]["LatestStreamArn"]
    found: list[dict[str, Any]] = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        asked = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        at = streams.get_shard_iterator(**asked)["ShardIterator"]
        while (told := streams.get_records(ShardIterator=at))["Records"]:
            found += told["Records"]
            at = told["NextShardIterator"]
    for record in found:
        created = record["dynamodb"]["ApproximateCreationDateTime"]
        record["dynamodb"]["ApproximateCreationDateTime"] = created.timestamp()
    return [record for record in found if record["dynamodb"]["Keys"][KEY]["S"] in keys]


def _items(live: LiveOrders, table: str, keys: Sequence[str]) -> dict[tuple[str, ...], Any]:
    pages = live.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items: list[Any] = [item for page in pages for item in page["Items"]]
    return {tuple(next(iter(item[key].values())) for key in keys): item for item in items}
