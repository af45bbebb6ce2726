"""Which branches a message has, told from what SQS hands over: what SNS has let through, neither more nor fewer."""

from typing import Any

import pytest

from serverless_patterns_runtime.fan_in.expected import Filters
from serverless_patterns_runtime.fan_in.settings import BranchSettings
from serverless_patterns_runtime.load_leveled_queue.message import Message

from ..sqs_events import record, text

PLACED = {"order_id": "o-1", "lines": [{"sku": "a"}]}


def expected(filter: dict[str, Any], attributes: dict[str, dict[str, Any]], body: Any = PLACED) -> frozenset[str]:
    settings = BranchSettings(
        branch="Inventory",
        subscribers={"Inventory": {}, "Invoicing": {"filter": filter}},
        expected_path="",
        deadline_seconds=60,
        retention_seconds=86_400,
        completions_queue_url="",
    )
    return Filters(settings).expected(Message(record(body, attributes=attributes)))


BOTH, THIS_ALONE = frozenset({"Inventory", "Invoicing"}), frozenset({"Inventory"})


@pytest.mark.parametrize(
    ("filter", "attributes", "branches"),
    [
        ({"kind": ["placed"]}, {"kind": text("placed")}, BOTH),
        ({"kind": ["placed"]}, {}, THIS_ALONE),
        ({"rank": [{"numeric": ["=", 7]}]}, {"rank": text("007", "Number")}, BOTH),
        ({"kind": ["placed"]}, {"kind": text("placed", "String.custom")}, THIS_ALONE),
        ({"kind": ["placed"]}, {"kind": text('["sold", "placed"]', "String.Array")}, BOTH),
    ],
)
def test_an_attribute_counts_as_it_does_for_sns(
    filter: dict[str, Any], attributes: dict[str, dict[str, Any]], branches: frozenset[str]
) -> None:
    assert expected(filter, attributes) == branches


@pytest.mark.parametrize(
    "odd",
    [
        {"rank": text("1e999", "Number")},
        {f"a{number}": text("x") for number in range(10)},
        {"list": text('["a", ["b"]]', "String.Array")},
    ],
    ids=["a number beyond all numbers", "eleven attributes", "a list in a list"],
)
def test_what_somebody_else_has_published_oddly_stops_no_branch(odd: dict[str, dict[str, Any]]) -> None:
    assert expected({"kind": ["placed"]}, {"kind": text("placed"), **odd}) == BOTH
