"""`Completion.fake`: what an `on_complete` function is unit-tested with."""

from typing import Any

import pytest

from serverless_patterns_runtime import Completion


def test_a_fake_is_complete_unless_something_is_missing() -> None:
    done = Completion.fake({"Inventory": {"reserved": 2}}, key="o-1", message={"order_id": "o-1"})
    results = {"Inventory": {"reserved": 2}}
    assert done == Completion(key="o-1", results=results, message={"order_id": "o-1"})
    late = Completion.fake({"Inventory": 2}, missing=["Stock", "Invoicing"])
    assert (late.outcome, late.missing, late.key) == ("deadline", ("Invoicing", "Stock"), "key-1")


def test_a_fake_that_no_fan_in_would_make_is_refused() -> None:
    text: Any = "Invoicing"
    with pytest.raises(TypeError, match=r"write missing=\['Invoicing'\]"):
        Completion.fake(missing=text)
    with pytest.raises(ValueError, match="got both for 'Invoicing'"):
        Completion.fake({"Invoicing": 1}, missing=["Invoicing"])
