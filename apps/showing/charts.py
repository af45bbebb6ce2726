"""Charts over time as inline SVG. Colours and fonts come from the page's style sheet, so that both themes work."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from showing.markup import element, line, text
from showing.timeline import Point

WIDTH = 1000
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 30, 30


@dataclass(frozen=True)
class Series:
    name: str
    points: Sequence[Point]
    """Seconds since the start, value."""
    colour: str
    """CSS class."""
    shape: Literal["area", "line", "step"] = "line"


@dataclass(frozen=True)
class Span:
    """A phase of the run, shaded and named."""

    start: float
    end: float
    name: str


@dataclass(frozen=True)
class Mark:
    """Something that happened: a numbered flag."""

    at: float
    label: str
    hint: str


@dataclass(frozen=True)
class Note:
    """Words about a stretch of time in one chart."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Axis:
    """The time axis that all charts of a page share."""

    until: float
    spans: Sequence[Span] = field(default_factory=tuple)
    marks: Sequence[Mark] = field(default_factory=tuple)

    def x(self, second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(second, 0), self.until) / self.until


def chart(
    title: str,
    series: Sequence[Series],
    axis: Axis,
    *,
    height: int = 190,
    limit: tuple[float, str] | None = None,
    notes: Sequence[Note] = (),
) -> str:
    """One chart; the first series is painted first. `limit`: a value that must not be passed, and what to call it."""
    values = [value for one in series for _, value in one.points] + ([limit[0]] if limit else [])
    y = _Scale(_nice_top(max(values, default=1)), height - BOTTOM)
    picture = element(
        "svg",
        *[_span(span, axis, y, shaded=number % 2 == 0) for number, span in enumerate(axis.spans)],
        *_grid(y, axis),
        *[_series(one, axis, y) for one in series],
        *([_limit(limit, y)] if limit else []),
        *[_note(note, axis, y) for note in notes],
        *[_mark(mark, flag, axis, y) for mark, flag in zip(axis.marks, _flags(axis), strict=True)],
        line(-9, TOP, -9, y.bottom, "cursor"),
        class_="chart",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=title,
    )
    legend = [element("span", escape(one.name), class_=f"key {one.colour}") for one in series]
    return element("figure", element("figcaption", element("b", escape(title)), *legend), picture)


@dataclass(frozen=True)
class _Scale:
    top: float
    """The value at the upper edge."""
    bottom: int
    """Where 0 is drawn."""

    def __call__(self, value: float) -> float:
        return self.bottom - (self.bottom - TOP) * value / self.top


def ticks(top: float, count: int = 5) -> list[float]:
    """Round numbers from 0 to at most `top`, about `count` of them."""
    raw = top / count
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor >= raw * 0.999)
    return [step * i for i in range(math.floor(top / step + 1e-9) + 1)]


def _nice_top(highest: float) -> float:
    """A little air above the highest value, up to the next tick."""
    step = ticks(max(highest, 1) * 1.05, 4)[1]
    return math.ceil(max(highest, 1) * 1.05 / step) * step


def _grid(y: _Scale, axis: Axis) -> list[str]:
    drawn = []
    for value in ticks(y.top, 4):
        drawn.append(line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid"))
        drawn.append(text(LEFT - 8, y(value) + 4, f"{value:,g}", "tick", "end"))
    for second in ticks(axis.until, 10):
        x = axis.x(second)
        drawn.append(line(x, y.bottom, x, y.bottom + 5, "grid"))
        drawn.append(text(x, y.bottom + 19, f"{second:g} s", "tick", "middle"))
    return drawn


def _series(series: Series, axis: Axis, y: _Scale) -> str:
    points = _steps(series.points) if series.shape == "step" else list(series.points)
    if not points:
        return ""
    path = " ".join(f"{axis.x(at):.1f},{y(value):.1f}" for at, value in points)
    outline = element("polyline", class_=f"line {series.colour}", points=path)
    if series.shape == "line":
        return outline
    left, right = axis.x(points[0][0]), axis.x(points[-1][0])
    closed = f"{left:.1f},{y(0):.1f} {path} {right:.1f},{y(0):.1f}"
    return element("polygon", class_=f"area {series.colour}", points=closed) + outline


def _steps(points: Sequence[Point]) -> list[Point]:
    """A value holds until the next one."""
    drawn: list[Point] = []
    for at, value in points:
        if drawn:
            drawn.append((at, drawn[-1][1]))
        drawn.append((at, value))
    return drawn


def _limit(limit: tuple[float, str], y: _Scale) -> str:
    value, name = limit
    name_above = text(WIDTH - RIGHT - 6, y(value) - 6, name, "limit-name", "end")
    return line(LEFT, y(value), WIDTH - RIGHT, y(value), "limit") + name_above


def _span(span: Span, axis: Axis, y: _Scale, shaded: bool) -> str:
    """Shaded or not, so that neighbours differ; named where the name has room."""
    left, right = axis.x(span.start), axis.x(span.end)
    area = element("rect", class_="span", x=left, y=TOP - 24, width=right - left, height=y.bottom - TOP + 24)
    name = text((left + right) / 2, TOP - 10, span.name, "span-name", "middle")
    fits = right - left > 7 * len(span.name) + 6
    return (area if shaded else "") + (name if fits else "")


def _note(note: Note, axis: Axis, y: _Scale) -> str:
    left, right, height = axis.x(note.start), axis.x(note.end), (TOP + y.bottom) // 2
    ends = [line(x, height - 4, x, height + 4, "bracket") for x in (left, right)]
    return "".join([line(left, height, right, height, "bracket"), *ends]) + text(
        (left + right) / 2, height - 9, note.text, "note", "middle"
    )


def _flags(axis: Axis) -> list[float]:
    """Where each mark's flag stands: above its stem, or further right where the one before needs the place."""
    placed: dict[int, float] = {}
    for number, mark in sorted(enumerate(axis.marks), key=lambda entry: entry[1].at):
        placed[number] = max([axis.x(mark.at), *[x + 20 for x in placed.values()]])
    return [placed[number] for number in range(len(axis.marks))]


def _mark(mark: Mark, flag: float, axis: Axis, y: _Scale) -> str:
    x = axis.x(mark.at)
    return element(
        "g",
        element("title", escape(mark.hint)),
        line(x, TOP, x, y.bottom, "stem"),
        element("circle", cx=flag, cy=TOP + 6, r=9),
        text(flag, TOP + 10, mark.label, "number", "middle"),
        class_="mark",
    )
