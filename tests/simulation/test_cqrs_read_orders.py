"""In every order of commands, projections, deaths and a flip a query shows the version that it asks for, or later."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from .cqrs_read_orders import Scene


@dataclass(frozen=True)
class Case:
    name: str
    states: Any
    faults: int = 0
    least: int = 1
    """Orders: fewer would mean that something is not walked."""
    scene: dict[str, Any] = field(default_factory=dict)

    def made(self) -> Scene:
        return Scene(self.states, **self.scene)


CHANGED = ({"a": 1, "b": 1}, {"a": 2, "b": 1})
MOVED = ({"a": 1, "b": 1}, {"b": 1, "c": 1})
BACK = ({"a": 1}, {"a": 2}, {"a": 1})
AWAY = ({"a": 1, "b": 1}, {"a": 2}, {"b": 3})
GONE = ({"a": 1, "b": 1}, None, {"a": 1})

CASES = (
    Case("a row changes", CHANGED),
    Case("a row comes", ({"a": 1}, {"a": 1, "b": 1})),
    Case("a row goes and another comes", MOVED, least=40),
    Case("all rows go", ({"a": 1, "b": 1}, None)),
    Case("nothing of the row changes", ({"a": 1}, {"a": 1})),
    Case("a row changes, and changes back", BACK, least=100),
    Case("rows go and come, twice", AWAY, least=1_000),
    Case("the order is deleted, and comes again", GONE, least=1_000),
    Case("three commands", (*BACK, {"b": 1}), least=10_000),
    Case("a page of one row", AWAY, least=1_000, scene={"limit": "1"}),
    Case("a flip", MOVED, least=1_000, scene={"flip": True}),
    Case("a flip, not known before", CHANGED, least=100, scene={"flip": True, "cached": False}),
    Case("deaths of the projector", MOVED, 2, 1_000),
    Case("deaths, and a later command", BACK, 1, 1_000),
    Case("a total", CHANGED, scene={"totals": True}),
    Case("a total that goes back", BACK, least=100, scene={"totals": True}),
    Case("a total of what is deleted", GONE, least=100, scene={"totals": True}),
    Case("a total and a flip", CHANGED, least=100, scene={"totals": True, "flip": True}),
    Case("a total, and a death anywhere", BACK, 1, 1_000, {"totals": True}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_order_of_requests_shows_less_than_was_asked_for(case: Case) -> None:
    scene = case.made()
    orders = scene.explore(case.faults)
    assert orders >= case.least, f"{orders:,} orders"
    assert scene.shown, "it was never shown"
