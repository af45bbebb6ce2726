"""Indexes and the alias: made, shown and dropped, and only where they are this view's own."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_open_search.connection import OpenSearchConnection, unavailable
from serverless_patterns_runtime.cqrs_open_search.contract import ABOUT, Shape
from serverless_patterns_runtime.cqrs_views.sink import Misshapen, NotOurs, SinkUnavailable

__all__ = ["Indexes"]

_OURS = "serverless-patterns"
_FIELDS = {"id": "keyword", "part": "long", "deleted": "boolean", "expires_at": "long"}
_LIVE = {"bool": {"must_not": {"term": {f"{ABOUT}.deleted": True}}}}
ROUNDS = 5


class Indexes(NamedTuple):
    connection: OpenSearchConnection
    alias: str
    """Of the live generation; the others' names begin with it."""
    owner: str
    """Of whom the generations are: no two have the same, not even an app that is deployed again."""
    shape: Shape

    def rows(self, generation: int) -> str:
        """What its documents are reached by."""
        return f"{self.alias}_g{generation}_rows"

    def make(self, generation: int) -> None:
        name = self._name(generation)
        if self._found(name):
            return
        ours = {ABOUT: {"properties": {field: {"type": kind} for field, kind in _FIELDS.items()}}}
        body: dict[str, Any] = {
            "settings": self.shape["settings"],
            "mappings": {
                # OpenSearch's guesses depend on which row comes first: one order would be refused, another not.
                "dynamic": False,
                "_meta": {_OURS: {"owner": self.owner, "generation": generation}},
                "properties": {**self.shape["mappings"], **ours},
            },
            "aliases": {self.rows(generation): {}},
        }
        answer = self.connection.ask("PUT", f"/{name}", json.dumps(body), 400)
        if answer.status == 400:
            if answer.error != "resource_already_exists_exception":
                raise Misshapen(f"the view's mappings or settings: {answer.reason}")
            self._found(name)

    def show(self, generation: int) -> None:
        """One that comes late does not hide a later generation."""
        said = ""
        for _ in range(ROUNDS):
            shown = self._found(self.alias)
            latest = max([generation, *shown])
            if [*shown] == [latest]:
                return
            add = {"index": self._name(latest), "alias": self.alias, "filter": _LIVE}
            # Where another one has removed them meanwhile, nothing of all this happens.
            others = [{"index": self._name(one), "alias": self.alias, "must_exist": True} for one in shown]
            actions = [*({"remove": one} for one in others if one["index"] != add["index"]), {"add": add}]
            answer = self.connection.ask("POST", "/_aliases", json.dumps({"actions": actions}), 400, 404)
            if answer.status == 400:  # an OpenSearch that does not know `must_exist`, among others
                raise SinkUnavailable(f"OpenSearch 2.12 or later is needed, and refuses the flip: {answer.reason}")
            said = answer.error
        raise unavailable(404, said)

    def drop(self, generation: int) -> None:
        name = self._name(generation)
        aliases = self._found(name).get(generation)
        if aliases is None:
            return
        if self.alias in aliases:
            raise SinkUnavailable(f"the alias {self.alias} still shows {name}")
        self.connection.ask("DELETE", f"/{name}", "", 404)

    def _name(self, generation: int) -> str:
        return f"{self.alias}_g{generation}"

    def _found(self, name: str) -> Mapping[int, Mapping[str, Any]]:
        """By generation, the aliases of the indexes that are reached by a name."""
        answer = self.connection.ask("GET", f"/{name}", "", 404)
        found: dict[int, Mapping[str, Any]] = {}
        reached: dict[str, Any] = answer.body if answer.status == 200 else {}
        for index, known in reached.items():
            mark = known["mappings"].get("_meta", {}).get(_OURS, {})
            if mark.get("owner") != self.owner or index != self._name(mark["generation"]):
                raise NotOurs(
                    f"{index} is there and belongs to something else: delete it, or give the sink another index"
                )
            found[mark["generation"]] = known["aliases"]
        return found
