"""The orders that a marketplace tells of: which departments see them, and what befalls some of them."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from demo import wholesale

LARGE = 10_000  # cents; analytics looks at no order below
INVENTORY, INVOICING, ANALYTICS = DEPARTMENTS = ("Inventory", "Invoicing", "Analytics")
UNLISTED = 9_999  # a product that the shop does not have
NO_MARKET = "Atlantis"
TOLD_TWICE = 0.25


@dataclass(frozen=True)
class Placement:
    """One order."""

    body: Mapping[str, Any]
    stalled: bool
    """Told of while analytics stands still."""
    fails_in: str = ""
    """The department that refuses it for good."""
    tellings: int = 1

    @property
    def order_id(self) -> str:
        return self.body["order_id"]

    @property
    def expected(self) -> frozenset[str]:
        """The departments that get it."""
        return frozenset(DEPARTMENTS if self.body["cents"] >= LARGE else (INVENTORY, INVOICING))

    @property
    def missing(self) -> frozenset[str]:
        """The departments that are not done when its time is over; none: it is ready before."""
        late = {ANALYTICS} if self.stalled else set()
        return self.expected & (late | {self.fails_in})

    @property
    def text(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode()


def plan(count: int, seed: int = 13) -> list[Placement]:
    """So many while all is well, among them some that one department refuses; as many while analytics stands still."""
    random, shapes = Random(seed), wholesale.generate(2 * count, seed)
    placed: list[Placement] = []
    for number, order in enumerate(shapes, 1):
        stalled = number > count
        fails_in = "" if stalled else {3: INVENTORY, 4: INVENTORY, 5: ANALYTICS, 6: ANALYTICS}.get(number, "")
        body = {"order_id": f"M{number:04}", **_content(order, fails_in)}
        placed.append(Placement(body, stalled, fails_in, 2 if random.random() < TOLD_TWICE else 1))
    return placed


def pieces(placed: Iterable[Placement]) -> Counter[int]:
    """Of each product, that orders want together that inventory does not refuse."""
    wanted: Counter[int] = Counter()
    for one in placed:
        if one.fails_in != INVENTORY:
            for line in one.body["lines"]:
                wanted[line["product_id"]] += line["quantity"]
    return wanted


def _content(order: wholesale.Order, fails_in: str) -> Mapping[str, Any]:
    lines = [
        {"product_id": line["product_id"], "unit_price": line["unit_price"], "quantity": 1 + line["quantity"] % 3}
        for line in order["lines"][:4]
    ]
    if fails_in == INVENTORY:
        lines.append({"product_id": UNLISTED, "unit_price": 1, "quantity": 1})
    if fails_in == ANALYTICS:
        lines[0]["unit_price"] = 150  # large enough to be seen by them
    country = NO_MARKET if fails_in == ANALYTICS else order["ship_to"]["country"]
    return {"customer": order["customer"], "country": country, "cents": _cents(lines), "lines": lines}


def _cents(lines: Sequence[Mapping[str, Any]]) -> int:
    prices = [Decimal(str(line["unit_price"])) * line["quantity"] for line in lines]
    return sum(int((100 * price).quantize(Decimal(1), ROUND_HALF_UP)) for price in prices)
