"""A day at the shop without AWS: every message handled in memory, as the deployed shop is meant to handle it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo import burst, stock, traffic, wholesale
from demo.desks import Desks
from demo.outcome import Fault, Outcome, Sample, State
from demo.till import Till
from demo.traffic import Message
from orders import fulfil
from showing.deployed import DeadLetter
from showing.timeline import Handled
from showing.timeline import Invocation as Run

from serverless_patterns_runtime import Effects, Invocation, PermanentError, Update
from serverless_patterns_runtime.testing import Table, commit
from tests.runtime import shop_book, shop_evening, shop_move, shop_placed
from tests.runtime.shop_api import FakeApi

NOON = 1_790_000_000.0
CAP = 5


@dataclass
class Shop:
    opening: stock.Opening
    claims: dict[str, str] = field(default_factory=dict)
    dead_letters: dict[str, DeadLetter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = [{"product_id": product, "on_hand": count} for product, count in self.opening.on_hand.items()]
        self.orders, self.stock = Table(key=("order_id",)), Table(key=("product_id",), items=rows)
        self.payments = Table(key=("payment_id",))

    def take(self, message_id: str, body: str) -> None:
        try:
            order = json.loads(body, parse_constant=_not_a_number)
            claimed = self.claims.get(order["order_id"])
        except (ValueError, TypeError, KeyError):
            return self._bury(message_id, body, "not a message for us", "MalformedPayload")
        if claimed is not None:
            return None if claimed == body else self._bury(message_id, body, "another payload", "IdempotencyKeyReused")
        try:
            effects = fulfil(order, Invocation.fake(idempotency_key=order["order_id"], correlation_id=message_id))
            commit(effects, {"ORDERS": self.orders, "STOCK": self.stock})
        except PermanentError as error:
            return self._bury(message_id, body, error.message, type(error).__name__)
        self.claims[order["order_id"]] = body
        return None

    def restock(self, pieces: Mapping[int, int]) -> None:
        arrivals = [
            Update("STOCK", {"product_id": product}, add={"on_hand": count}) for product, count in pieces.items()
        ]
        commit(Effects(writes=arrivals), {"STOCK": self.stock})

    def redrive(self, reason: str) -> list[DeadLetter]:
        back = [letter for letter in self.dead_letters.values() if reason in letter.reason]
        for letter in back:
            del self.dead_letters[letter.correlation_id]
        for letter in back:
            self.take(letter.correlation_id, letter.body)
        return back

    def state(self) -> State:
        return State(
            orders={row["order_id"]: row for row in self.orders.items},
            stock={row["product_id"]: row["on_hand"] for row in self.stock.items},
            payments=self.payments.items,
            dead_letters=list(self.dead_letters.values()),
        )

    def _bury(self, message_id: str, body: str, reason: str, error_type: str) -> None:
        self.dead_letters[message_id] = DeadLetter(f"dead {message_id}", body, reason, error_type, message_id)


def play(orders: Sequence[wholesale.Order] | None = None) -> Outcome:
    """A whole day: everything sent, drained, restocked and redriven."""
    orders = orders or wholesale.generate(80)
    opening = stock.opening_stock(orders)
    planned = traffic.plan(orders, opening)
    shop = Shop(opening)
    api = FakeApi({"ORDERS": shop.orders, "PAYMENTS": shop.payments}, clock=lambda: NOON)
    desks = Desks("a key", NOON)
    answers = [api.call(call) for call in burst.calls(planned, desks)]
    sent: dict[str, Message] = {f"message-{number}": message for number, message in enumerate(planned.past_the_api)}
    sent |= {one.correlation_id: one.message for one in burst.accepted(answers)}
    for correlation_id, message in sent.items():
        shop.take(correlation_id, message.body)
    drained = shop.state()
    till = Till.among(drained.orders, desks, [])
    for calls in (till.payments(), till.lost(), till.again(), till.mistakes(), till.looks()):
        answers += [api.call(call) for call in calls]
    restocked = stock.shortage(orders, opening)
    shop.restock(restocked)
    redriven = shop.redrive("out of stock")
    checkouts = shop_evening.play()
    return Outcome(
        cap=CAP,
        opening=opening,
        restocked=restocked,
        traffic=planned,
        answers=[*answers, *checkouts.answers],
        sent=sent,
        drained=drained,
        redriven=redriven,
        final=shop.state(),
        left=0,
        checkouts=checkouts,
        move=shop_move.play(),
        placed=shop_placed.play(),
        book=shop_book.play(),
        samples=[Sample(NOON + second, max(0, 90 - 10 * second), 5, 3) for second in range(20)],
        phases={
            "send": (NOON, NOON + 1),
            "drain": (NOON + 1, NOON + 12),
            "pay": (NOON + 12, NOON + 14),
            "redrive": (NOON + 14, NOON + 16),
        },
        **_log(sent),
    )


def _log(sent: Mapping[str, Message]) -> dict[str, Any]:
    return {
        "invocations": [Run(f"run-{n}", NOON + n // CAP, NOON + n // CAP + 0.9) for n in range(40)],
        "sent_at": dict.fromkeys(sent, NOON),
        "handled": [
            Handled(NOON + 1 + 10 * n / len(sent), message_id, message_id, "Succeeded", 1)
            for n, message_id in enumerate(sent)
        ],
        "faults": [
            Fault("Answer <lost>", "cut", 'order "1" & 2', 3, NOON + 2),
            Fault("Killed", "-9", "gone", 1, NOON + 4),
        ],
    }


def _not_a_number(name: str) -> None:
    raise ValueError(name)
