"""What of OpenSearch a view uses, as its documentation says it behaves: indexes, aliases, sequences and refreshes.

Not a search engine: fields are looked up by their values, and texts are not analyzed. Numbers in `_source` stay as they
were written. Each rule here was asked of Elasticsearch 7.0's engine once, where it has the feature: see the page.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

__all__ = ["DomainModel", "Said"]

_METADATA = ("_id", "_index", "_source", "_routing", "_seq_no", "_primary_term", "_version", "_type")
_MOST_KEYWORD = 32_766
_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "long": lambda value: isinstance(value, int | Decimal) and abs(value) < 2**63,
    "keyword": lambda value: not isinstance(value, dict) and len(str(value).encode()) <= _MOST_KEYWORD,
    "text": lambda value: not isinstance(value, dict),
    "boolean": lambda value: value in (True, False, "true", "false"),
}


class Said(NamedTuple):
    status: int
    body: str


class Wrong(Exception):
    def __init__(self, status: int, kind: str, reason: str = "") -> None:
        super().__init__(kind)
        self.status, self.error = status, {"type": kind, "reason": reason}


@dataclass
class Document:
    source: str
    number: int
    term: int


@dataclass
class Index:
    mappings: dict[str, Any]
    settings: dict[str, Any]
    aliases: dict[str, Any]
    documents: dict[str, Document] = field(default_factory=dict)
    searchable: dict[str, Document] = field(default_factory=dict)
    """As of the last refresh."""
    copied: dict[str, Document] = field(default_factory=dict)
    """What a replica has of it, with segment replication."""
    numbers: int = 0


class DomainModel:
    def __init__(self) -> None:
        self.indexes: dict[str, Index] = {}
        self.most_bytes = 10 * 1024 * 1024
        self.faults: list[Callable[[str, str], Said | None]] = []
        """Asked before each request, and for each document of a bulk as `("item", id)`."""
        self.asked: list[tuple[str, str]] = []
        self.term = 1
        """Of the primary: another one after a fail-over."""
        self.segments_are_copied = False
        self.searches_say: dict[str, Any] = {
            "timed_out": False,
            "_shards": {"total": 2, "successful": 2, "skipped": 0, "failed": 0},
        }
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, body: str) -> Said:
        with self._lock:
            self.asked.append((method, target))
            if (fault := self._fault(method, target)) is not None:
                return fault
            if len(body.encode()) > self.most_bytes:
                return Said(413, "<html>too large</html>")
            try:
                return Said(200, self._answer(method, target, body))
            except Wrong as wrong:
                return Said(wrong.status, json.dumps({"error": wrong.error, "status": wrong.status}))

    def refresh(self) -> None:
        """As it happens by itself, in a second."""
        for index in self.indexes.values():
            index.searchable = index.copied = dict(index.documents)

    def _fault(self, *what: str) -> Said | None:
        return next((said for fault in self.faults if (said := fault(*what)) is not None), None)

    def _answer(self, method: str, target: str, body: str) -> str:
        split = urlsplit(target)
        if split.query and method == "POST":  # as AWS says of one that is signed
            raise Wrong(400, "illegal_argument_exception", "its parameters would be ignored")
        name, _, what = split.path.removeprefix("/").partition("/")
        match method, name, what:
            case "POST", "_aliases", "":
                return self._change_aliases(json.loads(body)["actions"])
            case "POST", _, "_bulk":
                return self._bulk(name, body)
            case "POST", _, "_mget":
                return self._get(name, json.loads(body)["docs"])
            case "POST", _, "_refresh":
                _, index = self._one(name)
                index.searchable = dict(index.documents)
                return json.dumps({"_shards": {"total": 1, "successful": 1, "failed": 0}})
            case "POST" | "GET", _, "_search":
                return self._search(name, json.loads(body, parse_float=Decimal), split.query == "preference=_primary")
            case "GET", _, "":
                return json.dumps({
                    found: {"aliases": index.aliases, "mappings": index.mappings, "settings": index.settings}
                    for found, index in self._named(name).items()
                })  # fmt: skip
            case "PUT", _, "":
                return self._make(name, json.loads(body))
            case "DELETE", _, "":
                if name not in self.indexes:
                    raise Wrong(404, "index_not_found_exception")
                del self.indexes[name]
                return json.dumps({"acknowledged": True})
        raise Wrong(405, "unknown")

    # Indexes and aliases.

    def _named(self, name: str) -> dict[str, Index]:
        if name in self.indexes:
            return {name: self.indexes[name]}
        found = {one: index for one, index in self.indexes.items() if name in index.aliases}
        if not found:
            raise Wrong(404, "index_not_found_exception", f"no such index [{name}]")
        return found

    def _one(self, name: str) -> tuple[str, Index]:
        ((found, index),) = self._named(name).items()
        return found, index

    def _make(self, name: str, asked: dict[str, Any]) -> str:
        if name in self.indexes:
            raise Wrong(400, "resource_already_exists_exception")
        mappings = asked.get("mappings", {})
        for about in mappings.get("properties", {}).values():
            if about.get("type", "object") not in (*_KINDS, "object"):
                raise Wrong(400, "mapper_parsing_exception", f"No handler for type [{about['type']}]")
        self.indexes[name] = Index(mappings, asked.get("settings", {}), asked.get("aliases", {}))
        return json.dumps({"acknowledged": True, "shards_acknowledged": True, "index": name})

    def _change_aliases(self, actions: list[dict[str, Any]]) -> str:
        """All of them, or none."""
        changed = {name: dict(index.aliases) for name, index in self.indexes.items()}
        for action in actions:
            ((what, about),) = action.items()
            if about["index"] not in changed:
                raise Wrong(404, "index_not_found_exception")
            if what == "add":
                changed[about["index"]][about["alias"]] = {"filter": about["filter"]} if "filter" in about else {}
            elif about["alias"] in changed[about["index"]]:
                del changed[about["index"]][about["alias"]]
            elif about.get("must_exist"):
                raise Wrong(404, "resource_not_found_exception", "required alias does not exist")
        for name, aliases in changed.items():
            self.indexes[name].aliases = aliases
        return json.dumps({"acknowledged": True})

    # Documents.

    def _bulk(self, name: str, body: str) -> str:
        assert body.endswith("\n")
        lines = iter(body.split("\n")[:-1])
        items: list[Any] = []
        for line in lines:
            ((action, about),) = json.loads(line).items()
            source = "" if action == "delete" else next(lines)
            try:
                index = self._to_write(name, about.get("require_alias") is True)
                if (fault := self._fault("item", about["_id"])) is not None:
                    raise Wrong(fault.status, fault.body)
                items.append({action: {"_id": about["_id"], **self._write(index, action, about, source)}})
            except Wrong as wrong:
                items.append({action: {"_id": about["_id"], "status": wrong.status, "error": wrong.error}})
        return json.dumps(
            {"errors": any(one["status"] > 201 for item in items for one in item.values()), "items": items}
        )

    def _to_write(self, name: str, require_alias: bool) -> Index:
        if require_alias and (name in self.indexes or not any(name in one.aliases for one in self.indexes.values())):
            raise Wrong(404, "index_not_found_exception", "[require_alias] request flag is [true]")
        if not require_alias and not any(name in (one, *index.aliases) for one, index in self.indexes.items()):
            self._make(name, {})  # as `action.auto_create_index` has it, unless it is set
        return self._one(name)[1]

    def _write(self, index: Index, action: str, about: Mapping[str, Any], source: str) -> Mapping[str, Any]:
        id = about["_id"]
        if not 0 < len(id.encode()) <= 512:
            raise Wrong(400, "illegal_argument_exception", "id is too long")
        if action != "delete":
            if index.mappings.get("dynamic", True) is not False:
                _guess(json.loads(source, parse_float=Decimal), index.mappings)
            _check(_expanded(json.loads(source, parse_float=Decimal)), index.mappings)
        there = index.documents.get(id)
        if action == "create" and there is not None:
            raise Wrong(409, "version_conflict_engine_exception")
        if "if_seq_no" in about and (
            there is None or (there.number, there.term) != (about["if_seq_no"], about["if_primary_term"])
        ):
            raise Wrong(409, "version_conflict_engine_exception")
        number, index.numbers = index.numbers, index.numbers + 1
        if action == "delete":
            del index.documents[id]
            return {"status": 200, "_seq_no": number, "_primary_term": self.term}
        index.documents[id] = Document(source, number, self.term)
        return {"status": 201 if there is None else 200, "_seq_no": number, "_primary_term": self.term}

    def _get(self, name: str, docs: list[dict[str, Any]]) -> str:
        """Whatever was refreshed: `realtime` is the default."""
        try:
            found, index = self._one(name)
        except Wrong as wrong:
            return json.dumps({"docs": [{"_index": name, "_id": doc["_id"], "error": wrong.error} for doc in docs]})
        hits = [_hit(found, doc["_id"], index.documents.get(doc["_id"]), doc.get("_source", True)) for doc in docs]
        return '{"docs": [' + ", ".join(hits) + "]}"

    def _search(self, name: str, asked: dict[str, Any], in_primary: bool = False) -> str:
        found: list[tuple[list[Any], str]] = []
        for index_name, index in self._named(name).items():
            hidden = index.aliases.get(name, {}).get("filter", {})
            copied = self.segments_are_copied and not in_primary
            for id, document in (index.copied if copied else index.searchable).items():
                source = _expanded(json.loads(document.source, parse_float=Decimal))
                values = _indexed(source, index.mappings.get("properties", {}))
                if not _matches(values, asked.get("query", {})) or not _matches(values, hidden):
                    continue
                sort = [values.get(by) for one in asked.get("sort", ()) for by in one]
                if asked.get("search_after") is None or sort > asked["search_after"]:
                    found.append((sort, _hit(index_name, id, document, asked.get("_source", True), sort)))
        if asked.get("sort"):
            found.sort(key=lambda one: one[0])
        hits = ", ".join(hit for _, hit in found[: asked.get("size", 10)])
        return json.dumps(self.searches_say)[:-1] + ', "hits": {"hits": [' + hits + "]}}"


def _expanded(source: Mapping[str, Any]) -> dict[str, Any]:
    """As a dot in a row's name is understood: as a member of an object. The last one of a name is taken."""
    found: dict[str, Any] = {}
    for name, value in source.items():
        *path, last = name.split(".")
        if not all((*path, last)):
            raise Wrong(400, "mapper_parsing_exception", f"a name that cannot be [{value}]")
        within = found
        for step in path:
            there = within.get(step)
            within[step] = dict(there) if isinstance(there, dict) else {}
            within = within[step]
        there = within.get(last)
        within[last] = {**there, **value} if isinstance(there, dict) and isinstance(value, dict) else value
    return found


def _guess(source: dict[str, Any], mappings: dict[str, Any]) -> None:
    """From the first row that has a member, for all that come later."""
    for name, value in source.items():
        if value is not None:
            kind = "long" if isinstance(value, int) else "text"
            guess = {"properties": {}} if isinstance(value, dict) else {"type": kind}
            mappings.setdefault("properties", {}).setdefault(name, guess)


def _check(source: dict[str, Any], mappings: Mapping[str, Any]) -> None:
    for name, value in source.items():
        if name in _METADATA:
            raise Wrong(400, "mapper_parsing_exception", f"Field [{name}] is a metadata field")
        if not name or name.startswith(".") or name.endswith("."):
            raise Wrong(400, "mapper_parsing_exception", f"a name that cannot be [{value}]")
    for name, about in mappings.get("properties", {}).items():
        value = source.get(name)
        if "properties" in about:
            if isinstance(value, dict):
                _check(value, about)
            elif value is not None:
                raise Wrong(400, "mapper_parsing_exception", f"found a concrete value [{value}]")
        elif value is not None and "type" in about:
            for one in value if isinstance(value, list) else [value]:
                if one is not None and not _KINDS[about["type"]](one):
                    raise Wrong(400, "mapper_parsing_exception", f"failed to parse field [{name}]: '{one}'")


def _indexed(source: Mapping[str, Any], properties: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, about in properties.items():
        value = source.get(name)
        if "properties" in about and isinstance(value, dict):
            found |= _indexed(value, about["properties"], f"{before}{name}.")
        elif value is not None:
            found[before + name] = value
    return found


def _matches(values: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    for what, about in query.items():
        match what:
            case "term":
                if any(values.get(name) != value for name, value in about.items()):
                    return False
            case "range":
                ((name, limits),) = about.items()
                value = values.get(name)
                if value is None or value < limits.get("gte", value) or value >= limits.get("lt", value + 1):
                    return False
            case "bool":
                if _matches(values, about["must_not"]):
                    return False
            case _:
                raise Wrong(400, "parsing_exception", f"unknown query [{what}]")
    return True


def _hit(index: str, id: str, document: Document | None, only: bool | list[str], sort: list[Any] | None = None) -> str:
    hit: dict[str, Any] = {"_index": index, "_id": id, "found": document is not None}
    if document is None:
        return json.dumps(hit)
    hit |= {"_seq_no": document.number, "_primary_term": document.term}
    if sort is not None:
        hit["sort"] = sort
    if only is False:
        return json.dumps(hit)
    source = document.source
    if only is not True:
        source = json.dumps({name: member for name, member in json.loads(source).items() if name in only})
    return json.dumps(hit)[:-1] + f', "_source": {source}}}'
