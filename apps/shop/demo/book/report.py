"""The page's section on the order book: how far the views were behind, and how one was rebuilt meanwhile."""

from html import escape
from typing import Any

from showing.charts import Axis, Series, Span, chart
from showing.markup import element
from showing.page import Tile, heads, row
from showing.timeline import Point

from demo.api import Answer
from demo.api_figures import percentile
from demo.book import checks
from demo.book.ledger import fold
from demo.book.orders import PLACE, ROUTES
from demo.book.outcome import REBUILD, Book

LAG, PLACED, SCANNED, VERIFIED, DIFFERENCES = "lag", "placed", "scanned", "compared", "differences"
TOLD = (
    "Customers place, change, pay, ship and cancel orders, several at once; every third command is sent twice under its"
    " id. Their lists, the revenue of each product and a dashboard follow the log. In the middle of it the list of"
    " orders is built anew, beside the one that is read: it is filled by a scan and by every change, compared order by"
    " order, and only then read. Readers of lists that nobody changes look on all the time. After each order its"
    " customer asks for a list that has it. Then somebody changes an order past the commands: the change is parked, and"
    " done when a command has followed and it is tried again."
)
COMPARED = "Compared by the demo, with what it was answered"


class Story:
    """All times are seconds since the first order."""

    def __init__(self, seen: Book) -> None:
        self._seen = seen
        self._zero = min(begin for begin, _ in seen.phases.values())
        placed = {
            answer.call.key: answer.at for answer in reversed(seen.answers) if _is_placing(answer)
        }  # first of two
        counted = [(self._second(at), float(number)) for number, at in enumerate(sorted(placed.values()), 1)]
        self._placed: list[Point] = [*counted, (self._axis().until, float(len(placed)))]
        self._lags: list[Point] = [(self._second(lag.at), round(lag.seconds, 2)) for lag in seen.lags]

    def charts(self) -> str:
        lag = Series("from a change until it is in every view, batch by batch", self._lags, "received", "step")
        parity = [
            Series("orders in the book", self._placed, "waiting", "step"),
            Series("orders scanned", self._told(SCANNED), "received", "step"),
            Series("orders compared", self._told(VERIFIED), "running", "step"),
            Series("differences", self._told(DIFFERENCES), "age", "step"),
        ]
        return chart("How far the views were behind, in seconds", [lag], self._axis(), height=200) + chart(
            "The rebuild, while commands come in", parity, self._axis(), height=230
        )

    def figures(self) -> dict[str, Any]:
        """What the page shows beside the cursor."""
        parity = {name: self._told(name) for name in (SCANNED, VERIFIED, DIFFERENCES)}
        return {"until": self._axis().until, "charts": [{LAG: self._lags}, {PLACED: self._placed, **parity}]}

    def _told(self, what: str) -> list[Point]:
        """By the rebuild's own figures."""
        _, ended = self._seen.phases[REBUILD]
        points = [
            (self._second(one.at), float({SCANNED: one.scanned, VERIFIED: one.verified}.get(what, one.differences)))
            for one in self._seen.progress
        ]
        return [*points, (self._second(ended), points[-1][1])] if points else []

    def _axis(self) -> Axis:
        spans = [Span(self._second(begin), self._second(end), name) for name, (begin, end) in self._seen.phases.items()]
        return Axis(until=max(span.end for span in spans), spans=spans)

    def _second(self, at: float) -> float:
        return round(at - self._zero, 2)


def section(seen: Book) -> str:
    compared = [row(escape(one.name), one.value, one.expected, figures=(1, 2)) for one in checks.check(seen)]
    struck = [row(f"<b>{escape(one.name)}</b><br><small>{escape(one.how)}</small>", one.fired) for one in seen.struck]
    return element(
        "section",
        element("h2", "The order book, and what follows it"),
        element("p", escape(TOLD)),
        Story(seen).charts(),
        element("h3", "In figures"),
        element(
            "table",
            heads("What", "Figure", figures=[1]),
            element("tbody", *[row(*line, figures=[1]) for line in figures(seen)]),
        ),
        element("h3", COMPARED),
        element("table", heads("What", "Seen", "Has to be", figures=[1, 2]), element("tbody", *compared)),
        element("h3", "What was broken on purpose meanwhile"),
        element("table", heads("Broken on the wire", "Strikes", figures=[1]), element("tbody", *struck)),
        data_run="book",
    )


def figures(seen: Book) -> list[tuple[str, str]]:
    """Names and values."""
    lags, waits = [lag.seconds for lag in seen.lags], [look.seconds for look in seen.looks]
    return [
        ("Orders, and commands that were accepted", f"{len(seen.orders):,} and {len(seen.entries):,}"),
        ("Second answers that were the first one, given again", f"{seen.replays:,}"),
        ("Sent again, with the same id, until there was an answer", f"{len(seen.asked_again):,}"),
        ("From a change until it is in every view, p50 and p95", _two(lags)),
        ("A look at one's own last write, p50 and p95", _two(waits)),
        ("Pages read by others during the rebuild", f"{len(seen.pages):,}"),
    ]


def tile(seen: Book) -> Tile:
    orders = fold(seen.entries)
    return f"{len(seen.entries):,}", "commands of the order book", f"{len(orders)} orders; a view rebuilt meanwhile"


def _is_placing(answer: Answer) -> bool:
    return answer.ok and answer.call.route == ROUTES[PLACE]


def _two(seconds: list[float]) -> str:
    return " and ".join(f"{percentile(seconds, percent):.2f} s" for percent in (50, 95)) if seconds else "-"
