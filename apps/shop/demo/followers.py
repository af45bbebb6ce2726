"""The lower part of the architecture's picture: the marketplace's topic, and the order book with what follows it."""

from dataclasses import dataclass

from showing.markup import element, text

from demo.shapes import arrow, border, box, code, frame, function, table, transaction

TOPIC_HEIGHT, BOOK_HEIGHT = 268, 344


@dataclass(frozen=True)
class TopicFlow:
    """Figures that stand on the topic's arrows."""

    told: int
    ended: int


@dataclass(frozen=True)
class BookFlow:
    """Figures that stand on the order book's arrows."""

    commands: int
    changes: int
    pages: int
    rows: int


def topic(flow: TopicFlow) -> list[str]:
    """Left to right: topic, a queue for each department, fan-in, the end."""
    return [
        *border(TOPIC_HEIGHT, "FanOutTopic “OrderPlaced”"),
        *box(14, 116, 104, 84, "Marketplace", "tells twice", "outside"),
        *arrow("M118 158 H 204", f"{flow.told:,} told", 157, 147),
        *box(206, 116, 146, 84, "Topic", "one message", "queue"),
        *[part for department in _DEPARTMENTS for part in _department(*department)],
        *box(752, 78, 214, 60, "Fan-in", "a result each, or a deadline", "table"),
        *arrow("M859 138 V 180", f"{flow.ended:,} ended", 869, 164, anchor="start"),
        *box(752, 182, 214, 84, "Completions", "", "consumer"),
        *code(771, 218, 176, "marketplace:finish"),
    ]


def book(flow: BookFlow) -> list[str]:
    """Above the commands, left to right; below the views, and back to who asks."""
    return [
        *border(BOOK_HEIGHT, "CqrsTable “OrderBook”"),
        frame(14, 54, 104, 186, "outside"),
        text(66, 140, "Sales desks", "name", "middle"),
        text(66, 159, "for customers", "note", "middle"),
        *arrow("M118 96 H 494", f"{flow.commands:,} commands", 306, 85),
        *function(498, 61, "POST /order-book/…", "bookkeeping:decide"),
        *arrow("M674 96 H 750", "", 712, 85),
        *transaction(44, [("Claims", "command ids", "table"), ("Orders", "same version", "table")]),
        *arrow("M859 172 V 212", f"{flow.changes:,} changes, by the stream", 849, 196, anchor="end"),
        *box(752, 214, 214, 124, "Projector", "", "consumer"),
        *code(771, 246, 176, "bookkeeping:by_customer"),
        *code(771, 276, 176, "bookkeeping:revenue"),
        text(859, 324, "each row by its version", "note", "middle"),
        *arrow("M752 276 H 676", "", 712, 265),
        *table(498, 214, "ByCustomer", f"{flow.rows:,} rows", "table"),
        *table(498, 258, "Revenue", "exact sums", "table"),
        *table(498, 302, "Sales", "a document", "table"),
        *box(206, 208, 176, 64, "GET queries", "pages, sums, a document", "consumer"),
        *arrow("M498 232 H 384"),
        *arrow("M206 232 H 120", f"{flow.pages:,} shown", 157, 221),
        *box(206, 286, 176, 60, "Rebuild", "scan · compare · flip", "alarm"),
        *arrow("M382 316 H 440 V 240 H 496", "", 0, 0, kind="arrow dashed"),
    ]


_DEPARTMENTS = (
    (50, "Inventory", "marketplace:pick"),
    (124, "Invoicing", "marketplace:invoice"),
    (198, "Analytics", "marketplace:analyse"),
)


def _department(y: int, name: str, what: str) -> list[str]:
    """Its queue waits in front of it."""
    middle = y + 35
    letters = [
        element("rect", class_="letter", x=456 + 12 * i, y=middle - 5, width=9, height=9, rx=2) for i in range(3)
    ]
    filtered = "large ones" if name == "Analytics" else ""
    return [
        *arrow(f"M352 158 H 388 V {middle} H 494", filtered, 424, middle - 9),
        *letters,
        *function(498, y, name, what),
        *arrow(f"M674 {middle} H 712 V 108 H 750"),
    ]
