"""What a view makes of one aggregate in a unit test, as a deployed projector would."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, plain
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.row_items import item_of, row_of
from serverless_patterns_runtime.cqrs_views.sink import RowChange
from serverless_patterns_runtime.cqrs_views.views import Amounts, View
from serverless_patterns_runtime.limits import check_item

__all__ = ["contributed", "projected"]


def projected(
    project: Callable[[Any], Any],
    state: Mapping[str, Any],
    *,
    partition_key: str,
    sort_key: str | None = None,
    sort_key_type: Literal["STRING", "NUMBER"] = "STRING",
) -> list[dict[str, Any]]:
    """The rows of one aggregate, as who queries the view reads them: in the order that `project` gives them.

    The keys are those of the view. Raises what would park the change: what `project` raises, UnusableRows for what is
    no list of rows with these keys and for two with the same, Unstorable for what DynamoDB could never take.
    """
    numbers = sort_key_type == "NUMBER"
    view = View(_name(project), "rows", project, partition_key, sort_key, cast("Any", None), numbers)
    rows = view.rows(_aggregate(state))
    items = [item_of(1, RowChange(key, 1, "", row), 0, "") for key, row in rows.items()]
    return [dict(row_of(item, has_sort=sort_key is not None).row or {}) for item in items]


def contributed(contributes: Callable[[Any], Any], state: Mapping[str, Any]) -> Amounts:
    """What one aggregate adds to totals, by group and measure, without zeros.

    Raises what would park the change: what `contributes` raises, UnusableRows for what is no amount,
    UncommittableEffects for what DynamoDB could never take.
    """
    view = View(_name(contributes), "totals", contributes, "group", None, cast("Any", None))
    amounts = view.amounts(_aggregate(state))
    item = serialize_item({contract.AMOUNTS: amounts})
    check_item(item, "a contribution")
    return cast("Amounts", plain(deserialize_item(item))[contract.AMOUNTS])


def _aggregate(state: Mapping[str, Any]) -> Aggregate:
    return Aggregate("", 1, cast("dict[str, Any]", plain(deserialize_item(serialize_item(state)))))


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", "project")
