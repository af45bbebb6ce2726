import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.payload import MAX_DEPTH, digest, parse

DEEPER = "the JSON is nested deeper than 64"
NOT_JSON = "not valid JSON at character "
BEYOND = "the JSON holds a number beyond the range of a double"
SURROGATE = "the JSON holds a lone surrogate, which is not text"

HOSTILE = {
    "nothing": ("", NOT_JSON + "0"),
    "white space only": (" \n\t", NOT_JSON + "3"),
    "byte order mark": ('\ufeff{"a": 1}', NOT_JSON + "0"),
    "bare word": ("hello", NOT_JSON + "0"),
    "single quotes": ("{'a': 1}", NOT_JSON + "1"),
    "trailing comma": ('{"a": 1,}', NOT_JSON),
    "two values": ('{"a": 1} {"a": 2}', NOT_JSON + "9"),
    "unfinished": ('{"a": ', NOT_JSON + "6"),
    "unfinished text": ('{"a": "b', NOT_JSON + "6"),
    "raw control character in text": ('"a\nb"', NOT_JSON + "2"),
    "NUL after the value": ("{}\0", NOT_JSON + "2"),
    "comment": ("{} // done", NOT_JSON + "3"),
    "hexadecimal": ("0x10", NOT_JSON + "1"),
    "leading zero": ("007", NOT_JSON + "1"),
    "leading plus": ("+1", NOT_JSON + "0"),
    "python literal": ("True", NOT_JSON + "0"),
    "duplicate key": ('{"a": 1, "a": 2}', "the JSON holds a duplicate key"),
    "duplicate key below": ('[{"b": {"a": 1, "a": 1}}]', "the JSON holds a duplicate key"),
    "duplicate key by escape": ('{"a": 1, "\\u0061": 2}', "the JSON holds a duplicate key"),
    "NaN": ('{"price": NaN}', "the JSON holds NaN, which is not a number"),
    "Infinity": ("[Infinity]", "the JSON holds Infinity, which is not a number"),
    "-Infinity": ("-Infinity", "the JSON holds -Infinity, which is not a number"),
    "1e999": ("1e999", BEYOND),
    "-1e999": ("[-1e999]", BEYOND),
    "exponent of 100,000 digits": ("1e" + "9" * 100_000, BEYOND),
    "fraction of a million digits": ("9" * 500_000 + "." + "9" * 500_000, BEYOND),
    "integer of 100,000 digits": ("7" * 100_000, BEYOND),
    "integer just beyond a double": ("2" + "0" * 308, BEYOND),
    "negative integer beyond a double": ("[-2" + "0" * 308 + "]", BEYOND),
    "array 65 deep": ("[" * 65 + "]" * 65, DEEPER),
    "object 65 deep": ('{"a":' * 65 + "1" + "}" * 65, DEEPER),
    "mixed, 66 deep": ('[{"a":' * 33 + "1" + "}]" * 33, DEEPER),
    "array 900 deep": ("[" * 900 + "]" * 900, DEEPER),
    "array 100,000 deep": ("[" * 100_000 + "]" * 100_000, DEEPER),
    "array 100,000 deep, unfinished": ("[" * 100_000, DEEPER),
    "object 100,000 deep": ('{"a":' * 100_000 + "1" + "}" * 100_000, DEEPER),
}


@pytest.mark.parametrize(("text", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_malformed_and_says_why_in_bounded_time(text: str, message: str):
    started = time.process_time()
    with pytest.raises(MalformedPayload) as raised:
        parse(text)
    assert time.process_time() - started < 1
    said = str(raised.value)
    # A position may follow where Python versions disagree about it.
    assert said == message or (message == NOT_JSON and said.startswith(NOT_JSON))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\udfff": 1}', '["\\ud800\\ud800"]', '"\\udc00\\ud800"'])
def test_a_lone_surrogate_has_no_digest(text: str):
    with pytest.raises(MalformedPayload) as raised:
        digest(parse(text))
    assert str(raised.value) == SURROGATE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[" * 64 + "]" * 64, None),
        ('"' + "[{" * 5_000 + '"', "[{" * 5_000),
        ("[" + "[]," * 99 + "[]]", [[]] * 100),
        ("1e-999", 0.0),
        ("7" * 38, int("7" * 38)),
        ("1" + "0" * 308, 10**308),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("null", None),
        (' {"a" : 1}\r\n', {"a": 1}),
    ],
)
def test_unusual_but_valid_json_is_read(text: str, value: object):
    assert value is None or parse(text) == value
    digest(parse(text))


def test_a_megabyte_of_keys_is_read_in_bounded_time():
    text = json.dumps({f"key-{number}": number for number in range(60_000)})
    started = time.process_time()
    assert len(parse(text)) == 60_000
    digest(parse(text))
    assert time.process_time() - started < 3


CANARY = "canary4111111111111111"


@pytest.mark.parametrize(
    "template",
    [
        '{{"card": "{0}"',
        '{{"{0}": 1, "{0}": 2}}',
        '{{"card": {0}}}',
        '["{0}", NaN]',
        '["{0}", 1e999]',
        '"{0}\\ud800"',
        '{{"{0}": ' + "[" * 65 + "]" * 65 + "}}",
        "{0}",
    ],
)
def test_no_text_of_the_payload_is_in_an_error(template: str):
    with pytest.raises(MalformedPayload) as raised:
        digest(parse(template.format(CANARY)))
    assert CANARY not in repr(raised.value)
    assert "canary" not in str(raised.value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), children, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_what_json_can_say_comes_back_as_it_was(value: object):
    assert parse(json.dumps(value)) == value
    assert parse(json.dumps(value, ensure_ascii=False, indent=3)) == value


def reordered(value: object) -> object:
    if isinstance(value, dict):
        return {key: reordered(member) for key, member in reversed(value.items())}
    return [reordered(member) for member in value] if isinstance(value, list) else value


@given(json_values)
def test_key_order_white_space_and_escapes_do_not_change_the_digest(value: object):
    plain = digest(value)
    assert digest(parse(json.dumps(reordered(value), indent=2))) == plain
    assert digest(parse(json.dumps(value, ensure_ascii=False))) == plain
    assert len(plain) == 64


@given(json_values, json_values)
def test_different_values_have_different_digests(one: object, other: object):
    # Python holds 1, 1.0 and True to be equal; as text they are not.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest(one) == digest(other)) == same


def test_array_order_counts_in_the_digest():
    assert digest([1, 2]) != digest([2, 1])


def test_the_digest_of_a_payload_never_changes_between_releases():
    """Claims outlive a deployment: another digest would refuse every duplicate as another payload."""
    payload = {"order_id": "A-1", "lines": [{"id": 11, "discount": 0.15}], "ship": "Vins \u00e9t\u00e9", "gift": None}
    assert digest(payload) == "3a562c500ffb664003f70d9d0d75ac3656501faa69648daca60c080b54ca995c"


def test_the_limit_on_depth_is_the_one_in_the_message():
    assert f"nested deeper than {MAX_DEPTH}" in DEEPER


@given(st.text(st.characters()) | st.text('{}[]",:0123456789.eE+-\\u "ntf', max_size=60))
def test_any_text_is_either_read_or_malformed(text: str):
    with contextlib.suppress(MalformedPayload):
        digest(parse(text))
