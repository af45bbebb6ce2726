"""Payments of fulfilled orders, most of them asked for several times at once, and some that cannot be; and a look."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from demo.api import Call
from demo.desks import BOTH, Desks

PAYMENTS = 30
AT_ONCE = 6
"""How often each payment is asked for at the same moment."""
LOOKS = 30
SHARED_KEY = "till-receipt-1"
"""Two desks number their receipts alike; that makes them no duplicates."""
POST, GET = "POST /payments", "GET /orders/{order_id}"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Till:
    """Calls by the order in which they have to be made; within one round they may all be made at once."""

    desks: Desks
    paid: Sequence[Row]
    """Orders that are paid, each by one key."""
    unpaid: Sequence[Row]
    loses_answer: Row
    """An order whose payment is committed, and whose caller is not told at first."""

    @classmethod
    def among(cls, rows: Mapping[str, Row], desks: Desks, avoid: Sequence[str]) -> "Till":
        """`avoid`: orders that faults still wait for."""
        free = [row for order_id, row in sorted(rows.items()) if order_id not in avoid]
        count = min(PAYMENTS, len(free) // 3)
        return cls(desks, free[:count], free[count + 1 : 2 * count + 1], free[count])

    def payments(self) -> list[Call]:
        """Each as often as `AT_ONCE`, one beside the other."""
        return [call for call in self._first_calls() for _ in range(AT_ONCE)]

    def again(self) -> list[Call]:
        """Every payment once more, later."""
        return list(self._first_calls())

    def lost(self) -> tuple[Call, Call]:
        """The payment whose answer gets lost, and the same when its caller asks again."""
        desk = BOTH[0]
        told_of_a_failure = self._payment(desk, "till-lost", self.loses_answer, (500,))
        return told_of_a_failure, self._payment(desk, "till-lost", self.loses_answer, (201,))

    def mistakes(self) -> list[Call]:
        """What the business refuses, by callers who may ask."""
        desk, row = BOTH[0], self.paid[0]
        missing = {"order_id": "no-such-order", "total": 1}
        wrong = self.unpaid[0] | {"total": self.unpaid[0]["total"] + 1}
        return [
            self._payment(desk, _key(0), row | {"total": row["total"] + 1}, (422,), "the same key for something else"),
            self._payment(desk, "till-other", row, (409,), "an order that is paid already"),
            self._payment(desk, "till-wrong", wrong, (409,), "not the order's total"),
            self._payment(desk, "till-missing", missing, (404,), "no such order"),
        ]

    def looks(self) -> list[Call]:
        """At orders that are paid, that are not, and that are not there."""
        rows = [*self.paid[: LOOKS // 2], *self.unpaid[: LOOKS // 2]]
        shown = [self._look(row["order_id"], (200,)) for row in rows]
        return [*shown, self._look("no-such-order", (404,), "no such order")]

    def _first_calls(self) -> Iterator[Call]:
        desks = cycle(BOTH)
        for number, row in enumerate(self.paid):
            yield self._payment(next(desks), _key(number), row, (201,))

    def _payment(self, desk: str, key: str, row: Row, expected: tuple[int, ...], why: str = "") -> Call:
        body = {"order_id": row["order_id"], "amount": float(row["total"]), "method": "transfer"}
        headers = {"Content-Type": "application/json", "Idempotency-Key": key, **self.desks.headers(desk)}
        return Call(POST, expected, why, body=json.dumps(body).encode(), headers=headers, caller=desk)

    def _look(self, order_id: str, expected: tuple[int, ...], why: str = "") -> Call:
        return Call(GET, expected, why, f"/orders/{order_id}", headers=self.desks.headers("fair"), caller="fair")


def _key(number: int) -> str:
    return SHARED_KEY if number < len(BOTH) else f"till-{number}"
