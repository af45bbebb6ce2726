"""A sink in OpenSearch, from what its functions are told."""

from collections.abc import Callable
from typing import Any, cast

from serverless_patterns_runtime.clients import signer
from serverless_patterns_runtime.cqrs_open_search.connection import OpenSearchConnection
from serverless_patterns_runtime.cqrs_open_search.contract import OpenSearchTold, Shape
from serverless_patterns_runtime.cqrs_open_search.indexes import Indexes
from serverless_patterns_runtime.cqrs_open_search.open_search_sink import OpenSearchSink
from serverless_patterns_runtime.fan_out_topic.packed import unpacked

__all__ = ["open_search_sink"]


def open_search_sink(
    told: OpenSearchTold, owner: str, *, has_sort: bool, sign_as: Callable[[], tuple[Any, str]] = signer
) -> OpenSearchSink:
    """Nothing is asked of the domain yet. `has_sort`: whether the view has a sort key."""
    connection = OpenSearchConnection(told["endpoint"], sign_as)
    shape = cast("Shape", unpacked(told["shape"]))
    return OpenSearchSink(connection, Indexes(connection, told["index"], owner, shape), has_sort)
