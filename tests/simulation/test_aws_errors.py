"""A request that botocore refuses is noticed, whatever like it was seen before."""

from typing import Any

import pytest

from .aws_errors import wrong_parameters

RIGHT = {"TableName": "orders", "Key": {"id": {"S": "1"}, "it's": {"S": 'a "quoted" one'}}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({**RIGHT, "Kay": {}}, "Unknown parameter"),
        ({"TableName": "orders", "Kay": RIGHT["Key"]}, "Missing required parameter"),
        ({**RIGHT, "TableName": ""}, "Invalid length"),
        ({**RIGHT, "TableName": 8}, "Invalid type"),
        ({**RIGHT, "Key": {"id": {"T": "1"}, "it's": {"S": 'a "quoted" one'}}}, "Unknown parameter"),
        ({**RIGHT, "Key": {"id": {"S": 1}, "it's": {"S": 'a "quoted" one'}}}, "Invalid type"),
        ({**RIGHT, "Key": {"id": {"S": "1"}, "it's": "a text"}}, "Invalid type"),
    ],
    ids=["a name too many", "another name", "an empty text", "a length", "a kind", "a number", "a text"],
)
def test_what_is_wrong_is_found_after_what_is_right(wrong: dict[str, Any], said: str) -> None:
    assert wrong_parameters("dynamodb", "GetItem", RIGHT) == ""
    assert wrong_parameters("dynamodb", "GetItem", {**RIGHT, "TableName": "stocks"}) == ""
    assert said in wrong_parameters("dynamodb", "GetItem", wrong)
