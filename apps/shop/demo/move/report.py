"""The page's section on the move: what share each route was given, and what share was seen."""

from html import escape
from typing import Any

from showing.charts import Axis, Mark, Series, chart
from showing.markup import element

from demo.api_figures import percentile
from demo.move.outcome import Move
from demo.move.plateaus import holds, shares
from demo.move.visit import BASKET, CATALOGUE, MOVING, PAGES, PROFILE, Visit

STRETCH_SECONDS = 1.0
TITLES = {
    PROFILE: "raised step by step",
    BASKET: "flipped there and back, then killed; what is sent again stays where it was",
    CATALOGUE: "half of the visitors, until a bad version rolls itself back",
}


HEADS = ("Route", "Requests", "Old side", "New side", "p50", "p95", "Lost or failed")
TOLD = (
    "Visitors with cookies log in and browse an old server, while three of its routes go to new functions by a command"
    " and without a deployment. Routers look at the table every five seconds: so long may a command take to hold."
    " Visitors stay on their side, what they put in a basket is there once, and nobody sees an error."
)


class Story:
    """All times are seconds since the first request."""

    def __init__(self, move: Move) -> None:
        self._move = move
        self._end = max((visit.at for visit in move.visits), default=move.begun + 1)

    def charts(self) -> str:
        return "".join(self._chart(route) for route in (PROFILE, BASKET, CATALOGUE))

    def figures(self) -> dict[str, Any]:
        """What the page shows beside the cursor."""
        charts = [{"set": self._set(route), "seen": self._seen(route)} for route in (PROFILE, BASKET, CATALOGUE)]
        return {"until": self._axis(CATALOGUE).until, "charts": charts}

    def _chart(self, route: str) -> str:
        series = [
            Series("set, percent", self._set(route), "age", "step"),
            Series("answered by the new side", self._seen(route), "waiting"),
        ]
        return chart(f"{route}: {TITLES[route]}", series, self._axis(route), height=170)

    def _axis(self, route: str) -> Axis:
        bad = self._move.bad_version_at
        marks = [
            Mark(setting.done - self._move.begun, "0", f"killed by {setting.by}")
            for setting in self._move.set_for(route)
            if setting.killed
        ]
        if bad and route == CATALOGUE:
            marks = [Mark(bad - self._move.begun, "!", "a bad version is deployed"), *marks]
        return Axis(until=self._end - self._move.begun, marks=marks)

    def _set(self, route: str) -> list[tuple[float, float]]:
        return [(round(at - self._move.begun, 2), value) for at, value in holds(self._move, route, self._end)]

    def _seen(self, route: str) -> list[tuple[float, float]]:
        seen = shares(self._move.of(route), self._move.begun, STRETCH_SECONDS)
        return [(round(at, 2), round(value)) for at, value in seen]


def section(move: Move) -> str:
    heads = [element("th", name, class_="figure" if name != "Route" else "") for name in HEADS]
    table = element("table", element("thead", element("tr", *heads)), element("tbody", *map(_row, figures(move))))
    told = element("p", escape(TOLD))
    return element("section", element("h2", "The site moves"), told, Story(move).charts(), table, data_run="move")


def figures(move: Move) -> list[list[str]]:
    """By the columns of `HEADS`: one row for each route that moves, and one for all that stays."""
    return [[route, *_figures(move.of(route))] for route in (*MOVING, PAGES)]


def tile(move: Move) -> tuple[str, str, str]:
    """Figure, name, and a few words."""
    lost = move.asked - sum(bool(visit.status) for visit in move.visits)
    return f"{len(move.visits):,}", "requests while routes moved", f"{len(move.settings)} commands, {lost} lost"


def _row(figures: list[str]) -> str:
    route, *more = figures
    return element("tr", element("td", escape(route)), *[element("td", cell, class_="figure") for cell in more])


def _figures(visits: list[Visit]) -> list[str]:
    times = [1000 * visit.seconds for visit in visits]
    new = sum(visit.side == "new" for visit in visits)
    return [
        *(f"{count:,}" for count in (len(visits), len(visits) - new, new)),
        *(f"{percentile(times, share):,.0f} ms" if times else "" for share in (50, 95)),
        f"{sum(visit.status >= 500 or not visit.status for visit in visits):,}",
    ]
