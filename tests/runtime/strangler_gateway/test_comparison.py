"""Chosen fields of two answers: found, compared as JSON, and told of without their values."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.strangler_gateway.comparison import MOST_BYTES, differences, fields

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.name", {"$.name": "ann"}),
        ("$.lines[*].price", {"$.lines[*].price": [1, None, 3]}),
        ("$.lines[0].price", {"$.lines[0].price": 1}),
        ("$.lines[9].price", {}),
        ("$.lines[*].tags[*]", {"$.lines[*].tags[*]": [["a", "b"], None, None]}),
        ("$.address.city", {"$.address.city": None}),
        ("$.address", {"$.address": {"city": None}}),
        ("$.nothing", {}),
        ("$.name.first", {}),
        ("$.name[*]", {}),
        ("$.lines.price", {}),
    ],
)
def test_fields_are_found_by_their_paths(path: str, found: dict[str, Any]) -> None:
    body = {
        "name": "ann",
        "lines": [{"price": 1, "tags": ["a", "b"]}, {}, {"price": 3}],
        "address": {"city": None},
    }
    assert fields(json.dumps(body).encode(), "", [path]) == found


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_has_no_fields(body: bytes) -> None:
    assert fields(body, "", ["$.name"]) == {}


def test_what_is_packed_is_unpacked_as_far_as_this_can() -> None:
    assert fields(gzip.compress(b'{"name": 1}'), "gzip", ["$.name"]) == {"$.name": 1}
    bomb = gzip.compress(b" " * (MOST_BYTES + 1))
    for body, encoding, why in (
        (b"{}", "br", "br"),
        (b"{}", "gzip", "gzip"),
        (bomb, "gzip", "too long"),
        (b"{}", "gzip, br", "br"),
    ):
        with pytest.raises(ValueError, match=why):
            fields(body, encoding, ["$.name"])
    assert fields(b"{}", "br", []) == {}


@given(JSON)
def test_what_is_the_same_is_no_difference_however_it_is_written(value: Any) -> None:
    loose = fields(json.dumps({"a": value}, indent=2).encode(), "", ["$.a"])
    tight = fields(
        json.dumps({"a": value}, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"), "", ["$.a"]
    )
    assert differences(loose, loose, ["$.a"]) == {}
    if json.dumps(loose).isascii() and "\\u" not in json.dumps(loose):
        assert differences(loose, tight, ["$.a"]) == {}


@pytest.mark.parametrize(
    ("legacy", "new", "said"),
    [
        (1, 1.0, None),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        (1, True, "number, boolean"),
        ([1], [True], "array of 1, array of 1"),
        ("secret", "secrets", "string of 6, string of 7"),
        ([1, 2], [2, 1], "array of 2, array of 2"),
        ([1], [1, 1], "array of 1, array of 2"),
        (None, 0, "null, number"),
        ({"a": 1}, {"a": 1, "b": 1}, "object of 1, object of 2"),
    ],
)
def test_differences_are_those_of_json_and_quote_nothing(legacy: Any, new: Any, said: str | None) -> None:
    assert differences({"$.a": legacy}, {"$.a": new}, ["$.a"]) == ({} if said is None else {"$.a": said})


def test_what_one_of_them_lacks_is_a_difference() -> None:
    assert differences({"$.a": None}, {}, ["$.a", "$.b"]) == {"$.a": "null, absent"}


@given(st.text(min_size=8), st.text(min_size=8))
def test_no_value_is_ever_quoted(legacy: str, new: str) -> None:
    said = str(differences({"$.a": [legacy, {"b": legacy}]}, {"$.a": new}, ["$.a"]))
    assert said == f"{{'$.a': 'array of 2, string of {len(new)}'}}"
