"""What a document is built from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from serverless_patterns_runtime.cqrs_queries.view import Total
from serverless_patterns_runtime.errors import UnusableResource

__all__ = ["Sources"]

Row = dict[str, Any]


class Sources:
    """The views of a document, each read as it is when the build asks for it."""

    def __init__(self, rows: Mapping[str, Iterable[Row]], totals: Mapping[str, Iterable[Row]]) -> None:
        self._rows = rows
        self._totals = totals

    def rows(self, view: str) -> Iterator[Row]:
        """All rows of a view, in no order; whole numbers are int, others Decimal.

        Raises UnusableResource for a view that is no source of the document, or is of totals.
        """
        return iter(self._of("rows", view, self._rows, self._totals))

    def totals(self, view: str) -> Iterator[Row]:
        """All groups of totals, in no order: `{"product_id": "tea", "sold": 3}`. A measure that is not there is 0:
        `total["returned"]`.

        Raises UnusableResource for a view that is no source of the document, or is of rows.
        """
        return iter(self._of("totals", view, self._totals, self._rows))

    @classmethod
    def fake(cls, views: Mapping[str, Iterable[Mapping[str, Any]]]) -> "Sources":
        """For a unit test: `Sources.fake({"ByCustomer": [{...}], "Revenue": [{"product_id": "tea", "sold": 3}]})`."""
        given = {name: [Total(row) for row in rows] for name, rows in views.items()}
        return cls({name: [dict(row) for row in rows] for name, rows in given.items()}, given)

    def _of(
        self, kind: str, view: str, views: Mapping[str, Iterable[Row]], others: Mapping[str, Iterable[Row]]
    ) -> Iterable[Row]:
        if view in views:
            return views[view]
        if view in others:
            other = "totals" if kind == "rows" else "rows"
            raise UnusableResource(f"{view!r} has no {kind}: write sources.{other}({view!r})")
        has = ", ".join(sorted({*views, *others})) or "none"
        raise UnusableResource(f"{view!r} is no source of this document (it has: {has}): add it to sources=[...]")
