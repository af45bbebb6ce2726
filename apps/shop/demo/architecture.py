"""The picture of what the demo deploys, with the figures of the run on its arrows, as inline SVG."""

from dataclasses import dataclass

from showing.markup import element, text


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


def picture(flow: Flow) -> str:
    """Above the API: gateway, functions, one transaction. Below the queue that it fills, as far as the dead letters."""
    return element(
        "svg",
        _ARROW_HEAD,
        element("rect", class_="border", x=196, y=14, width=790, height=_DOWN - 28, rx=14),
        text(212, 36, "ApiProxy “Api”", "border-name"),
        text(212, 54, "in grey: what the shop brings", "note"),
        *_front_door(flow),
        *_functions(flow),
        *_transaction(44, [_PAID, ("Claims", "key and answer", "table"), ("Payments", "one a key", "outside")]),
        element("g", *_queue(flow), transform=f"translate(0 {_DOWN})"),
        *_arrow(f"M279 184 V {_DOWN + 86}", _accepted(flow), 290, _DOWN + 5, anchor="start"),
        class_="architecture",
        viewBox=f"0 0 1000 {_DOWN + 372}",
        role="img",
        aria_label="Architecture: callers, gateway, functions, queue, cap, consumers, transactions, dead-letter queue",
    )


_DOWN = 246  # where the queue's part begins
_PAID = ("Orders", "if not paid yet", "outside")


def _accepted(flow: Flow) -> str:
    return f"{flow.accepted:,} accepted (202), no function"


def _front_door(flow: Flow) -> list[str]:
    return [
        *_box(14, 84, 104, 84, "Sales desks", "a token each", "outside"),
        *_arrow("M118 126 H 204", f"{flow.calls:,} calls", 157, 115),
        *_box(206, 70, 146, 112, "Gateway", "size · schema · rate", "queue"),
        element("rect", class_="code", x=218, y=126, width=122, height=26, rx=5),
        text(279, 143, "auth:identify", "code-name", "middle"),
        text(279, 170, "who is calling?", "note", "middle"),
    ]


def _functions(flow: Flow) -> list[str]:
    return [
        *_function(58, "GET /orders/{…}", "orders:get"),
        *_function(148, "POST /payments", "payments:take"),
        *_arrow("M352 112 H 424 V 94 H 494", f"{flow.shown:,} shown", 460, 84),
        *_arrow("M352 144 H 424 V 184 H 494", f"{flow.paid:,} told", 460, 174),
        *_arrow("M674 94 H 750", "reads", 712, 83, kind="arrow dashed"),
        *_arrow("M674 184 H 750", "by its key", 712, 173),
    ]


def _function(y: int, route: str, function: str) -> list[str]:
    return [
        *_box(498, y, 176, 70, route, "", "consumer"),
        element("rect", class_="code", x=510, y=y + 34, width=152, height=26, rx=5),
        text(586, y + 51, function, "code-name", "middle"),
    ]


def _queue(flow: Flow) -> list[str]:
    """Left to right: queue, gate, consumers, one transaction over three tables; below: dead letters."""
    return [
        element("rect", class_="border", x=196, y=14, width=790, height=344, rx=14),
        text(970, 36, "LoadLeveledQueue “Fulfilment”", "border-name", "end"),
        *_way_in(flow),
        *_consumer(flow),
        *_transaction(46, [("Claims", "if the key is new", "table"), ("Orders", "the order", "outside"), _TAKEN]),
        *_way_back(flow),
    ]


_TAKEN = ("Stock", "if enough on hand", "outside")

_ARROW_HEAD = element(
    "defs",
    element(
        "marker",
        element("path", class_="tip", d="M0 0 8 4 0 8z"),
        id="tip",
        viewBox="0 0 8 8",
        refX=7,
        refY=4,
        markerWidth=7,
        markerHeight=7,
        orient="auto",
    ),
)


def _way_in(flow: Flow) -> list[str]:
    letters = [element("rect", class_="letter", x=222 + 17 * i, y=148, width=13, height=13, rx=2) for i in range(7)]
    return [
        *_box(14, 88, 104, 84, "Others", "past the API", "outside"),
        *_arrow("M118 130 H 204", f"{flow.past_the_api:,} sent", 157, 119),
        *_box(206, 88, 146, 84, "Queue", "holds the burst", "queue"),
        *letters,
        *_arrow("M352 130 H 408"),
        element("path", class_="gate", d="M412 84 l 30 20 v 52 l -30 20 z"),
        text(427, 126, "cap", "gate-name", "middle"),
        text(427, 144, str(flow.cap), "gate-figure", "middle"),
        *_arrow("M444 130 H 494"),
    ]


def _consumer(flow: Flow) -> list[str]:
    behind = [_frame(498 + 6 * i, 80 - 6 * i, 176, 100, "consumer") for i in (2, 1)]
    return [
        *behind,
        *_box(498, 80, 176, 100, "Consumer", "", "consumer"),
        element("rect", class_="code", x=510, y=112, width=152, height=26, rx=5),
        text(586, 129, "orders:fulfil", "code-name", "middle"),
        text(586, 160, "claims, retries, dead letters", "note", "middle"),
        *_arrow("M686 130 H 750", f"{flow.fulfilled:,}", 717, 119),
    ]


def _transaction(y: int, tables: list[tuple[str, str, str]]) -> list[str]:
    return [
        element("rect", class_="transaction", x=752, y=y, width=214, height=172, rx=12),
        text(859, y + 20, "one transaction, or nothing", "note", "middle"),
        *[part for row, table in enumerate(tables) for part in _table(y + 32 + 44 * row, *table)],
    ]


def _way_back(flow: Flow) -> list[str]:
    return [
        *_arrow("M586 180 V 262", f"{flow.dead_lettered:,} with a reason", 596, 228, anchor="start"),
        *_box(498, 264, 176, 76, "Dead-letter queue", "body unchanged", "dead"),
        *_arrow("M498 302 H 279 V 176", f"{flow.redriven:,} redriven after the fix", 388, 293, kind="arrow dashed"),
        text(388, 320, "serverless-patterns redrive", "mono", "middle"),
        *_box(790, 264, 176, 76, "Alarms", "age · dead letters · errors", "alarm"),
        *_arrow("M674 302 H 788", "watched", 731, 293, kind="arrow dashed"),
    ]


def _box(x: int, y: int, width: int, height: int, name: str, note: str, kind: str) -> list[str]:
    middle = x + width // 2
    named = [_frame(x, y, width, height, kind), text(middle, y + 24, name, "name", "middle")]
    return [*named, text(middle, y + 43, note, "note", "middle")] if note else named


def _table(y: int, name: str, note: str, kind: str) -> list[str]:
    frame = _frame(772, y, 174, 36, kind)
    return [frame, text(784, y + 23, name, "name"), text(936, y + 23, note, "note small", "end")]


def _frame(x: int, y: int, width: int, height: int, kind: str) -> str:
    return element("rect", class_=f"box {kind}", x=x, y=y, width=width, height=height, rx=9)


def _arrow(
    path: str, label: str = "", x: int = 0, y: int = 0, *, anchor: str = "middle", kind: str = "arrow"
) -> list[str]:
    arrow = element("path", class_=kind, d=path, marker_end="url(#tip)")
    return [arrow, text(x, y, label, "flow", anchor)] if label else [arrow]
