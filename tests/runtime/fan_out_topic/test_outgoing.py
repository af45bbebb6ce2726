"""What a message becomes on its way out: its key, its text, its attributes and its size."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Message, PermanentError
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.load_leveled_queue.message import Message as Received

from ..sqs_events import record
from .sns import MOST_BYTES, World, attributes, size


def published(message: Message, **settings: Any) -> dict[str, Any]:
    world = World(**settings)
    world.publish(message)
    (entry,) = world.sns.published
    return entry


def refused(message: Message, match: str, *others: Message, **settings: Any) -> PermanentError:
    world = World(**settings)
    with pytest.raises(PermanentError, match=match) as raised:
        world.publish(message, *others)
    assert world.sns.requests == []
    return raised.value


def key_of(message: Message, **settings: Any) -> str:
    return attributes(published(message, **settings))["idempotency-key"]


# Keys.


@pytest.mark.parametrize(
    ("message", "path", "key"),
    [
        (Message({"order_id": "7"}), "order_id", "7"),
        (Message({"order": {"id": 7}}), "order.id", "7"),
        (Message({"order_id": Decimal(7)}), "order_id", "7"),
        (Message({"order_id": "7"}, key="7"), "order_id", "7"),
        (Message({"order_id": "7"}, key="mine"), "", "mine"),
        (Message({"order_id": "7"}), "", "invocation-1"),
    ],
)
def test_the_key_is_the_topic_s_path_s_else_the_message_s_else_the_invocation_s(
    message: Message, path: str, key: str
) -> None:
    assert key_of(message, key=path) == key


@pytest.mark.parametrize(
    "body", [{}, {"order_id": ""}, {"order_id": None}, {"order_id": True}, {"order_id": 1.5}, [], "x"]
)
def test_a_body_without_the_topic_s_key_is_the_sender_s_mistake(body: Any) -> None:
    assert refused(Message(body), "no idempotency key: 'order_id'", key="order_id").status == 400


def test_a_key_that_is_not_the_body_s_is_refused_since_subscribers_go_by_the_body() -> None:
    refused(Message({"order_id": "7"}, key="8"), "not what its body holds at 'order_id'", key="order_id")


def test_several_messages_cannot_all_have_the_invocation_s_key() -> None:
    refused(Message({"a": 1}), "has no idempotency key", Message({"a": 2}))


def test_without_an_invocation_a_message_needs_a_key_of_its_own() -> None:
    world = World()
    with pytest.raises(PermanentError, match="has no idempotency key"):
        world.publish(Message({"a": 1}), alone=True)
    world.publish(Message({"a": 1}, key="mine"), alone=True)
    assert attributes(world.sns.published[0]) == {"idempotency-key": "mine"}


def test_one_key_stands_for_one_body() -> None:
    refused(Message({"a": 1}, key="k"), "different bodies have the same", Message({"a": 2}, key="k"))
    world = World()
    world.publish(Message({"a": 1, "b": 2}, key="k"), Message({"b": 2, "a": 1}, key="k"))


@pytest.mark.parametrize("key", ["a\nb", "\x00", "\x7f", "\ud800", "\uffff", "x" * 1025, "ä" * 513])
def test_a_key_that_a_consumer_would_not_take_is_refused(key: str) -> None:
    refused(Message({}, key=key), "a message's idempotency key")


@given(key=st.text(min_size=1, max_size=40), body=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_a_consumer_reads_the_key_that_was_published(key: str, body: Any) -> None:
    """Whatever the key: either it is refused here, or every subscriber sees the very same."""
    try:
        entry = published(Message(body, key=key))
    except PermanentError:
        return
    got = Received(record(entry["Message"], attributes=_as_received(entry)))
    assert got.request(key_path="", namespace="n").claim == Claim(
        "n", key, got.request(key_path="", namespace="n").claim.payload
    )
    assert got.request(key_path="", namespace="n").payload == body
    assert got.correlation_id == "correlation-1"


def _as_received(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
        for name, value in entry["MessageAttributes"].items()
    }


# Bodies.


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(body=JSON)
def test_what_is_published_is_text_that_sqs_takes_and_a_consumer_reads_as_the_body(body: Any) -> None:
    try:
        entry = published(Message(body, key="k"))
    except PermanentError:
        return
    text: str = entry["Message"]
    assert all(character in "\t\n\r" or " " <= character <= "\ufffd" or character >= "\U00010000" for character in text)
    assert Received(record(text)).request(key_path="", namespace="n").payload == body


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ({"when": object()}, "the message's body has no JSON: .*at /when"),
        ({"n": float("nan")}, "the message's body has no JSON"),
        ({"text": "\ud800"}, "half of a surrogate pair"),
        (json.loads("[" * 70 + "]" * 70), "nested deeper than 64"),
        ({"claim-check": {}}, "the body has no member 'claim-check'"),
    ],
)
def test_a_body_that_no_consumer_would_take_is_refused(body: Any, match: str) -> None:
    refused(Message(body, key="k"), match)


def test_two_characters_that_json_leaves_and_sqs_refuses_are_escaped() -> None:
    assert published(Message({"a": "\ufffe\uffff"}, key="k"))["Message"] == '{"a":"\\ufffe\\uffff"}'


# Attributes.


@pytest.mark.parametrize(
    ("value", "data_type", "text"),
    [
        ("placed", "String", "placed"),
        (7, "Number", "7"),
        (1.5, "Number", "1.5"),
        (True, "String.Array", "[true]"),
        (["a", 1, None], "String.Array", '["a", 1, null]'),
    ],
)
def test_an_attribute_from_the_body_has_the_type_that_filters_compare(value: Any, data_type: str, text: str) -> None:
    entry = published(Message({"order": {"kind": value}}, key="k"), attributes={"kind": "order.kind"})
    assert entry["MessageAttributes"]["kind"] == {"DataType": data_type, "StringValue": text}


@pytest.mark.parametrize("body", [{}, {"kind": None}, {"kind": ""}, {"kind": []}, [], "text", {"kind": {}}])
def test_what_is_not_in_the_body_is_no_attribute(body: Any) -> None:
    if body == {"kind": {}}:
        refused(Message(body, key="k"), "'kind' is text, a number", attributes={"kind": "kind"})
    else:
        assert "kind" not in published(Message(body, key="k"), attributes={"kind": "kind"})["MessageAttributes"]


def test_an_attribute_of_the_message_goes_before_the_body_s() -> None:
    entry = published(Message({"kind": "body"}, {"kind": "own"}, key="k"), attributes={"kind": "kind"})
    assert attributes(entry)["kind"] == "own"


def test_a_correlation_id_of_the_message_goes_before_the_invocation_s() -> None:
    assert attributes(published(Message({}, {"correlation-id": "own"}, key="k")))["correlation-id"] == "own"


@pytest.mark.parametrize("odd", ["", "a b", "ä", "x" * 65, "a\n", "\ud800"])
def test_a_correlation_id_that_nobody_would_take_is_left_out(odd: str) -> None:
    assert "correlation-id" not in attributes(published(Message({}, key="k"), correlation_id=odd))


@pytest.mark.parametrize("name", ["idempotency-key", "dead-letter", "redrive"])
def test_attributes_of_our_own_are_nobody_else_s(name: str) -> None:
    refused(Message({}, {name: "x"}, key="k"), f"'{name}' is the topic's own")


def test_with_key_and_correlation_id_a_message_has_ten_attributes_at_most() -> None:
    eight = {f"a{number}": "x" for number in range(8)}
    assert len(published(Message({}, eight, key="k"))["MessageAttributes"]) == 10
    refused(Message({}, eight | {"b": "x"}, key="k"), "at most 10 attributes.*got 11")


@pytest.mark.parametrize("value", ["\x00", "\uffff", "\x1f", "a\ud800"])
def test_an_attribute_that_sqs_would_not_take_is_refused_and_not_quoted(value: str) -> None:
    error = refused(Message({"kind": value}, {"other": value}, key="k"), "characters|surrogate")
    assert value not in error.message


@given(value=JSON)
def test_no_error_quotes_what_is_in_the_body(value: Any) -> None:
    secret = "5ec4e7"
    error = refused(
        Message({"kind": {"x": secret, "y": value}}, key="k"), "text, a number", attributes={"kind": "kind"}
    )
    assert secret not in error.message


# Sizes.


@pytest.mark.parametrize("character", ["x", "ä", "😀", '"'])
def test_a_message_may_have_exactly_what_sns_takes_and_not_a_byte_more(character: str) -> None:
    empty = size(published(Message({"text": ""}, {"kind": "placed"}, key="k")))
    each = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    number, rest = divmod(MOST_BYTES - empty, each)
    text = character * number + "x" * rest
    assert size(published(Message({"text": text}, {"kind": "placed"}, key="k"))) == MOST_BYTES
    error = refused(Message({"text": text + "x"}, {"kind": "placed"}, key="k"), "at most 262,144 bytes.*got 262,145")
    assert error.status == 413
