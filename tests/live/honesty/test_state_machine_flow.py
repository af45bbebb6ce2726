"""How state machines get from state to state, and what they call: the emulator as we run it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns.testing import wait_until
from tests.live.honesty.raw_state_machine import caught, task

ECHO = "def handler(event, context): return event"
DONE: dict[str, Any] = {"Type": "Pass", "End": True}
PUT = "arn:aws:states:::dynamodb:putItem"
INVOKE = "arn:aws:states:::lambda:invoke"
SEND_AND_WAIT = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"


def passing(**fields: Any) -> dict[str, Any]:
    return {"A": {"Type": "Pass", "Parameters": fields, "End": True}}


def test_a_choice_takes_the_first_rule_that_holds(state_machine) -> None:
    shipped = {"Variable": "$.status", "StringEquals": "SHIPPED"}
    parked = {"Variable": "$.saga.parked", "IsPresent": True}
    choices = [{"And": [parked, shipped], "Next": "Both"}, parked | {"Next": "Parked"}]
    ends = {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Both", "Parked", "Neither")}
    machine = state_machine({"A": {"Type": "Choice", "Choices": choices, "Default": "Neither"}, **ends})
    assert machine.start({"saga": {"parked": {}}, "status": "SHIPPED"}).output() == "Both"
    assert machine.start({"saga": {"parked": {}}, "status": "LOST"}).output() == "Parked"
    assert machine.start({"saga": {}, "status": "SHIPPED"}).output() == "Neither"


def test_null_is_present(state_machine) -> None:
    ends = {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Yes", "No")}
    rule = {"Variable": "$.a", "IsPresent": True, "Next": "Yes"}
    machine = state_machine({"A": {"Type": "Choice", "Choices": [rule], "Default": "No"}, **ends})
    assert machine.start({"a": None}).output() == "Yes"
    assert machine.start({"b": None}).output() == "No"


def test_a_failure_may_be_told_by_path_or_by_call(state_machine) -> None:
    cause = "States.Format('{}: {}', $$.Execution.Name, States.JsonToString($.error))"
    machine = state_machine({"A": {"Type": "Fail", "ErrorPath": "$.error.name", "CausePath": cause}})
    end = machine.start({"error": {"name": "Parked"}}, name="seven").ended()
    assert (end["status"], end["error"], end["cause"]) == ("FAILED", "Parked", 'seven: {"name":"Parked"}')


def test_calls_and_the_context_fill_parameters(state_machine) -> None:
    fields = {
        "key.$": "States.Format('saga#{}#Ship', $$.Execution.Name)",
        "json.$": "States.JsonToString($.a)",
        "back.$": "States.StringToJson($.text)",
        "merged.$": "States.JsonMerge($.a, $.b, false)",
        "listed.$": "States.Array($.x, 'y')",
        "input.$": "$$.Execution.Input.x",
        "state.$": "$$.State.Name",
        "whole.$": "$.a",
    }
    given = {"a": {"n": 1}, "b": {"m": 2}, "text": '{"c":3}', "x": 1}
    output = state_machine(passing(**fields)).start(given, name="order-7").output()
    assert output == {
        "key": "saga#order-7#Ship",
        "json": '{"n":1}',
        "back": {"c": 3},
        "merged": {"n": 1, "m": 2},
        "listed": [1, "y"],
        "input": 1,
        "state": "A",
        "whole": {"n": 1},
    }


def test_json_as_text_keeps_its_letters(state_machine) -> None:
    assert state_machine(passing(**{"text.$": "States.JsonToString($)"})).start({"a": "é"}).output()["text"] == (
        '{"a":"é"}'
    )


def test_a_result_is_selected_placed_and_put_out(function, state_machine) -> None:
    selected = {"ResultSelector": {"status": "DONE", "got.$": "$.x"}, "ResultPath": "$.saga.first"}
    machine = state_machine({"A": task(function(ECHO).arn, OutputPath="$.saga", **selected)})
    assert machine.start({"x": 5}).output() == {"first": {"status": "DONE", "got": 5}}


def test_the_optimized_call_of_a_function_wraps_its_answer_and_keeps_its_errors(function, state_machine) -> None:
    failing = function("class Busy(Exception): pass\ndef handler(event, context): raise Busy(event['why'])")
    asked = {"FunctionName": failing.arn, "Payload": {"why.$": "$.why"}}
    states = {"A": task(INVOKE, Parameters=asked, catch=[caught("Busy")]), "Caught": DONE}
    execution = state_machine(states).start({"why": "queue"})
    assert json.loads(execution.output()["error"]["Cause"])["errorMessage"] == "queue"
    assert execution.details("TaskFailed")[0] | {"cause": ""} == {
        "resourceType": "lambda",
        "resource": "invoke",
        "error": "Busy",
        "cause": "",
    }
    echo = {"FunctionName": function(ECHO).arn, "Payload.$": "$"}
    assert state_machine({"A": task(INVOKE, Parameters=echo)}).start({"x": 5}).output()["Payload"] == {"x": 5}


def put(table: str, **more: Any) -> dict[str, Any]:
    item = {"id": {"S.$": "States.Format('parked#{}', $$.Execution.Name)"}, "state": {"S.$": "States.JsonToString($)"}}
    return {"A": task(PUT, Parameters={"TableName": table, "Item": item}, ResultPath=None, **more), "Caught": DONE}


def test_an_item_is_put_without_a_function(cloud, table, state_machine) -> None:
    given = {"order": 7}
    assert state_machine({"A": put(table)["A"]}).start(given, name="seven").output() == given
    found = cloud.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "parked#seven"}})["Item"]
    assert json.loads(found["state"]["S"]) == given


def test_a_service_that_refuses_is_an_error_with_the_services_name(state_machine) -> None:
    states = put("no-such-table", catch=[caught("DynamoDB.ResourceNotFoundException")])
    execution = state_machine(states).start()
    assert "error" in execution.output()
    assert execution.details("TaskFailed")[0]["resourceType"] == "dynamodb"


def test_a_machine_may_do_what_its_role_may_and_no_more(table, function, queue, state_machine) -> None:
    arn, echo, target = f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}", function(ECHO), queue()
    message, other = {"QueueUrl": target.url, "MessageBody": "x"}, state_machine({"A": DONE})
    entry = {"Source": "saga", "DetailType": "parked", "Detail": {}, "EventBusName": "default"}
    start = "arn:aws:states:::states:startExecution"
    calls = {
        ("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/default"): task(
            "arn:aws:states:::events:putEvents", Parameters={"Entries": [entry]}
        ),
        ("states:StartExecution", other.arn): task(start, Parameters={"StateMachineArn": other.arn, "Input": {}}),
        ("dynamodb:PutItem", arn): put(table)["A"],
        ("lambda:InvokeFunction", echo.arn): task(echo.arn),
        ("sqs:SendMessage", target.arn): task("arn:aws:states:::sqs:sendMessage", Parameters=message),
    }
    for (action, resource), state in calls.items():
        others = [{"Effect": "Allow", "Action": name, "Resource": of} for name, of in calls if name != action]
        elsewhere = {"Effect": "Allow", "Action": action, "Resource": f"{resource}-2"}
        own = {"Effect": "Allow", "Action": action, "Resource": resource}
        end = state_machine({"A": state}, statements=[*others, elsewhere]).start().ended()
        assert f"not authorized to perform: {action}" in end["cause"]
        assert state_machine({"A": state}, statements=[own]).start().ended()["status"] == "SUCCEEDED"
    assert target.depth() == 1


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator asks no role for calls by aws-sdk")
def test_a_machine_may_not_call_by_aws_sdk_what_its_role_may_not(table, state_machine) -> None:
    scan = task("arn:aws:states:::aws-sdk:dynamodb:scan", Parameters={"TableName": table})
    assert state_machine({"A": scan}, statements=[]).start().ended()["status"] == "FAILED"


def branch(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "B", "States": {"B": state, "Caught": DONE} if "Catch" in state else {"B": state}}


def test_results_of_branches_are_in_the_order_of_the_branches(function, state_machine) -> None:
    late = function("import time\ndef handler(event, context): time.sleep(0.5); return 'late'")
    early = {"Type": "Pass", "Result": "early", "End": True}
    parallel = {"Type": "Parallel", "Branches": [branch(task(late.arn) | {"Catch": []}), branch(early)], "End": True}
    parallel["Branches"][0]["States"].pop("Caught")
    assert state_machine({"A": parallel}).start().output() == ["late", "early"]


def test_a_failing_branch_stops_the_others_and_can_be_caught(function, state_machine, queue) -> None:
    target = queue()
    failing = function("class Busy(Exception): pass\ndef handler(event, context): raise Busy('x')")
    send = task("arn:aws:states:::sqs:sendMessage", Parameters={"QueueUrl": target.url, "MessageBody": "x"})
    going_on = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 15, "Next": "S"}, "S": send}}
    failing_branch = {"StartAt": "F", "States": {"F": task(failing.arn)}}
    parallel = {"Type": "Parallel", "Branches": [going_on, failing_branch], "Catch": [caught("Busy")], "End": True}
    began = datetime.now(UTC)
    execution = state_machine({"A": parallel, "Caught": DONE}).start({"x": 1})
    output = execution.output()
    assert (output["x"], output["error"]["Error"]) == (1, "Busy")
    assert datetime.now(UTC) - began < timedelta(seconds=10)
    assert "S" not in {event["name"] for event in execution.details("TaskStateEntered")}
    assert target.depth() == 0


def test_branches_count_their_own_retries_and_know_their_own_state(function, state_machine, waiting) -> None:
    waiting(0.2)
    counting = function(
        """
        class Busy(Exception): pass

        def handler(event, context):
            if event["retries"] < event["fails"]:
                raise Busy("x")
            return [event["state"], event["retries"]]
        """
    )
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxDelaySeconds": 1, "MaxAttempts": 3}]
    asked = {"retries.$": "$$.State.RetryCount", "state.$": "$$.State.Name"}
    branches = [
        {"StartAt": name, "States": {name: task(counting.arn, retry=retry, Parameters={**asked, "fails": fails})}}
        for name, fails in (("One", 1), ("None", 0), ("Two", 2))
    ]
    machine = state_machine({"A": {"Type": "Parallel", "Branches": branches, "End": True}})
    assert machine.start().output() == [["One", 1], ["None", 0], ["Two", 2]]


def test_each_item_of_a_map_has_its_own_run_in_its_place(function, state_machine) -> None:
    echo = function(ECHO)
    selector = {"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "order.$": "$.order"}
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "B", "States": {"B": task(echo.arn)}}
    state = {"Type": "Map", "ItemsPath": "$.lines", "ItemSelector": selector, "ItemProcessor": processor, "End": True}
    output = state_machine({"A": state}).start({"order": 7, "lines": ["x", "y"]}).output()
    assert output == [{"item": "x", "at": 0, "order": 7}, {"item": "y", "at": 1, "order": 7}]


def test_waiting_takes_the_seconds_or_ends_at_the_time_that_is_written(state_machine) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for field, value, given in (
        ("Seconds", 1, {}),
        ("SecondsPath", "$.in", {"in": 1}),
        ("TimestampPath", "$.at", {"at": soon}),
    ):
        execution = state_machine({"A": {"Type": "Wait", field: value, "End": True}}).start(given)
        execution.output()
        entered, left = (
            event["timestamp"]
            for event in execution.history()
            if event["type"] in ("WaitStateEntered", "WaitStateExited")
        )
        if field == "TimestampPath":
            assert left >= datetime.fromisoformat(soon)
        else:
            assert 1 <= (left - entered).total_seconds() < 2


# Tasks that wait for an answer.


@pytest.fixture
def asking(queue, state_machine):
    """A task that sends its token; the execution, and the token."""

    def ask(**state: Any) -> tuple[Any, str]:
        target = queue()
        body = {"token.$": "$$.Task.Token"}
        asked = task(SEND_AND_WAIT, Parameters={"QueueUrl": target.url, "MessageBody": body}, **state)
        execution = state_machine({"A": asked, "Caught": DONE} if "catch" in state else {"A": asked}).start()
        (message,) = target.wait_for(1)
        return execution, json.loads(message["Body"])["token"]

    return ask


def test_an_answer_is_the_result_of_the_task_and_the_first_one_counts(asking) -> None:
    execution, token = asking()
    execution.states.send_task_success(taskToken=token, output='{"by":"ann"}')
    with pytest.raises(ClientError, match="TaskTimedOut"):
        execution.states.send_task_success(taskToken=token, output='{"by":"bob"}')
    assert execution.output() == {"by": "ann"}


def test_a_refusal_is_an_error_with_the_name_that_it_says(asking) -> None:
    execution, token = asking(catch=[caught("Rejected")])
    execution.states.send_task_failure(taskToken=token, error="Rejected", cause="too much")
    assert execution.output()["error"] == {"Error": "Rejected", "Cause": "too much"}


def test_an_answer_after_the_timeout_is_refused(asking) -> None:
    execution, token = asking(TimeoutSeconds=1, catch=[caught("States.Timeout")])
    assert "error" in execution.output()
    assert execution.details("TaskTimedOut")[0]["error"] == "States.Timeout"
    with pytest.raises(ClientError, match="TaskTimedOut"):
        execution.states.send_task_success(taskToken=token, output="{}")


def test_a_token_that_nobody_was_given_is_refused(asking) -> None:
    execution, token = asking()
    with pytest.raises(ClientError, match="InvalidToken"):
        execution.states.send_task_success(taskToken="x" + token, output="{}")
    execution.states.send_task_success(taskToken=token, output="{}")
    execution.output()


def test_without_a_heartbeat_a_task_is_given_up_and_with_it_not(asking) -> None:
    execution, token = asking(HeartbeatSeconds=1, catch=[caught("States.HeartbeatTimeout")])
    assert execution.output()["error"]["Error"] == "States.HeartbeatTimeout"
    execution, token = asking(HeartbeatSeconds=1, catch=[caught("States.HeartbeatTimeout")])
    beats = datetime.now(UTC)

    def beat_for_longer() -> bool:
        execution.states.send_task_heartbeat(taskToken=token)
        return datetime.now(UTC) - beats > timedelta(seconds=1.5)

    wait_until(beat_for_longer, 10, "longer than a heartbeat")
    execution.states.send_task_success(taskToken=token, output='"done"')
    assert execution.output() == "done"


def test_a_function_that_should_pass_on_the_token_and_fails_fails_the_task(function, state_machine) -> None:
    failing = function("class Busy(Exception): pass\ndef handler(event, context): raise Busy('x')")
    asked = {"FunctionName": failing.arn, "Payload": {"token.$": "$$.Task.Token"}}
    states = {"A": task(f"{INVOKE}.waitForTaskToken", Parameters=asked, catch=[caught("Busy")]), "Caught": DONE}
    assert state_machine(states).start().output()["error"]["Error"] == "Busy"
