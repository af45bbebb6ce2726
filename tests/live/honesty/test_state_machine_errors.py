"""What state machines do about errors: the emulator as we run it."""

import json
from typing import Any

import pytest

from serverless_patterns.testing import wait_until
from tests.live.honesty.raw_state_machine import caught, task

FAILING = """
    class Declined(Exception): pass
    class CardDeclined(Declined): pass
    class Busy(Exception): pass

    def handler(event, context):
        name = event["raise"][event.get("retries", 0)] if "raise" in event else None
        if name:
            raise {"CardDeclined": CardDeclined, "Busy": Busy}[name]("no more credit")
        return event.get("return", "done")
"""
CAUGHT: dict[str, Any] = {"Caught": {"Type": "Pass", "End": True}}
ASKED = {"raise.$": "$.raise", "retries.$": "$$.State.RetryCount"}


def retrier(*errors: str, **more: Any) -> dict[str, Any]:
    return {"ErrorEquals": list(errors), "IntervalSeconds": 1, "BackoffRate": 1.0, **more}


@pytest.fixture
def failing(function):
    return function(FAILING)


def test_a_functions_error_has_the_name_of_its_class_and_tells_it_as_lambda_does(failing, state_machine) -> None:
    execution = state_machine({"A": task(failing.arn)}).start({"raise": ["CardDeclined"]})
    end = execution.ended()
    assert (end["status"], end["error"]) == ("FAILED", "CardDeclined")
    told = json.loads(end["cause"])
    assert (told["errorType"], told["errorMessage"]) == ("CardDeclined", "no more credit")
    assert "in handler" in "".join(told["stackTrace"])
    assert "output" not in end


def test_a_catcher_takes_the_class_it_names_and_not_what_derives_from_it(failing, state_machine) -> None:
    states = {"A": task(failing.arn, catch=[caught("Declined", then="Wrong"), caught("CardDeclined")]), **CAUGHT}
    states["Wrong"] = {"Type": "Fail"}
    given = {"raise": ["CardDeclined"], "kept": 1}
    output = state_machine(states).start(given).output()
    assert output == given | {"error": output["error"]}
    assert output["error"].keys() == {"Error", "Cause"}
    assert output["error"]["Error"] == "CardDeclined"


def test_a_caught_error_replaces_the_document_or_is_dropped(failing, state_machine) -> None:
    for path, expected in (("$", {"Error", "Cause"}), (None, {"raise"})):
        states = {"A": task(failing.arn, catch=[caught("States.ALL", path=path)]), **CAUGHT}
        assert state_machine(states).start({"raise": ["Busy"]}).output().keys() == expected


def test_a_retrier_takes_the_class_it_names_so_often_and_each_counts_for_itself(
    failing, state_machine, waiting
) -> None:
    waiting(0.01)
    retry = [retrier("CardDeclined", MaxAttempts=0), retrier("Busy", MaxAttempts=1), retrier("States.ALL")]
    states = {"A": task(failing.arn, retry=retry, Parameters=ASKED)}
    machine = state_machine(states)
    assert machine.start({"raise": ["Busy", None]}).output() == "done"
    twice, never = machine.start({"raise": ["Busy", "Busy"]}), machine.start({"raise": ["CardDeclined"]})
    assert (twice.ended()["error"], twice.kinds().count("LambdaFunctionFailed")) == ("Busy", 2)
    assert (never.ended()["error"], never.kinds().count("LambdaFunctionFailed")) == ("CardDeclined", 1)


def test_counts_of_two_retriers_do_not_add_up(failing, state_machine, waiting) -> None:
    waiting(0.01)
    retry = [retrier("Busy", MaxAttempts=1), retrier("States.ALL", MaxAttempts=2)]
    machine = state_machine({"A": task(failing.arn, retry=retry, Parameters=ASKED)})
    given = {"raise": ["CardDeclined", "Busy", "CardDeclined", None]}
    assert machine.start(given).output() == "done"


def test_without_a_number_a_retrier_makes_three_attempts(failing, state_machine, waiting) -> None:
    waiting(0.01)
    machine = state_machine({"A": task(failing.arn, retry=[{"ErrorEquals": ["Busy"]}], Parameters=ASKED)})
    execution = machine.start({"raise": ["Busy"] * 5})
    assert execution.ended()["error"] == "Busy"
    assert execution.kinds().count("LambdaFunctionScheduled") == 4


def test_retries_wait_longer_and_longer_up_to_a_cap(failing, state_machine, waiting) -> None:
    waiting(0.1)
    retry = [retrier("Busy", IntervalSeconds=2, BackoffRate=3.0, MaxDelaySeconds=9, MaxAttempts=4)]
    machine = state_machine({"A": task(failing.arn, retry=retry, Parameters=ASKED)})
    execution = machine.start({"raise": ["Busy"] * 4 + [None]})
    assert execution.output() == "done"
    for delay, least in zip(execution.delays(), (0.2, 0.6, 0.9, 0.9), strict=True):
        assert least <= delay < least + 0.5


def test_full_jitter_is_anywhere_up_to_the_delay(failing, state_machine, waiting) -> None:
    waiting(0.05)
    retry = [retrier("Busy", IntervalSeconds=6, JitterStrategy="FULL", MaxAttempts=8)]
    machine = state_machine({"A": task(failing.arn, retry=retry, Parameters=ASKED)})
    execution = machine.start({"raise": ["Busy"] * 8 + [None]})
    assert execution.output() == "done"
    delays = execution.delays()
    assert min(delays) < 0.25
    assert max(delays) - min(delays) > 0.02


def test_a_task_that_takes_too_long_is_given_up(function, state_machine) -> None:
    slow = function("import time\ndef handler(event, context): time.sleep(3)")
    states = {"A": task(slow.arn, catch=[caught("States.Timeout")], TimeoutSeconds=1), **CAUGHT}
    execution = state_machine(states).start()
    assert execution.output()["error"]["Error"] == "States.Timeout"
    assert execution.details("LambdaFunctionTimedOut")[0]["error"] == "States.Timeout"


def test_a_functions_own_timeout_is_another_error(function, state_machine) -> None:
    slow = function("import time\ndef handler(event, context): time.sleep(30)", timeout=1)
    states = {"A": task(slow.arn, catch=[caught("States.Timeout", then="A"), caught("Sandbox.Timedout")]), **CAUGHT}
    assert "timed out after 1" in state_machine(states).start().output()["error"]["Cause"]


def test_a_killed_function_is_an_error_that_can_be_retried(function, state_machine, cloud) -> None:
    killed = function(
        """
        import time

        def handler(event, context):
            if event["retries"] == 0:
                print("working")
                time.sleep(30)
            return "done"
        """
    )
    retry = [retrier("Runtime.ExitError", MaxAttempts=1)]
    asked = {"retries.$": "$$.State.RetryCount"}
    execution = state_machine({"A": task(killed.arn, retry=retry, Parameters=asked)}).start()
    wait_until(lambda: cloud.kill_function(killed.name), 10, "a process of the function")
    assert execution.output() == "done"


def test_too_large_a_result_is_an_error_that_states_all_does_not_take(function, state_machine) -> None:
    large = function("def handler(event, context): return 'x' * event['length']")
    named = {"A": task(large.arn, catch=[caught("States.DataLimitExceeded")]), **CAUGHT}
    everything = {"A": task(large.arn, retry=[retrier("States.ALL")], catch=[caught("States.ALL")]), **CAUGHT}
    assert state_machine(named).start({"length": 262_143}).output()["error"]["Error"] == "States.DataLimitExceeded"
    assert state_machine(everything).start({"length": 262_143}).ended()["error"] == "States.DataLimitExceeded"
    assert len(state_machine(everything).start({"length": 262_142}).output()) == 262_142


def test_too_large_a_document_is_the_same_error(function, state_machine) -> None:
    large = function("def handler(event, context): return 'x' * 200_000")
    states = {"A": task(large.arn, catch=[caught("States.DataLimitExceeded")], ResultPath="$.result"), **CAUGHT}
    assert "error" in state_machine(states).start({"given": "y" * 63_000}).output()


def test_a_path_that_leads_nowhere_ends_the_execution(failing, state_machine) -> None:
    states = {"A": task(failing.arn, catch=[caught("States.ALL")], Parameters={"x.$": "$.missing"}), **CAUGHT}
    assert state_machine(states).start().ended().get("error") == "States.Runtime"
