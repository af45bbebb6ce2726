"""What must hold after a move, whatever was set, killed and broken on the way."""

import math
from collections import Counter, defaultdict
from itertools import pairwise

from showing.check import Check, at_least, at_most, equal

from demo.move.outcome import Move
from demo.move.plateaus import Plateau, placed, plateaus, sides, strays
from demo.move.tales import SEEN_WITHIN
from demo.move.visit import BASKET, CATALOGUE, PROFILE

UNLIKELY = 1e-6
FLIPS = 10


def check(move: Move) -> list[Check]:
    return [*_nothing_lost(move), *_once(move), *_shares(move), *_flips(move), *_rollback(move)]


def _nothing_lost(move: Move) -> list[Check]:
    answered = [visit for visit in move.visits if visit.status]
    return [
        equal("site: answered = sent", len(answered), move.asked),
        equal("site: answers that are server errors", sum(visit.status >= 500 for visit in answered), 0),
        equal("site: wrong answers", sum(not visit.right for visit in answered), 0),
    ]


def _once(move: Move) -> list[Check]:
    asked = {visit.key for visit in move.of(BASKET)}
    done = Counter(line["key"] for line in move.lines)
    seen = Counter(number for each in move.seen_by_old_site for number in each.all("X-Visit"))
    by_old = {str(visit.number) for visit in move.visits if visit.side == "old" and visit.status}
    return [
        Check("site: keys of baskets that took effect, each once", done == Counter(asked), done.total(), len(asked)),
        equal("site: requests that the old site saw twice", sum(count > 1 for count in seen.values()), 0),
        equal("site: requests that one side saw, and the other answered", len(seen.keys() ^ by_old), 0),
    ]


def _shares(move: Move) -> list[Check]:
    steps = plateaus(move, PROFILE)
    moved_back = {
        visitor
        for before, after in pairwise(steps)
        for visitor, seen in sides(after.visits).items()
        if seen != {"new"} and sides(before.visits).get(visitor) == {"new"}
    }
    torn = [visitor for step in steps for visitor, seen in sides(step.visits).items() if len(seen) > 1]
    late = max((stray for setting in move.settings for stray in strays(move, setting)), default=0.0)
    return [
        equal("site: steps of the profile", [step.percent for step in steps], [0, *move.steps]),
        *map(_share, steps),
        equal("site: visitors who moved back, or had two sides", len(moved_back) + len(torn), 0),
        *_logins(move),
        at_most("site: seconds until a command holds everywhere", round(late, 1), SEEN_WITHIN),
    ]


def _share(step: Plateau) -> Check:
    seen = sides(step.visits)
    # One who has seen both counts against it, also where all or nobody must have.
    new = sum("old" not in each if step.percent == 100 else "new" in each for each in seen.values())
    least, most = bounds(len(seen), step.percent / 100)
    name = f"site: visitors on the new side at {step.percent:g} percent, of {len(seen)}"
    return Check(name, bool(seen) and least <= new <= most, new, f"{least} to {most}")


def _logins(move: Move) -> list[Check]:
    """Of those who were seen before and after, while half of the visitors had the new catalogue."""
    until = move.bad_version_at or math.inf
    before: dict[int, set[str]] = defaultdict(set)
    after: dict[int, set[str]] = defaultdict(set)
    for visit in move.of(CATALOGUE):
        if visit.at < until:
            (after if visit.logins else before)[visit.visitor].add(visit.side)
    both = before.keys() & after.keys()
    return [
        at_least("site: visitors known before and after a login", len(both), 2),
        equal("site: visitors whose side a login changed", sum(before[one] != after[one] for one in both), 0),
    ]


def _flips(move: Move) -> list[Check]:
    killed = [setting for setting in move.set_for(BASKET) if setting.killed]
    strangers = [
        visit
        for visit in placed(move.of(BASKET))
        if killed and visit.begun > killed[0].done + SEEN_WITHIN and visit.side == "new"
    ]
    return [
        at_least("site: flips of the basket under load", move.flips, FLIPS),
        equal("site: the basket is killed, and stays so", move.standing[BASKET]["killed"], True),
        equal("site: new baskets on the new side after the kill", len(strangers), 0),
    ]


def _rollback(move: Move) -> list[Check]:
    standing, since = move.standing[CATALOGUE], move.bad_version_at or math.inf
    rolled_back = min((one.done for one in move.set_for(CATALOGUE) if one.killed), default=math.inf)
    known_as_new = {visit.visitor for visit in move.of(CATALOGUE) if visit.side == "new" and visit.at < since}
    fell_back = [
        visit
        for visit in move.of(CATALOGUE)
        if visit.visitor in known_as_new and visit.side == "old" and since < visit.begun < rolled_back
    ]
    later = [visit for visit in move.of(CATALOGUE) if visit.begun > rolled_back + SEEN_WITHIN and visit.side == "new"]
    return [
        at_least("site: requests that the bad version failed, answered by the old site", len(fell_back), 1),
        equal("site: who rolled the bad version back", standing["by"] if standing["killed"] else None, "rollback"),
        equal("site: catalogues by the new side after the rollback", len(later), 0),
    ]


def bounds(count: int, share: float) -> tuple[int, int]:
    """Between these a binomial number lies, but for once in a million on either side. 0 and 1 are exact."""
    chances = [math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)]
    return _tail(chances), count - _tail(chances[::-1])


def _tail(chances: list[float]) -> int:
    """The first number below which it is that unlikely to be."""
    below = 0.0
    for number, chance in enumerate(chances):
        below += chance
        if below >= UNLIKELY / 2:
            return number
    return len(chances) - 1
