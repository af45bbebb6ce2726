"""`matches`: the guide's own examples, what it leaves open, and a generated corpus against a second reading."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Message, matches
from serverless_patterns_runtime.fan_out_topic.contract import Scope
from serverless_patterns_runtime.fan_out_topic.message_attributes import to_record

from .filter_corpus import Corpus
from .filter_oracle import oracle

RUGBY = {"customer_interests": ["rugby", "tennis"]}
NOT_RUGBY = {"customer_interests": [{"anything-but": ["rugby", "tennis"]}]}
NO_ORDER = {"event": [{"anything-but": {"prefix": "order-"}}]}
PRICE = {"price_usd": [{"numeric": ["=", 301.5]}]}
NOT_100 = {"price": [{"anything-but": [100, 500]}]}
POSITIVE = {"price_usd": [{"numeric": [">", 0, "<=", 150]}]}
CIDR = {"source_ip": [{"cidr": "10.0.0.0/24"}]}
STORE, NO_STORE = {"store": [{"exists": True}]}, {"store": [{"exists": False}]}
BALL = {"customer_interests": [{"wildcard": "*ball"}]}

GUIDE: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    # String value matching
    ("exact", RUGBY, {"customer_interests": "rugby"}, True),
    ("exact", RUGBY, {"customer_interests": "tennis"}, True),
    ("exact, array", RUGBY, {"customer_interests": ["rugby", "tennis"]}, True),
    ("exact", RUGBY, {"customer_interests": "baseball"}, False),
    ("exact, array", RUGBY, {"customer_interests": ["baseball"]}, False),
    ("exact, case", RUGBY, {"customer_interests": "Rugby"}, False),
    ("anything-but", NOT_RUGBY, {"customer_interests": "baseball"}, True),
    ("anything-but", NOT_RUGBY, {"customer_interests": "football"}, True),
    ("anything-but, array", NOT_RUGBY, {"customer_interests": ["rugby", "baseball"]}, True),
    ("anything-but", NOT_RUGBY, {"customer_interests": "rugby"}, False),
    ("anything-but, array", NOT_RUGBY, {"customer_interests": ["rugby", "tennis"]}, False),
    ("anything-but prefix", NO_ORDER, {"event": "data-entry"}, True),
    ("anything-but prefix", NO_ORDER, {"event": "order_number"}, True),
    ("anything-but prefix", NO_ORDER, {"event": "order-cancelled"}, False),
    ("prefix", {"customer_interests": [{"prefix": "bas"}]}, {"customer_interests": "basketball"}, True),
    ("prefix", {"customer_interests": [{"prefix": "bas"}]}, {"customer_interests": "rugby"}, False),
    ("suffix", {"customer_interests": [{"suffix": "ball"}]}, {"customer_interests": "baseball"}, True),
    ("suffix", {"customer_interests": [{"suffix": "ball"}]}, {"customer_interests": "rugby"}, False),
    ("equals-ignore-case", {"a": [{"equals-ignore-case": "tennis"}]}, {"a": "TEnnis"}, True),
    ("equals-ignore-case", {"a": [{"equals-ignore-case": "tennis"}]}, {"a": "rugby"}, False),
    ("wildcard", BALL, {"customer_interests": "baseball"}, True),
    ("wildcard", BALL, {"customer_interests": "ball"}, True),
    ("wildcard", BALL, {"customer_interests": "ballet"}, False),
    ("anything-but wildcard", {"a": [{"anything-but": {"wildcard": "test-*"}}]}, {"a": "prod"}, True),
    ("anything-but wildcard", {"a": [{"anything-but": {"wildcard": "test-*"}}]}, {"a": "test-1"}, False),
    ("cidr", CIDR, {"source_ip": "10.0.0.0"}, True),
    ("cidr", CIDR, {"source_ip": "10.0.0.255"}, True),
    ("cidr", CIDR, {"source_ip": "10.1.1.0"}, False),
    # Numeric value matching
    ("numeric =", PRICE, {"price_usd": 301.5}, True),
    ("numeric =", PRICE, {"price_usd": 3.015e2}, True),
    ("numeric =", PRICE, {"price_usd": 301.51}, False),
    ("anything-but numbers", NOT_100, {"price": 101}, True),
    ("anything-but numbers", NOT_100, {"price": 100.1}, True),
    ("anything-but numbers, array", NOT_100, {"price": [100, 50]}, True),
    ("anything-but numbers", NOT_100, {"price": 100}, False),
    ("numeric <", {"price_usd": [{"numeric": ["<", 0]}]}, {"price_usd": -0.01}, True),
    ("numeric <", {"price_usd": [{"numeric": ["<", 0]}]}, {"price_usd": 0}, False),
    ("numeric range", POSITIVE, {"price_usd": 150}, True),
    ("numeric range", POSITIVE, {"price_usd": 0}, False),
    ("numeric range", POSITIVE, {"price_usd": 151}, False),
    # Key matching
    ("exists", STORE, {"store": "fans", "customer_interests": ["baseball", "basketball"]}, True),
    ("exists", STORE, {"customer_interests": ["baseball", "basketball"]}, False),
    ("exists false", NO_STORE, {"store": "fans", "customer_interests": ["baseball", "basketball"]}, False),
    ("exists false", NO_STORE, {"customer_interests": ["baseball", "basketball"]}, True),
    ("exists false, of nothing at all", NO_STORE, {}, False),
    ("anything-but or absent", {"a": [{"anything-but": ["x"]}, {"exists": False}], **STORE}, {"store": "fans"}, True),
    # AND/OR logic
    ("and", {"customer_interests": ["rugby"], **POSITIVE}, {"customer_interests": "rugby", "price_usd": 100}, True),
    ("and", {"customer_interests": ["rugby"], **POSITIVE}, {"customer_interests": "rugby"}, False),
    ("$or", {"source": ["cw"], "$or": [{"m": ["cpu"]}, {"n": ["ec2"]}]}, {"source": "cw", "n": "ec2"}, True),
    ("$or", {"source": ["cw"], "$or": [{"m": ["cpu"]}, {"n": ["ec2"]}]}, {"source": "cw", "n": "es"}, False),
    ("$or", {"source": ["cw"], "$or": [{"m": ["cpu"]}, {"n": ["ec2"]}]}, {"n": "ec2"}, False),
]


@pytest.mark.parametrize("scope", ["attributes", "body"])
@pytest.mark.parametrize(("what", "filter", "values", "passes"), GUIDE)
def test_the_guides_examples(what: str, filter: Any, values: Any, passes: bool, scope: Scope):
    message = Message({}, values) if scope == "attributes" else Message(values)
    assert matches(filter, message, scope) is passes, what
    assert oracle(filter, message, scope) is passes, f"the oracle on {what}"


ATTRIBUTES: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("a String is no number", {"a": [5]}, {"a": "5"}, False),
    ("a String is in no range", {"a": [{"numeric": [">", 0]}]}, {"a": "5"}, False),
    ("a Number is no text", {"a": ["5"]}, {"a": 5}, False),
    ("a Number has no prefix", {"a": [{"prefix": "5"}]}, {"a": 5}, False),
    ("a number is what it counts, not how it is written", {"a": [100]}, {"a": 1e2}, True),
    ("five digits are seen", {"a": [1.00001]}, {"a": 1.00002}, False),
    ("a sixth is not", {"a": [1.00001]}, {"a": 1.000019}, True),
    ("beyond a billion nothing is seen", {"a": [{"numeric": [">", 0]}]}, {"a": 1_000_000_001}, False),
    ("a billion is seen", {"a": [{"numeric": [">", 0]}]}, {"a": 1_000_000_000}, True),
    ("Binary is not seen", {"a": [{"exists": True}]}, {"a": b"x", "b": "y"}, False),
    ("Binary is absent", {"a": [{"exists": False}]}, {"a": b"x", "b": "y"}, True),
    ("true is no String", {"a": [True]}, {"a": "true"}, False),
    ("true of an array", {"a": [True]}, {"a": ["x", True]}, True),
    ("null of an array", {"a": [None]}, {"a": ["x", None]}, True),
    ("null is not absence", {"a": [None]}, {"b": "x"}, False),
    ("true is not one", {"a": [True]}, {"a": 1}, False),
    ("one is not true", {"a": [1]}, {"a": [True]}, False),
    ("an empty array is not there", {"a": [{"exists": True}]}, {"a": [], "b": "x"}, False),
    ("what is absent is not anything", {"a": [{"anything-but": ["x"]}]}, {"b": "x"}, False),
    ("a number is anything but a text", {"a": [{"anything-but": ["x"]}]}, {"a": 5}, True),
    ("a number is anything but a prefix", {"a": [{"anything-but": {"prefix": "5"}}]}, {"a": 5}, True),
    ("quotes are compared escaped", {"a": [r"say \"x\""]}, {"a": 'say "x"'}, True),
    ("backslashes are compared escaped", {"a": [r"C:\\x"]}, {"a": "C:\\x"}, True),
    ("dots are a part of a name", {"a.b": ["x"]}, {"a.b": "x"}, True),
    ("no address is in no network", {"a": [{"cidr": "10.0.0.0/8"}]}, {"a": "ten"}, False),
    ("an address of the other kind", {"a": [{"cidr": "10.0.0.0/8"}]}, {"a": "2001:db8::1"}, False),
    ("IPv6", {"a": [{"cidr": "2001:db8::/32"}]}, {"a": "2001:db8::1"}, True),
    ("a network with bits behind its mask", {"a": [{"cidr": "10.0.0.9/24"}]}, {"a": "10.0.0.1"}, True),
    ("a star is any text over lines", {"a": [{"wildcard": "x*y"}]}, {"a": "x\n*y"}, True),
    ("an escaped star is one", {"a": [{"wildcard": r"x\*y"}]}, {"a": "x*y"}, True),
    ("an escaped star is no other", {"a": [{"wildcard": r"x\*y"}]}, {"a": "xxy"}, False),
    ("pieces do not overlap", {"a": [{"wildcard": "ab*ba"}]}, {"a": "aba"}, False),
    ("pieces come in order", {"a": [{"wildcard": "*a*b*"}]}, {"a": "ba"}, False),
    ("without a star it is the text", {"a": [{"wildcard": "ab"}]}, {"a": "abc"}, False),
]

BODIES: list[tuple[str, dict[str, Any], Any, bool]] = [
    ("inside", {"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
    ("inside a list of objects", {"a": {"b": ["x"]}}, {"a": [{"b": "y"}, {"b": "x"}]}, True),
    ("inside lists of lists", {"a": {"b": ["x"]}}, {"a": [[{"b": ["y", ["x"]]}]]}, True),
    ("each name for itself in a list", {"a": {"b": ["x"], "c": [1]}}, {"a": [{"b": "x", "c": 2}, {"c": 1}]}, True),
    ("dots are the same as depth", {"a.b": ["x"]}, {"a": {"b": "x"}}, True),
    ("depth is the same as dots", {"a": {"b": {"c": ["x"]}}}, {"a.b": {"c": "x"}}, True),
    ("an object is no leaf", {"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ("an object is no leaf, so it is absent", {"a": [{"exists": False}]}, {"a": {"b": 1}}, True),
    ("absent where all is absent", {"a": {"b": [{"exists": False}]}}, {"c": 1}, True),
    ("absent nowhere in a list", {"a": {"b": [{"exists": False}]}}, {"a": [{"b": 1}, {"c": 1}]}, False),
    ("null has no value", {"a": [{"exists": True}]}, {"a": None}, False),
    ("null is there", {"a": [{"exists": False}]}, {"a": None}, False),
    ("empty text has no value", {"a": [{"exists": True}]}, {"a": ""}, False),
    ("null", {"a": [None]}, {"a": None}, True),
    ("false", {"a": [False]}, {"a": False}, True),
    ("false is no zero", {"a": [0]}, {"a": False}, False),
    ("text is no number", {"a": [{"numeric": ["=", 5]}]}, {"a": "5"}, False),
    ("quotes are themselves", {"a": ['say "x"']}, {"a": 'say "x"'}, True),
    ("an empty object", {"a": [{"exists": False}]}, {}, False),
    ("no leaf at all", {"a": [{"exists": False}]}, {"b": {}, "c": [[]]}, False),
    ("no object", {"a": [{"exists": False}]}, [{"b": 1}], False),
    ("text", {"a": [{"exists": False}]}, "text", False),
    ("an attribute's name", {"kind": ["x"]}, {"a": 1}, False),
]


@pytest.mark.parametrize(("what", "filter", "values", "passes"), ATTRIBUTES)
def test_an_attribute_is_seen_as_what_it_is(what: str, filter: Any, values: Any, passes: bool):
    message = Message({"a": "the body is not looked at"}, values)
    assert matches(filter, message) is passes, what
    assert oracle(filter, message, "attributes") is passes, f"the oracle on {what}"


@pytest.mark.parametrize(("what", "filter", "body", "passes"), BODIES)
def test_a_body_is_seen_to_its_leaves(what: str, filter: Any, body: Any, passes: bool):
    message = Message(body, {"kind": "x"})
    assert matches(filter, message, "body") is passes, what
    assert oracle(filter, message, "body") is passes, f"the oracle on {what}"


def test_without_a_filter_every_message_passes():
    assert matches(None, Message("text"))
    assert matches(None, Message({}), "body")


@pytest.mark.parametrize("scope", ["attributes", "body"])
@settings(max_examples=500)
@given(seed=st.integers(0, 2**32))
def test_any_filter_decides_on_any_message_as_the_oracle_does(scope: Scope, seed: int):
    corpus = Corpus(random.Random(seed), plain=False)
    filter = corpus.filter(scope)
    for _ in range(4):
        message = corpus.message()
        assert matches(filter, message, scope) == oracle(filter, message, scope), (filter, message)


@given(seed=st.integers(0, 2**32))
def test_a_message_is_the_same_after_its_delivery(seed: int):
    """What the publisher's test says is what a branch says, and what the matcher of unmatched messages says."""
    corpus = Corpus(random.Random(seed), plain=False)
    message = corpus.message()
    received = Message.received(record_of(message))
    for scope in ("attributes", "body"):
        filter = corpus.filter(scope)
        assert matches(filter, received, scope) == matches(filter, message, scope), (filter, message)


def record_of(message: Message) -> dict[str, Any]:
    return {"body": message.text(), "messageAttributes": to_record(message.attributes)}


@pytest.mark.parametrize("text", ["", "{", "[1]", '"a"', "[" * 100_000, '{"a":' * 100_000])
def test_what_is_no_json_object_passes_no_filter_of_the_body(text: str):
    assert not matches({"a": [{"exists": False}]}, Message.received({"body": text}), "body")


def test_a_body_may_be_as_deep_as_json_goes():
    depth = 400
    body = json.loads('{"a":' * depth + "1" + "}" * depth)
    assert matches({".".join(["a"] * depth): [1]}, Message(body), "body")


@pytest.mark.parametrize(
    ("filter", "scope"),
    [({"a": "x"}, "attributes"), ({"a": {"b": ["x"]}}, "attributes"), ({"a": [{"like": "x"}]}, "body"), ({}, "body")],
)
def test_a_filter_that_sns_refuses_is_an_error_and_not_a_silent_no(filter: Any, scope: Scope):
    with pytest.raises(ValueError, match="the filter"):
        matches(filter, Message({}), scope)


def test_what_is_no_message_is_no_message_that_does_not_match() -> None:
    body: Any = {"kind": "placed"}
    with pytest.raises(TypeError, match=r"looks at a Message, got a value of type dict: write Message\(body\)"):
        matches({"kind": ["placed"]}, body)


@pytest.mark.parametrize(
    ("scope", "fix"), [("MessageBody", "write 'body'"), ("MessageAttributes", "write 'attributes'"), ("x", "say where")]
)
def test_a_scope_that_is_none_is_refused_and_sns_s_word_for_it_told(scope: Any, fix: str) -> None:
    with pytest.raises(ValueError, match=f"filter_scope must be one of 'attributes', 'body', got '{scope}': {fix}"):
        matches({"kind": ["placed"]}, Message({"kind": "placed"}), filter_scope=scope)
