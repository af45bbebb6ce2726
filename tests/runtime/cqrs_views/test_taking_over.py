"""A row that passes from one aggregate to another while a late projector is about to write it."""

from collections.abc import Callable
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views import dynamodb_sink
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.filling import Filling

from .shop import ORDERS, Shop


def by_line(order: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"customer": "all", "order": line} for line in order["lines"]]


class Passing(Shop):
    """`mail` was of o-2, which let go of it; o-1 has it now, and its record is about to be projected."""

    def __init__(self) -> None:
        super().__init__()
        views = {ORDERS: self.projection.projector.views[ORDERS]._replace(call=by_line)}
        projector = self.projection.projector._replace(views=views)
        self.projection = self.projection._replace(projector=projector)
        self.put("o-2", 1, lines=["mail"])
        self.put("o-2", 2, lines=[])
        self.project()
        self.put("o-1", 1, lines=["mail"])

    def project_late(self, meanwhile: Callable[[], None], *, at: int = 2) -> None:
        """The record of o-1, whose aggregate was read when `meanwhile` happens."""
        puts = 0

        def meets(operation: str, arguments: dict[str, Any]) -> None:  # noqa: ARG001
            nonlocal puts
            puts += operation == "PutItem"
            if puts == at:  # the second one takes the tombstone's place
                self.client.meets = lambda *_: None
                meanwhile()

        record = self.records[2]
        self.client.meets = meets
        assert self.project([record]) == []
        assert puts == at

    def let_go(self) -> None:
        self.put("o-1", 2, lines=[])
        assert self.project(self.records[3:]) == []

    def pass_back_and_forth(self) -> None:
        self.let_go()
        for version, lines in ((3, ["mail"]), (4, [])):
            self.put("o-2", version, lines=lines)
            assert self.project(self.records[-1:]) == []

    def let_go_while_the_others_tombstone_comes_again(self) -> None:
        self.let_go()
        assert self.project(self.records[1:2]) == []


def test_who_has_it_now_gets_it() -> None:
    shop = Passing()
    shop.project_late(lambda: None)
    assert shop.rows().keys() == {("all", "mail")}


@pytest.mark.parametrize("meanwhile", [Passing.let_go, Passing.let_go_while_the_others_tombstone_comes_again])
def test_who_has_let_go_of_it_meanwhile_does_not(meanwhile: Callable[[Passing], None]) -> None:
    shop = Passing()
    shop.project_late(lambda: meanwhile(shop))
    assert shop.rows() == {}


def test_who_has_let_go_of_it_before_the_tombstone_was_seen_does_not_either() -> None:
    shop = Passing()
    shop.project_late(shop.pass_back_and_forth, at=1)
    assert shop.rows() == {}


def test_that_is_so_because_the_aggregate_is_read_after_the_tombstone_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Filling._current
    shop = Passing()
    model = shop.projection.projector.write_model
    (image,) = model.read_images(["o-1"], remaining=lambda: 5.0).values()
    early: list[Any] = [model.aggregate(image)]
    meanwhile: list[bool] = []

    def current(self: Any, key: str) -> Any:
        return original(self, key) if key == "o-2" or meanwhile else early[0]

    def pass_back_and_forth() -> None:
        meanwhile.append(True)
        shop.pass_back_and_forth()
        meanwhile.clear()

    monkeypatch.setattr(Filling, "_current", current)
    shop.project_late(pass_back_and_forth, at=1)
    assert shop.rows() != {}


def test_and_because_a_tombstone_takes_the_place_of_anothers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = DynamoDbSink._write

    def write(self: Any, generation: int, change: Any) -> Any:
        found = original(self, generation, change)
        return None if change.row is None else found

    monkeypatch.setattr(DynamoDbSink, "_write", write)
    shop = Passing()
    shop.project_late(shop.let_go)
    assert shop.rows() != {}


def test_and_because_no_tombstone_is_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    any_mark = dynamodb_sink._EXACTLY.replace("#row.#mark = :mark", "(#row.#mark = :mark OR #row.#mark <> :mark)")
    monkeypatch.setattr(dynamodb_sink, "_EXACTLY", any_mark)
    shop = Passing()
    shop.project_late(shop.let_go_while_the_others_tombstone_comes_again)
    assert shop.rows() != {}
