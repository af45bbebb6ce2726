"""The credential: exactly one header, `Bearer`, one space and a token, or nobody."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.jwt_authorizer.bearer import bearer_token
from serverless_patterns_runtime.jwt_authorizer.refusal import Refused

from .issuer import Guarded, claims, token

A_DAY = 86_400
GOOD = token(claims(exp=int(time.time()) + A_DAY))
"""Made when tests are collected: good for longer than a run of all of them takes."""

NO_CREDENTIALS = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    GOOD,
    f"Bearer{GOOD}",
    f"Bearer  {GOOD}",
    f"Bearer\t{GOOD}",
    f"Bearer\n{GOOD}",
    f"Bearer\u00a0{GOOD}",
    f" Bearer {GOOD}",
    f"Bearer {GOOD} ",
    f"Bearer {GOOD}\n",
    f"Bearer {GOOD}\r\nX: y",
    f"Bearer {GOOD}, Bearer {GOOD}",
    f"Bearer {GOOD},",
    f"Bearer {GOOD}=",
    f"Bearer {GOOD}\x00",
    f'Bearer "{GOOD}"',
    f"Bearer token={GOOD}",
    f"Basic {GOOD}",
    f"JWT {GOOD}",
    f"Token {GOOD}",
    f"Bearerr {GOOD}",
    f"\u0412earer {GOOD}",
    f"Bearer {GOOD}".replace(".", "\uff0e"),
    f"Bearer {'A' * 9000}.A.A",
]


def test_the_scheme_is_read_in_any_case_as_http_asks():
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert Guarded().status(f"{scheme} {GOOD}") == 200


@pytest.mark.parametrize("value", NO_CREDENTIALS, ids=lambda value: repr(value.replace(GOOD, "token")[:40]))
def test_anything_else_around_the_token_lets_nobody_in(value: str):
    assert Guarded().status(value) == 401


def test_two_headers_let_nobody_in_whichever_is_good():
    assert Guarded().bears(GOOD, GOOD) == 401
    assert Guarded().bears(GOOD, "x") == 401
    assert Guarded().bears("x", GOOD) == 401
    assert Guarded().status() == 401


@pytest.mark.parametrize("values", [[], [f"Bearer {GOOD}", f"Bearer {GOOD}"], [f"Bearer {GOOD}", ""]], ids=len)
def test_not_even_a_caller_of_ours_can_choose_among_several(values: list[str]):
    with pytest.raises(Refused, match="not exactly one"):
        bearer_token(values)


def test_a_token_that_is_longer_than_headers_may_be_is_not_read():
    assert Guarded().bears(token(claims(note="x" * 4_000))) == 200
    assert Guarded().bears(token(claims(note="x" * 7_000))) == 401


def test_the_header_is_the_one_that_the_api_says():
    guarded = Guarded(identity_header="X-Token")
    assert guarded.status(f"Bearer {GOOD}", header="x_token") == 200
    assert guarded.status(f"Bearer {GOOD}") == 401


@given(st.text(max_size=300))
def test_no_text_lets_anybody_in(text: str):
    assert Guarded().status(text) == 401


@given(st.text(max_size=3), st.text(max_size=3), st.integers(0, len(GOOD)))
def test_no_text_around_or_inside_a_good_token_lets_anybody_in(before: str, inside: str, at: int):
    value = f"{before}Bearer {GOOD[:at]}{inside}{GOOD[at:]}"
    assert Guarded().status(value) == (200 if value == f"Bearer {GOOD}" else 401)
