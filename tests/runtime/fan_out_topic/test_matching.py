"""`matches`, example by example: the published rules of SNS, then what they leave open."""

from typing import Any

import pytest

from serverless_patterns_runtime import Message, matches


@pytest.mark.parametrize(
    ("filter", "attributes", "passes"),
    [
        ({"customer_interests": ["rugby", "tennis"]}, {"customer_interests": "rugby"}, True),
        ({"customer_interests": ["rugby", "tennis"]}, {"customer_interests": "baseball"}, False),
        ({"customer_interests": [{"anything-but": ["rugby", "tennis"]}]}, {"customer_interests": "baseball"}, True),
        ({"price_usd": [{"numeric": ["=", 301.5]}]}, {"price_usd": 301.5}, True),
        ({"store": [{"exists": True}]}, {"store": "fans"}, True),
        ({"store": [{"exists": False}]}, {"store": "fans"}, False),
    ],
)
def test_an_attribute_passes_as_the_guide_says(filter: dict[str, Any], attributes: dict[str, Any], passes: bool):
    assert matches(filter, Message({}, attributes)) is passes
