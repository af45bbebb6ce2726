"""Requests to the documents of one generation. AWS says that it ignores parameters in the URL of a signed POST."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_open_search.connection import OpenSearchConnection, unavailable
from serverless_patterns_runtime.cqrs_open_search.contract import ABOUT
from serverless_patterns_runtime.cqrs_open_search.documents import Sequenced, Standing, sequence_of, standing_of
from serverless_patterns_runtime.cqrs_views.sink import SinkUnavailable, Unstorable

__all__ = ["IndexRequests", "Write"]

Write = tuple[Sequenced | None, str]
"""A document, and what has to be there now; None: nothing."""


class IndexRequests(NamedTuple):
    """Raises SinkUnavailable."""

    connection: OpenSearchConnection
    name: str

    def get(self, ids: Sequence[str], only: Sequence[str] = ()) -> Sequence[Any]:
        """As of now, whatever a search sees. `only`: members of documents; none: all."""
        wanted = [{"_id": id, "_source": [*only] or True} for id in ids]
        hits = self._ask("_mget", {"docs": wanted}).body["docs"]
        for hit in hits:
            if "error" in hit:
                kind = hit["error"]["type"]
                raise unavailable(404 if kind == "index_not_found_exception" else 503, kind)
        return hits

    def standing(self, ids: Sequence[str]) -> Mapping[str, Standing | None]:
        hits = self.get(ids, [ABOUT])
        return {id: standing_of(hit) if hit["found"] else None for id, hit in zip(ids, hits, strict=True)}

    def search(self, query: Mapping[str, Any]) -> Sequence[Any]:
        wanted = {**query, "track_total_hits": False, "seq_no_primary_term": True}
        # With segment replication a refresh shows nothing in replicas.
        found = self._ask("_search?preference=_primary", wanted, "GET").body
        shards = found["_shards"]  # one that is away is not among those that failed
        if found["timed_out"] or shards["failed"] or shards["successful"] < shards["total"]:
            raise SinkUnavailable("not all shards have answered")
        return found["hits"]["hits"]

    def refresh(self) -> None:
        if self.connection.ask("POST", f"/{self.name}/_refresh").body["_shards"]["failed"]:
            raise SinkUnavailable("not all shards are refreshed")

    def write(self, writes: Mapping[str, Write], unstorable: list[Unstorable]) -> set[str]:
        """By id. Returns those in whose place is something else now; `unstorable` gets what is refused."""
        lines = [f"{_action(id, sequence)}\n{document}\n" for id, (sequence, document) in writes.items()]
        return self._bulk([*writes], lines, unstorable)

    def delete(self, hits: Sequence[Any]) -> None:
        """Where nothing has changed since they were found."""
        lines = [_action(hit["_id"], sequence_of(hit), "delete") + "\n" for hit in hits]
        self._bulk([hit["_id"] for hit in hits], lines, [])

    def _bulk(self, ids: Sequence[str], lines: Sequence[str], unstorable: list[Unstorable]) -> set[str]:
        if not ids:
            return set()
        answer = self.connection.ask("POST", f"/{self.name}/_bulk", "".join(lines), 413)
        if answer.status == 413:
            if len(ids) == 1:
                unstorable.append(Unstorable("OpenSearch refuses the row: it is too large for the domain"))
                return set()
            half = len(ids) // 2
            first = self._bulk(ids[:half], lines[:half], unstorable)
            return first | self._bulk(ids[half:], lines[half:], unstorable)
        lost: set[str] = set()
        failed: SinkUnavailable | None = None
        for id, item in zip(ids, answer.body["items"], strict=True):
            (said,) = item.values()
            kind = said.get("error", {}).get("type", "")
            match said["status"]:
                case 200 | 201:
                    pass
                case 409:
                    lost.add(id)
                case 400:
                    unstorable.append(Unstorable(f"OpenSearch refuses the row ({kind}): the view's mappings say how"))
                case status:
                    failed = unavailable(status, kind)
        if failed is not None:
            raise failed
        return lost

    def _ask(self, what: str, body: Mapping[str, Any], method: str = "POST") -> Any:
        return self.connection.ask(method, f"/{self.name}/{what}", json.dumps(body))


def _action(id: str, sequence: Sequenced | None, action: str = "index") -> str:
    about: dict[str, Any] = {"_id": id}
    if action != "delete":
        # Else OpenSearch would make an index, with mappings that it guesses, for a generation that was dropped.
        about["require_alias"] = True
    if sequence is None:
        return json.dumps({"create": about})
    return json.dumps({action: {**about, "if_seq_no": sequence.number, "if_primary_term": sequence.term}})
