"""The second interpreter: that it honours what we ask of it, and where it does not."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.interpreters.moto_states import Interpreted, Moto, function_arn
from tests.interpreters.trace import Step, trace_of

DONE: dict[str, Any] = {"Type": "Pass", "End": True}

Run = Callable[..., Interpreted]


class Declined(Exception): ...


class Busy(Exception): ...


class Script:
    """Answers or raises one thing after the other, and remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.left = iter(answers)
        self.asked: list[Any] = []

    def __call__(self, event: Any) -> Any:
        self.asked.append(event)
        answer = next(self.left)
        if isinstance(answer, Exception):
            raise answer
        return answer


def machine(state: dict[str, Any], **states: Any) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": function_arn("work"), **({} if "Next" in state else {"End": True})}
    return {"StartAt": "A", "States": {"A": task | state, **states}}


@pytest.fixture
def run(moto: Moto) -> Run:
    def interpret(definition: dict[str, Any], *answers: Any, document: Any = None) -> Interpreted:
        return moto.interpret(definition, {} if document is None else document, {"work": Script(*answers)})

    return interpret


def catching(error: str, **more: Any) -> list[dict[str, Any]]:
    return [{"ErrorEquals": [error], "Next": "Caught", "ResultPath": "$.error", **more}]


def test_a_functions_result_is_the_tasks(run: Run) -> None:
    assert run(machine({"ResultPath": "$.a.b"}), 5, document={"x": 1}).output == {"x": 1, "a": {"b": 5}}


def test_errors_have_the_names_of_classes_and_tell_what_lambda_tells(run: Run) -> None:
    ended = run(machine({"Catch": catching("Declined")}, Caught=DONE), Declined("no more credit"), document={"x": 1})
    assert (ended.output["x"], ended.output["error"]["Error"]) == (1, "Declined")
    told = json.loads(ended.output["error"]["Cause"])
    assert (told["errorType"], told["errorMessage"]) == ("Declined", "no more credit")
    assert run(machine({"Catch": catching("Busy")}, Caught=DONE), Declined("x")).error == "Declined"


def test_each_retrier_counts_for_itself_and_waits_up_to_its_cap(moto: Moto) -> None:
    retry = [
        {"ErrorEquals": ["Busy"], "IntervalSeconds": 7, "BackoffRate": 1.0, "MaxAttempts": 1},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 3, "MaxDelaySeconds": 3},
    ]
    state = {"Retry": retry, "Parameters": {"retries.$": "$$.State.RetryCount"}}
    script = Script(Declined(), Busy(), Declined(), Declined(), Declined())
    ended = moto.interpret(machine(state), {}, {"work": script})
    assert ended.waited == [1, 7, 2, 3]
    assert script.asked == [{"retries": number} for number in range(5)]
    assert ended.error == "Declined"


def test_full_jitter_is_anywhere_up_to_the_delay(run: Run) -> None:
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 100, "MaxAttempts": 3, "JitterStrategy": "FULL"}]
    first, second, third = run(machine({"Retry": retry}), Busy(), Busy(), Busy(), 5).waited
    assert 0 < first < 100
    assert 0 < second < 200
    assert 0 < third < 400
    assert (first, second, third) != (100, 200, 400)


def test_a_retrier_without_attempts_lets_the_catcher_have_it(run: Run) -> None:
    retry = [{"ErrorEquals": ["Declined"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]
    ended = run(machine({"Retry": retry, "Catch": catching("States.ALL")}, Caught=DONE), Declined())
    assert (ended.status, ended.waited) == ("SUCCEEDED", [])


def test_a_task_that_takes_too_long_is_given_up(moto: Moto) -> None:
    definition = machine({"TimeoutSeconds": 10, "Catch": catching("States.Timeout")}, Caught=DONE)
    ended = moto.interpret(definition, {}, {"work": lambda _: time.sleep(2)}, given_up=lambda state, _: state == "A")
    assert trace_of(ended.history)[0] == Step("A", "Task", ("States.Timeout",))


def test_too_large_a_result_is_an_error_of_its_own(run: Run) -> None:
    named = machine({"Catch": catching("States.DataLimitExceeded")}, Caught=DONE)
    assert run(named, "x" * 262_145).output["error"]["Error"] == "States.DataLimitExceeded"


def test_too_large_a_result_is_not_taken_by_states_all(run: Run) -> None:
    everything = machine({"Retry": [{"ErrorEquals": ["States.ALL"]}], "Catch": catching("States.ALL")}, Caught=DONE)
    assert run(everything, "x" * 262_145).error == "States.DataLimitExceeded"


def test_a_path_that_leads_nowhere_ends_the_execution(run: Run) -> None:
    assert run(machine({"Parameters": {"x.$": "$.missing"}}), 5).status == "FAILED"


def test_a_wait_takes_no_time_and_says_how_long(moto: Moto) -> None:
    began = time.monotonic()
    definition = {"StartAt": "A", "States": {"A": {"Type": "Wait", "SecondsPath": "$.in", "End": True}}}
    assert moto.interpret(definition, {"in": 3600}, {}).waited == [3600]
    assert time.monotonic() - began < 30


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="moto takes it, and fails when it gets there")
def test_a_definition_that_leads_nowhere_is_refused(moto: Moto) -> None:
    with pytest.raises(ClientError, match="InvalidDefinition"):
        moto.interpret({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}, {}, {})


def test_an_item_is_put_without_a_function(run: Run) -> None:
    item = {
        "claim": {"S.$": "States.Format('parked#{}', $$.Execution.Name)"},
        "state": {"S.$": "States.JsonToString($)"},
    }
    state = {"Resource": "arn:aws:states:::dynamodb:putItem", "Parameters": {"TableName": "claims", "Item": item}}
    ended = run(machine(state | {"ResultPath": None}), document={"x": 1})
    assert ended.output == {"x": 1}
    assert ended.items == [{"claim": {"S": "parked#seven"}, "state": {"S": '{"x":1}'}}]


def test_a_failing_branch_can_be_caught_and_results_are_in_order(moto: Moto) -> None:
    def branches(*names: str) -> list[Any]:
        return [
            {"StartAt": name, "States": {name: {"Type": "Task", "Resource": function_arn(name), "End": True}}}
            for name in names
        ]

    functions = {"late": lambda _: time.sleep(0.2) or "late", "early": lambda _: "early", "failing": Script(Busy())}
    parallel = {"Type": "Parallel", "Branches": branches("late", "early"), "End": True}
    assert moto.interpret({"StartAt": "A", "States": {"A": parallel}}, {}, functions).output == ["late", "early"]
    failing = parallel | {"Branches": branches("late", "failing"), "Catch": catching("Busy")}
    ended = moto.interpret({"StartAt": "A", "States": {"A": failing, "Caught": DONE}}, {}, functions)
    assert ended.output["error"]["Error"] == "Busy"


def test_a_trace_tells_each_stay_with_its_attempts_and_the_end(run: Run) -> None:
    retry = [{"ErrorEquals": ["Busy"]}]
    states = {
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "C"}], "Default": "C"},
        "C": {"Type": "Fail", "Error": "Parked"},
    }
    ended = run(machine({"Retry": retry, "Next": "B"}, **states), Busy(), Busy(), 5)
    assert trace_of(ended.history) == [
        Step("A", "Task", ("Busy", "Busy", "succeeded")),
        Step("B", "Choice"),
        Step("C", "Fail"),
        Step("", "Execution", ("FAILED", "Parked")),
    ]


def test_a_trace_tells_branches_apart(moto: Moto) -> None:
    def branch(name: str) -> dict[str, Any]:
        retry = [{"ErrorEquals": ["States.ALL"]}]
        task = {"Type": "Task", "Resource": function_arn(name), "Retry": retry, "End": True}
        return {"StartAt": name, "States": {name: task}}

    functions = {"one": Script(Busy(), 1), "two": Script(Declined(), Declined(), 2)}
    parallel = {"Type": "Parallel", "Branches": [branch("one"), branch("two")], "End": True}
    ended = moto.interpret({"StartAt": "A", "States": {"A": parallel}}, {}, functions)
    steps = {step.name: step.outcomes for step in trace_of(ended.history)}
    assert steps["one"] == ("Busy", "succeeded")
    assert steps["two"] == ("Declined", "Declined", "succeeded")
