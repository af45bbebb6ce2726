"""One view in OpenSearch, as the tests of every sink have it."""

import json
import os
import uuid
from typing import Any

from serverless_patterns_runtime.cqrs_open_search.building import open_search_sink
from serverless_patterns_runtime.cqrs_open_search.contract import OpenSearchTold
from serverless_patterns_runtime.cqrs_open_search.open_search_sink import OpenSearchSink
from serverless_patterns_runtime.fan_out_topic.packed import packed

from .domain_server import CREDENTIALS, REGION, DomainServer

__all__ = ["MAPPINGS", "REAL", "OpenSearchStore"]

REAL = os.environ.get("OPEN_SEARCH_ENDPOINT")
"""A server that takes requests as they come, `http://127.0.0.1:9200`: then it is asked, and not the model."""

MAPPINGS = {"customer": {"type": "keyword"}, "total": {"type": "long"}, "g": {"type": "long"}}


class OpenSearchStore:
    oddest_name = "a'b"
    """OpenSearch takes no name that is empty."""

    def __init__(self, server: DomainServer, sort: str | None = "S") -> None:
        self.server, self.sort = server, sort
        self.index = f"view{uuid.uuid4().hex[:12]}"
        self.now = 1_700_000_000.0
        self.mappings: dict[str, Any] = dict(MAPPINGS)
        self.settings: dict[str, Any] = {"number_of_replicas": 0} if REAL else {}

    def told(self) -> OpenSearchTold:
        shape = packed({"mappings": self.mappings, "settings": self.settings})
        endpoint = REAL or self.server.endpoint
        return OpenSearchTold(kind="open-search", endpoint=endpoint, index=self.index, shape=shape)

    def sink(self, owner: str = "us") -> OpenSearchSink:
        has_sort = self.sort is not None
        made = open_search_sink(self.told(), owner, has_sort=has_sort, sign_as=lambda: (CREDENTIALS, REGION))
        return made._replace(clock=lambda: self.now)

    def searched(self, query: dict[str, Any] | None = None) -> list[Any]:
        """As somebody sees it who searches the alias."""
        asked = {"size": 100} | ({} if query is None else {"query": query})
        return self.sink().connection.ask("POST", f"/{self.index}/_search", json.dumps(asked)).body["hits"]["hits"]
