"""What must hold after a run, whatever was broken on the way. Each check compares figures from two places."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from showing import timeline
from showing.check import Check, at_least, at_most, equal
from showing.deployed import DeadLetter

from demo import api_checks, saga_checks
from demo.book import checks as book_checks
from demo.move import checks as move_checks
from demo.outcome import Outcome, State
from demo.placed import checks as placed_checks
from demo.stock import quantities
from demo.wholesale import Order


def check(outcome: Outcome) -> list[Check]:
    """Every check of the demo, in the order in which a reader wants them."""
    return [
        *_conservation("after the drain", outcome, outcome.drained),
        *_conservation("after the redrive", outcome, outcome.final),
        *_once(outcome),
        *_dead_letters(outcome),
        *_redrive(outcome),
        *_load(outcome),
        *api_checks.check(outcome, _settled(outcome, outcome.drained)),
        equal("messages left in the queue", outcome.left, 0),
        *saga_checks.check(outcome.checkouts),
        *placed_checks.check(outcome.placed),
        *book_checks.check(outcome.book),
        *(move_checks.check(outcome.move) if outcome.move else ()),
        *[at_least(f"fault fired: {fault.name}", fault.fired, 1) for fault in outcome.faults],
    ]


def _conservation(when: str, outcome: Outcome, state: State) -> list[Check]:
    sent = {message.work for message in outcome.sent.values()}
    processed, dead = processed_work(outcome, state), dead_work(outcome, state.dead_letters)
    both = len(processed & dead)
    return [
        Check(
            f"processed + dead-lettered = sent, {when}",
            processed | dead == sent and not both,
            len(processed) + len(dead),
            len(sent),
        ),
    ]


def _once(outcome: Outcome) -> list[Check]:
    """Twice would show in the stock, changed content in the rows."""
    orders = _orders_by_id(outcome)
    rows = outcome.final.orders
    ordered = quantities(orders[order_id] for order_id in rows if order_id in orders)
    left = {
        product: outcome.opening.on_hand.get(product, 0) + outcome.restocked.get(product, 0) - ordered[product]
        for product in outcome.opening.on_hand.keys() | outcome.restocked.keys()
    }
    wrong = [
        product
        for product in left.keys() | outcome.final.stock.keys()
        if left.get(product) != outcome.final.stock.get(product)
    ]
    return [
        Check("each order fulfilled once", rows.keys() == orders.keys(), len(rows), len(orders)),
        equal("stock = opening stock - ordered, pieces", sum(outcome.final.stock.values()), sum(left.values())),
        equal("products whose stock is off", len(wrong), 0),
        equal("orders whose total or text changed on the way", len(_changed(outcome, rows)), 0),
    ]


def _dead_letters(outcome: Outcome) -> list[Check]:
    letters = outcome.drained.dead_letters
    hopeless = outcome.traffic.work("impossible", "refused", "malformed")
    dead = dead_work(outcome, letters)
    # Distinct: a function that dies between dead-lettering and acknowledging leaves a second copy.
    reused = dead_work(outcome, [letter for letter in letters if letter.error_type == "IdempotencyKeyReused"])
    return [
        equal("healthy orders dead-lettered", len(dead - hopeless - _contradictory(outcome)), 0),
        Check("hopeless messages dead-lettered, distinct", hopeless <= dead, len(hopeless & dead), len(hopeless)),
        equal("same order id, other content: refused", len(reused), len(outcome.traffic.of_kind("contradiction"))),
        equal("dead letters with their reason", sum(bool(letter.reason) for letter in letters), len(letters)),
        equal(
            "dead letters with their body unchanged",
            sum(_unchanged(outcome, letter) for letter in letters),
            len(letters),
        ),
    ]


def _redrive(outcome: Outcome) -> list[Check]:
    redriven = dead_work(outcome, outcome.redriven)
    gained = outcome.final.orders.keys() - outcome.drained.orders.keys()
    return [
        Check(
            "redriven = fulfilled, distinct orders", gained == redriven and bool(redriven), len(gained), len(redriven)
        )
    ]


def _load(outcome: Outcome) -> list[Check]:
    depth = max((sample.waiting + sample.received for sample in outcome.samples), default=0)
    return [
        at_most("peak invocations at once", timeline.peak(timeline.in_flight(outcome.invocations)), outcome.cap),
        at_least("peak depth of the queue: ten times the cap", depth, 10 * outcome.cap),
    ]


def _settled(outcome: Outcome, state: State) -> set[str]:
    return processed_work(outcome, state) | dead_work(outcome, state.dead_letters)


def processed_work(outcome: Outcome, state: State) -> set[str]:
    """The pieces of work that are in the orders table. A row names the message that wrote it."""
    return {_work(outcome, row["correlation_id"]) for row in state.orders.values()}


def dead_work(outcome: Outcome, letters: Iterable[DeadLetter]) -> set[str]:
    return {_work(outcome, letter.correlation_id) for letter in letters}


def _work(outcome: Outcome, correlation_id: str) -> str:
    message = outcome.sent.get(correlation_id)
    return message.work if message else f"never sent: {correlation_id}"


def _orders_by_id(outcome: Outcome) -> dict[str, Order]:
    """What should stand in the orders table in the end."""
    sound = [message for message in outcome.traffic.messages if message.kind in ("order", "impossible")]
    return {message.work: message.order for message in sound}


def _contradictory(outcome: Outcome) -> set[str]:
    """Both sides of each contradiction: chance decides which one comes first."""
    contradictions = outcome.traffic.of_kind("contradiction")
    return {message.work for message in contradictions} | {message.order["order_id"] for message in contradictions}


def _unchanged(outcome: Outcome, letter: DeadLetter) -> bool:
    message = outcome.sent.get(letter.correlation_id)
    return message is not None and message.body == letter.body


def _changed(outcome: Outcome, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Order ids whose row differs from the message that wrote it."""
    changed = []
    for order_id, row in rows.items():
        message = outcome.sent.get(row["correlation_id"])
        sent = message.order if message else {}
        same = sent and row["total"] == total(sent) and all(row[name] == sent[name] for name in ("customer", "ship_to"))
        if not same:
            changed.append(order_id)
    return changed


def total(order: Order) -> Decimal:
    """The total as a clerk would work it out, on purpose not by the shop's code: lines in cents, then the freight."""
    cents = 0
    for line in order["lines"]:
        price, percent = Decimal(repr(line["unit_price"])) * 100, 100 - Decimal(repr(line["discount"])) * 100
        cents += int((price * line["quantity"] * percent / 100).to_integral_value(ROUND_HALF_UP))
    return Decimal(cents) / 100 + Decimal(repr(order["freight"]))
