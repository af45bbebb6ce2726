"""The shop's tokens: nobody gets in with one that is changed, borrowed, made up or old."""

import base64
import json
import time

import pytest
import tokens
from auth import identify, require
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Caller, Invocation, PermanentError, Request

KEY, NOON = "a key that only the shop knows", 1_790_000_000
TOKEN = tokens.issue("desk-1", "orders payments", NOON + 60, KEY)


def test_a_token_says_who_calls_and_what_for_until_it_ends() -> None:
    assert tokens.verify(TOKEN, KEY, NOON + 59) == {"sub": "desk-1", "scope": "orders payments", "exp": NOON + 60}
    assert tokens.verify(TOKEN, KEY, NOON + 60) is None


def test_another_key_did_not_sign_it() -> None:
    assert tokens.verify(TOKEN, KEY + " ", NOON) is None


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_no_character_of_a_token_can_be_changed(position: int, other: str) -> None:
    changed = TOKEN[:position] + other + TOKEN[position + 1 :]
    assert changed == TOKEN or tokens.verify(changed, KEY, NOON) is None


def test_claims_cannot_be_put_under_another_token_s_signature() -> None:
    _, signature = TOKEN.split(".")
    claims, _ = tokens.issue("desk-2", "orders payments", NOON + 60, "guessed").split(".")
    assert tokens.verify(f"{claims}.{signature}", KEY, NOON) is None


@pytest.mark.parametrize(
    "made_up",
    ["", ".", "..", "x", "a.b", "é.ü", "\0.\0", "." + "A" * 43, TOKEN + "=", TOKEN + ".x", "A" * 100_000 + ".A"],
)
def test_what_is_made_up_is_no_token(made_up: str) -> None:
    assert tokens.verify(made_up, KEY, NOON) is None


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    assert tokens.verify(text, KEY, NOON) is None


def test_a_signature_for_something_else_is_none_for_a_token() -> None:
    import hmac

    claims = base64.urlsafe_b64encode(json.dumps({"sub": "x", "scope": "", "exp": NOON + 9}).encode()).rstrip(b"=")
    plain = base64.urlsafe_b64encode(hmac.digest(KEY.encode(), claims, "sha256")).rstrip(b"=")
    assert tokens.verify(f"{claims.decode()}.{plain.decode()}", KEY, NOON) is None


def caller_of(authorization: str | None) -> Caller | None:
    headers = {} if authorization is None else {"Authorization": authorization}
    return identify(Request.fake(headers=headers, caller=None), Invocation.fake(secrets={"SIGNING_KEY": KEY}))


def test_who_bears_a_good_token_is_let_in_by_name_and_scope() -> None:
    token = tokens.issue("desk-1", "orders", int(time.time()) + 60, KEY)
    for scheme in ("Bearer", "bearer"):
        assert caller_of(f"{scheme} {token}") == Caller("desk-1", claims={"scope": "orders"})


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer x.y", f"Bearer {TOKEN}x", "Basic b3Blbg=="]
)
def test_nobody_else_is(authorization: str | None) -> None:
    assert caller_of(authorization) is None


def test_the_scheme_is_part_of_it() -> None:
    token = tokens.issue("desk-1", "orders", int(time.time()) + 60, KEY)
    assert caller_of(token) is None
    assert caller_of(f"Basic {token}") is None


def test_an_expired_token_is_refused_by_the_clock() -> None:
    assert caller_of(f"Bearer {tokens.issue('desk-1', 'orders', int(time.time()) - 1, KEY)}") is None


@pytest.mark.parametrize("scope", ["", "payments", "orders-of-others", "no orders-"])
def test_a_token_is_good_for_its_scope_alone(scope: str) -> None:
    with pytest.raises(PermanentError) as refused:
        require("orders", Request.fake(caller=Caller("desk-1", claims={"scope": scope})))
    assert refused.value.status == 403
    require("orders", Request.fake(caller=Caller("desk-1", claims={"scope": "payments orders"})))


def test_nobody_has_no_scope() -> None:
    with pytest.raises(PermanentError):
        require("orders", Request.fake(caller=None))
