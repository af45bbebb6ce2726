"""A rebuild has no side effects: whom it asks for what while everything else goes on, and which functions it calls."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views.rebuilding import Rebuild
from serverless_patterns_runtime.cqrs_views.scanning import Scan
from serverless_patterns_runtime.cqrs_views.views import View
from tests.runtime.cqrs_views import shop

from .choosing import Seeded
from .cqrs_rebuild_history import rebuilds
from .cqrs_rebuild_world import RebuildWorld
from .test_cqrs_rebuild import rebuilt

Patch = pytest.MonkeyPatch

READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "BatchExecuteStatement", "TransactWriteItems"}
STAMP = "SET #about = :about", "attribute_exists(#key) AND attribute_not_exists(#about)"


CALLED: set[str] = set()
"""Functions of the user's that are for others to call."""


def decide(state: Any, command: Any) -> Any:  # noqa: ARG001
    CALLED.add("decide")


def sales(sources: Any) -> Any:  # noqa: ARG001
    CALLED.add("sales")


class Watched(RebuildWorld):
    def __init__(self, seed: int) -> None:
        super().__init__(rebuilds(Seeded(seed)))
        self.bucket.meets = self._asks
        self.asked: set[tuple[str, str]] = set()

    def _meets(self, operation: str, arguments: dict[str, Any]) -> None:
        self._asks(operation, arguments)
        super()._meets(operation, arguments)

    def _asks(self, operation: str, arguments: dict[str, Any]) -> None:
        if not self.in_task or self.busy:
            return  # another function's
        for place in _places(operation, arguments):
            self.asked.add((operation, place))
            if place == "orders" and operation in WRITES:
                said = arguments.get("UpdateExpression"), arguments.get("ConditionExpression")
                assert (operation, said) == ("UpdateItem", STAMP), f"it changes an aggregate: {operation} {said}"


def _places(operation: str, arguments: dict[str, Any]) -> set[str]:
    """Tables and buckets; all there is is named."""
    if operation == "BatchExecuteStatement":
        statements = [one["Statement"] for one in arguments["Statements"]]
        assert all(one.startswith("INSERT INTO ") for one in statements)
        return {one.split('"')[1] for one in statements}
    if operation == "TransactWriteItems":
        return {next(iter(one.values()))["TableName"] for one in arguments["TransactItems"]}
    if "RequestItems" in arguments:
        return {*arguments["RequestItems"]}
    return {arguments["Bucket"] if "Bucket" in arguments else arguments["TableName"]}


def judge(world: Watched) -> None:
    assert not CALLED, f"it calls {CALLED}"
    allowed = {"orders": {*READS, "UpdateItem"}, "parked": {"PutObject"}}
    for operation, place in world.asked:
        assert place in ("orders", "rows", "totals", "control", "parked"), f"it asks {place}"
        assert operation in allowed.get(place, READS | WRITES), f"it asks {place} for {operation}"


def watched(seeds: range) -> list[Watched]:
    worlds = [Watched(seed) for seed in seeds]
    for world in worlds:
        rebuilt(world)
        judge(world)
    return worlds


def test_a_rebuild_writes_its_view_and_nothing_else() -> None:
    worlds = watched(range(6))
    asked = {one for world in worlds for one in world.asked}
    assert {("Scan", "orders"), ("UpdateItem", "orders"), ("BatchExecuteStatement", "rows")} <= asked
    assert {("TransactWriteItems", "totals"), ("PutItem", "control")} <= asked
    assert all(shown <= {shop.ORDERS, shop.REVENUE} for world in worlds for shown in world.marked)


def it_writes_aggregates_back(patch: Patch) -> None:
    whole = Scan.stamped

    def stamped(self: Scan, image: Any) -> Any:
        found = whole(self, image)
        self.model.dynamodb.put_item(TableName="orders", Item=found)
        return found

    patch.setattr(Scan, "stamped", stamped)


def it_decides(patch: Patch) -> None:
    whole = View.rows
    patch.setattr(View, "rows", lambda self, aggregate: (decide(None, None), whole(self, aggregate))[1])


def it_builds_documents_itself(patch: Patch) -> None:
    whole = Rebuild.flip
    patch.setattr(Rebuild, "flip", lambda self, of: (sales(None), whole(self, of))[1])


@pytest.mark.parametrize(
    ("remove", "said"),
    [
        (it_writes_aggregates_back, "it changes an aggregate: PutItem"),
        (it_decides, "it calls {'decide'}"),
        (it_builds_documents_itself, "it calls {'sales'}"),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_an_effect_is_noticed(remove: Callable[[Patch], None], said: str, monkeypatch: Patch) -> None:
    remove(monkeypatch)
    monkeypatch.setattr(sys.modules[__name__], "CALLED", set())
    with pytest.raises(AssertionError, match=said):
        watched(range(4))
