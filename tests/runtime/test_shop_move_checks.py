"""The demo's checks on the site's move: they hold when all went well, and each one notices the harm it is there for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from demo.move import checks
from demo.move.outcome import Move
from demo.move.plateaus import holds, plateaus, shares, strays
from demo.move.visit import BASKET, CATALOGUE, PROFILE, Visit

from tests.runtime.shop_move import BAD_VERSION, NOON, ROLLED_BACK, STEPS, play, seen


@pytest.fixture(scope="module")
def move() -> Move:
    return play()


def failing(move: Move) -> set[str]:
    """Names, without the number of visitors."""
    return {check.name.partition(", of")[0] for check in checks.check(move) if not check.ok}


def changed(move: Move, which: Callable[[Visit], bool], count: int | None = 1, **changes: Any) -> Move:
    """So many visits, or all of them, other than they were, as the old site's ledger would tell."""
    chosen = {visit.number for visit in [visit for visit in move.visits if which(visit)][:count]}
    assert chosen
    visits = [replace(visit, **changes) if visit.number in chosen else visit for visit in move.visits]
    by_old = [seen(visit.number) for visit in visits if visit.side == "old" and visit.status]
    return replace(move, visits=visits, seen_by_old_site=by_old)


def at(route: str, begin: float, end: float, side: str) -> Callable[[Visit], bool]:
    return lambda visit: visit.route == route and begin <= visit.begun - NOON < end and visit.side == side


def first_on(route: str, begin: float, side: str, move: Move) -> Callable[[Visit], bool]:
    """Whose key is seen there for the first time."""
    earlier = {visit.key for visit in move.visits if visit.begun - NOON < begin}
    return lambda visit: at(route, begin, 99, side)(visit) and visit.key not in earlier


HARM: dict[str, tuple[Callable[[Move], Move], set[str]]] = {
    "a request without an answer": (
        lambda move: changed(move, at(PROFILE, 0, 1, "old"), status=0),
        {"site: answered = sent"},
    ),
    "a request that nobody has recorded": (
        lambda move: replace(move, asked=move.asked + 1),
        {"site: answered = sent"},
    ),
    "a server error": (
        lambda move: changed(move, at(PROFILE, 0, 1, "old"), status=502, right=False),
        {"site: answers that are server errors", "site: wrong answers"},
    ),
    "another customer's profile": (
        lambda move: changed(move, at(PROFILE, 0, 1, "old"), right=False),
        {"site: wrong answers"},
    ),
    "something twice in a basket": (
        lambda move: replace(move, lines=[*move.lines, move.lines[0]]),
        {"site: keys of baskets that took effect, each once"},
    ),
    "something lost from a basket": (
        lambda move: replace(move, lines=move.lines[1:]),
        {"site: keys of baskets that took effect, each once"},
    ),
    "something in a basket that nobody sent": (
        lambda move: replace(move, lines=[*move.lines[1:], {"key": "stranger"}]),
        {"site: keys of baskets that took effect, each once"},
    ),
    "a request that the old site saw twice": (
        lambda move: replace(move, seen_by_old_site=[*move.seen_by_old_site, move.seen_by_old_site[0]]),
        {"site: requests that the old site saw twice"},
    ),
    "a request that both sides saw": (
        lambda move: replace(
            move,
            seen_by_old_site=[
                *move.seen_by_old_site,
                seen(next(visit.number for visit in move.visits if visit.side == "new")),
            ],
        ),
        {"site: requests that one side saw, and the other answered"},
    ),
    "the new side before any command": (
        lambda move: changed(move, at(PROFILE, 0, 2, "old"), side="new"),
        {"site: visitors on the new side at 0 percent", "site: visitors who moved back, or had two sides"},
    ),
    "the old side at 100 percent": (
        lambda move: changed(move, at(PROFILE, 22, 30, "new"), side="old"),
        {
            "site: visitors on the new side at 100 percent",
            "site: visitors who moved back, or had two sides",
            "site: seconds until a command holds everywhere",
        },
    ),
    "a step that was left out": (
        lambda move: replace(move, settings=[one for one in move.settings if one.percent != 10]),
        {"site: steps of the profile", "site: visitors on the new side at 0 percent"},
    ),
    "another side after a login": (
        lambda move: changed(
            move, lambda visit: at(CATALOGUE, 4, BAD_VERSION, "new")(visit) and visit.logins > 0, 3, side="old"
        ),
        {"site: visitors whose side a login changed"},
    ),
    "nobody who was known before a login": (
        lambda move: changed(move, lambda visit: visit.logins == 0, None, logins=1),
        {"site: visitors known before and after a login"},
    ),
    "too few flips": (lambda move: replace(move, flips=9), {"site: flips of the basket under load"}),
    "a kill that did not last": (
        lambda move: replace(move, standing={**move.standing, BASKET: {"killed": False, "by": "x"}}),
        {"site: the basket is killed, and stays so"},
    ),
    "a new basket on the new side after the kill": (
        lambda move: changed(move, first_on(BASKET, 22, "old", move), side="new"),
        {"site: new baskets on the new side after the kill", "site: seconds until a command holds everywhere"},
    ),
    "a bad version that nobody met": (
        lambda move: changed(move, at(CATALOGUE, BAD_VERSION, ROLLED_BACK, "old"), None, route="POST /login"),
        {"site: requests that the bad version failed, answered by the old site"},
    ),
    "a bad version that a person rolled back": (
        lambda move: replace(move, standing={**move.standing, CATALOGUE: {"killed": True, "by": "Ann"}}),
        {"site: who rolled the bad version back"},
    ),
    "a bad version that nobody rolled back": (
        lambda move: replace(move, standing={**move.standing, CATALOGUE: {"killed": False, "by": "rollback"}}),
        {"site: who rolled the bad version back"},
    ),
    "the new side after the rollback": (
        lambda move: changed(move, at(CATALOGUE, 21, 30, "old"), side="new"),
        {"site: catalogues by the new side after the rollback", "site: seconds until a command holds everywhere"},
    ),
}


def test_all_holds_when_nothing_is_wrong(move: Move) -> None:
    assert failing(move) == set()


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_noticed(move: Move, harm: str) -> None:
    do, expected = HARM[harm]
    assert failing(do(move)) == expected


def test_every_check_notices_some_harm(move: Move) -> None:
    unlikely = {f"site: visitors on the new side at {percent} percent" for percent in STEPS[:2]}  # below
    noticed = set.union(*(expected for _, expected in HARM.values()))
    assert {check.name.partition(", of")[0] for check in checks.check(move)} - unlikely == noticed


def test_a_share_that_chance_does_not_explain_is_noticed(move: Move) -> None:
    everybody = changed(move, at(PROFILE, 7.6, 8.8, "old"), 15, side="new")
    assert "site: visitors on the new side at 10 percent" in failing(everybody)
    nobody = [replace(visit, visitor=visit.number) if visit.route == PROFILE else visit for visit in move.visits]
    assert "site: visitors on the new side at 50 percent" not in failing(replace(move, visits=nobody))


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(0, 0.5, (0, 0)), (40, 0.0, (0, 0)), (40, 1.0, (40, 40)), (1000, 0.05, (20, 87)), (1000, 0.5, (423, 577))],
)
def test_bounds_are_passed_once_in_a_million_times(count: int, share: float, expected: tuple[int, int]) -> None:
    assert checks.bounds(count, share) == expected


def test_a_plateau_is_what_lies_between_two_commands_once_the_first_holds(move: Move) -> None:
    steps = plateaus(move, PROFILE)
    assert [step.percent for step in steps] == [0, *STEPS]
    assert min(visit.begun for visit in steps[1].visits) >= NOON + 7.5
    assert max(visit.at for visit in steps[1].visits) <= NOON + 8.9


def test_only_commands_that_had_the_time_are_asked_how_long_they_took(move: Move) -> None:
    flips = [setting for setting in move.set_for(BASKET) if not setting.killed]
    assert all(strays(move, flip) == [] for flip in flips)
    (last,) = [setting for setting in move.set_for(PROFILE) if setting.percent == 100]
    assert 1 < max(strays(move, last)) <= 5


def test_what_the_charts_show_is_what_was_set_and_seen(move: Move) -> None:
    assert [value for _, value in holds(move, PROFILE, NOON + 30)] == [0, 10, 50, 100, 100]
    seen_shares = dict(shares(move.of(PROFILE), move.begun, 1))
    assert {value for at, value in seen_shares.items() if at < 2} == {0}
    assert {value for at, value in seen_shares.items() if at > 22} == {100}
