from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Caller, PermanentError, Request
from serverless_patterns_runtime.api_proxy.key import claim_of
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import MalformedPayload

ROUTE = "POST /payments/{order_id}"


def request(key: str | tuple[str, ...] | None = "key-1", **different: Any) -> Request:
    given: dict[str, Any] = {"params": {"order_id": "7"}, "body": {"cents": 1200}, "caller": Caller("alice")}
    headers = {} if key is None else {"idempotency-key": key}
    return Request.fake(different.pop("route", ROUTE), headers=headers, **given | different)


def claim(key: str | tuple[str, ...] = "key-1", **different: Any) -> Claim:
    made = claim_of(request(key, **different), "required", "Api")
    assert made is not None
    return made


def test_a_key_is_a_hash_in_the_api_s_namespace():
    made = claim()
    assert made.namespace == "Api"
    assert len(made.key) == len(made.payload) == 64
    assert int(made.key, 16) != int(made.payload, 16)


def test_the_claim_of_a_request_is_data_and_stays_as_it_is():
    """Changed, every retry that is under way while the new version is deployed would be taken for something else."""
    assert claim() == Claim(
        "Api",
        "895d99d480f6f69465c55c7cbab9702f699007c2cc9186a807b2522c115897f0",
        "e05451be14e276455ec7c17fa40baadaec1731476612781832f8e1dc831fe238",
    )


def test_a_retry_has_the_same_claim():
    assert claim() == claim()
    assert claim(body={"a": 1, "b": 2}) == claim(body={"b": 2, "a": 1})
    assert claim(correlation_id="another") == claim()


@pytest.mark.parametrize(
    "different",
    [
        {"key": "key-2"},
        {"key": "KEY-1"},
        {"caller": Caller("bob")},
        {"caller": None},
        {"caller": Caller("alice", "cognito")},
        {"route": "POST /refunds/{order_id}"},
        {"method": "PUT"},
    ],
)
def test_another_key_caller_or_route_is_another_claim(different: dict[str, Any]):
    """AP6."""
    assert claim(**different).key != claim().key


@pytest.mark.parametrize(
    "different",
    [
        {"body": {"cents": 1201}},
        {"body": None},
        {"body": b'{"cents":1200}'},
        {"params": {"order_id": "8"}},
        {"query": {"dry_run": "true"}},
    ],
)
def test_another_body_path_or_query_is_the_same_claim_for_another_payload(different: dict[str, Any]):
    assert claim(**different).key == claim().key
    assert claim(**different).payload != claim().payload


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"body": b""}, {"body": None}),
        ({"body": b"\x00"}, {"body": b"\x01"}),
        ({"body": {}}, {"body": []}),
        ({"body": "1"}, {"body": 1}),
        ({"body": True}, {"body": 1}),
        ({"query": {"a": ("1", "2")}}, {"query": {"a": ("2", "1")}}),
        ({"query": {"a": "1"}}, {"query": {"b": "1"}}),
        ({"query": {"a": "1"}, "params": {}}, {"query": {}, "params": {"a": "1"}}),
    ],
)
def test_payloads_that_differ_never_look_the_same(one: dict[str, Any], other: dict[str, Any]):
    assert claim(**one).payload != claim(**other).payload


callers = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=5)
scopes = st.tuples(st.none() | callers, st.sampled_from(["/a", "/a/b"]), st.text('a|/b",[]', min_size=1))


@given(scopes, scopes)
def test_no_two_scopes_share_a_claim(one: tuple[Any, str, str], other: tuple[Any, str, str]):
    def key(scope: tuple[Any, str, str]) -> str:
        caller, path, text = scope
        return claim(text, caller=caller and Caller(caller), route=f"POST {path}", params={}).key

    assert (key(one) == key(other)) == (one == other)


# --- The header


@pytest.mark.parametrize("mode", ["optional", "off"])
def test_without_a_key_there_is_no_claim_where_none_is_required(mode: Any):
    assert claim_of(request(None), mode, "Api") is None


def test_switched_off_even_a_broken_key_is_only_a_header():
    assert claim_of(request(""), "off", "Api") is None


def test_a_key_that_is_required_and_missing_is_a_bad_request():
    with pytest.raises(PermanentError, match=r"^this request needs an Idempotency-Key header: a new one") as raised:
        claim_of(request(None), "required", "Api")
    assert raised.value.status == 400


@pytest.mark.parametrize("mode", ["required", "optional"])
@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "a\x00", "a\n", "\x7f", "é", "💥", "\t"])
def test_a_key_that_cannot_be_one_is_a_bad_request(mode: Any, key: str):
    with pytest.raises(PermanentError, match=r"^an Idempotency-Key is 1 to 255 visible ASCII characters") as raised:
        claim_of(request(key), mode, "Api")
    assert raised.value.status == 400


@pytest.mark.parametrize("keys", [("a", "a"), ("a", "b")])
def test_two_keys_are_a_bad_request(keys: tuple[str, ...]):
    with pytest.raises(PermanentError, match=r"^a request has one Idempotency-Key header$") as raised:
        claim_of(request(keys), "optional", "Api")
    assert raised.value.status == 400


def test_keys_of_one_and_of_255_characters_are_taken():
    assert claim("x").key != claim("x" * 255).key != claim("!~").key


@pytest.mark.parametrize("different", [{"body": "\ud800"}, {"params": {"order_id": "\ud800"}}])
def test_a_payload_that_is_no_text_is_malformed(different: dict[str, Any]):
    with pytest.raises(MalformedPayload):
        claim(**different)
