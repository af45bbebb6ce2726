"""Which side a caller is on: in the shares that were asked for, and never back while they grow."""

import math
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.strangler_gateway.placement import Placement, bucket, placed

from .gateway import COOKIE, Caller, migration, route_settings

CALLERS = 1_000
PERCENTAGES = st.integers(0, 10_000).map(lambda steps: steps / 100)
CHANCE = random.Random(7)
STICKY = {"claim": "sub", "header": "X-Tenant", "cookie": "session"}


def where(caller: Caller, percent: float, chance: random.Random = CHANCE, **given_: Any) -> Placement:
    return placed(migration(**given_), route_settings(sticky=STICKY), caller, percent, chance)


def known(number: int) -> Caller:
    return Caller(claims={"sub": f"user-{number}"})


@cache
def bounds(n: int, p: float, outside: float = 1e-6) -> tuple[int, int]:
    """Between these a binomial count is, but for this probability in all."""
    chances = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    low, high, below, above = 0, n, 0.0, 0.0
    while (below := below + chances[low]) <= outside / 2:
        low += 1
    while (above := above + chances[high]) <= outside / 2:
        high -= 1
    return low, high


@pytest.mark.parametrize(("p", "expected"), [(0.05, (20, 87)), (0.1, (57, 149)), (0.5, (423, 577))])
def test_the_bounds_are_those_of_a_binomial_distribution(p: float, expected: tuple[int, int]) -> None:
    assert bounds(CALLERS, p) == expected


@pytest.mark.parametrize("of", ["claims", "cookies of their own", "nothing"])
@pytest.mark.parametrize("percent", [0.5, 1, 5, 10, 25, 50, 90, 99.5])
def test_of_a_thousand_callers_the_new_side_gets_its_share(percent: float, of: str) -> None:
    chance = random.Random(f"{of} {percent}")
    for gateway in ("Shop", "Other", "Third"):
        callers = [
            known(number)
            if of == "claims"
            else Caller(cookies={COOKIE: f"{chance.getrandbits(128):032x}"} if of != "nothing" else {})
            for number in range(CALLERS)
        ]
        new = sum(where(caller, percent, chance, gateway=gateway).side == "new" for caller in callers)
        low, high = bounds(CALLERS, percent / 100)
        assert low <= new <= high


def test_none_and_all_are_exact_and_need_no_cookie() -> None:
    for number in range(CALLERS):
        for caller in (known(number), Caller(), Caller(cookies={COOKIE: str(number)})):
            assert where(caller, 0) == Placement("legacy")
            assert where(caller, 100) == Placement("new")


def test_a_share_of_two_decimals_is_exactly_so_many_of_ten_thousand_steps() -> None:
    by_step: dict[int, str] = {}
    number = 0
    while len(by_step) < 200:
        step = bucket("Shop", f"user-{number}")
        if step < 200:
            by_step[step] = f"user-{number}"
        number += 1
    for steps in (1, 28, 29, 57, 58, 110, 115, 199):
        got = {step for step, name in by_step.items() if where(Caller(claims={"sub": name}), steps / 100).side == "new"}
        assert got == set(range(steps))


@given(st.text(min_size=1), st.lists(PERCENTAGES, min_size=2, max_size=12))
def test_nobody_moves_back_while_the_percentage_grows(name: str, percentages: list[float]) -> None:
    for caller in (Caller(claims={"sub": name}), Caller(cookies={COOKIE: name})):
        sides = [where(caller, percent).side for percent in sorted(percentages)]
        assert sides == sorted(sides)  # `legacy` is before `new`


def test_who_asks_again_is_where_he_was() -> None:
    before, after = ([where(known(number), 50).side for number in range(CALLERS)] for _ in range(2))
    assert before == after


@given(st.text(min_size=1), PERCENTAGES)
def test_who_comes_back_is_where_he_was_on_every_route_and_in_every_environment(name: str, percent: float) -> None:
    for caller in (
        Caller(claims={"sub": name}),
        Caller(headers=[("x-tenant", name)]),
        Caller(cookies={"session": name}),
    ):
        assert len({where(caller, percent, random.Random(seed)) for seed in range(3)}) == 1


@given(st.text(min_size=1), st.integers(0), PERCENTAGES)
def test_a_login_moves_nobody(user: str, seed: int, percent: float) -> None:
    stranger = where(Caller(), percent, random.Random(seed))
    if not 0 < percent < 100:
        assert stranger.set_cookie is None
        return
    assert stranger.set_cookie is not None
    cookie, _, attributes = stranger.set_cookie.partition("; ")
    assert attributes == "Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax"
    name, _, value = cookie.partition("=")
    again = Caller(cookies={name: value})
    logged_in = Caller(cookies={name: value, "session": "s"}, claims={"sub": user}, headers=[("X-Tenant", "t")])
    assert where(again, percent) == where(logged_in, percent) == Placement(stranger.side)


class Browser:
    """Of one person, who keeps what cookies he is given."""

    def __init__(self, seed: int, *, always: list[tuple[str, str]] | None = None) -> None:
        self.cookies: dict[str, str] = {}
        self.chance = random.Random(seed)
        self.user: str | None = None
        self._always = always

    def side(self, percent: float) -> str:
        claims = {"sub": self.user} if self.user else {}
        found = where(Caller(cookies=self.cookies, claims=claims, headers=self._always), percent, self.chance)
        if found.set_cookie:
            name, _, rest = found.set_cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return found.side


STEPS = st.lists(st.sampled_from(["login", "logout", "ask"]), min_size=2, max_size=12)
HEADERS = st.sampled_from([[], [("X-Tenant", "t")]])


@settings(max_examples=400)
@given(st.integers(0, 1_000_000), HEADERS, STEPS)
@example(6, [], ["login", "logout"])
@example(3, [("X-Tenant", "t")], ["ask", "login"])
def test_no_login_and_no_logout_moves_anybody_back(seed: int, always: list[tuple[str, str]], steps: list[str]) -> None:
    browser, chance = Browser(seed, always=always), random.Random(seed)
    sides: list[str] = []
    lowest, highest = chance.choice((0, 40, 45)), chance.choice((55, 60, 100))
    for step, percent in zip(steps, sorted(chance.uniform(lowest, highest) for _ in steps), strict=True):
        if step != "ask":
            browser.user = f"user-{seed}" if step == "login" else None
        sides.append(browser.side(percent))
    assert sides == sorted(sides)  # `legacy` is before `new`


@given(st.lists(st.sampled_from(["ann", "bob", "eve"]), min_size=1), st.booleans())
def test_who_logs_in_after_somebody_else_is_placed_by_his_own_claim(users: list[str], out: bool) -> None:
    browser = Browser(1)
    for browser.user in users:
        mine = "new" if bucket("Shop", browser.user) < 5_000 else "legacy"
        assert browser.side(50) == mine
        if out:
            browser.user = None
            assert browser.side(50) == mine, "logged out he is where he was"


def test_who_has_his_place_in_a_cookie_is_given_no_other() -> None:
    first = where(known(7), 50).set_cookie
    assert first
    assert first.startswith(f"{COOKIE}=claim-{bucket('Shop', 'user-7')}; ")
    mine = Caller(cookies={COOKIE: f"claim-{bucket('Shop', 'user-7')}"}, claims={"sub": "user-7"})
    assert where(mine, 50).set_cookie is None


@given(st.text(min_size=1), st.sampled_from(["claims", "headers"]))
def test_a_cookie_tells_nothing_of_who_it_was_made_for_but_his_step(name: str, by: str) -> None:
    caller = Caller(claims={"sub": name}) if by == "claims" else Caller(headers=[("X-Tenant", name)])
    given_ = where(caller, 50).set_cookie
    kind = "claim" if by == "claims" else "step"
    assert given_ == f"{COOKIE}={kind}-{bucket('Shop', name)}; Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax"


OF_ROUTES: list[dict[str, str]] = [{}, {"header": "X-Tenant"}, {"cookie": "session"}, STICKY]


@settings(max_examples=400)
@given(st.integers(0, 1_000_000), st.lists(st.tuples(st.sampled_from(OF_ROUTES), st.booleans()), min_size=2))
@example(3, [({"header": "X-Tenant"}, True), ({}, True)])
@example(3, [({"cookie": "session"}, True), ({"cookie": "session"}, False)])
def test_a_browser_has_one_place_whatever_each_route_knows_it_by(
    seed: int, asked: list[tuple[dict[str, str], bool]]
) -> None:
    """`asked`: what the route knows callers by, and whether the request has any of that."""
    kept: dict[str, str] = {}
    chance, sides = random.Random(seed), set[str]()
    for sticky, is_named in asked:
        headers = [("X-Tenant", f"t-{seed}")] if is_named else []
        named = {"session": f"s-{seed}"} if is_named else {}
        claims = {"sub": f"user-{seed}"} if is_named else {}
        caller = Caller(cookies={**named, **kept}, claims=claims, headers=headers)
        found = placed(migration(), route_settings(sticky=sticky), caller, 50, chance)
        if found.set_cookie:
            name, _, rest = found.set_cookie.partition("=")
            kept[name] = rest.partition(";")[0]
        sides.add(found.side)
    assert len(sides) == 1


@pytest.mark.parametrize("value", ["claim-", "claim-x", "claim-10000", "claim-٣", "step--1", "step-1e3", "-", "claim"])
def test_a_cookie_that_is_none_of_ours_is_a_name_as_any_other(value: str) -> None:
    stranger = Caller(cookies={COOKIE: value})
    assert where(stranger, 50) == Placement("new" if bucket("Shop", value) < 5_000 else "legacy")


def test_what_names_a_caller_counts_in_this_order() -> None:
    everything: dict[str, Any] = {
        "claims": {"sub": "a"},
        "headers": [("X-Tenant", "b")],
        "cookies": {"session": "e"},
    }
    sides = [where(Caller(claims={"sub": name}), 50).side for name in ("a", "b", "e")]
    assert sides == ["new", "legacy", "new"]  # else this test says nothing
    assert where(Caller(**everything), 50).side == "new"
    del everything["claims"]
    assert where(Caller(**everything), 50).side == "legacy"
    del everything["headers"]
    assert where(Caller(**everything), 50).side == "new"
    assert where(Caller(claims={"sub": ""}, headers=[("X-Tenant", "")]), 50).set_cookie


def test_two_strangers_are_two_callers() -> None:
    cookies = {where(Caller(), 50, CHANCE).set_cookie for _ in range(100)}
    assert len(cookies) == 100


@pytest.mark.parametrize("side", ["new", "legacy"])
@pytest.mark.parametrize("percent", [0, 50, 100])
def test_a_tester_chooses_his_side(side: str, percent: float) -> None:
    tester = Caller(headers=[("x-side", side)])
    assert where(tester, percent, force_header="X-Side") == Placement(side, forced=True)  # type: ignore[arg-type]


def test_nobody_chooses_where_it_is_not_allowed() -> None:
    assert not where(Caller(headers=[("X-Side", "new")]), 50).forced


@pytest.mark.parametrize("asked", [["old"], [""], ["New"], ["new", "legacy"]])
def test_a_side_that_there_is_not_is_said_to(asked: list[str]) -> None:
    with pytest.raises(PermanentError, match="X-Side is new or legacy") as raised:
        where(Caller(headers=[("X-Side", side) for side in asked]), 50, force_header="X-Side")
    assert raised.value.status == 400
