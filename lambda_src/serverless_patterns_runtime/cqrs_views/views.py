"""A view as its function makes it of one aggregate: rows, or what the aggregate contributes to totals."""

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_views.contract import Kind, ViewTold
from serverless_patterns_runtime.cqrs_views.row_items import OURS
from serverless_patterns_runtime.cqrs_views.sink import RowKey, Sink
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.limits import MAX_PARTITION_KEY, MAX_SORT_KEY

if TYPE_CHECKING:
    from serverless_patterns_runtime.cqrs_views.totals import Totals

__all__ = ["Amounts", "Row", "UnusableRows", "View"]

Row = Mapping[str, Any]

Amounts = dict[str, dict[str, int | Decimal]]
"""By group and measure; none is zero."""


class UnusableRows(PermanentError):
    """What the function returned cannot be kept. Its text quotes no value."""


class View(NamedTuple):
    name: str
    kind: Kind
    call: Callable[[Any], Any]
    partition: str
    """Name of the partition key in a row; of totals the name that groups are known by."""
    sort: str | None
    store: "Sink | Totals"
    sorts_numbers: bool = False
    """What sort keys are; else text."""
    place: str = ""
    """What tells its store from others, if that is not a table of DynamoDB."""

    @classmethod
    def of(cls, told: ViewTold, call: Callable[[Any], Any], store: "Sink | Totals", place: str = "") -> "View":
        numbers = told.get("sk_type") == "N"
        return cls(told["name"], told["kind"], call, told["pk"], told.get("sk"), store, numbers, place)

    def rows(self, aggregate: Aggregate | None) -> dict[RowKey, Row]:
        """None, and one that is deleted, have none. Raises UnusableRows, and what the function raises.

        The function may change the state that it is given: whoever calls this has read it for this call alone.
        """
        rows: dict[RowKey, Row] = {}
        for row in self._made(aggregate, list):
            if not isinstance(row, Mapping):
                raise UnusableRows(f"{self.name}: a row is a dict, got {type(row).__name__}")
            if taken := OURS & row.keys():
                names = ", ".join(sorted(taken))
                raise UnusableRows(f"{self.name}: a row may not have the names {names}: they are the view's own")
            key = self.key_of(cast("Row", row))
            if key in rows:
                raise UnusableRows(f"{self.name}: two rows of one aggregate have the same key")
            rows[key] = cast("Row", row)
        return rows

    def key_of(self, row: Row) -> RowKey:
        """Raises UnusableRows."""
        partition = _text(self._member(row, self.partition))
        sort = None if self.sort is None else _sort(self._member(row, self.sort))
        if partition is None or not 0 < len(partition.encode()) <= MAX_PARTITION_KEY:
            raise UnusableRows(f"{self.name}: {self.partition!r} is text or a whole number, of 1 to 2,000 bytes")
        if self.sort is not None and sort is None:
            raise UnusableRows(f"{self.name}: {self.sort!r} is text of 1 to 1,024 bytes, or a number")
        if sort is not None and isinstance(sort, str) == self.sorts_numbers:
            wanted, got = ("a number", "text") if self.sorts_numbers else ("text", "a number")
            raise UnusableRows(f"{self.name}: {self.sort!r} is {wanted}, as the view's sort_key_type says, got {got}")
        return RowKey(partition, sort)

    def amounts(self, aggregate: Aggregate | None) -> Amounts:
        """Without zeros. Raises UnusableRows, and what the function raises."""
        found: Amounts = {}
        for group, measures in self._made(aggregate, dict).items():
            if not isinstance(group, str) or not 0 < len(group.encode()) <= MAX_PARTITION_KEY:
                raise UnusableRows(f"{self.name}: a group is text of 1 to 2,000 bytes")
            if not isinstance(measures, Mapping):
                raise UnusableRows(f"{self.name}: a group's measures are a dict, got {type(measures).__name__}")
            for measure, amount in cast("Mapping[Any, Any]", measures).items():
                if not isinstance(measure, str) or not measure or measure.startswith("_") or measure in OURS:
                    raise UnusableRows(f"{self.name}: a measure's name is text that does not begin with '_'")
                if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
                    raise UnusableRows(f"{self.name}: an amount is an int or a Decimal, got {type(amount).__name__}")
                if amount:
                    found.setdefault(group, {})[measure] = amount
        return found

    def _made(self, aggregate: Aggregate | None, kind: type) -> Any:
        if aggregate is None or aggregate.state is None or aggregate.version is None:
            return kind()
        made = self.call(aggregate.state)
        if inspect.iscoroutine(made) or inspect.isgenerator(made):
            made.close()
            raise UnusableResult(f"{self.name}: the function has not run: write an ordinary one")
        if not isinstance(made, kind):
            raise UnusableRows(f"{self.name}: the function returns a {kind.__name__}, got {type(made).__name__}")
        return made

    def _member(self, row: Row, name: str) -> Any:
        if name not in row:
            raise UnusableRows(f"{self.name}: a row has no {name!r}, which is a key of the view")
        return row[name]


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(int(value)) if _whole(value) else None


def _whole(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def _sort(value: Any) -> str | int | Decimal | None:
    if isinstance(value, str):
        return value if 0 < len(value.encode()) <= MAX_SORT_KEY else None
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        return None
    return value
