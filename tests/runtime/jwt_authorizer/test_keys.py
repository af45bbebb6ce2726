"""Which keys of a set may verify: public ones, meant for signatures, large enough, each by its own algorithms."""

import json
from typing import Any

import pytest

from serverless_patterns_runtime.jwt_authorizer.keys import read
from serverless_patterns_runtime.jwt_authorizer.published_keys import FixedKeys

from .issuer import Guarded, jwk, jwks, private_key, rsa_key, token

RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
GOOD = jwk(rsa_key("good"), "good")


def test_a_key_verifies_by_the_algorithms_of_its_kind_and_no_other():
    keys = read(jwks(*(jwk(private_key(name), name) for name in ("RS256", "ES256", "ES384", "EdDSA"))))
    assert {key.id: [*key.algorithms] for key in keys} == {
        "RS256": RSA,
        "ES256": ["ES256"],
        "ES384": ["ES384"],
        "EdDSA": ["EdDSA"],
    }


UNFIT: list[dict[str, Any]] = [
    {"use": "enc"},
    {"use": ["sig"]},
    {"key_ops": ["encrypt"]},
    {"key_ops": []},
    {"key_ops": None},
    {"alg": "RSA-OAEP"},
    {"alg": "ES256"},
    {"alg": "HS256"},
    {"alg": "none"},
    {"alg": ""},
    {"alg": ["RS256"]},
    {"kty": "EC"},
    {"kty": "oct", "k": "c2VjcmV0"},
    {"kty": "oct"},
    {"kty": ["RSA"]},
    {"kty": None},
    {"crv": "P-256"},
    {"n": None},
    {"n": ""},
    {"n": 7},
    {"e": "AA"},
    {"e": "!"},
]


@pytest.mark.parametrize("members", UNFIT, ids=repr)
def test_a_key_that_is_not_for_this_is_passed_over_and_the_others_are_not(members: dict[str, Any]):
    assert [key.id for key in read(jwks(jwk(rsa_key()) | members, GOOD))] == ["good"]
    assert Guarded(FixedKeys(jwks(jwk(rsa_key()) | members, GOOD))).bears(token()) == 401


@pytest.mark.parametrize("members", [{}, {"use": "sig"}, {"key_ops": ["verify", "x"]}, {"alg": "RS256"}], ids=repr)
def test_a_key_that_is_for_this_verifies(members: dict[str, Any]):
    assert Guarded(FixedKeys(jwks(jwk(rsa_key()) | members, GOOD))).bears(token()) == 200


def test_a_key_with_its_private_part_is_everybody_s_and_verifies_nothing():
    for member in ("d", "p", "q", "dp", "dq", "qi", "oth", "k"):
        assert Guarded(FixedKeys(jwks(jwk(rsa_key()) | {member: "AQAB"}, GOOD))).bears(token()) == 401


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # of the one who signs with it
def test_a_key_that_can_be_guessed_verifies_nothing():
    weak = rsa_key("weak", 1024)
    assert Guarded(FixedKeys(jwks(jwk(weak)))).bears(token(key=weak)) == 401


@pytest.mark.parametrize("key", [None, 7, "RSA", [], ["kty"], {}, {"kty": "RSA"}], ids=repr)
def test_what_is_no_key_is_passed_over(key: Any):
    assert [found.id for found in read(jwks(key, GOOD))] == ["good"]


NO_SETS = ["", "null", "7", "[]", "{}", '{"keys":[]}', '{"keys":7}', '{"keys":{"a":1}}', '{"keys":[{}]}', "<html>"]


@pytest.mark.parametrize("text", [*NO_SETS, "[" * 9000, '{"keys":[],"keys":[]}', json.dumps(GOOD)])
def test_a_set_without_a_key_is_an_error(text: str):
    with pytest.raises(ValueError, match=r"^(not a JSON Web Key Set|no key of the set can verify a token)$"):
        read(text)
