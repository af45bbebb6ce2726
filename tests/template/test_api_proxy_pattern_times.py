"""Patterns whose check would take twice as long with each character of a caller's text are refused at synth."""

import pytest

from serverless_patterns._api_proxy.ambiguity import Exponential
from serverless_patterns._api_proxy.patterns import check_time, python_pattern
from serverless_patterns._api_proxy.schema_check import faults

ENDLESS = [
    r"^([a-zA-Z0-9]+\s?)*$",
    r"(a+)+$",
    r"^(a*)*b",
    r"^(a|a)*$",
    r"^(a|ab|b)*$",
    r"^(\s*,\s*)*$",
    r"^(\w+\.?)+@x$",
    r"^(a|[a-c])+$",
    r"^([a-z]{1,10}){1,10}$",
    r"^(?:(?:x+)*y?)*$",
    r"^(.*,)*$",
    r"(?=(a+)+b)c",
    r"^(\d+-?){2,}$",
    r"^(a?b?)*(c|\w)+(d|\w\w)*$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"^(é|[à-ü])*$",
    r"^(a{1,3}){5,}$",
]

QUICK = [
    r"^[a-z]+$",
    r"^[a-z0-9]+(-[a-z0-9]+)*$",
    r"^[a-z]+( [a-z]+)*$",
    r"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)$",
    r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?$",
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$",
    r"^([0-9A-F]{2}[:-]?){6}$",
    r"^\+?[1-9]\d{1,14}$",
    r"^(?!-)[a-z-]{1,63}$",
    r"x|b",
    r"^.{2}$",
    r"^\s*\S+\s*$",
    r"^(abc|abd)*$",
    r"^[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?$",
    r"^(ab?)*$",
    r"^[a-z]{1,255}$",
    r"^.{0,2000}$",
    r"^([0-9]{3} ?){2,3}$",
    r"^(a|b|c)*$",
    r"^(\w+:)*\w+$",
    r"^(\\.|[^\\])*$",
    "",
    r"^$",
    r"^(([a-z]+\.)+[a-z]{2,}|\d+)(:\d+)?(/[^ ]*)?$",
    r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    r"^\w{1,64}(\.\w{1,64}){0,4}$",
]


@pytest.mark.parametrize("pattern", ENDLESS)
def test_a_repeated_part_that_reads_one_text_in_two_ways_is_refused(pattern: str) -> None:
    python_pattern(pattern)
    with pytest.raises(Exponential):
        check_time(pattern)


@pytest.mark.parametrize("pattern", QUICK)
def test_what_is_read_in_one_way_passes(pattern: str) -> None:
    check_time(pattern)


@pytest.mark.parametrize("schema", [{"pattern": ENDLESS[0], "maxLength": 100}, {"patternProperties": {ENDLESS[0]: {}}}])
def test_the_message_says_why_and_what_to_write_instead(schema: dict[str, object]) -> None:
    (fault,) = faults(schema)
    assert fault.pointer in ("/pattern", "/patternProperties")
    assert "a repeated part of it can read the same text in several ways" in fault.must
    assert "maxLength does not change that" in fault.must
    assert "'^[a-z]+( [a-z]+)*$' instead of '^([a-z]+ ?)*$'" in fault.must


def test_what_is_too_long_to_be_judged_is_refused_rather_than_let_through() -> None:
    for pattern in ("(" * 20 + "a{2}" + "){2}" * 20, "(" + "|".join(f"{'ab' * n}c" for n in range(1, 60)) + ")*"):
        with pytest.raises(Exponential):
            check_time(pattern)
