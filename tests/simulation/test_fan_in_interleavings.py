"""Small scope, exhaustively: every order in which up to four branches, their sweep and their deaths can ask AWS."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from .fan_in_account import Deployed
from .fan_in_interleavings import BODY, Delivery, Scene
from .interleavings import FAULTS

CRASHES = ("crash before", "crash after")


@dataclass(frozen=True)
class Case:
    name: str
    deliveries: tuple[Delivery, ...]
    sweeps: int = 0
    faults: int = 0
    kinds: tuple[str, ...] = FAULTS
    least: int = 1
    """Orders: fewer would mean that something is not walked."""
    deployed: dict[str, Any] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    """Branches that the message never comes to."""

    def scene(self) -> Scene:
        names = dict.fromkeys((*(delivery.branch for delivery in self.deliveries), *self.others))
        branches = {name: not name.startswith("lease") for name in names}
        return Scene(
            Deployed(branches=branches, **self.deployed), self.deliveries, sweeps=self.sweeps, kinds=self.kinds
        )


def of(*names: str, **more: Any) -> tuple[Delivery, ...]:
    return tuple(Delivery(name, **more) for name in names)


OTHER = {**BODY, "amount": 7}

CASES = (
    Case("one branch", of("a"), sweeps=2),
    Case("four with Effects", of("a", "b", "c", "d"), least=10_000),
    Case("two of either kind", of("a", "b", "lease1", "lease2"), least=10_000),
    Case("four, and the deadline at any moment", of("a", "b", "c", "lease"), sweeps=1, least=1_000_000),
    Case("two, and two sweeps", of("a", "lease"), sweeps=2, least=100_000),
    Case("one never comes", of("a", "lease"), sweeps=2, others=("b",), least=10_000),
    Case(
        "a duplicate in one branch",
        (*of("a", "b"), Delivery("a", name="a again")),
        sweeps=1,
        least=100_000,
    ),
    Case(
        "a duplicate of a lease",
        (*of("lease", "b"), Delivery("lease", name="lease again")),
        least=1_000,
    ),
    Case(
        "one fails once, one refuses, one is large",
        (Delivery("a", "fails once"), Delivery("b", "refuses"), Delivery("c", "large")),
        sweeps=1,
        least=10_000,
    ),
    Case(
        "another message with the same key",
        (*of("a", "b"), *(Delivery(name, body=OTHER, name=f"{name} other") for name in ("a", "b"))),
        least=1_000,
    ),
    Case(
        "another message with the same key, and the deadline",
        (*of("a", "b"), Delivery("b", body=OTHER, name="b other")),
        sweeps=1,
        least=10_000,
    ),
    Case(
        "a deployment that does not know the third",
        of("a", "b", "c"),
        sweeps=1,
        deployed={"unknown": {"a": ("c",)}},
        least=10_000,
    ),
    Case(
        "the message names its branches, one that nobody is, and one not",
        of("a", "b"),
        sweeps=1,
        deployed={"expected_path": "branches"},
        least=100,
    ),
    Case("two, and any fault anywhere", of("a", "lease"), faults=1, least=3_000),
    Case("two, the deadline, and a death anywhere", of("a", "b"), sweeps=1, faults=1, kinds=CRASHES, least=100_000),
    Case(
        "two that hold leases, and two deaths anywhere", of("lease1", "lease2"), faults=2, kinds=CRASHES, least=10_000
    ),
    Case("two with Effects, and two deaths anywhere", of("a", "b"), faults=2, kinds=CRASHES, least=10_000),
    Case("three, and a death anywhere", of("a", "b", "lease"), faults=1, kinds=CRASHES, least=30_000),
    Case("one, its sweep, and any fault anywhere", of("a"), sweeps=1, faults=1, least=100),
    Case("one that fails, and two deaths anywhere", of("a", does="fails once"), sweeps=1, faults=2, kinds=CRASHES),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_order_of_requests_breaks_an_invariant(case: Case) -> None:
    scene = case.scene()
    orders = scene.explore(case.faults)
    assert orders >= case.least, f"{orders:,} orders"
    if case.faults:
        assert {kind for kind, _ in (one.rsplit(" ", 1) for one in scene.explorer.fired)} == set(case.kinds)
