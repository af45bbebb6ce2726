"""Reading a view from a function: what it may ask, and where from."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from serverless_patterns_runtime.invocation import Invocation

__all__ = ["Page", "ReadableView", "Sort", "Total", "read_view"]

Sort = str | int | Decimal | Mapping[str, str | int | Decimal | None]
"""A sort key, or a range of them: `{"from": a, "to": b}`, to which both ends belong, or `{"prefix": text}`."""


class Page(NamedTuple):
    """Some rows, in the order of their sort keys."""

    rows: list[dict[str, Any]]
    """Whole numbers are int, others Decimal."""
    cursor: str | None
    """For the next page; None: there is none. It is not signed, and shows the last row's sort key: whoever changes it
    gets other rows of the same query."""


class Total(dict[str, Any]):
    """A group's measures, with the group under its name. One that is not there is 0: nobody contributes to it now."""

    def __missing__(self, name: str) -> int:
        return 0


class ReadableView(Protocol):
    def query(
        self,
        partition: str | int,
        *,
        sort: Sort | None = None,
        limit: int = 50,
        cursor: str | None = None,
        descending: bool = False,
    ) -> Page:
        """Rows of one partition, as of now. `limit`: 1 to 1,000; a page has fewer, and a cursor, where rows are large.

        Raises PermanentError with the status that a caller is to see: 400 for what no query is, 410 when the view was
        rebuilt more than an hour ago.
        """
        ...

    def get(self, partition: str | int, sort: str | int | Decimal | None = None) -> dict[str, Any] | None:
        """The row with exactly this key."""
        ...

    def total(self, group: str | int) -> Total:
        """Of totals: the group's measures, with the group under its name. `["sold"]` of a measure that is not there is
        0, whatever was contributed once."""
        ...

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All rows, or all totals, in no order: it reads the whole view, and costs as much."""
        ...


def read_view(name: str, invocation: "Invocation") -> ReadableView:
    """The view that `by_customer.reader("BY_CUSTOMER")` in the Handler's `grants` names `BY_CUSTOMER`.

    `read_view("BY_CUSTOMER", invocation).query(customer_id).rows`. In a unit test: `Invocation.fake(views={...})`.
    Raises UnusableResource for one that the Handler does not have; NotNow, when it is used, before its first build.
    """
    return invocation.resources.view(name)
