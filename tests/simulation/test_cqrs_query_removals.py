"""Without any one of these safeguards, some order of requests shows too little, or leaves a document behind."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_queries import newness, query_door
from serverless_patterns_runtime.cqrs_queries.query_door import Door
from serverless_patterns_runtime.cqrs_views.building import Building
from serverless_patterns_runtime.cqrs_views.documents import Documents

from . import test_cqrs_documents_orders, test_cqrs_read_orders
from .cqrs_document_orders import Scene
from .cqrs_document_times import DocumentTimes
from .dynamodb_model import DynamoDB

Patch = pytest.MonkeyPatch
REMOVALS: list[Any] = []
READS = {case.name: case for case in test_cqrs_read_orders.CASES}
MINUTES = "minutes of changes"
DOCUMENTS = {case.name: case for case in test_cqrs_documents_orders.CASES}


def removal(name: str, case: str, violates: str) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    def register(take_out: Callable[[Patch], None]) -> Callable[[Patch], None]:
        REMOVALS.append(pytest.param(take_out, case, violates, id=name))
        return take_out

    return register


@pytest.mark.parametrize(("take_out", "case", "violates"), REMOVALS)
def test_without_it_an_order_of_requests_breaks_an_invariant(
    take_out: Callable[[Patch], None], case: str, violates: str, monkeypatch: Patch
) -> None:
    take_out(monkeypatch)
    with pytest.raises(AssertionError, match=violates):
        explore(case)


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/cqrs_table.md").read_text()
    _, _, listed = page.partition("### Safeguards of documents and queries")
    names = re.findall(r"^- ([^*`].*)$", listed.partition("\n### ")[0], re.MULTILINE)
    assert names == [removal.id for removal in REMOVALS]
    assert len(set(names)) == len(names) >= 12


def explore(case: str) -> None:
    if case == MINUTES:
        for seed in range(20):
            DocumentTimes(seed).run()
        return
    if case in DOCUMENTS:
        Scene(**DOCUMENTS[case].scene).explore(DOCUMENTS[case].faults)
        return
    scene = READS[case].made()
    scene.explore(READS[case].faults)
    assert scene.shown, "it was never shown"


# Reading.


@removal("a row that is older is shown only if it is what the aggregate says now", "a row changes", "a is shown as 1")
def _(patch: Patch) -> None:
    original = newness.shows

    def shows(looked: Any, query: Any, asked: Any, expected: Any) -> bool:
        seen = [row._replace(version=99) if row.row is not None else row for row in looked.found.seen]
        return original(looked._replace(found=looked.found._replace(seen=seen)), query, asked, expected)

    patch.setattr(query_door, "shows", shows)


@removal("a row that is not there yet is waited for", "a row comes", "b is shown as None")
def _(patch: Patch) -> None:
    patch.setattr(newness, "_is_there", lambda *_: True)


@removal("a row that has not changed since is new enough", "nothing of the row changes", "never shown")
def _(patch: Patch) -> None:
    patch.setattr(newness.Newness, "rows", lambda *_: {})


@removal("what is contributed is read before the sum", "a total", "shown: {.*'n': 2}")
def _(patch: Patch) -> None:
    def _new_total(self: Any, asked: Any, invocation: Any, read: Any) -> Any:
        expected = self.newness.amounts(self.newness.aggregate(asked, invocation), invocation)

        def look() -> Any:
            generation = self.pointer.read(fresh=True).live
            measures = read(generation)
            known = self.totals.contribution(generation, asked.key)
            return measures if known.version >= asked.version or known.amounts == expected else None

        return self.patience.until(look, invocation.remaining)

    patch.setattr(Door, "_new_total", _new_total)


@removal("a total waits for its contribution", "a total", "shown: {.*'n': 2}")
def _(patch: Patch) -> None:
    patch.setattr(Door, "_new_total", lambda self, *rest: rest[-1](self.pointer.read(fresh=True).live))


# Documents.


@removal("the mark is taken away before anything is read", "two changes, two deliveries", "behind its source")
def _(patch: Patch) -> None:
    original = Building.build

    def build(self: Any, make: Any) -> bool:
        made = make()
        return original(self, lambda: made)

    patch.setattr(Building, "build", build)


@removal("a build is kept only over an earlier one", "two changes, two deliveries", "replaced by an earlier one")
def _(patch: Patch) -> None:
    unconditionally(patch, "content")


@removal("a build that was begun and not kept is made again", "a change, and any fault anywhere", "never built")
def _(patch: Patch) -> None:
    patch.setattr(Building, "_again", lambda _: None)


@removal("a mark whose message was lost gets another", "a sweep, and any fault anywhere", "never built")
def _(patch: Patch) -> None:
    patch.setattr(Documents, "sweep", lambda _: 0)


@removal("a document that is marked has its message already", "two changes, two deliveries", "several messages")
def _(patch: Patch) -> None:
    original = Documents._mark
    patch.setattr(Documents, "_mark", lambda self, name: original(self, name) or True)


@removal("a message waits until the document may be built again", MINUTES, "builds in")
def _(patch: Patch) -> None:
    original = Documents._send
    patch.setattr(Documents, "_send", lambda self, name, seconds: original(self, name, 0))  # noqa: ARG005


@removal("another generation has its documents built", "another generation meanwhile", "another generation|behind")
def _(patch: Patch) -> None:
    original = Documents.mark
    patch.setattr(Documents, "mark", lambda self, views: None if self.new_name() == "flip" else original(self, views))


def unconditionally(patch: Patch, kind: str) -> None:
    original = DynamoDB.put_item

    def put_item(self: Any, **request: Any) -> Any:
        if request["Item"].get("item", {}).get("S", "").startswith(kind):
            for part in ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"):
                request.pop(part)
        return original(self, **request)

    patch.setattr(DynamoDB, "put_item", put_item)
