"""Page after page of one generation: a rebuild in between is no matter of the reader's."""

from collections.abc import Callable
from typing import NamedTuple

from serverless_patterns_runtime.cqrs_queries.pointer import Pointer
from serverless_patterns_runtime.cqrs_queries.reading import Found, Rows, SortRange
from serverless_patterns_runtime.cqrs_queries.tokens import Asked, Cursor, SortValue, Tokens
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["GenerationGone", "Looked", "Pages", "Query"]


class GenerationGone(PermanentError):
    """What the pages before were of is not kept any more, or does not change any more."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("the view has been rebuilt since the page before: begin again without a cursor", status=410)


class Query(NamedTuple):
    partition: str
    between: SortRange
    limit: int
    cursor: str | None
    descending: bool


class Looked(NamedTuple):
    found: Found
    after: SortValue | None
    """Where the page begins."""
    cursor: str | None
    """Of the next page."""


class Pages(NamedTuple):
    view: str
    rows: Rows
    pointer: Pointer
    tokens: Tokens

    def look(self, query: Query, remaining: Callable[[], float], *, newest: bool = False) -> Looked:
        """One page. Raises UnusableCursor, GenerationGone, NotNow, and what the client raises.

        `newest`: of the generation that changes are written to now, and of no other.
        """
        asked = self._asked(query)
        cursor = None if query.cursor is None else self.tokens.read(query.cursor, asked)
        if query.between.is_empty:
            return Looked(Found((), (), False, None), None, None)
        generation, expires = self._generation(cursor, newest)
        after = None if cursor is None else cursor.after
        found = self.rows.page(
            generation,
            query.partition,
            query.between,
            query.limit,
            after=after,
            descending=query.descending,
            remaining=remaining,
        )
        more = self.tokens.write(Cursor(generation, found.upto, expires), asked) if found.more else None
        return Looked(found, after, more)

    def _generation(self, cursor: Cursor | None, newest: bool) -> tuple[int, int]:
        """And until when a cursor that follows is good.

        Of a generation that was live before no longer than the present one: else its last reader would never be done.
        """
        known = self.pointer.read(fresh=newest)
        if cursor is None or cursor.generation == known.live:
            return known.live, self.tokens.expires()
        if cursor.generation != known.previous:
            known = self.pointer.read(fresh=True)
        if cursor.generation == known.live:
            return known.live, self.tokens.expires()
        if cursor.generation != known.previous or newest:
            raise GenerationGone
        return cursor.generation, cursor.expires

    def _asked(self, query: Query) -> Asked:
        between = query.between
        table = self.rows.table_name
        return Asked(self.view, table, query.partition, query.descending, between.first, between.last, between.prefix)
