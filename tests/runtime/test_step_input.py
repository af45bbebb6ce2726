from dataclasses import FrozenInstanceError

import pytest

from serverless_patterns_runtime import KeyExpired, StepError, StepInput
from serverless_patterns_runtime.errors import UnusableResource


def test_a_fake_needs_nothing_and_takes_everything() -> None:
    assert StepInput.fake() == StepInput(input={}, results={}, action_key="saga#execution-1#Step")
    given = StepInput.fake(
        {"order_id": "7"}, results={"Reserve": 1}, result=2, error=StepError("SoldOut", "two left"), action_key="key"
    )
    assert (given.input, given.results, given.result, given.error, given.action_key) == (
        {"order_id": "7"},
        {"Reserve": 1},
        2,
        StepError("SoldOut", "two left"),
        "key",
    )


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        StepInput.fake().result = 5  # type: ignore[misc]


def test_a_result_that_is_not_there_is_told_with_those_that_are() -> None:
    step = StepInput.fake(results={"Reserve": 1, "Charge": None})
    with pytest.raises(KeyError, match="no result of 'Pay': there are those of Reserve, Charge"):
        _ = step.results["Pay"]
    assert step.results.get("Pay") is None


def test_its_repr_holds_nothing_of_what_the_saga_is_about() -> None:
    canary = "4111 1111 1111 1111"
    step = StepInput.fake({"a": canary}, results={"b": canary}, result=canary, error=StepError("Declined", canary))
    assert canary not in repr(step)
    assert "Declined" in repr(step)


def test_an_external_key_is_there_as_long_as_it_lives() -> None:
    assert StepInput.fake(external_key="key-1").external_key == "key-1"
    with pytest.raises(KeyExpired):
        _ = StepInput.fake(external_key="key-1", key_expired=True).external_key
    assert "key-1" not in repr(StepInput.fake(external_key="key-1"))


def test_a_step_without_an_external_key_says_how_to_get_one() -> None:
    with pytest.raises(UnusableResource, match="SagaStep\\(external_key="):
        _ = StepInput.fake().external_key
