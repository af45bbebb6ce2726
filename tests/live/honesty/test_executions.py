"""Executions of state machines from outside: starting, stopping, looking, being told. The emulator as we run it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from serverless_patterns.testing import wait_until
from tests.live.honesty.raw_state_machine import RawStateMachine, machine, task

WAIT: dict[str, Any] = {"Type": "Wait", "Seconds": 15, "Next": "Then"}
THEN: dict[str, Any] = {"Type": "Pass", "End": True}
ECHO = "def handler(event, context): return event"


@pytest.fixture
def sleeper(state_machine):
    return state_machine({"A": WAIT, "Then": THEN})


def test_a_name_starts_one_execution_while_it_runs(sleeper) -> None:
    first = sleeper.start({"order": 7}, name="seven")
    assert sleeper.start({"order": 7}, name="seven").arn == first.arn
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        sleeper.start({"order": 8}, name="seven")
    first.states.stop_execution(executionArn=first.arn)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        sleeper.start({"order": 7}, name="seven")


def test_an_execution_that_was_stopped_goes_nowhere_any_more(sleeper, steadily) -> None:
    execution = sleeper.start()
    execution.wait_for("WaitStateEntered")
    execution.states.stop_execution(executionArn=execution.arn, error="Enough", cause="by hand")
    end = execution.described()
    assert (end["status"], end["error"], end["cause"]) == ("ABORTED", "Enough", "by hand")
    assert end["stopDate"]
    steadily(lambda: execution.kinds()[-1] == "ExecutionAborted", 0.5)


def test_a_failure_after_the_end_changes_nothing_and_is_not_retried(function, state_machine, steadily) -> None:
    failing = function("import time\ndef handler(event, context): print('{}'); time.sleep(1); raise KeyError('x')")
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
    execution = state_machine({"A": task(failing.arn, retry=retry)}).start()
    execution.wait_for("LambdaFunctionStarted")
    execution.states.stop_execution(executionArn=execution.arn)
    steadily(lambda: execution.described()["status"] == "ABORTED", 2.5)
    assert execution.kinds()[-1] == "ExecutionAborted"
    assert len(failing.records()) == 1


def test_an_execution_is_described_with_its_input_and_output(state_machine) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    machine = state_machine({"A": THEN})
    execution = machine.start({"order": 7}, name="seven")
    end = execution.ended()
    assert (end["name"], end["stateMachineArn"], end["status"]) == ("seven", machine.arn, "SUCCEEDED")
    assert json.loads(end["input"]) == json.loads(end["output"]) == {"order": 7}
    assert before <= end["startDate"] <= end["stopDate"]


def test_a_history_tells_of_functions_as_on_aws(function, state_machine) -> None:
    echo = function(ECHO)
    execution = state_machine({"A": task(echo.arn, Parameters={"x.$": "$.order"})}).start({"order": 7})
    execution.output()
    assert execution.kinds() == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    (scheduled,), (succeeded,) = (
        execution.details("LambdaFunctionScheduled"),
        execution.details("LambdaFunctionSucceeded"),
    )
    assert scheduled == {"resource": echo.arn, "input": '{"x": 7}', "timeoutInSeconds": 20}
    assert json.loads(succeeded["output"]) == {"x": 7}
    assert [event["previousEventId"] for event in execution.history()] == [0, 0, 2, 3, 4, 5, 6]


def test_a_history_tells_which_branch_an_event_belongs_to(function, state_machine) -> None:
    echo = function(ECHO)
    branches = [{"StartAt": name, "States": {name: task(echo.arn, Parameters={"n": name})}} for name in ("One", "Two")]
    execution = state_machine({"A": {"Type": "Parallel", "Branches": branches, "Next": "Then"}, "Then": THEN}).start()
    execution.output()
    events = {event["id"]: event for event in execution.history()}
    assert len(events) == len(execution.history())
    for event in events.values():
        if event["type"] != "LambdaFunctionScheduled":
            continue
        entered = events[event["previousEventId"]]
        asked = json.loads(event["lambdaFunctionScheduledEventDetails"]["input"])
        assert entered["stateEnteredEventDetails"]["name"] == asked["n"]
        assert events[entered["previousEventId"]]["type"] == "ParallelStateStarted"


def test_executions_are_listed_by_status(sleeper) -> None:
    running, stopped = sleeper.start(), sleeper.start()
    stopped.states.stop_execution(executionArn=stopped.arn)

    def listed(status: str) -> list[str]:
        found = sleeper.states.list_executions(stateMachineArn=sleeper.arn, statusFilter=status)["executions"]
        return [each["executionArn"] for each in found]

    assert (listed("RUNNING"), listed("ABORTED"), listed("FAILED")) == ([running.arn], [stopped.arn], [])
    running.states.stop_execution(executionArn=running.arn)


@pytest.fixture
def told(cloud, queue, leftovers, fresh_name):
    """A queue that hears of executions that end in one of these ways."""
    events = cloud.client("events")

    def listen(machine, *statuses: str):
        target = queue()
        pattern = {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"status": list(statuses), "stateMachineArn": [machine.arn]},
        }
        events.put_rule(Name=fresh_name, EventPattern=json.dumps(pattern))
        leftovers.callback(events.delete_rule, Name=fresh_name)
        events.put_targets(Rule=fresh_name, Targets=[{"Id": "queue", "Arn": target.arn}])
        leftovers.callback(events.remove_targets, Rule=fresh_name, Ids=["queue"])
        return target

    return listen


def test_the_end_of_an_execution_is_an_event(sleeper, told) -> None:
    heard = told(sleeper, "ABORTED", "FAILED", "TIMED_OUT")
    execution = sleeper.start({"order": 7})
    execution.states.stop_execution(executionArn=execution.arn)
    (message,) = heard.wait_for(1)
    event = json.loads(message["Body"])
    assert event["detail"]["executionArn"] == execution.arn
    assert event["detail"]["status"] == "ABORTED"
    assert json.loads(event["detail"]["input"]) == {"order": 7}
    assert heard.depth() == 1


def test_a_failure_is_one_event(state_machine, told) -> None:
    machine = state_machine({"A": {"Type": "Fail", "Error": "Parked"}})
    heard = told(machine, "FAILED", "SUCCEEDED")
    machine.start()
    (message,) = heard.wait_for(1)
    assert json.loads(message["Body"])["detail"]["status"] == "FAILED"


def test_a_function_can_be_told_of_an_end(function, cloud, state_machine, leftovers, fresh_name) -> None:
    hearing = function("import json\ndef handler(event, context): print(json.dumps(event['detail']))")
    events, machine = cloud.client("events"), state_machine({"A": {"Type": "Fail", "Error": "Parked"}})
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"], "stateMachineArn": [machine.arn]}}
    events.put_rule(Name=fresh_name, EventPattern=json.dumps(pattern))
    leftovers.callback(events.delete_rule, Name=fresh_name)
    events.put_targets(Rule=fresh_name, Targets=[{"Id": "function", "Arn": hearing.arn}])
    leftovers.callback(events.remove_targets, Rule=fresh_name, Ids=["function"])
    execution = machine.start()
    (detail,) = wait_until(hearing.records, 20, "the function to hear of the end")
    assert (detail["executionArn"], detail["error"]) == (execution.arn, "Parked")


def test_an_execution_that_takes_too_long_is_timed_out(state_machine, told) -> None:
    definition = {"StartAt": "A", "TimeoutSeconds": 1, "States": {"A": WAIT, "Then": THEN}}
    machine = state_machine({"A": THEN}, definition=json.dumps(definition))
    heard, execution = told(machine, "TIMED_OUT"), machine.start()
    assert execution.ended()["status"] == "TIMED_OUT"
    assert execution.kinds()[-1] == "ExecutionTimedOut"
    (message,) = heard.wait_for(1)
    assert json.loads(message["Body"])["detail"]["executionArn"] == execution.arn


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="the emulator takes any definition")
def test_a_definition_that_leads_nowhere_is_refused(state_machine) -> None:
    with pytest.raises(ClientError, match="InvalidDefinition"):
        state_machine({"A": THEN | {"End": False, "Next": "Nowhere"}})


def test_a_name_or_an_input_that_can_be_none_is_refused(state_machine) -> None:
    machine = state_machine({"A": THEN})
    for name in ("", "a" * 81, "a b", "a/b", "a:b", "a#b", "a\u0085b"):
        with pytest.raises((ClientError, ParamValidationError), match=r"InvalidName|Invalid length"):
            machine.start(name=name)
    machine.start(name="a" * 80)
    machine.start(name="Order_7.x@é-(1)=+!'")
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        machine.start("x" * 262_143)
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        machine.states.start_execution(stateMachineArn=machine.arn, input="{")


def test_an_execution_goes_on_by_the_definition_it_began_with(sleeper) -> None:
    before = sleeper.start()
    before.wait_for("WaitStateEntered")
    definition = {"A": {"Type": "Pass", "Result": "new", "End": True}}
    sleeper.states.update_state_machine(stateMachineArn=sleeper.arn, definition=machine(definition))
    assert sleeper.start().output() == "new"
    assert before.described()["status"] == "RUNNING"
    before.states.stop_execution(executionArn=before.arn)


def test_a_stack_changes_a_machine_in_its_place(cloud, role, fresh_name, leftovers) -> None:
    client, states = cloud.client("cloudformation"), cloud.client("stepfunctions")

    def template(definition: dict[str, Any]) -> str:
        properties = {"RoleArn": role(service="states"), "DefinitionString": machine(definition)}
        resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
        return json.dumps({"Resources": {"M": resource}, "Outputs": {"Arn": {"Value": {"Ref": "M"}}}})

    def arn() -> str:
        (stack,) = client.describe_stacks(StackName=fresh_name)["Stacks"]
        return stack["Outputs"][0]["OutputValue"]

    client.create_stack(StackName=fresh_name, TemplateBody=template({"A": WAIT, "Then": THEN}))
    leftovers.callback(client.delete_stack, StackName=fresh_name)
    client.get_waiter("stack_create_complete").wait(StackName=fresh_name, WaiterConfig={"Delay": 1})
    made = RawStateMachine(states, arn())
    before = made.start({"order": 7}, name="seven")
    before.wait_for("WaitStateEntered")
    client.update_stack(StackName=fresh_name, TemplateBody=template({"A": THEN}))
    client.get_waiter("stack_update_complete").wait(StackName=fresh_name, WaiterConfig={"Delay": 1})
    assert arn() == made.arn
    assert made.start().output() == {}
    assert before.described()["status"] == "RUNNING"
    before.states.stop_execution(executionArn=before.arn)


def test_executions_are_listed_page_by_page_the_newest_first(state_machine) -> None:
    machine = state_machine({"A": THEN})
    ended = [machine.start(name=name) for name in ("one", "two", "three")]
    for execution in ended:
        execution.output()
    pages = machine.states.get_paginator("list_executions").paginate(
        stateMachineArn=machine.arn, statusFilter="SUCCEEDED", PaginationConfig={"PageSize": 1}
    )
    listed = [each for page in pages for each in page["executions"]]
    assert {each["name"] for each in listed} == {"one", "two", "three"}
    assert [each["stopDate"] for each in listed] == sorted((each["stopDate"] for each in listed), reverse=True)


CALLER = """
    import boto3

    def handler(event, context):
        answer = getattr(boto3.client("stepfunctions"), event["call"])(**event["arguments"])
        return answer["ResponseMetadata"]["HTTPStatusCode"]
"""


def test_a_function_may_do_with_executions_what_its_role_may(function, sleeper) -> None:
    execution = sleeper.start()
    calls = {
        "states:StartExecution": (sleeper.arn, "start_execution", {"stateMachineArn": sleeper.arn}),
        "states:ListExecutions": (sleeper.arn, "list_executions", {"stateMachineArn": sleeper.arn}),
        "states:DescribeExecution": (execution.arn, "describe_execution", {"executionArn": execution.arn}),
        "states:GetExecutionHistory": (execution.arn, "get_execution_history", {"executionArn": execution.arn}),
        "states:StopExecution": (execution.arn, "stop_execution", {"executionArn": execution.arn}),
    }
    statements = [{"Effect": "Allow", "Action": name, "Resource": of} for name, (of, _, _) in calls.items()]
    anybody, nobody = function(CALLER, statements=statements), function(CALLER, statements=statements[1:2])
    for name, (_, call, arguments) in calls.items():
        if name != "states:ListExecutions":
            with pytest.raises(RuntimeError, match=f"AccessDenied.*{name}"):
                nobody.invoke(call=call, arguments=arguments)
        assert anybody.invoke(call=call, arguments=arguments) == 200


@pytest.mark.xfail(strict=True, raises=ClientError, reason="the emulator cannot redrive an execution")
def test_a_failed_execution_can_be_redriven(state_machine) -> None:
    execution = state_machine({"A": {"Type": "Fail", "Error": "Parked"}}).start()
    execution.ended()
    execution.states.redrive_execution(executionArn=execution.arn)
