"""Documents: how one is marked and kept, and what the functions that build and answer it are told. For both sides.

Its mark is an item of the views' control table, its content another one, or an object in S3.
"""

from typing import NamedTuple, TypedDict

DOCUMENT_HANDLER = "serverless_patterns_runtime.cqrs_views.document_builder:build_document"
"""Consumer of a document's queue: a business function of ours that calls `build`."""

DIRTY_AT = "dirty_at"
"""Of `document/<name>` (N, epoch seconds): when it was marked. Absent: no change is waiting for a build."""

DIRTY_BY = "dirty_by"
"""Of `document/<name>` (S): chosen at random by who marked it."""

BUILD = "build"
"""Of `document/<name>` (N): how many builds have begun. Of `content/<name>` (N): the one that made this content."""

BUILT_AT = "built_at"
"""Of `content/<name>` (N, epoch seconds): when its build began."""

TEXT = "text"
"""Of `content/<name>` (S): the document as JSON. The mark is apart, since a write costs the size of the whole item."""

OBJECT = "object"
"""Of `content/<name>` (S), instead of `text`: key of the object that has the JSON."""

DIGEST = "digest"
"""Of `content/<name>` (S): SHA-256 of the JSON."""

MAX_TEXT_BYTES = 390 * 1024
"""Of a document that is an item: DynamoDB's limit less room for the other attributes."""

MAX_DOCUMENT_BYTES = 5 * 1024 * 1024
"""Of a document in S3: what a function answers with."""

OVERDUE_SECONDS = 120
"""More than `every`: a mark this old has lost its message, and gets another one."""


class DocumentTold(TypedDict):
    queue: str
    """URL."""
    seconds: int
    """`every`."""
    sources: list[str]
    """Names of views."""


class DocumentEnv(NamedTuple):
    """Of the function that builds a document, and of the one that answers it."""

    DOCUMENT: str
    """Its name."""

    DOCUMENT_CONTROL_TABLE_NAME: str

    DOCUMENT_BUCKET_NAME: str
    """Where it is kept; empty: in the control table."""


class BuildEnv(NamedTuple):
    """Beside `DocumentEnv`, of the function that builds it."""

    BUILD: str
    """`module:function`."""

    SOURCES: str
    """JSON object `{"sources": [Reading, ...]}` of the queries' contract: a table's name cannot be packed at synth."""
