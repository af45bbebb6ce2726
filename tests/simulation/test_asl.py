"""The interpreter of state machines: what the States Language says, and no belief in what it does not know."""

import itertools
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from .asl import Answered, Ended, Execution, Machine, TaskFailure
from .asl_paths import NoSuchPath, filled, read, write
from .saga_template import definition_in
from .virtual_time import Schedule

TASK: Mapping[str, Any] = {"Type": "Task", "Resource": "work", "TimeoutSeconds": 10, "End": True}
STATES: Mapping[str, Any] = {"Done": {"Type": "Succeed"}}


def run(
    states: Mapping[str, Any], given: Any, *answers: Any, work: Callable[..., None] | None = None
) -> tuple[Ended, list[Any], Execution]:
    """The end, what the task was asked, and the execution. Answers come at once, one a call."""
    schedule, asked, left = Schedule(random.Random(1), 0.0), list[Any](), iter(answers)

    def service(parameters: Any, answered: Answered) -> None:
        asked.append((schedule.now, parameters))
        if work is not None:
            return work(schedule, answered)
        return schedule.after(0, lambda: answered(next(left)))

    machine = Machine({"StartAt": next(iter(states)), "States": states})
    execution = Execution(machine, "name-1", given, {"work": service}, schedule, random.Random(1), lambda *_: None)
    execution.start()
    schedule.run()
    assert execution.ended is not None
    return execution.ended, asked, execution


@pytest.mark.parametrize(
    ("states", "wrong"),
    [
        ({"A": {**TASK, "HeartbeatSeconds": 5}}, "HeartbeatSeconds"),
        ({"A": {**TASK, "InputPath": "$.a"}}, "InputPath"),
        ({"A": {"Type": "Wait", "Seconds": 1, "End": True}}, "Wait"),
        ({"A": {**TASK, "Next": "A"}}, "twice"),
        ({"A": {"Type": "Task", "Resource": "work", "End": True}}, "TimeoutSeconds"),
        ({"A": {**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]}}, "last"),
        ({"A": {**TASK, "Retry": [{"ErrorEquals": ["States.ALL", "A"]}]}}, "alone"),
        ({"A": {**TASK, "Retry": [{"ErrorEquals": ["A"], "Wait": 5}]}}, "Wait"),
        ({"A": {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}}, "B"),
        ({"A": TASK, "B": {"Type": "Succeed"}}, "B"),
        ({"A" * 81: TASK}, "AAA"),
        ({"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringEquals": "b", "Next": "A"}]}}, "StringEquals"),
    ],
)
def test_what_it_does_not_know_is_an_error(states: Mapping[str, Any], wrong: str) -> None:
    with pytest.raises((AssertionError, KeyError), match=wrong):
        Machine({"StartAt": next(iter(states)), "States": states})


def test_a_result_makes_the_fields_on_its_way() -> None:
    states = {"A": {**TASK, "ResultPath": "$.saga.results.A"}}
    assert run(states, {"a": 1}, 5)[0].output == {"a": 1, "saga": {"results": {"A": 5}}}


def test_a_result_replaces_the_document_is_dropped_or_is_shaped() -> None:
    assert run({"A": TASK}, {"a": 1}, 5)[0].output == 5
    assert run({"A": {**TASK, "ResultPath": None}}, {"a": 1}, 5)[0].output == {"a": 1}
    shaped = {**TASK, "ResultSelector": {"status": "DONE", "result.$": "$.x"}, "ResultPath": "$.b", "OutputPath": "$.b"}
    assert run({"A": shaped}, {"a": 1}, {"x": 7})[0].output == {"status": "DONE", "result": 7}


def test_parameters_are_paths_into_the_document_and_the_context() -> None:
    template = {
        "name.$": "$$.Execution.Name",
        "retries.$": "$$.State.RetryCount",
        "all.$": "$",
        "in": {"text.$": "States.Format('a#{}#b', $$.Execution.Name)", "json.$": "States.JsonToString($.x)"},
        "plain": ["$.x"],
    }
    _, asked, _ = run({"A": {**TASK, "Parameters": template}}, {"x": {"y": 1}}, 5)
    assert asked[0][1] == {
        "name": "name-1",
        "retries": 0,
        "all": {"x": {"y": 1}},
        "in": {"text": "a#name-1#b", "json": '{"y":1}'},
        "plain": ["$.x"],
    }


@pytest.mark.parametrize("expression", ["$..a", "$.a[0]", "$['a']", "States.UUID()", "$$"])
def test_a_path_or_call_that_it_does_not_know_is_an_error(expression: str) -> None:
    with pytest.raises(AssertionError):
        filled({"a.$": expression}, {"a": [1]}, {})


def test_a_path_that_leads_nowhere_is_one_for_readers_and_made_for_writers() -> None:
    with pytest.raises(NoSuchPath):
        read("$.a.b", {"a": 1})
    with pytest.raises(NoSuchPath):
        write("$.a.b", {"a": 1}, 5)
    assert write("$.a.b", {}, 5) == {"a": {"b": 5}}


def test_retries_wait_longer_and_longer_up_to_a_cap_and_each_retrier_counts_for_itself() -> None:
    retry = [
        {"ErrorEquals": ["Busy"], "IntervalSeconds": 7, "BackoffRate": 1.0, "MaxAttempts": 1},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 3, "MaxDelaySeconds": 3},
    ]
    answers = [TaskFailure(name) for name in ("E", "Busy", "E", "E", "E")]
    state = {**TASK, "Retry": retry, "Parameters": {"retries.$": "$$.State.RetryCount"}}
    ended, asked, _ = run({"A": state}, {}, *answers)
    times = [time for time, _ in asked]
    assert [round(after - before) for before, after in itertools.pairwise(times)] == [1, 7, 2, 3]
    assert [asking["retries"] for _, asking in asked] == [0, 1, 2, 3, 4]
    assert (ended.status, ended.error) == ("FAILED", "E")


def test_full_jitter_is_anywhere_up_to_the_delay() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "MaxAttempts": 1, "JitterStrategy": "FULL"}]
    _, asked, _ = run({"A": {**TASK, "Retry": retry}}, {}, TaskFailure("E"), 5)
    assert 0 < asked[1][0] < 100


def test_no_attempts_means_no_retry_and_the_first_retrier_that_matches_decides() -> None:
    retry = [{"ErrorEquals": ["Final"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]
    assert len(run({"A": {**TASK, "Retry": retry}}, {}, TaskFailure("Final"))[1]) == 1


@pytest.mark.parametrize("name", ["States.DataLimitExceeded", "States.Runtime"])
def test_all_is_not_all(name: str) -> None:
    state = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]}
    assert run({"A": state, **STATES}, {}, TaskFailure(name))[0].error == name
    named = {**TASK, "Catch": [{"ErrorEquals": [name], "Next": "Done"}]}
    assert run({"A": named, **STATES}, {}, TaskFailure(name))[0].status == "SUCCEEDED"


def test_a_catcher_keeps_the_document_and_adds_the_error() -> None:
    state = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Done"}]}
    ended, _, execution = run({"A": state, **STATES}, {"a": 1}, TaskFailure("E", "why"))
    assert ended.output == {"a": 1, "error": {"Error": "E", "Cause": "why"}}
    assert execution.entered == ["A", "Done"]


def test_too_much_data_is_an_error_of_its_own() -> None:
    state = {**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}]}
    assert run({"A": state}, {}, "x" * 262_144)[0].error == "States.DataLimitExceeded"
    assert run({"A": state}, {}, "x" * 262_142)[0].status == "SUCCEEDED"


def test_a_task_that_takes_too_long_is_given_up_and_its_late_answer_ignored() -> None:
    def late(schedule: Schedule, answered: Answered) -> None:
        schedule.after(15, lambda: answered(5))

    ended, asked, execution = run({"A": TASK}, {}, work=late)
    assert (ended.error, len(asked)) == ("States.Timeout", 1)
    assert execution.schedule.now == 15


def test_a_definition_is_read_from_a_template_with_logical_ids_for_what_is_not_known_yet() -> None:
    task = ['{"Resource":"', {"Fn::GetAtt": ["ChargeCard1234", "Arn"]}, '","At":"arn:', {"Ref": "AWS::Partition"}, '"}']
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Join": ["", task]}}}
    template = {"Resources": {"A": machine, "B": {"Type": "AWS::SQS::Queue"}}}
    assert definition_in(template) == {"Resource": "ChargeCard1234", "At": "arn:aws"}
