"""A saga as a subscriber: however often a message is delivered, its key starts one execution."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Invocation, PermanentError
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.fan_out_topic.saga_starter import execution_name, started
from serverless_patterns_runtime.saga_state_machine.executions import StartedWithOtherInput

from ..saga_state_machine.step_functions import MACHINE, StepFunctions

PLACED = {"order_id": "7", "lines": [1, 2]}


def deliver(aws: StepFunctions, payload: Any = PLACED, key: str = "order-7") -> Any:
    return started(payload, Invocation.fake(idempotency_key=key), aws.known, 1_000)


def test_the_message_is_the_input_of_an_execution_that_is_named_by_its_key() -> None:
    aws = StepFunctions()
    assert deliver(aws) == {"execution": "order-7"}
    ((operation, request),) = aws.calls
    assert (operation, request["stateMachineArn"], request["name"]) == ("StartExecution", MACHINE, "order-7")
    assert json.loads(request["input"]) == PLACED, "and there is no caller: nobody asked through an API"


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"])
def test_a_message_that_comes_again_is_done_whatever_has_become_of_its_execution(status: str) -> None:
    aws = StepFunctions()
    first = deliver(aws)
    aws.executions["order-7"]["status"] = status
    assert deliver(aws) == first
    assert len(aws.executions) == 1


def test_another_payload_under_the_same_key_is_refused_loudly() -> None:
    aws = StepFunctions()
    deliver(aws)
    with pytest.raises(StartedWithOtherInput) as raised:
        deliver(aws, {"order_id": "8"})
    assert isinstance(raised.value, PermanentError)


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded", "ServiceUnavailable"])
@pytest.mark.parametrize("before", [[], ["ExecutionAlreadyExists"]])
def test_what_may_pass_is_tried_again(code: str, before: list[str]) -> None:
    aws = StepFunctions()
    aws.errors = [*before, code]
    with pytest.raises(Contended):
        deliver(aws)


def test_another_error_is_one_and_is_tried_again() -> None:
    aws = StepFunctions()
    aws.errors = ["AccessDeniedException"]
    with pytest.raises(ClientError):
        deliver(aws)


@pytest.mark.parametrize("payload", [None, [], "text", 7, {"saga": {}}, {"caller": {}}, {"a": "x" * 1_000}])
def test_what_can_be_no_input_is_a_dead_letter_and_nothing_is_started(payload: Any) -> None:
    aws = StepFunctions()
    with pytest.raises(PermanentError):
        deliver(aws, payload)
    assert aws.calls == []


@given(key=st.text(min_size=1), other=st.text(min_size=1))
def test_any_key_is_a_name_and_another_key_another_name(key: str, other: str) -> None:
    name = execution_name(key)
    assert 1 <= len(name) <= 80
    assert all(character.isascii() and (character.isalnum() or character in "_.-") for character in name)
    assert (name == execution_name(other)) == (key == other)
