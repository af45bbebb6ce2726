"""What customers are going to do: each has one order after the other, and each order a life of commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

PLACE, ADD, PAY, SHIP, CANCEL = "place", "add", "pay", "ship", "cancel"
PLACED, PAID, SHIPPED, CANCELLED = "PLACED", "PAID", "SHIPPED", "CANCELLED"
ROUTES = {
    PLACE: "POST /order-book",
    ADD: "POST /order-book/{order_id}/lines",
    PAY: "POST /order-book/{order_id}/pay",
    SHIP: "POST /order-book/{order_id}/ship",
    CANCEL: "POST /order-book/{order_id}/cancel",
}
PRODUCTS = range(1, 13)
TOLD_TWICE, FORGETFUL = 0.3, 0.25
HOT, HOT_CUSTOMER = "B-HOT", "everybody"
HOT_LINES = 50
SCRIBBLED, SCRIBBLED_CUSTOMER = "B-NOTE", "noted"
LIVES = ((PAY, SHIP), (ADD, PAY, SHIP), (ADD, PAY), (CANCEL,), (PAY, CANCEL), (ADD,), (PAY,))

Line = Mapping[str, int]


@dataclass(frozen=True)
class Command:
    name: str
    order_id: str
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tellings: int = 1
    """How often it is sent, under one id."""
    why: str = ""
    """What is wrong with it, where it has to be refused."""
    number: int = 1
    """Among those of this name for this order."""

    @property
    def id(self) -> str:
        return f"{self.order_id}-{self.name}-{self.number}{'-wrong' if self.why else ''}"

    @property
    def route(self) -> str:
        return ROUTES[self.name]


def life(customer: str, number: int) -> Sequence[Command]:
    """Of a customer's order of this number, counted from 1: always the same."""
    random, order_id = Random(f"{customer} {number}"), f"B-{customer}-{number:03}"
    lines = [_line(random) for _ in range(random.randint(1, 3))]
    done = [Command(PLACE, order_id, {"order_id": order_id, "customer_id": customer, "lines": lines})]
    for name in LIVES[(number + len(customer) + random.randrange(2)) % len(LIVES)]:
        if name == ADD:
            lines = [*lines, _line(random)]
        if name == PAY and random.random() < FORGETFUL:
            done.append(Command(PAY, order_id, {"cents": total(lines) + 1}, why="another amount than the order's"))
        if name == SHIP and random.random() < FORGETFUL:
            done.append(Command(CANCEL, "B-NOBODY", number=len(done), why="an order that there is not"))
        body: dict[str, Any] = {ADD: {"line": lines[-1]}, PAY: {"cents": total(lines)}}.get(name, {})
        done.append(Command(name, order_id, body))
    return [_told(random, one) for one in done]


def hot() -> tuple[Command, Sequence[Command]]:
    """One order, and fifty lines that as many people add to it at once."""
    random = Random(HOT)
    place = Command(PLACE, HOT, {"order_id": HOT, "customer_id": HOT_CUSTOMER, "lines": [_line(random)]})
    return place, [Command(ADD, HOT, {"line": _line(random)}, number=n) for n in range(1, HOT_LINES + 1)]


def scribbled() -> tuple[Command, Command]:
    """Before and after somebody changes the order past the commands."""
    lines = [{"product_id": PRODUCTS[0], "cents": 1_500, "quantity": 2}]
    placed = {"order_id": SCRIBBLED, "customer_id": SCRIBBLED_CUSTOMER, "lines": lines}
    return Command(PLACE, SCRIBBLED, placed), Command(PAY, SCRIBBLED, {"cents": total(lines)})


def total(lines: Sequence[Line]) -> int:
    """In cents."""
    return sum(line["cents"] * line["quantity"] for line in lines)


def _line(random: Random) -> Line:
    return {
        "product_id": random.choice(PRODUCTS),
        "cents": random.randint(50, 20_000),
        "quantity": random.randint(1, 9),
    }


def _told(random: Random, command: Command) -> Command:
    twice = not command.why and random.random() < TOLD_TWICE
    return Command(command.name, command.order_id, command.body, 2 if twice else 1, command.why, command.number)
