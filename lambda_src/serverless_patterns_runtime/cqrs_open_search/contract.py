"""Views in OpenSearch: what their functions are told, and what is in the domain. Both sides import it.

Each generation of a view has an index of its own, `<index>_g<generation>`. An alias, `<index>`, shows the rows of the
generation that is live: it is what other programs search.
"""

from typing import Any, Literal, TypedDict

ABOUT = "_row"
"""The object of a document that is ours; everything else of it is the row."""

INDEX_NAME = r"[a-z][a-z0-9_-]*"
MAX_INDEX_NAME = 100
"""Characters. OpenSearch takes 255 bytes; a generation comes behind it."""

MAX_ID = 512
"""Bytes of a document's id, which OpenSearch allows."""


class Shape(TypedDict):
    """What the indexes of generations look like."""

    mappings: dict[str, Any]
    """Of the rows' members, as OpenSearch's `properties`."""
    settings: dict[str, Any]


class OpenSearchTold(TypedDict):
    """JSON, in a variable of the functions."""

    kind: Literal["open-search"]
    endpoint: str
    """As `https://host`."""
    index: str
    shape: str
    """A `packed` `Shape`."""
