"""What is not a task, what is written down, and what is ready before the first task."""

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from serverless_patterns_runtime import Effects, PermanentError, StepInput
from serverless_patterns_runtime.saga_state_machine import contract

from .saga import Step

CANARY = "4111 1111 1111 1111"


def nothing(_: StepInput) -> Effects:
    return Effects()


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        {},
        {"Records": []},
        Step.event("action", step=""),
        Step.event("action", execution=""),
        Step.event("approval"),
        Step.event("action") | {"state": []},
        Step.event("action") | {"state": None},
    ],
)
def test_what_is_no_task_is_refused_for_good(event: Any) -> None:
    step = Step(nothing)
    name, words = step.error_of(lambda: step.send(event))
    assert (name, words.split(":")[0]) == (contract.PERMANENT_ERROR, "MalformedPayload")
    assert step.dynamodb.operations == []
    assert step.metrics.counts == {"Refused": 1}


@pytest.mark.parametrize("saga", [{"results": {"ChargeCard": 5}}, {"status": "SUCCEEDED"}])
def test_an_input_cannot_make_up_what_the_saga_has_done(saga: Any) -> None:
    step = Step(nothing)
    assert "no key 'saga'" in step.error_of(step.act, saga=saga, first=True)[1]
    assert step.act(saga=saga) is None


@pytest.mark.parametrize("saga", [5, "text", [1]])
def test_a_saga_s_own_part_of_the_document_is_an_object(saga: Any) -> None:
    step = Step(nothing)
    assert step.error_of(step.act, saga=saga)[0] == contract.PERMANENT_ERROR


def test_half_a_character_is_refused_for_good() -> None:
    step = Step(nothing)
    assert step.error_of(step.act, input={"name": "\ud800"})[0] == contract.PERMANENT_ERROR


def test_one_line_a_task_with_everything_but_what_it_is_about() -> None:
    step = Step(lambda _: Effects(result=CANARY))
    step.act(input={"card": CANARY})
    (line,) = step.lines
    assert {name: line[name] for name in ("message", "outcome", "correlation_id", "step", "kind", "level")} == {
        "message": "step handled",
        "outcome": "Succeeded",
        "correlation_id": "order-7",
        "step": "ChargeCard",
        "kind": "action",
        "level": "INFO",
    }
    assert CANARY not in json.dumps(line)
    assert step.metrics.counts == {"Succeeded": 1}
    assert step.metrics.flushes == 1


@pytest.mark.parametrize("error", [ValueError(CANARY), KeyError(CANARY), OSError(CANARY)])
def test_the_words_of_other_errors_are_in_no_log(error: Exception) -> None:
    def function(_: StepInput) -> Effects:
        raise error

    step = Step(function)
    step.error_of(step.act, input={"card": CANARY})
    (line,) = step.lines
    assert (line["outcome"], line["error_type"], line["level"]) == ("Failed", type(error).__name__, "ERROR")
    assert CANARY not in json.dumps(line)
    assert error.__traceback__ is None


def test_the_words_of_a_permanent_error_are() -> None:
    def function(_: StepInput) -> Effects:
        raise PermanentError("sold out")

    step = Step(function)
    step.error_of(step.act, no_effect_errors=["PermanentError"])
    (line,) = step.lines
    assert (line["outcome"], line["reason"], line["error_type"]) == ("Refused", "sold out", "PermanentError")


def test_a_lease_that_cannot_be_given_back_is_a_warning_and_the_error_stays() -> None:
    def function(_: StepInput) -> None:
        def lose(_: object) -> None:
            raise ConnectionClosedError(endpoint_url="https://dynamodb.invalid")

        step.dynamodb.meets["UpdateItem"] = lose
        raise ValueError

    step = Step(function, effects=False)
    assert step.error_of(step.act)[0] == "ValueError"
    assert [line["level"] for line in step.lines] == ["WARNING", "ERROR"]
