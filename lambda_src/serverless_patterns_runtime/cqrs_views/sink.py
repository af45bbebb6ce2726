"""Where the rows of a view are kept: the port that DynamoDB and SQL are behind.

Every write is guarded by the version of the aggregate that it comes from, and stands alone: in any order, and however
often, the highest version of a row wins. A tombstone keeps the place of a row that is gone: a late one is refused.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from serverless_patterns_runtime.errors import PermanentError

__all__ = [
    "Contested",
    "Misshapen",
    "NotOurs",
    "Page",
    "RowChange",
    "RowKey",
    "Sink",
    "SinkUnavailable",
    "StoredRow",
    "Unstorable",
]


class SinkUnavailable(Exception):
    """The sink takes nothing now; what was asked for may have happened. The same may be asked for again.

    Its text says why, and quotes no value: people read it.
    """


class NotOurs(PermanentError):
    """Something else has the name: another view of another place, or of an app that was deleted; or made by hand."""


class Misshapen(PermanentError):
    """The store refuses what was said of the view's shape."""


class Unstorable(Exception):
    """This row can never be stored: its text says why, and quotes no value."""


class RowKey(NamedTuple):
    partition: str
    sort: str | int | Decimal | None
    """None: the view has no sort key."""


class RowChange(NamedTuple):
    key: RowKey
    version: int
    source: str
    """Key of the aggregate that the row belongs to."""
    row: Mapping[str, Any] | None
    """None: the row is gone, a tombstone is written."""


class StoredRow(NamedTuple):
    key: RowKey
    version: int
    source: str
    row: Mapping[str, Any] | None
    """None: a tombstone."""
    mark: str = ""
    """Of a tombstone: another one with each, so that none is taken for one that was here before."""


class Contested(NamedTuple):
    """A change that was not written, because another aggregate has the place of its row."""

    change: RowChange
    found: StoredRow


class Page(NamedTuple):
    rows: Sequence[StoredRow]
    resume: str | None
    """Where to go on; None: there are no more."""


class Sink(Protocol):
    """One view in one store. Raises SinkUnavailable, and Unstorable for a row."""

    def prepare(self, generation: int) -> None:
        """Make what a generation needs before its first row. May come again."""
        ...

    def write(self, generation: int, changes: Sequence[RowChange]) -> Sequence[Contested]:
        """Each where there is no such row, or one of the same aggregate with a lower version; else nothing happens.

        Returns what was not written because another aggregate has its place: rows, and tombstones where a tombstone is.
        """
        ...

    def replace_tombstone(self, generation: int, change: RowChange, seen: StoredRow) -> bool:
        """Write this row or tombstone where exactly this tombstone is, with its mark. False: it is not, any more."""
        ...

    def read(self, generation: int, keys: Sequence[RowKey]) -> Sequence[StoredRow | None]:
        """As of now, tombstones too, in the order of the keys."""
        ...

    def rows(self, generation: int, segment: int, segments: int, resume: str | None) -> Page:
        """Some of the rows of one of so many parts of a generation, tombstones too."""
        ...

    def publish(self, generation: int) -> None:
        """Show this generation to those who read the store by themselves, at once. May come again."""
        ...

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None:
        """Delete some of one part of a generation. Where to go on; None: all of it is gone."""
        ...
