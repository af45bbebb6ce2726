"""Rows and tombstones as documents, and which of them may take another one's place."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from zlib import crc32

from serverless_patterns_runtime.cqrs_open_search.contract import ABOUT, MAX_ID
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views.row_json import as_json, checked
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey, StoredRow, Unstorable

__all__ = ["PARTS", "Sequenced", "Standing", "decide", "document_of", "id_of", "row_of", "sequence_of", "standing_of"]

PARTS = 2**32
"""A document's `part` is a number below this: a rebuild's segments are ranges of it."""


class Sequenced(NamedTuple):
    """Which write made a document: no two have the same."""

    number: int
    term: int


class Standing(NamedTuple):
    """What has a document's place, as far as a write is decided by it."""

    source: str
    version: int
    mark: str | None
    """None: it is no tombstone."""
    sequence: Sequenced


def decide(there: Standing | None, changes: Sequence[tuple[RowChange, str]]) -> tuple[str | None, Sequence[RowChange]]:
    """The rule of every sink: the document to write, if any, and the changes whose place another aggregate has."""
    stands = None if there is None else (there.source, there.version)
    last: str | None = None
    contested: list[RowChange] = []
    for change, document in changes:
        if stands is None or (stands[0] == change.source and stands[1] < change.version):
            stands, last = (change.source, change.version), document
        elif stands[0] != change.source:
            contested.append(change)
    return last, contested


def id_of(key: RowKey) -> str:
    """Raises Unstorable."""
    text = as_json([key.partition] if key.sort is None else [key.partition, _canonical(key.sort)])
    if len(text.encode()) > MAX_ID:
        raise Unstorable(f"a row's keys take at most {MAX_ID} bytes together in OpenSearch, as JSON")
    return text


def document_of(id: str, change: RowChange, mark: str, expires_at: int) -> str:
    """`mark` and `expires_at` are a tombstone's. Raises Unstorable."""
    about: dict[str, Any] = {"id": id, "part": crc32(id.encode()), "source": change.source, "version": change.version}
    if change.row is None:
        return as_json({ABOUT: {**about, "deleted": True, "mark": mark, "expires_at": expires_at}})
    if any(name.startswith(f"{ABOUT}.") for name in change.row):  # OpenSearch takes a dot for a member of an object
        raise Unstorable(f"a member of a row whose name begins with {ABOUT}. would be the view's own in OpenSearch")
    return as_json({**checked(change.row), ABOUT: about})


def row_of(hit: Any, *, has_sort: bool) -> StoredRow:
    row = plain(hit["_source"])
    about = row.pop(ABOUT)
    partition, *sort = plain(json.loads(about["id"], parse_float=Decimal))
    return StoredRow(
        key=RowKey(partition, sort[0] if has_sort else None),
        version=about["version"],
        source=about["source"],
        row=None if about.get("deleted") else row,
        mark=about.get("mark", ""),
    )


def standing_of(hit: Any) -> Standing:
    about = hit["_source"][ABOUT]
    mark = about["mark"] if about.get("deleted") else None
    return Standing(about["source"], about["version"], mark, sequence_of(hit))


def sequence_of(hit: Any) -> Sequenced:
    return Sequenced(hit["_seq_no"], hit["_primary_term"])


def _canonical(sort: str | int | Decimal) -> str | int | Decimal:
    """One text for one number: 1.5 and 1.50 are the same key."""
    if not isinstance(sort, Decimal):
        return sort
    known = plain(sort)
    return known if isinstance(known, int) else Decimal(f"{known:f}".rstrip("0"))
