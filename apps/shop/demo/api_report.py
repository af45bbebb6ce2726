"""The page's section on the API: who asked for what, what they were told, and how long it took."""

from collections import Counter
from html import escape

from showing.markup import element

from demo.api_figures import RouteFigures, by_route, refusals
from demo.outcome import Outcome

GOOD = range(200, 300)
TIMES = "\N{MULTIPLICATION SIGN}"


def route_rows(outcome: Outcome) -> str:
    """One row for each route."""
    return "".join(map(_route_row, by_route(outcome.answers)))


def refusal_rows(outcome: Outcome) -> str:
    """One row for each status: what was wrong with the calls that got it."""
    return "".join(_refusal_row(status, reasons) for status, reasons in refusals(outcome.answers).items())


def _route_row(route: RouteFigures) -> str:
    times = [f"{value:,.0f} ms" if value else "" for value in (route.p50, route.p95, route.p99)]
    name = element("b", escape(route.route)) + "<br>" + element("small", escape(route.behind))
    statuses = " ".join(_chip(status, f"{count:,}") for status, count in route.statuses.items())
    figures = [f"{route.calls:,}", f"{route.replays:,}", *times]
    cells = [element("td", figure, class_="figure") for figure in figures]
    return element("tr", element("td", name), cells[0], element("td", statuses), *cells[1:])


def _refusal_row(status: int, reasons: Counter[str]) -> str:
    told = ", ".join(escape(why) + (f" {TIMES} {count}" if count > 1 else "") for why, count in reasons.most_common())
    return element(
        "tr",
        element("td", _chip(status, "")),
        element("td", f"{reasons.total():,}", class_="figure"),
        element("td", told),
    )


def _chip(status: int, count: str) -> str:
    kind = "good" if status in GOOD else "bad" if status >= 500 else "refused"
    return element("span", element("b", str(status)), f" {TIMES} {count}" if count else "", class_=f"chip {kind}")
