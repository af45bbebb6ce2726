"""What a publisher may say, what he may not, and that it is the same on the other side."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Message
from serverless_patterns_runtime.fan_out_topic.message_attributes import from_record, from_sns, to_record, to_sns

from .. import scripted_aws


@pytest.mark.parametrize(
    ("value", "sns"),
    [
        ("placed", {"DataType": "String", "StringValue": "placed"}),
        (5, {"DataType": "Number", "StringValue": "5"}),
        (1.5, {"DataType": "Number", "StringValue": "1.5"}),
        (Decimal("1.50"), {"DataType": "Number", "StringValue": "1.50"}),
        (1e22, {"DataType": "Number", "StringValue": "1e+22"}),
        (["a", 1, 1.5, True, None], {"DataType": "String.Array", "StringValue": '["a", 1, 1.5, true, null]'}),
        ([Decimal("1.5")], {"DataType": "String.Array", "StringValue": "[1.5]"}),
        ([], {"DataType": "String.Array", "StringValue": "[]"}),
        (b"\x00\x01", {"DataType": "Binary", "BinaryValue": b"\x00\x01"}),
    ],
)
def test_an_attribute_has_the_type_of_its_value(value: Any, sns: dict[str, Any]):
    message = Message({}, {"a": value})
    assert to_sns(message.attributes) == {"a": sns}
    assert from_sns(to_sns(message.attributes)) == from_record(to_record(message.attributes)) == {"a": value}


def test_attributes_are_as_an_event_of_a_queue_has_them():
    assert to_record({"kind": "placed", "picture": b"\x00"}) == {
        "kind": {"stringValue": "placed", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "picture": {"binaryValue": "AA==", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
    }


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (
            {f"a{n}": "x" for n in range(11)},
            "a message has at most 10 attributes, got 11: with raw delivery SNS discards",
        ),
        ({"": "x"}, "attribute '' must have a name of 1 to 256 of A-Z, a-z, 0-9, _, - and ."),
        ({"a b": "x"}, "attribute 'a b' must have a name"),
        ({"ä": "x"}, "attribute 'ä' must have a name"),
        ({".a": "x"}, "attribute '.a' must have a name"),
        ({"a.": "x"}, "attribute 'a.' must have a name"),
        ({"a..b": "x"}, "attribute 'a..b' must have a name"),
        ({"AWS.a": "x"}, "attribute 'AWS.a' must have a name"),
        ({"amazon.a": "x"}, "attribute 'amazon.a' must have a name"),
        ({"a\n": "x"}, "attribute 'a\\n' must have a name"),
        ({"a" * 257: "x"}, "must have a name"),
        ({5: "x"}, "attribute 5 must have a name"),
        ({"a": ""}, "attribute 'a' is empty, which SNS refuses: leave it out"),
        ({"a": b""}, "attribute 'a' is empty, which SNS refuses: leave it out"),
        ({"a": True}, "attribute 'a' is True: SNS has no such type, write 'true' or [True]"),
        ({"a": None}, "attribute 'a' must be a str, a number, bytes or a list, got NoneType: None"),
        ({"a": {"b": 1}}, "attribute 'a' must be a str, a number, bytes or a list, got dict: {'b': 1}"),
        ({"a": float("nan")}, "attribute 'a' is nan: SNS has numbers only"),
        ({"a": Decimal("-Infinity")}, "attribute 'a' is -Infinity: SNS has numbers only"),
        ({"a": 10**38}, "attribute 'a' has 39 digits, a Number has at most 38: write a str"),
        ({"a": ["x", ["y"]]}, "attribute 'a' has ['y']: a list holds strings, numbers, booleans and None"),
        ({"a": [float("inf")]}, "attribute 'a' has inf: a list holds strings, numbers, booleans and None"),
        ({"a": [b"x"]}, "attribute 'a' has b'x': a list holds strings, numbers, booleans and None"),
    ],
)
def test_an_attribute_that_sns_would_refuse_is_refused(attributes: Any, why: str):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 the text is compared
        Message({}, attributes)
    assert str(refused.value).startswith(why) or why in str(refused.value)


@pytest.mark.parametrize("name", ["a", "A-b_c.d9", "awsome", "a" * 256])
def test_a_name_that_sns_takes_passes(name: str):
    assert Message({}, {name: "x"}).attributes == {name: "x"}


@pytest.mark.parametrize("argument", ["key", "group"])
def test_a_key_and_a_group_are_texts(argument: str):
    for value in ("", 5):
        with pytest.raises(ValueError, match=f"{argument} must be a str of at least one character"):
            Message({}, **{argument: value})


@pytest.mark.parametrize("body", [{"a": {1, 2}}, object(), float("nan"), b"bytes"])
def test_a_body_that_is_no_json_is_refused_when_it_is_published(body: Any):
    with pytest.raises(ValueError, match="the body must be a JSON value: "):
        Message(body).text()


def test_a_body_goes_out_as_short_as_json_is():
    assert Message({"a": [1, "ü"]}).text() == '{"a":[1,"ü"]}'


def test_a_message_is_a_value():
    assert Message({"a": 1}, {"k": "x"}, key="1") == Message({"a": 1}, {"k": "x"}, key="1")
    assert Message({"a": 1}) != Message({"a": 2})
    with pytest.raises(dataclasses.FrozenInstanceError):
        Message({}).body = {}  # type: ignore[misc]


def test_what_was_received_is_never_refused():
    hostile = {
        "odd name!": {"stringValue": "", "dataType": "String"},
        "number": {"stringValue": "five", "dataType": "Number"},
        "huge": {"stringValue": "9" * 5000, "dataType": "Number"},
        "array": {"stringValue": "[", "dataType": "String.Array"},
        "object": {"stringValue": "{}", "dataType": "String.Array"},
        "custom": {"stringValue": "x", "dataType": "String.mine"},
        **{f"a{n}": {"stringValue": "x", "dataType": "String"} for n in range(12)},
    }
    message = Message.received({"body": "text", "messageAttributes": hostile, "attributes": {"MessageGroupId": "g"}})
    assert message.body == "text"
    assert message.group == "g"
    assert set(message.attributes) == {"odd name!", "huge", *(f"a{n}" for n in range(12))}


VALUES = st.one_of(
    st.text(min_size=1),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.binary(min_size=1),
    st.lists(st.one_of(st.text(), st.integers(-(10**9), 10**9), st.booleans(), st.none())),
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True), VALUES, max_size=10))
def test_what_is_said_is_what_arrives_on_either_way(attributes: dict[str, Any]):
    message = Message({}, attributes)
    sns = scripted_aws.ScriptedClient("sns", {"Publish": lambda _: {}})
    sns.publish(TopicArn="arn:aws:sns:eu-west-1:123456789012:t", Message="{}", MessageAttributes=to_sns(attributes))
    for arrived in (from_sns(to_sns(message.attributes)), from_record(to_record(message.attributes))):
        assert to_sns(arrived).keys() == to_sns(attributes).keys()
        for name, value in attributes.items():
            assert arrived[name] == (Decimal(str(value)) if isinstance(value, float) else value)
