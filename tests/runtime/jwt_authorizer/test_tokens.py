"""Which tokens let somebody in: those that the issuer signed, for us, for now. Everything else does not."""

import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.jwt_authorizer.published_keys import FixedKeys

from .issuer import (
    AUDIENCE,
    EVERY_ALGORITHM,
    ISSUER,
    Guarded,
    claims,
    encoded,
    jwk,
    jwks,
    pem,
    private_key,
    rsa_key,
    token,
)

HEADER = {"alg": "RS256", "typ": "JWT", "kid": "now"}


def test_a_good_token_lets_its_subject_in_with_its_claims_as_text():
    said = claims(scope="orders:read", admin=True, level=3, groups=["a"])
    answer = Guarded().ask(f"Bearer {token(said)}")
    assert answer["principalId"] == "user-7"
    assert answer["policyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/live/*/*",
        }
    ]
    assert answer["context"] == {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in said.items()
    }


@pytest.mark.parametrize("algorithm", EVERY_ALGORITHM)
def test_every_algorithm_that_may_be_allowed_verifies(algorithm: str):
    key = private_key(algorithm)
    guarded = Guarded(FixedKeys(jwks(jwk(key))), algorithms=[algorithm])
    good = token(key=key, algorithm=algorithm)
    assert guarded.bears(good) == 200
    head, said, _ = good.split(".")
    assert guarded.bears(f"{head}.{said}.{token(claims(sub='x'), key=key, algorithm=algorithm).split('.')[2]}") == 401


@pytest.mark.parametrize("allowed", EVERY_ALGORITHM)
@pytest.mark.parametrize("signed", ["RS256", "RS512", "PS256"])
def test_an_algorithm_that_is_not_allowed_does_not_although_the_key_could(allowed: str, signed: str):
    keys = FixedKeys(jwks(jwk(rsa_key())))
    assert Guarded(keys, algorithms=[allowed]).bears(token(algorithm=signed)) == (200 if allowed == signed else 401)


def test_a_key_that_is_for_one_algorithm_verifies_no_other():
    keys = FixedKeys(jwks(jwk(rsa_key(), alg="RS256")))
    guarded = Guarded(keys, algorithms=["RS256", "RS512"])
    assert guarded.bears(token(algorithm="RS256")) == 200
    assert guarded.bears(token(algorithm="RS512")) == 401


def test_a_token_without_a_signature_lets_nobody_in():
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, 0, ["none"], ["RS256"], {"RS256": 1}):
        head = encoded(HEADER | {"alg": algorithm})
        for signature in ("", "AA", encoded(b"x" * 256)):
            assert Guarded().bears(f"{head}.{encoded(claims())}.{signature}") == 401
    assert Guarded().bears(f"{encoded(HEADER)}.{encoded(claims())}.") == 401
    without = {name: value for name, value in HEADER.items() if name != "alg"}
    assert Guarded().bears(f"{encoded(without)}.{encoded(claims())}.AA") == 401


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_secret_to_sign_with(algorithm: str):
    import hashlib
    import hmac

    for secret in (pem(rsa_key()), pem(rsa_key()).strip(), jwks().encode(), json.dumps(jwk(rsa_key())).encode()):
        signed = f"{encoded(HEADER | {'alg': algorithm})}.{encoded(claims())}"
        mac = hmac.digest(secret, signed.encode(), getattr(hashlib, f"sha{algorithm[2:]}"))
        assert Guarded().bears(f"{signed}.{encoded(mac)}") == 401
        # Even where somebody allowed it behind our back: a key of the set is never a secret.
        assert Guarded(algorithms=["RS256", algorithm]).bears(f"{signed}.{encoded(mac)}") == 401


def test_another_key_with_the_same_id_does_not():
    assert Guarded().bears(token(key=rsa_key("forger"))) == 401


def test_a_key_that_the_token_brings_along_does_not():
    forger = rsa_key("forger")
    for header in (
        {"jwk": jwk(forger)},
        {"jku": "https://forger.example/jwks.json"},
        {"x5u": "https://forger.example/cert.pem"},
        {"x5c": ["AAAA"]},
    ):
        assert Guarded().bears(token(key=forger, **header)) == 401


def test_what_was_signed_cannot_be_changed():
    head, said, signature = token().split(".")
    for changed in (
        f"{head}.{encoded(claims(sub='admin'))}.{signature}",
        f"{encoded(HEADER | {'x': 1})}.{said}.{signature}",
        f"{head}.{said}.{signature[:-4]}AAAA",
        f"{head}.{said}.{signature[:-4]}",
        f"{head}.{said}.",
        f"{head}.{said}",
        f"{head}.{said}.{signature}.{signature}",
        f"{head}..{signature}",
    ):
        assert Guarded().bears(changed) == 401
    assert Guarded().bears(f"{head}.{said}.{signature}") == 200


def test_extensions_that_nobody_here_knows_are_not_ignored():
    for header in ({"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": False}):
        signed = f"{encoded(HEADER | header)}.{encoded(claims())}"
        signature = jwt.get_algorithm_by_name("RS256").sign(signed.encode(), rsa_key())
        assert Guarded().bears(f"{signed}.{encoded(signature)}") == 401


NOT_FOR_US: list[dict[str, Any]] = [
    {"iss": None},
    {"iss": f"{ISSUER}/"},
    {"iss": ISSUER.upper()},
    {"iss": "https://forger.example"},
    {"iss": "h"},
    {"iss": [ISSUER]},
    {"iss": ""},
    {"aud": None},
    {"aud": "sho"},
    {"aud": "shopping"},
    {"aud": ""},
    {"aud": []},
    {"aud": [""]},
    {"aud": ["bank", "sh"]},
    {"aud": {AUDIENCE: 1}},
    {"aud": [[AUDIENCE]]},
    {"sub": None},
    {"sub": ""},
    {"sub": " "},
    {"sub": 7},
    {"sub": True},
    {"sub": ["user-7"]},
]


@pytest.mark.parametrize("changed", NOT_FOR_US, ids=repr)
def test_a_token_of_somebody_else_or_for_somebody_else_or_of_nobody_does_not(changed: dict[str, Any]):
    assert Guarded().bears(_signed(claims(**changed))) == 401


@pytest.mark.parametrize("audience", [AUDIENCE, "shop-admin", [AUDIENCE], ["bank", "shop-admin"]], ids=repr)
def test_one_audience_of_ours_is_enough(audience: Any):
    assert Guarded().bears(token(claims(aud=audience))) == 200


def now(seconds: float) -> int:
    return int(time.time() + seconds)


def test_a_token_holds_from_its_beginning_to_its_end_give_or_take_the_leeway():
    for changed, status in (
        ({"exp": now(-20)}, 200),
        ({"exp": now(-40)}, 401),
        ({"exp": None}, 401),
        ({"exp": "soon"}, 401),
        ({"exp": [now(60)]}, 401),
        ({"exp": 1e400}, 401),
        ({"nbf": now(20)}, 200),
        ({"nbf": now(40)}, 401),
        ({"nbf": "now"}, 401),
        ({"iat": now(20)}, 200),
        ({"iat": now(40)}, 401),
        ({"iat": None}, 200),
    ):
        assert Guarded().bears(_signed(claims(**changed))) == status, changed
    assert Guarded(leeway_seconds=0).bears(token(claims(exp=now(-5)))) == 401


def test_the_caller_may_be_another_claim():
    guarded = Guarded(caller_claim="client_id")
    assert guarded.ask(f"Bearer {token(claims(client_id='machine-1', sub=None))}")["principalId"] == "machine-1"
    for wrong in (None, "", 7, ["machine-1"]):
        assert guarded.bears(_signed(claims(client_id=wrong))) == 401


GRANTED: list[dict[str, Any]] = [
    {"scope": "orders:write orders:read"},
    {"scp": "orders:read orders:write email"},
    {"scp": ["orders:write", "orders:read"]},
    {"scope": ["orders:write", "orders:read"]},
    {"scope": "orders:read", "scp": ["orders:write"]},
]


@pytest.mark.parametrize("scopes", GRANTED, ids=repr)
def test_a_token_with_every_scope_lets_in(scopes: dict[str, Any]):
    assert Guarded(scopes=["orders:read", "orders:write"]).bears(token(claims(**scopes))) == 200


NOT_GRANTED: list[dict[str, Any]] = [
    {},
    {"scope": ""},
    {"scope": "orders:read"},
    {"scope": "orders:read orders:writer"},
    {"scope": "orders:read,orders:write"},
    {"scope": "orders:read\torders:write"},
    {"scp": {"orders:read": 1, "orders:write": 1}},
    {"scp": [["orders:read", "orders:write"]]},
    {"scopes": "orders:read orders:write"},
]


@pytest.mark.parametrize("scopes", NOT_GRANTED, ids=repr)
def test_a_good_token_without_a_scope_is_forbidden(scopes: dict[str, Any]):
    guarded = Guarded(scopes=["orders:read", "orders:write"])
    answer = guarded.ask(f"Bearer {token(claims(**scopes))}")
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert "context" not in answer
    assert guarded.log[0]["outcome"] == "Denied"


def test_a_bad_token_is_not_told_what_scopes_it_lacks():
    assert Guarded(scopes=["orders:read"]).bears(token(key=rsa_key("forger"))) == 401


def test_claims_that_the_gateway_would_take_for_its_own_words_are_left_out():
    answer = Guarded().ask(f"Bearer {token(claims(principalId='admin', integrationLatency=1))}")
    assert answer["principalId"] == "user-7"
    assert not {"principalId", "integrationLatency"} & {*answer["context"]}


def test_a_token_without_a_key_s_id_is_read_where_there_is_one_key_alone():
    anonymous = token(kid=None)
    assert Guarded().bears(anonymous) == 200
    assert Guarded(FixedKeys(jwks(jwk(rsa_key(), None)))).bears(anonymous) == 200
    two = FixedKeys(jwks(jwk(rsa_key()), jwk(rsa_key("next"), "next")))
    assert Guarded(two).bears(anonymous) == 401
    assert Guarded(two).bears(token(key=rsa_key("next"), kid="next")) == 200
    for kid in (7, ["now"], {"now": 1}, True, "other"):
        signed = f"{encoded(HEADER | {'kid': kid})}.{encoded(claims())}"
        signature = jwt.get_algorithm_by_name("RS256").sign(signed.encode(), rsa_key())
        assert Guarded(two).bears(f"{signed}.{encoded(signature)}") == 401


def test_two_keys_of_one_id_are_not_tried_in_turn():
    same = FixedKeys(jwks(jwk(rsa_key()), jwk(rsa_key("other"))))
    assert Guarded(same).bears(token()) == 401


def test_keys_of_different_kinds_may_share_an_id():
    shared = FixedKeys(jwks(jwk(rsa_key()), jwk(private_key("ES256"))))
    guarded = Guarded(shared, algorithms=["RS256", "ES256"])
    assert guarded.bears(token()) == 200
    assert guarded.bears(token(key=private_key("ES256"), algorithm="ES256")) == 200


def test_why_a_token_was_refused_is_in_the_log_and_nothing_of_the_token():
    guarded = Guarded()
    guarded.bears(token(claims(exp=now(-100))))
    guarded.bears(token(key=rsa_key("forger")))
    guarded.bears(token(claims(aud="bank")))
    assert [(line["outcome"], line["reason"]) for line in guarded.log] == [
        ("Unauthorized", "the token is not valid: ExpiredSignatureError"),
        ("Unauthorized", "the token is not valid: InvalidSignatureError"),
        ("Unauthorized", "the token is not valid: InvalidAudienceError"),
    ]
    assert guarded.metrics.counts == {"Unauthorized": 3}


HOSTILE = [
    '{"alg":"RS256"' + ',"a":' + "[" * 5000,
    "[" * 5000 + "]" * 5000,
    '{"alg":"RS256","x":' + "9" * 4400 + "}",
    "null",
    "[]",
    '"RS256"',
    "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_a_header_or_a_claim_set_that_readers_choke_on_does_not(text: str):
    for part in (encoded(text.encode()), encoded(HEADER)):
        assert Guarded().bears(f"{part}.{encoded(text.encode())}.AAAA") == 401


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(EVERY_ALGORITHM),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku"]), _JSON)


@given(_HEADERS, st.dictionaries(st.sampled_from([*claims(), "nbf", "scope"]), _JSON), st.binary(max_size=300))
def test_nothing_lets_in_that_the_issuer_has_not_signed(header: Any, said: Any, signature: bytes):
    made = f"{encoded(HEADER | header)}.{encoded(claims() | said)}.{encoded(signature)}"
    assert Guarded().bears(made) == 401


@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti"]), _JSON, min_size=1))
def test_the_issuer_s_odd_claims_let_in_only_what_is_for_us_and_for_now(said: dict[str, Any]):
    merged = claims() | said
    good = (
        merged["iss"] == ISSUER
        and (merged["aud"] in (AUDIENCE, "shop-admin") or isinstance(merged["aud"], list))
        and isinstance(merged["sub"], str)
    )
    assert Guarded().bears(_signed(merged)) in ((200, 401, 500) if good else (401,))


def _signed(said: dict[str, Any]) -> str:
    """Claims that PyJWT would refuse to sign."""
    signed = f"{encoded(HEADER)}.{encoded(said)}"
    return f"{signed}.{encoded(jwt.get_algorithm_by_name('RS256').sign(signed.encode(), rsa_key()))}"
