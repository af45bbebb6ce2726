"""The picture of what the demo deploys, with the figures of the run on its arrows, as inline SVG."""

from dataclasses import dataclass

from showing.markup import element, text

from demo import followers
from demo.followers import BookFlow, TopicFlow
from demo.shapes import ARROW_HEAD, arrow, border, box, code, frame, function, transaction


@dataclass(frozen=True)
class Flow:
    """Figures that stand on the arrows."""

    calls: int
    accepted: int
    shown: int
    paid: int
    past_the_api: int
    cap: int
    fulfilled: int
    dead_lettered: int
    redriven: int
    topic: TopicFlow
    book: BookFlow


def picture(flow: Flow) -> str:
    """Above the API: gateway, functions, one transaction. Below what it leads to: a queue, a topic, an order book."""
    return element(
        "svg",
        ARROW_HEAD,
        element("rect", class_="border", x=196, y=14, width=790, height=_DOWN - 28, rx=14),
        text(212, 36, "ApiProxy “Api”", "border-name"),
        text(212, 54, "in grey: what the shop brings", "note"),
        *_front_door(flow),
        *_functions(flow),
        *transaction(44, [_PAID, ("Claims", "key and answer", "table"), ("Payments", "one a key", "outside")]),
        element("g", *_queue(flow), transform=f"translate(0 {_DOWN})"),
        element("g", *followers.topic(flow.topic), transform=f"translate(0 {_TOPIC})"),
        element("g", *followers.book(flow.book), transform=f"translate(0 {_BOOK})"),
        *arrow(f"M279 184 V {_DOWN + 86}", _accepted(flow), 290, _DOWN + 5, anchor="start"),
        class_="architecture",
        viewBox=f"0 0 1000 {_BOOK + followers.BOOK_HEIGHT + 28}",
        role="img",
        aria_label="Architecture: gateway, functions, queue, transactions, dead letters, a topic, an order book",
    )


_DOWN = 246  # where the queue's part begins
_TOPIC = _DOWN + 358
_BOOK = _TOPIC + followers.TOPIC_HEIGHT + 14
_PAID = ("Orders", "if not paid yet", "outside")


def _accepted(flow: Flow) -> str:
    return f"{flow.accepted:,} accepted (202), no function"


def _front_door(flow: Flow) -> list[str]:
    return [
        *box(14, 84, 104, 84, "Sales desks", "a token each", "outside"),
        *arrow("M118 126 H 204", f"{flow.calls:,} calls", 157, 115),
        *box(206, 70, 146, 112, "Gateway", "size · schema · rate", "queue"),
        *code(218, 126, 122, "auth:identify"),
        text(279, 170, "who is calling?", "note", "middle"),
    ]


def _functions(flow: Flow) -> list[str]:
    return [
        *function(498, 58, "GET /orders/{…}", "orders:get"),
        *function(498, 148, "POST /payments", "payments:take"),
        *arrow("M352 112 H 424 V 94 H 494", f"{flow.shown:,} shown", 460, 84),
        *arrow("M352 144 H 424 V 184 H 494", f"{flow.paid:,} told", 460, 174),
        *arrow("M674 94 H 750", "reads", 712, 83, kind="arrow dashed"),
        *arrow("M674 184 H 750", "by its key", 712, 173),
    ]


def _queue(flow: Flow) -> list[str]:
    """Left to right: queue, gate, consumers, one transaction over three tables; below: dead letters."""
    return [
        *border(344, "LoadLeveledQueue “Fulfilment”"),
        *_way_in(flow),
        *_consumer(flow),
        *transaction(46, [("Claims", "if the key is new", "table"), ("Orders", "the order", "outside"), _TAKEN]),
        *_way_back(flow),
    ]


_TAKEN = ("Stock", "if enough on hand", "outside")


def _way_in(flow: Flow) -> list[str]:
    letters = [element("rect", class_="letter", x=222 + 17 * i, y=148, width=13, height=13, rx=2) for i in range(7)]
    return [
        *box(14, 88, 104, 84, "Others", "past the API", "outside"),
        *arrow("M118 130 H 204", f"{flow.past_the_api:,} sent", 157, 119),
        *box(206, 88, 146, 84, "Queue", "holds the burst", "queue"),
        *letters,
        *arrow("M352 130 H 408"),
        element("path", class_="gate", d="M412 84 l 30 20 v 52 l -30 20 z"),
        text(427, 126, "cap", "gate-name", "middle"),
        text(427, 144, str(flow.cap), "gate-figure", "middle"),
        *arrow("M444 130 H 494"),
    ]


def _consumer(flow: Flow) -> list[str]:
    behind = [frame(498 + 6 * i, 80 - 6 * i, 176, 100, "consumer") for i in (2, 1)]
    return [
        *behind,
        *box(498, 80, 176, 100, "Consumer", "", "consumer"),
        *code(510, 112, 152, "orders:fulfil"),
        text(586, 160, "claims, retries, dead letters", "note", "middle"),
        *arrow("M686 130 H 750", f"{flow.fulfilled:,}", 717, 119),
    ]


def _way_back(flow: Flow) -> list[str]:
    return [
        *arrow("M586 180 V 262", f"{flow.dead_lettered:,} with a reason", 596, 228, anchor="start"),
        *box(498, 264, 176, 76, "Dead-letter queue", "body unchanged", "dead"),
        *arrow("M498 302 H 279 V 176", f"{flow.redriven:,} redriven after the fix", 388, 293, kind="arrow dashed"),
        text(388, 320, "serverless-patterns redrive", "mono", "middle"),
        *box(790, 264, 176, 76, "Alarms", "age · dead letters · errors", "alarm"),
        *arrow("M674 302 H 788", "watched", 731, 293, kind="arrow dashed"),
    ]
