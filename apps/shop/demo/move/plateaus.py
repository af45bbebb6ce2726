"""The times in which a route's share holds everywhere, and those in which a command is still on its way."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from demo.move.outcome import Move
from demo.move.routes import Setting
from demo.move.tales import SEEN_WITHIN
from demo.move.visit import Side, Visit


class Plateau(NamedTuple):
    percent: float
    visits: Sequence[Visit]
    """Sent after every router had looked, and answered before the next command."""


def plateaus(move: Move, route: str) -> list[Plateau]:
    """The first is from before any command: 0 percent."""
    settings = move.set_for(route)
    begins = [(0.0, -inf), *((0.0 if one.killed else one.percent, one.done + SEEN_WITHIN) for one in settings)]
    ends = [*(one.asked for one in settings), inf]
    visits = move.of(route)
    return [
        Plateau(percent, [visit for visit in visits if begin <= visit.begun and visit.at <= end])
        for (percent, begin), end in zip(begins, ends, strict=True)
    ]


def sides(visits: Iterable[Visit]) -> Mapping[int, set[Side]]:
    """By visitor."""
    seen: dict[int, set[Side]] = defaultdict(set)
    for visit in visits:
        seen[visit.visitor].add(visit.side)
    return seen


def strays(move: Move, setting: Setting) -> list[float]:
    """Seconds after a command at which somebody was still sent where nobody should be any more.

    Only where that can be seen: everybody was to be sent to one side, and no other command came before this one held
    everywhere. A key that comes again stays where it was first sent.
    """
    following = [other.asked for other in move.set_for(setting.route) if other.asked > setting.asked]
    until = min(following, default=inf)
    if setting.percent not in (0, 100) or until < setting.done + SEEN_WITHIN:
        return []
    wrong: Side = "old" if setting.percent else "new"
    return [
        visit.begun - setting.done
        for visit in placed(move.of(setting.route))
        if setting.done < visit.begun and visit.at <= until and visit.side == wrong
    ]


def placed(visits: Iterable[Visit]) -> list[Visit]:
    """Without those whose key had been sent before."""
    keys: set[str] = set()
    found: list[Visit] = []
    for visit in sorted(visits, key=lambda one: one.begun):
        if not visit.key or visit.key not in keys:
            found.append(visit)
        keys.add(visit.key)
    return found


def shares(visits: Iterable[Visit], since: float, width: float) -> list[tuple[float, float]]:
    """Percent of the answers that the new side gave, in stretches of so many seconds: where there were any."""
    by_stretch: dict[int, list[bool]] = defaultdict(list)
    for visit in visits:
        by_stretch[int((visit.begun - since) // width)].append(visit.side == "new")
    return [((number + 0.5) * width, 100 * sum(new) / len(new)) for number, new in sorted(by_stretch.items())]


def holds(move: Move, route: str, end: float) -> list[tuple[float, float]]:
    """What was set, from the beginning to the end, as steps."""
    points = [(move.begun, 0.0)]
    points += [(max(one.done, move.begun), one.percent) for one in move.set_for(route)]
    return [*points, (end, points[-1][1])]
