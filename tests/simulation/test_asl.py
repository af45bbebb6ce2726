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


def branch(name: str, **fields: Any) -> Mapping[str, Any]:
    return {"StartAt": name, "States": {name: {**TASK, "Parameters": {"branch": name}, **fields}}}


FORK: Mapping[str, Any] = {"Type": "Parallel", "Branches": [branch("B"), branch("C")], "End": True}

WORKS: Mapping[str, Any] = {
    "ProcessorConfig": {"Mode": "INLINE"},
    "StartAt": "B",
    "States": {"B": {**TASK, "Parameters": {"at.$": "$.at", "item.$": "$.item"}}},
}
EACH: Mapping[str, Any] = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemSelector": {"at.$": "$$.Map.Item.Index", "item.$": "$$.Map.Item.Value"},
    "ItemProcessor": WORKS,
    "MaxConcurrency": 2,
    "End": True,
}
CHILDREN: Mapping[str, Any] = {
    **EACH,
    "Label": "A",
    "ItemProcessor": {**WORKS, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
}


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
        ({"A": {**TASK, "HeartbeatSeconds": 5}}, "nobody sends heartbeats"),
        ({"A": {**TASK, "HeartbeatSecondsPath": "$.a"}}, "HeartbeatSecondsPath"),
        ({"A": {**TASK, "ResultWriter": {}}}, "ResultWriter"),
        ({"A": {"Type": "Wait", "SecondsPath": "$.a", "End": True}}, "SecondsPath"),
        ({"A": {"Type": "Wait", "Seconds": 1, "TimestampPath": "$.a", "End": True}}, "two"),
        ({"A": {"Type": "Map", "End": True}}, "half of a Map"),
        ({"A": {**EACH, "Retry": []}}, "Retry"),
        ({"A": {**EACH, "MaxConcurrency": 41}}, "MaxConcurrency"),
        ({"A": {**EACH, "Label": "A"}}, "Label"),
        ({"A": {**EACH, "ItemReader": {}}}, "twice"),
        ({"A": {**EACH, "ItemProcessor": {**WORKS, "ProcessorConfig": {"Mode": "EXPRESS"}}}}, "mode"),
        ({"A": {**FORK, "Retry": []}}, "Retry"),
        ({"A": {**FORK, "Branches": []}}, "Branches"),
        ({"A": {**FORK, "Branches": [{"StartAt": "A", "States": {"A": TASK}}]}}, "twice"),
        ({"A": {**FORK, "Branches": [{"StartAt": "B", "States": {"B": {**TASK, "Wait": 1}}}]}}, "Wait"),
        ({"A": {**FORK, "Branches": [{"StartAt": "A2", "States": {"B": TASK}}]}}, "A2"),
        ({"A": {**TASK, "Next": "A"}}, "twice"),
        ({"A": {"Type": "Task", "Resource": "work", "End": True}}, "TimeoutSeconds"),
        ({"A": {**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]}}, "last"),
        ({"A": {**TASK, "Retry": [{"ErrorEquals": ["States.ALL", "A"]}]}}, "alone"),
        ({"A": {**TASK, "Retry": [{"ErrorEquals": ["A"], "Wait": 5}]}}, "Wait"),
        ({"A": {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}}, "B"),
        ({"A": TASK, "B": {"Type": "Succeed"}}, "B"),
        ({"A" * 81: TASK}, "AAA"),
        (
            {"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringMatches": "b", "Next": "A"}]}},
            "StringMatches",
        ),
        ({"A": {"Type": "Choice", "Choices": [{"Variable": "$..a", "IsNull": True, "Next": "A"}]}}, "[$]..a"),
        ({"A": {"Type": "Choice", "Choices": [{"And": [], "Or": [], "Next": "A"}]}}, "And"),
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


@pytest.mark.parametrize("expression", ["$..a", "$.a[*]", "$['a']", "States.UUID()", "$$", "$.a x"])
def test_a_path_or_call_that_it_does_not_know_is_an_error(expression: str) -> None:
    with pytest.raises(AssertionError):
        filled({"a.$": expression}, {"a": [1]}, {})


def test_parameters_are_of_the_part_of_the_document_that_is_the_input_and_the_result_goes_into_all_of_it() -> None:
    state = {**TASK, "InputPath": "$.a", "Parameters": {"b.$": "$.b"}, "ResultPath": "$.c"}
    ended, asked, _ = run({"A": state}, {"a": {"b": 1}}, 5)
    assert asked == [(0.0, {"b": 1})]
    assert ended.output == {"a": {"b": 1}, "c": 5}


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


def taking(**seconds: float) -> Callable[[Schedule, Answered, str], None]:
    """A task that answers with its branch's name, or a failure of it, after so many seconds."""

    def work(schedule: Schedule, answered: Answered, name: str) -> None:
        answer = TaskFailure(name) if seconds[name] < 0 else name
        schedule.after(abs(seconds[name]), lambda: answered(answer))

    return work


def fork(states: Mapping[str, Any], given: Any = None, **seconds: float) -> tuple[Ended, list[str], Execution]:
    """The end, the branches' tasks in the order in which they were asked, and the execution."""
    schedule, asked, work = Schedule(random.Random(1), 0.0), list[str](), taking(**seconds)

    def service(parameters: Any, answered: Answered) -> None:
        asked.append(parameters["branch"])
        work(schedule, answered, parameters["branch"])

    machine = Machine({"StartAt": next(iter(states)), "States": states})
    execution = Execution(machine, "name-1", given, {"work": service}, schedule, random.Random(1), lambda *_: None)
    execution.start()
    schedule.run()
    assert execution.ended is not None
    return execution.ended, asked, execution


def test_branches_run_beside_each_other_and_their_outputs_come_in_their_order() -> None:
    ended, _, execution = fork({"A": FORK}, B=9, C=8)
    assert ended.output == ["B", "C"]
    assert execution.schedule.now < 11


def test_a_branch_has_the_document_or_what_parameters_make_of_it() -> None:
    states = {"A": {**FORK, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}]}}
    assert fork(states, {"a": 1})[0].output == [{"a": 1}]
    states["A"] = {**states["A"], "Parameters": {"state.$": "$", "parked": {}}, "ResultPath": "$.b"}
    assert fork(states, {"a": 1})[0].output == {"a": 1, "b": [{"state": {"a": 1}, "parked": {}}]}


def test_the_first_branch_that_fails_stops_the_others_and_its_error_is_that_of_all() -> None:
    slow = {"StartAt": "B", "States": {"B": {**branch("B")["States"]["B"], "End": False, "Next": "D"}, "D": TASK}}
    del slow["States"]["B"]["End"]
    caught = {**FORK, "Branches": [slow, branch("C")], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]}
    ended, asked, execution = fork({"A": caught, **STATES}, B=5, C=-3)
    assert (ended.output, sorted(asked)) == ({"Error": "C", "Cause": ""}, ["B", "C"])
    assert sorted(execution.entered) == ["A", "B", "C", "Done"]


def test_a_retry_of_a_branch_that_is_stopped_does_not_come() -> None:
    again = {"Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100}]}
    ended, asked, _ = fork({"A": {**FORK, "Branches": [branch("B", **again), branch("C")]}}, B=-1, C=-3)
    assert (ended.error, sorted(asked)) == ("C", ["B", "C"])


def test_what_is_stopped_takes_what_is_inside_of_it_along() -> None:
    inner = {"StartAt": "X", "States": {"X": {**FORK, "Branches": [branch("D"), branch("E")]}}}
    ended, _, execution = fork({"A": {**FORK, "Branches": [inner, branch("C")]}}, C=-1, D=2, E=2)
    assert ended.error == "C"
    assert sorted(execution.entered) == ["A", "C", "D", "E", "X"]


def test_a_fail_state_ends_the_parallel() -> None:
    fails = {"StartAt": "B", "States": {"B": {"Type": "Fail", "Error": "Why", "Cause": "words"}}}
    ended = fork({"A": {**FORK, "Branches": [fails, branch("C")]}}, C=1)[0]
    assert (ended.error, ended.cause) == ("Why", "words")


def test_outputs_of_branches_that_are_too_large_together_are_too_much_data() -> None:
    passed = [{"StartAt": name, "States": {name: {"Type": "Succeed"}}} for name in "BC"]
    assert fork({"A": {**FORK, "Branches": passed}}, "x" * 140_000)[0].error == "States.DataLimitExceeded"


def test_objects_are_joined() -> None:
    first, second, third = {"a": 1, "b": {"x": 1}}, {"b": {"y": 2}}, {"c": 3}
    call = "States.JsonMerge($[0].r, States.JsonMerge($[1].r, $[2].r, false), false)"
    given = [{"r": first}, {"r": second}, {"r": third}]
    assert filled({"all.$": call}, given, {}) == {"all": {"a": 1, "b": {"y": 2}, "c": 3}}
    with pytest.raises(NoSuchPath):
        filled({"all.$": call}, given[:2], {})
    with pytest.raises(AssertionError):
        filled({"all.$": "States.JsonMerge($[0].r, $[1].r, true)"}, given, {})


def test_more_calls_in_a_field_than_step_functions_takes_are_an_error() -> None:
    call = "$"
    for _ in range(10):
        call = f"States.JsonMerge($, {call}, false)"
    assert filled({"a.$": call}, {}, {}) == {"a": {}}
    with pytest.raises(AssertionError, match="10 calls"):
        filled({"a.$": f"States.JsonMerge($, {call}, false)"}, {}, {})


def test_waiting_for_a_time_and_until_one() -> None:
    states = {"A": {"Type": "Wait", "Seconds": 30, "Next": "B"}, "B": {**TASK}}
    assert run(states, {}, 5)[1][0][0] == pytest.approx(30, abs=0.1)
    states["A"] = {"Type": "Wait", "TimestampPath": "$.at", "Next": "B"}
    assert run(states, {"at": "1970-01-01T00:01:00Z"}, 5)[1][0][0] == pytest.approx(60, abs=0.1)
    assert run(states, {"at": "1970-01-01T01:00:00.5+01:00"}, 5)[1][0][0] == pytest.approx(0.5, abs=0.1)
    for wrong in ({}, {"at": "tomorrow"}, {"at": 5}):
        assert run(states, wrong)[0].error == "States.Runtime"


def chosen(rule: Mapping[str, Any], given: Any) -> str:
    states = {"A": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"}}
    ends = {name: {"Type": "Fail", "Error": name} for name in ("Yes", "No")}
    return str(run({**states, **ends}, given)[0].error)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"Variable": "$.n", "NumericGreaterThan": 1}, "Yes"),
        ({"Variable": "$.n", "NumericGreaterThan": 2}, "No"),
        ({"Variable": "$.s", "NumericGreaterThan": 1}, "No"),
        ({"Variable": "$.b", "NumericEquals": 1}, "No"),
        ({"Variable": "$.b", "BooleanEquals": True}, "Yes"),
        ({"Variable": "$.s", "StringEqualsPath": "$.l[0]"}, "Yes"),
        ({"Variable": "$.s", "StringEqualsPath": "$.n"}, "States.Runtime"),
        ({"Variable": "$.t", "TimestampLessThan": "2030-01-01T00:00:00Z"}, "Yes"),
        ({"Variable": "$.s", "IsTimestamp": True}, "No"),
        ({"Variable": "$.nowhere", "StringEquals": "a"}, "States.Runtime"),
        ({"Variable": "$.nowhere", "IsNull": True}, "States.Runtime"),
        ({"Variable": "$.nowhere", "IsPresent": False}, "Yes"),
        ({"Not": {"Variable": "$.n", "NumericEquals": 2}}, "No"),
        ({"And": [{"Variable": "$.o", "IsPresent": True}, {"Variable": "$.o", "IsNull": False}]}, "No"),
        ({"Or": [{"Variable": "$.n", "IsNumeric": True}, {"Variable": "$.o", "IsNull": True}]}, "Yes"),
    ],
)
def test_a_choice_is_as_its_rules_say_and_ends_the_execution_where_there_is_nothing(
    rule: Mapping[str, Any], expected: str
) -> None:
    given = {"n": 2, "s": "a", "b": True, "l": ["a"], "t": "2029-01-01T00:00:00Z"}
    assert chosen(rule, given) == expected


def test_a_definition_is_read_from_a_template_with_logical_ids_for_what_is_not_known_yet() -> None:
    task = ['{"Resource":"', {"Fn::GetAtt": ["ChargeCard1234", "Arn"]}, '","At":"arn:', {"Ref": "AWS::Partition"}, '"}']
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Join": ["", task]}}}
    template = {"Resources": {"A": machine, "B": {"Type": "AWS::SQS::Queue"}}}
    assert definition_in(template) == {"Resource": "ChargeCard1234", "At": "arn:aws"}


# Tasks that wait for a callback.

ASK: Mapping[str, Any] = {
    **TASK,
    "Resource": "ask.waitForTaskToken",
    "Parameters": {"token.$": "$$.Task.Token"},
    "HeartbeatSeconds": 5,
}


def asked(
    then: Callable[[Execution, str], None], at: float, answer: Any = "ignored", **state: Any
) -> tuple[Ended, Execution, float]:
    """A task that waits, and what happens to its first token some seconds later."""
    schedule, tokens = Schedule(random.Random(1), 0.0), list[str]()

    def ask(parameters: Any, answered: Answered) -> None:
        tokens.append(parameters["token"])
        schedule.after(0.1, lambda: answered(answer))
        if len(tokens) == 1:
            schedule.after(at, lambda: then(execution, tokens[0]))

    machine = Machine({"StartAt": "A", "States": {"A": {**ASK, **state}}})
    execution = Execution(
        machine, "name-1", {}, {"ask.waitForTaskToken": ask}, schedule, random.Random(1), lambda *_: None
    )
    execution.start()
    schedule.run()
    assert execution.ended is not None
    assert len(set(tokens)) == len(tokens)
    return execution.ended, execution, schedule.now


def test_a_task_that_waits_takes_the_answer_to_its_token_and_not_the_function_s() -> None:
    ended, execution, _ = asked(lambda it, token: it.waiting[token]({"by": "ann"}), 2)
    assert (ended.output, execution.waiting) == ({"by": "ann"}, {})


def test_without_a_word_it_is_given_up_by_its_heartbeat() -> None:
    ended, execution, _ = asked(lambda *_: None, 2)
    assert (ended.error, execution.waiting) == ("States.HeartbeatTimeout", {})


def test_when_what_it_calls_fails_it_fails_at_once_and_a_retry_has_a_token_of_its_own() -> None:
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 1}]

    def too_late(execution: Execution, token: str) -> None:
        assert token not in execution.waiting

    ended, _, __ = asked(too_late, 2, TaskFailure("Busy"), Retry=retry)
    assert ended.error == "Busy"


def scattered(state: Mapping[str, Any], items: Any, *answers: Any) -> tuple[Ended, list[Any]]:
    ended, asked, _ = run({"A": state}, {"items": items}, *answers)
    return ended, asked


@pytest.mark.parametrize("state", [EACH, CHILDREN], ids=["inline", "distributed"])
def test_each_item_goes_its_way_with_its_position_and_outputs_come_in_the_order_of_the_items(state: Any) -> None:
    ended, asked = scattered({**state, "MaxConcurrency": 1}, ["x", "y", "z"], 1, 2, 3)
    assert ended == Ended("SUCCEEDED", [1, 2, 3])
    assert [parameters for _, parameters in asked] == [
        {"at": 0, "item": "x"},
        {"at": 1, "item": "y"},
        {"at": 2, "item": "z"},
    ]


def test_no_more_items_than_may_be_are_at_work() -> None:
    open_, peaks = [0], list[int]()

    def work(schedule: Schedule, answered: Answered) -> None:
        open_[0] += 1
        peaks.append(open_[0])

        def end() -> None:
            open_[0] -= 1
            answered("done")

        schedule.after(1, end)

    ended, asked, _ = run({"A": EACH}, {"items": [1, 2, 3, 4, 5]}, work=work)
    assert (ended.status, len(asked), max(peaks)) == ("SUCCEEDED", 5, 2)


def test_the_first_item_that_fails_stops_an_inline_map() -> None:
    ended, asked = scattered({**EACH, "MaxConcurrency": 1}, [1, 2, 3, 4], 1, TaskFailure("Bad", "why"))
    assert (ended, len(asked)) == (Ended("FAILED", error="Bad", cause="why"), 2)


@pytest.mark.parametrize(("tolerated", "status"), [(0, "FAILED"), (24, "FAILED"), (25, "SUCCEEDED")])
def test_a_distributed_map_goes_on_and_fails_beyond_what_is_tolerated(tolerated: int, status: str) -> None:
    state = {**CHILDREN, "ToleratedFailurePercentage": tolerated}
    ended, asked = scattered(state, [1, 2, 3, 4], TaskFailure("Bad"), 2, 3, 4)
    assert (ended.status, len(asked)) == (status, 4)
    assert ended.error in (None, "States.ExceedToleratedFailureThreshold")


@pytest.mark.parametrize("state", [EACH, CHILDREN], ids=["inline", "distributed"])
def test_no_items_make_no_outputs_and_what_is_no_list_ends_the_execution(state: Any) -> None:
    assert scattered(state, [])[0] == Ended("SUCCEEDED", [])
    assert [scattered(state, wrong)[0].error for wrong in ("x", {}, None)] == ["States.Runtime"] * 3


def test_items_of_an_object_are_read_up_to_the_most() -> None:
    reader = {
        "Resource": "work",
        "ReaderConfig": {"InputType": "JSONL", "MaxItems": 2},
        "Parameters": {"Bucket": "b", "Key.$": "$.key"},
    }
    state = {key: value for key, value in CHILDREN.items() if key != "ItemsPath"} | {"ItemReader": reader}
    state |= {"MaxConcurrency": 1}
    ended, asked, _ = run({"A": state}, {"key": "k"}, "1\n2\n\n3\n", "one", "two")
    assert ended.output == ["one", "two"]
    assert asked[0][1] == {"Bucket": "b", "Key": "k"}
    ended, _, _ = run({"A": state}, {"key": "k"}, "{")
    assert ended.error == "States.ItemReaderFailed"
