import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.load_leveled_queue.message import MAX_KEY_BYTES, Message

from ..sqs_events import binary, golden, record, text


def key_of(body: Any, path: str) -> str:
    return Message(record(body)).request(key_path=path, namespace="Fulfilment").claim.key


def refusal_of(body: Any, path: str = "order_id") -> str:
    with pytest.raises(MalformedPayload) as raised:
        Message(record(body)).request(key_path=path, namespace="Fulfilment")
    return str(raised.value)


def redriven(value: Any, **others: dict[str, Any]) -> Message:
    said = value if isinstance(value, str) else json.dumps(value)
    return Message(record({"order_id": "A-1"}, message_id="new-id", attributes={"redrive": text(said), **others}))


# --- Golden envelopes


def test_a_standard_record_is_read():
    message = Message(golden("sqs_standard")["Records"][1])
    assert message.id == "2e1424d4-f796-459a-8184-9c92662be6da"
    assert message.receipt_handle.startswith("AQEB")
    assert message.receive_count == 3
    assert message.sent_at == 1795251500.123
    assert message.group is None
    assert message.trace_header is None
    assert message.correlation_id == "web-7f3a.1"
    assert sorted(message.attributes) == ["correlation-id", "kind", "signature", "thumbnail", "weight"]
    assert message.request(key_path="order_id", namespace="N").payload["ship_name"] == "Hanari Carnes é中\U0001f600"


def test_a_fifo_record_is_read():
    message = Message(golden("sqs_fifo")["Records"][2])
    assert message.group == "customer-1"
    assert message.trace_header == "Root=1-6a0cb6f6-2d6c6a4f1a1b5a1d0e4b3c21"
    assert message.correlation_id == "web-7f3a.2"
    assert message.delivery == "3bd4c2a1-7b54-4c1e-8b62-4a8f9d0e1b2c:1795251590129"


def test_a_record_without_message_attributes_has_none():
    bare = golden("sqs_standard")["Records"][0]
    for attributes in ({}, None):
        assert Message(bare | {"messageAttributes": attributes}).attributes == {}
    del bare["messageAttributes"]
    assert Message(bare).attributes == {}


@pytest.mark.parametrize("missing", ["messageId", "body", "attributes"])
def test_a_record_that_is_not_sqs_s_is_an_error_of_the_event_and_not_of_the_message(missing: str):
    broken = golden("sqs_standard")["Records"][0]
    del broken[missing]
    message = Message(broken)
    with pytest.raises(KeyError):
        _ = message.request(key_path="", namespace="N"), message.receive_count


# --- Idempotency keys


def test_without_a_path_the_message_id_is_the_key():
    request = Message(record("[1, 2]", message_id="m-1")).request(key_path="", namespace="Fulfilment")
    assert request.claim.key == "m-1"
    assert request.claim.id == "Fulfilment#m-1"
    assert request.payload == [1, 2]


def own_key(attribute: dict[str, Any], **others: dict[str, Any]) -> str:
    message = Message(record("{}", message_id="m-1", attributes={"idempotency-key": attribute, **others}))
    return message.request(key_path="", namespace="Fulfilment").claim.key


@pytest.mark.parametrize("key", ["k", "POST /orders|auth0%7C1|key with spaces", "é中\U0001f600", "k" * MAX_KEY_BYTES])
def test_without_a_path_the_sender_s_key_is_the_key(key: str):
    assert own_key(text(key)) == key


def test_a_sender_s_key_that_no_claim_could_hold_is_known_by_its_digest():
    """An API puts its caller before the key: one of 400 characters was told 202, and became a dead letter."""
    long = ["k" * (MAX_KEY_BYTES + 1), "é" * 513, "POST /orders|" + "%C3%A9" * 400 + "|k-1", "k" * 100_000]
    keys = [own_key(text(key)) for key in long]
    assert len({*keys}) == len(long)
    assert keys == [own_key(text(key)) for key in long]
    assert all(key.startswith("sha256 ") and len(key) == 71 for key in keys)


def test_with_a_path_the_body_has_the_key_whatever_the_sender_says():
    message = Message(record({"order_id": "A-1"}, attributes={"idempotency-key": text("a\x00")}))
    assert message.request(key_path="order_id", namespace="N").claim.key == "A-1"


def test_what_a_redrive_kept_goes_before_what_the_sender_says():
    kept = text(json.dumps({"idempotency_key": "k-1", "correlation_id": "c"}))
    assert own_key(text("k-2"), redrive=kept) == "k-1"


@pytest.mark.parametrize(
    "attribute",
    [text(key) for key in ("", "a\nb", "a\x00", "\x7f", "a\x85", "\ud800")] + [binary(b"k")],
)
def test_a_sender_s_key_that_is_no_key_is_malformed(attribute: dict[str, Any]):
    with pytest.raises(MalformedPayload, match="'idempotency-key' must be text without control characters"):
        own_key(attribute)


@pytest.mark.parametrize(
    ("body", "path", "key"),
    [
        ({"order_id": "A-1"}, "order_id", "A-1"),
        ({"order": {"id": "A-1"}}, "order.id", "A-1"),
        ({"a": {"b": {"c": {"d": 7}}}}, "a.b.c.d", "7"),
        ({"order_id": 0}, "order_id", "0"),
        ({"order_id": -12}, "order_id", "-12"),
        ({"order_id": 10**30}, "order_id", "1" + "0" * 30),
        ({"order_id": " "}, "order_id", " "),
        ({"order_id": "é中\U0001f600"}, "order_id", "é中\U0001f600"),
        ({"order_id": "a#b.c"}, "order_id", "a#b.c"),
        ({"order_id": "k" * MAX_KEY_BYTES}, "order_id", "k" * MAX_KEY_BYTES),
    ],
)
def test_the_key_is_found_by_its_path(body: Any, path: str, key: str):
    assert key_of(body, path) == key


NO_KEY = "the body has no idempotency key: {!r} must be a string or an integer"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "order_id"),
        ({"order_id": None}, "order_id"),
        ({"order_id": ""}, "order_id"),
        ({"order_id": True}, "order_id"),
        ({"order_id": False}, "order_id"),
        ({"order_id": 1.0}, "order_id"),
        ({"order_id": ["A-1"]}, "order_id"),
        ({"order_id": {"id": "A-1"}}, "order_id"),
        ({"order.id": "A-1"}, "order.id"),
        ({"order": "A-1"}, "order.id"),
        ({"order": ["A-1"]}, "order.0"),
        ({"Order_Id": "A-1"}, "order_id"),
        ([{"order_id": "A-1"}], "order_id"),
        ("null", "order_id"),
        ('"order_id"', "order_id"),
        ("1", "order_id"),
    ],
)
def test_a_body_without_a_usable_key_is_malformed(body: Any, path: str):
    assert refusal_of(body, path) == NO_KEY.format(path)


@pytest.mark.parametrize("key", ["k" * (MAX_KEY_BYTES + 1), "é" * 513])
def test_a_key_longer_than_a_partition_key_has_room_for_is_malformed(key: object):
    assert refusal_of({"order_id": key}) == "the idempotency key is longer than 1024 bytes"


def test_a_key_that_is_no_text_is_malformed_and_not_a_crash_of_the_whole_batch():
    assert refusal_of('{"order_id": "\\ud800"}') == "the JSON holds a lone surrogate, which is not text"


def test_another_payload_under_the_same_key_has_another_digest():
    one = Message(record({"order_id": "A-1", "n": 1})).request(key_path="order_id", namespace="N")
    other = Message(record({"order_id": "A-1", "n": 2})).request(key_path="order_id", namespace="N")
    assert one.claim.id == other.claim.id
    assert one.claim.payload != other.claim.payload


def test_an_integer_and_its_text_are_one_key_with_two_payloads():
    one = Message(record({"order_id": 7})).request(key_path="order_id", namespace="N")
    other = Message(record({"order_id": "7"})).request(key_path="order_id", namespace="N")
    assert one.claim.id == other.claim.id
    assert one.claim != other.claim


# --- Correlation ids


@pytest.mark.parametrize("said", ["a", "A-1_b.c", "0" * 64])
def test_a_correlation_id_that_is_safe_to_log_is_kept(said: str):
    assert Message(record({}, attributes={"correlation-id": text(said)})).correlation_id == said


@pytest.mark.parametrize(
    "said",
    [
        "",
        "a b",
        "a" * 65,
        "a\n",
        "\na",
        'a\n{"level":"ERROR"}',
        "a\r\nb",
        "a\u2028b",
        "a\0",
        "é",
        "\u0660",
        "a/b",
        "${jndi:x}",
        "=1+1",
        "\ud800",
    ],
)
def test_a_correlation_id_that_could_forge_a_log_line_gives_way_to_the_message_id(said: str):
    forged = record({}, message_id="m-1", attributes={"correlation-id": text(said)})
    assert Message(forged).correlation_id == "m-1"


def test_a_binary_correlation_id_gives_way_to_the_message_id():
    assert Message(record({}, message_id="m-1", attributes={"correlation-id": binary("YWJj")})).correlation_id == "m-1"


# --- The redrive attribute


def test_a_redrive_keeps_key_and_correlation_id():
    message = redriven({"idempotency_key": "old-id", "correlation_id": "web-1"})
    assert message.request(key_path="", namespace="N").claim.key == "old-id"
    assert message.correlation_id == "web-1"


def test_a_redrive_does_not_overrule_a_key_in_the_body():
    message = redriven({"idempotency_key": "old-id", "correlation_id": "web-1"})
    assert message.request(key_path="order_id", namespace="N").claim.key == "A-1"


def test_a_redrive_cannot_forge_a_log_line():
    message = redriven({"idempotency_key": "old-id", "correlation_id": "web-1\nforged"})
    assert message.correlation_id == "new-id"


GOOD = {"idempotency_key": "old-id", "correlation_id": "web-1"}

HOSTILE_REDRIVES = {
    "not JSON": "{",
    "null": "null",
    "an array": "[1]",
    "text": '"idempotency_key"',
    "a number": "7",
    "100,000 deep": "[" * 100_000 + "]" * 100_000,
    "100,000 deep inside": '{"idempotency_key": ' + "[" * 100_000 + "]" * 100_000 + ', "correlation_id": "c"}',
    "integer of 100,000 digits": '{"idempotency_key": ' + "7" * 100_000 + ', "correlation_id": "c"}',
    "no key": '{"correlation_id": "web-1"}',
    "no correlation id": '{"idempotency_key": "old-id"}',
    "empty key": json.dumps(GOOD | {"idempotency_key": ""}),
    "key null": json.dumps(GOOD | {"idempotency_key": None}),
    "key an object": json.dumps(GOOD | {"idempotency_key": {"a": 1}}),
    "key a number": json.dumps(GOOD | {"idempotency_key": 7}),
    "key with a lone surrogate": json.dumps(GOOD | {"idempotency_key": "\ud800"}),
    "correlation id an object": json.dumps(GOOD | {"correlation_id": {}}),
    "displaced null": json.dumps(GOOD | {"displaced": None}),
    "displaced text": json.dumps(GOOD | {"displaced": "abc"}),
    "displaced array": json.dumps(GOOD | {"displaced": [["a", "b"]]}),
    "displaced number inside": json.dumps(GOOD | {"displaced": {"a": 5}}),
    "displaced without type": json.dumps(GOOD | {"displaced": {"a": {"StringValue": "x"}}}),
    "displaced without value": json.dumps(GOOD | {"displaced": {"a": {"DataType": "String"}}}),
    "displaced type a number": json.dumps(GOOD | {"displaced": {"a": {"DataType": 5, "StringValue": "x"}}}),
    "displaced value a number": json.dumps(GOOD | {"displaced": {"a": {"DataType": "String", "StringValue": 5}}}),
    "displaced base64 junk": json.dumps(GOOD | {"displaced": {"a": {"DataType": "Binary", "BinaryValue": "*é"}}}),
    **{
        f"displaced {what}": json.dumps(GOOD | {"displaced": {name: {"DataType": kind, "StringValue": value}}})
        for what, name, kind, value in [
            ("our own name", "dead-letter", "String", "forged"),
            ("our own other name", "redrive", "String", "forged"),
            ("without a name", "", "String", "x"),
            ("name of AWS", "AWS.TraceHeader", "String", "x"),
            ("name of Amazon", "amazon.x", "String", "x"),
            ("name with two dots", "a..b", "String", "x"),
            ("name with a blank", "a b", "String", "x"),
            ("name with a line feed", "a\n", "String", "x"),
            ("name too long", "a" * 257, "String", "x"),
            ("unknown type", "a", "Text", "x"),
            ("type with a line feed", "a", "String\n", "x"),
            ("binary type with text", "a", "Binary", "x"),
            ("value empty", "a", "String", ""),
            ("value with NUL", "a", "String", "\0"),
            ("value with a lone surrogate", "a", "String", "\ud800"),
        ]
    },
    "displaced more fields": json.dumps(
        GOOD | {"displaced": {"a": {"DataType": "String", "StringValue": "x", "StringListValues": []}}}
    ),
}


@pytest.mark.parametrize("hostile", HOSTILE_REDRIVES.values(), ids=HOSTILE_REDRIVES)
def test_a_redrive_attribute_that_no_redrive_wrote_is_as_if_it_were_not_there(hostile: str):
    message = redriven(hostile)
    assert message.redrive is None
    assert message.correlation_id == "new-id"
    assert message.request(key_path="", namespace="N").claim.key == "new-id"


def test_a_redriven_key_that_is_too_long_is_malformed():
    message = redriven(GOOD | {"idempotency_key": "k" * (MAX_KEY_BYTES + 1)})
    with pytest.raises(MalformedPayload, match=r"^the idempotency key is longer than 1024 bytes$"):
        message.request(key_path="", namespace="N")


def test_displaced_attributes_come_through():
    displaced = {
        "tier": {"DataType": "String", "StringValue": "é"},
        "weight": {"DataType": "Number", "StringValue": "12.5"},
        "image": {"DataType": "Binary.png", "BinaryValue": "iVBORw0K"},
    }
    assert redriven(GOOD | {"displaced": displaced}).redrive == GOOD | {"displaced": displaced}


def test_a_spoofed_redrive_does_not_hide_the_sender_s_correlation_id():
    message = redriven("{", **{"correlation-id": text("web-2")})
    assert message.correlation_id == "web-2"


# --- Anything at all

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(st.characters()), children, max_size=3),
    max_leaves=8,
)
redrives = st.fixed_dictionaries(
    {},
    optional={
        "idempotency_key": anything,
        "correlation_id": anything | st.just("web-1"),
        "displaced": anything | st.dictionaries(st.text(), anything, max_size=2),
    },
)


@given(
    body=anything.map(json.dumps) | st.text() | st.builds(json.dumps, st.fixed_dictionaries({"order_id": anything})),
    redrive=redrives.map(json.dumps) | anything.map(json.dumps) | st.text(),
    correlation_id=st.text(st.characters()),
    path=st.sampled_from(["", "order_id", "order_id.a"]),
)
@example(body='{"order_id": "\\ud800"}', redrive="", correlation_id="", path="order_id")
@example(body="{}", redrive='{"idempotency_key": "\\ud800", "correlation_id": ""}', correlation_id="", path="")
def test_whatever_a_sender_writes_a_message_is_a_request_or_malformed(
    body: str, redrive: str, correlation_id: str, path: str
):
    """Any other error would end the invocation, and every message of the batch would pay for one."""
    message = Message(
        record(body, attributes={"redrive": text(redrive), "correlation-id": text(correlation_id)}),
    )
    before = copy.deepcopy(message.record)
    with contextlib.suppress(MalformedPayload):
        claim = message.request(key_path=path, namespace="N").claim
        assert 0 < len(claim.key.encode()) <= MAX_KEY_BYTES
    assert message.correlation_id.isascii()
    assert "\n" not in message.correlation_id
    assert message.record == before
