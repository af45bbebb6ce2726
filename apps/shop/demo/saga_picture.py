"""The saga as inline SVG: steps to the right, what undoes them to the left, and how many checkouts went each way."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from showing.markup import element, text

from demo.sagas import Execution
from demo.troubles import COMPENSATED, COMPENSATION_PARKED, ENDS, FORWARD_PARKED, MANAGER, SUCCEEDED

WIDTH, HEIGHT = 1160, 62
FORWARD, BACK, PARKED = 40, 170, 300  # upper edges of the three rows
MARGIN, END, BESIDE = 6, 178, 14  # the columns of the ends: from the side, how wide, and from the steps
UNDO, PARK = "Undo ", "Park "
_NAMES = {
    "Compensated": COMPENSATED,
    "CompensationParked": COMPENSATION_PARKED,
    "ForwardParked": FORWARD_PARKED,
    "Manager asked": MANAGER,
}
"""What states are called here."""
_HIDDEN = ("Undone", MANAGER)  # choices: between two ends, and whether anybody has to be asked

Way = tuple[str, str]
"""From a state to the next, or to the end."""


def ways(executions: Iterable[Execution]) -> Counter[Way]:
    """How many executions went from one state to the next, and from the last to how they ended."""
    counted: Counter[Way] = Counter()
    for execution in executions:
        states = [_NAMES.get(state, state) for state in execution.path if state not in _HIDDEN]
        counted.update(pairwise([*states, *([SUCCEEDED] if execution.status == SUCCEEDED else [])]))
    return counted


def picture(executions: Sequence[Execution], steps: Sequence[str], resumed: Mapping[Way, int]) -> str:
    """The steps in their order; ways that nobody took are left out. `resumed`: from one end to another, by hand."""
    drawn = _Drawing(executions, steps)
    return element(
        "svg",
        *drawn.boxes(),
        *drawn.lines(),
        *drawn.by_hand(resumed),
        class_="architecture saga",
        viewBox=f"0 0 {WIDTH} {PARKED + HEIGHT + 16}",
        role="img",
        aria_label="Saga: steps, what undoes them, what is parked, and how many checkouts went each way",
    )


class _Drawing:
    def __init__(self, executions: Sequence[Execution], steps: Sequence[str]) -> None:
        self._ways = ways(executions)
        self._began = Counter(execution.path[0] for execution in executions if execution.path)
        self._failed = Counter(_NAMES.get(state, state) for execution in executions for state in execution.failed)
        column = (WIDTH - 2 * (MARGIN + END + BESIDE)) / len(steps)
        self._half = min(160, column - 44) / 2
        right = WIDTH - MARGIN - END / 2
        self._at = {
            COMPENSATED: (MARGIN + END / 2, BACK),
            COMPENSATION_PARKED: (MARGIN + END / 2, PARKED),
            SUCCEEDED: (right, FORWARD),
            FORWARD_PARKED: (right, PARKED),
        }
        for number, step in enumerate(steps):
            x = MARGIN + END + BESIDE + column * (number + 0.5)
            self._at |= {step: (x, FORWARD), f"{UNDO}{step}": (x, BACK), f"{PARK}{step}": (x, PARKED)}
        self._steps = steps

    def _is_between(self, begin: str, end: str) -> bool:
        """Whether there are steps between."""
        return end in self._steps and self._steps.index(end) > self._steps.index(begin) + 1

    def boxes(self) -> list[str]:
        """What somebody came to, and the steps."""
        seen = {state for way in self._ways for state in way}
        return [part for state in self._at if state in seen for part in self._box(state)]

    def lines(self) -> list[str]:
        """Every way that was taken, with its count."""
        begin = self._left(self._steps[0])
        start = _line([(MARGIN + 30, FORWARD + HEIGHT / 2), (begin, FORWARD + HEIGHT / 2)], "forward")
        count = _count((MARGIN + 30 + begin) / 2, FORWARD + HEIGHT / 2 - 8, f"{self._began.total():,} checkouts")
        return [start, count, *[part for way, n in self._ways.items() for part in self._way(*way, n)]]

    def by_hand(self, resumed: Mapping[Way, int]) -> list[str]:
        """Up from what is parked, to how it ended."""
        drawn: list[str] = []
        for (begin, end), count in resumed.items():
            (x, y), (to_x, to_y) = self._at[begin], self._at[end]
            drawn += [
                _line([(x, y), (to_x, to_y + HEIGHT)], f"{_kind(end)} dashed"),
                _count((x + to_x) / 2 + 8, (y + to_y + HEIGHT) / 2 + 4, f"{count:,} resumed", "start"),
            ]
        return drawn

    def _box(self, state: str) -> list[str]:
        x, y = self._at[state]
        half, failed = self._half_of(state), self._failed[state]
        reached = sum(n for (_, to), n in self._ways.items() if to == state)
        counted = f"{failed:,} tries failed" if failed and state != MANAGER else ""  # no is an answer
        note = f"{reached:,}" if state in ENDS else counted
        return [
            element("rect", class_=f"box {_kind(state)}", x=x - half, y=float(y), width=2 * half, height=HEIGHT, rx=9),
            text(x, y + 26, state, "name", "middle"),
            text(x, y + 46, note, "note", "middle"),
        ]

    def _way(self, begin: str, end: str, count: int) -> list[str]:
        """Straight where it can be, else around a corner or two."""
        (x, y), (to_x, to_y) = self._at[begin], self._at[end]
        number, middle = f"{count:,}", HEIGHT / 2
        if y == to_y and begin in self._steps and self._is_between(begin, end):  # over what is left out
            corners = [(x, y), (x, y - 22), (to_x, y - 22), (to_x, y)]
            return [_line(corners, _kind(end)), _count(x + 8, y - 8, number, "start")]
        if y == to_y:  # along a row
            side, other = (self._right(begin), self._left(end)) if x < to_x else (self._left(begin), self._right(end))
            return [
                _line([(side, y + middle), (other, y + middle)], _kind(end)),
                _count((side + other) / 2, y + (46 if y == PARKED else 23), number),
            ]
        if x == to_x:  # along a column
            return [_line([(x, y + HEIGHT), (x, to_y)], _kind(end)), _count(x + 8, to_y - 12, number, "start")]
        if y < to_y and begin.startswith(UNDO):  # undone as well as may be, and another one is parked
            lane = self._left(begin) - 20
            corners = [(self._left(begin), y + 48), (lane, y + 48), (lane, to_y + 16), (self._right(end), to_y + 16)]
            return [_line(corners, _kind(end)), _count(lane + 6, to_y - 22, number, "start")]
        if y < to_y:  # from a step that had no effect to what undoes those before it
            corners = [(x - 30, y + HEIGHT), (x - 30, to_y - 34), (to_x + 30, to_y - 34), (to_x + 30, to_y)]
            return [_line(corners, _kind(end)), _count(x - 38, y + HEIGHT + 18, number, "end")]
        lane = self._left(begin) - 20  # from what is parked on to what else there is to undo
        corners = [
            (self._left(begin), y + middle),
            (lane, y + middle),
            (lane, to_y + 48),
            (self._right(end), to_y + 48),
        ]
        return [_line(corners, _kind(end)), _count(lane + 6, y - 22, number, "start")]

    def _left(self, state: str) -> float:
        return self._at[state][0] - self._half_of(state)

    def _right(self, state: str) -> float:
        return self._at[state][0] + self._half_of(state)

    def _half_of(self, state: str) -> float:
        return END / 2 if state in ENDS else self._half


def _kind(state: str) -> str:
    """CSS class."""
    if state in (COMPENSATION_PARKED, FORWARD_PARKED) or state.startswith(PARK):
        return "parked"
    return "back" if state == COMPENSATED or state.startswith(UNDO) else "forward"


def _line(corners: Sequence[tuple[float, float]], kind: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return element("polyline", class_=f"arrow {kind}", points=points, marker_end="url(#tip)")


def _count(x: float, y: float, count: str, anchor: str = "middle") -> str:
    return text(x, y, count, "flow", anchor)
