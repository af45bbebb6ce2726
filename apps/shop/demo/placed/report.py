"""The page's section on a marketplace's orders: how each department kept up, and how the orders ended."""

from html import escape
from typing import Any

from showing.charts import Axis, Series, Span, chart
from showing.markup import element
from showing.page import Tile, heads, row
from showing.timeline import Point

from demo.api_figures import percentile
from demo.placed.checks import READY
from demo.placed.orders import ANALYTICS, DEPARTMENTS, INVENTORY, INVOICING
from demo.placed.outcome import Placed

COLOURS = {INVENTORY: "waiting", INVOICING: "received", ANALYTICS: "running"}
ENDED = "ended"
TOLD = (
    "A marketplace tells of an order until it is answered, so often twice. One message goes to three departments, to"
    " analytics only if it is a large order; each has a queue of its own. An order is ready when every department that"
    " got it is done. Then analytics stands still: the others do not notice, and at the deadline the orders go on, with"
    " what is missing by name. What analytics does later is done, and no longer counts."
)
HEADS = ("Department", "Orders", "Processed", "Dead letters", "Second tellings", "p50", "p95")


class Story:
    """All times are seconds since the first telling."""

    def __init__(self, seen: Placed) -> None:
        self._seen = seen
        self._zero = min(begin for begin, _ in seen.phases.values())
        done = {name: seen.departments[name].done_at() for name in DEPARTMENTS}
        ended = seen.completions.done_at()
        self._done = {name: self._steps([*at.values()]) for name, at in {**done, ENDED: ended}.items()}

    def chart(self) -> str:
        series = [Series(name, self._done[name], COLOURS[name]) for name in DEPARTMENTS]
        ended = Series("orders that have ended", self._done[ENDED], "age")
        return chart("Orders done, by department", [ended, *series], self._axis(), height=250)

    def figures(self) -> dict[str, Any]:
        """What the page shows beside the cursor."""
        return {"until": self._axis().until, "charts": [self._done]}

    def _axis(self) -> Axis:
        spans = [Span(begin - self._zero, end - self._zero, name) for name, (begin, end) in self._seen.phases.items()]
        return Axis(until=max(span.end for span in spans), spans=spans)

    def _steps(self, times: list[float]) -> list[Point]:
        times = sorted(times)
        counted = [(round(at - self._zero, 2), float(number)) for number, at in enumerate(times, 1)]
        return [(0.0, 0.0), *counted, (round(self._axis().until, 2), float(len(times)))]


def section(seen: Placed) -> str:
    body = element("tbody", *[row(*cells, figures=range(1, 7)) for cells in figures(seen)])
    table = element("table", heads(*HEADS, figures=range(1, 7)), body)
    missing = [one for one in seen.orders if one.missing]
    names = sorted({", ".join(sorted(one.missing)) for one in missing})
    ends = [
        row("READY", sum(it["status"] == READY for it in seen.rows.values()), "every department's result"),
        *[row("ATTENTION", _ended_without(seen, name), f"without {escape(name)}") for name in names],
    ]
    ended = element("table", heads("Ended", "Orders", "With", figures=[1]), element("tbody", *ends))
    struck = [row(f"<b>{escape(one.name)}</b><br><small>{escape(one.how)}</small>", one.fired) for one in seen.struck]
    faults = element("table", heads("Broken on the wire", "Strikes", figures=[1]), element("tbody", *struck))
    return element(
        "section",
        element("h2", "Orders from a marketplace"),
        element("p", escape(TOLD)),
        Story(seen).chart(),
        element("h3", "How long each department took, from 202 to done: all well, then with analytics at a standstill"),
        table,
        element("h3", "How the orders ended"),
        ended,
        element("h3", "What was broken on purpose meanwhile"),
        faults,
        data_run="placed",
    )


def figures(seen: Placed) -> list[list[str]]:
    """By the columns of `HEADS`."""
    return [_figures(seen, name) for name in DEPARTMENTS]


def tile(seen: Placed) -> Tile:
    ready = sum(one["status"] == READY for one in seen.rows.values())
    return f"{len(seen.rows):,}", "marketplace orders ended", f"{ready} ready, {len(seen.rows) - ready} at the deadline"


def _figures(seen: Placed, name: str) -> list[str]:
    department = seen.departments[name]
    again = sum(line.outcome == "Duplicate" for line in department.handled)
    orders = sum(name in one.expected for one in seen.orders)
    times = [
        " / ".join(_seconds(seen.seconds(name, stalled=stalled), percent) for stalled in (False, True))
        for percent in (50, 95)
    ]
    counts = (orders, len(department.done_at()), len(department.buried), again)
    return [escape(name), *(f"{count:,}" for count in counts), *times]


def _seconds(times: list[float], percent: float) -> str:
    return f"{percentile(times, percent):.2f} s" if times else "-"


def _ended_without(seen: Placed, names: str) -> int:
    return sum(", ".join(sorted(one["missing"])) == names for one in seen.rows.values())
