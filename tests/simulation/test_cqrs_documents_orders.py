"""Every order in which changes, builds, sweeps and their deaths can ask AWS ends with the document of the source."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from .cqrs_document_orders import Scene

CRASHES = ("crash before", "crash after")


@dataclass(frozen=True)
class Case:
    name: str
    faults: int = 0
    least: int = 1
    """Orders: fewer would mean that something is not walked."""
    scene: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("one change, one delivery", scene={"most_builds": 1}),
    Case("two changes, two deliveries", least=1_000, scene={"changes": 2, "deliveries": 2, "most_builds": 2}),
    Case("two changes, three deliveries", least=10_000, scene={"changes": 2, "deliveries": 3}),
    Case("two changes, a delivery and a sweep", least=1_000, scene={"changes": 2, "sweeps": 1}),
    Case("two sweeps", least=100, scene={"sweeps": 2}),
    Case("objects", least=1_000, scene={"changes": 2, "deliveries": 2, "in_bucket": True, "kinds": ()}),
    Case("a change, and any fault anywhere", faults=1, least=100, scene={"deliveries": 2}),
    Case("two changes, and two deaths anywhere", 2, 10_000, {"changes": 2, "kinds": CRASHES}),
    Case("two deliveries, and two deaths anywhere", 2, 1_000, {"deliveries": 2, "kinds": CRASHES}),
    Case("objects, and any fault anywhere", 1, 1_000, {"deliveries": 2, "in_bucket": True}),
    Case("a sweep, and any fault anywhere", 1, 100, {"sweeps": 1}),
    Case("another generation meanwhile", least=1_000, scene={"changes": 1, "deliveries": 2, "flips": True}),
    Case("another generation, and a death anywhere", 1, 1_000, {"flips": True, "kinds": CRASHES}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_order_of_requests_leaves_a_document_behind(case: Case) -> None:
    scene = Scene(**case.scene)
    orders = scene.explore(case.faults)
    assert orders >= case.least, f"{orders:,} orders"
    if case.faults:
        assert {kind for kind, _ in (one.rsplit(" ", 1) for one in scene.explorer.fired)} == set(scene.kinds)
