"""Rules of Choice states: each comparison, with a value and with a path, on what fits it and what does not."""

import operator
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.honesty.raw_state_machine import RawStateMachine

Rule = dict[str, Any]
Row = tuple[Rule, Any, bool]
ORDERED = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
PAIRS = {
    "String": ("a", "b"),
    "Numeric": (1, 2.5),
    "Timestamp": ("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),
}
VALUES = (None, 1, 2.5, "a", "2026-01-01T00:00:00Z", True, [], {})
TYPES = {
    "IsNull": (None,),
    "IsNumeric": (1, 2.5),
    "IsString": VALUES[3:5],
    "IsBoolean": (True,),
    "IsTimestamp": VALUES[4:5],
}
MATCHES = {"a*c": ("abc", "abd"), r"a\*c": ("a*c", "abc"), r"a\\c": (r"a\c", r"a\\c")}


def compared(comparison: str, value: Any, other: Any, holds: bool) -> Iterator[Row]:
    yield {"Variable": "$.v", comparison: other}, {"v": value}, holds
    yield {"Variable": "$.v", f"{comparison}Path": "$.w"}, {"v": value, "w": other}, holds


def rows() -> Iterator[Row]:
    for kind, (low, high) in PAIRS.items():
        for name, compare in ORDERED.items():
            for value, other in ((low, high), (high, low), (low, low)):
                yield from compared(kind + name, value, other, compare(value, other))
    for value in (True, False):
        yield from compared("BooleanEquals", value, True, value)
    for comparison, told, value in (("Boolean", True, 1), ("Numeric", 1, True), ("String", "1", 1)):
        yield from compared(f"{comparison}Equals", value, told, False)
    for comparison, fitting in TYPES.items():
        for value in VALUES:
            fits = any(value == each and type(value) is type(each) for each in fitting)
            for wanted in (True, False):
                yield {"Variable": "$.v", comparison: wanted}, {"v": value}, fits == wanted
    for pattern, texts in MATCHES.items():
        for text, holds in zip(texts, (True, False), strict=True):
            yield {"Variable": "$.v", "StringMatches": pattern}, {"v": text}, holds
    for value in ("a", "b"):
        is_a, is_b = ({"Variable": "$.v", "StringEquals": text} for text in ("a", "b"))
        yield {"Not": is_a}, {"v": value}, value == "b"
        yield {"Or": [is_a, is_b]}, {"v": value}, True
        yield {"And": [{"Variable": "$.v", "IsPresent": True}, is_b]}, {"v": value}, value == "b"
    yield {"And": [{"Variable": "$.v", "IsPresent": True}, {"Variable": "$.v", "IsNull": False}]}, {}, False


def chain(all_rows: list[Row]) -> dict[str, Any]:
    """One state machine that decides them all, one after the other."""
    states: dict[str, Any] = {}
    for number, (rule, document, _) in enumerate(all_rows):
        following = {"Type": "Pass", "Next": f"Given {number + 1}"}
        states[f"Given {number}"] = {"Type": "Pass", "Result": document, "Next": f"Rule {number}"}
        states[f"Rule {number}"] = {
            "Type": "Choice",
            "Choices": [{**rule, "Next": f"True {number}"}],
            "Default": f"False {number}",
        }
        states |= {f"True {number}": following, f"False {number}": following}
    return states | {f"Given {len(all_rows)}": {"Type": "Succeed"}}


def test_every_comparison_decides_as_on_aws(state_machine) -> None:
    all_rows = list(rows())
    execution = state_machine(chain(all_rows)).start()
    execution.output()
    pages = execution.states.get_paginator("get_execution_history").paginate(executionArn=execution.arn)
    entered = {
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if event["type"] == "PassStateEntered"
    }
    wrong = [row for number, row in enumerate(all_rows) if f"{row[2]} {number}" not in entered]
    assert not wrong


@pytest.mark.parametrize("rule", [{"StringEquals": "a"}, {"NumericLessThanPath": "$.b"}, {"IsNull": True}])
def test_a_rule_on_what_is_not_there_ends_the_execution(state_machine, rule: Rule) -> None:
    end = {"Type": "Succeed"}
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.missing", **rule, "Next": "End"}], "Default": "End"}
    machine: RawStateMachine = state_machine({"A": choice, "End": end})
    assert machine.start({"b": 1}).ended()["error"] == "States.Runtime"
