from types import SimpleNamespace
from typing import Any

import pytest

from serverless_patterns_runtime import Caller, PermanentError, Request
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.execution import Execution
from serverless_patterns_runtime.saga_state_machine.status import Known, Shown, shown

from .step_functions import BEGAN, MACHINE, RECOVERY, StepFunctions

ALICE = Caller("alice")
OWN = {"order_id": "7", "caller": {"id": "alice", "kind": "lambda"}}
SEEN = Shown(results={"Ship"}, errors={"CardDeclined"}, any_caller=False)


def known_by(aws: StepFunctions) -> Known:
    return Known(aws.known, aws.recovered)


def look(aws: StepFunctions, name: str = "one", *, caller: Caller | None = ALICE, seen: Shown = SEEN) -> Any:
    request = Request.fake("GET /checkout/{execution}", params={"execution": name}, caller=caller)
    answer = shown(request, known_by(aws), seen)
    assert answer.status == 200
    return answer.body


def is_hidden(aws: StepFunctions, name: str = "one", **more: Any) -> bool:
    try:
        look(aws, name, **more)
    except PermanentError as error:
        if (error.status, error.message) != (404, "there is no such execution"):
            raise
        return True
    return False


def test_one_that_runs():
    aws = StepFunctions()
    aws.has("one", input=OWN)
    assert look(aws) == {"status": "RUNNING"}


def test_results_of_the_steps_that_are_shown_and_of_no_other():
    aws, results = StepFunctions(), {"ChargeCard": {"card": "4111"}, "Ship": {"parcel": 3}}
    aws.has("one", "SUCCEEDED", OWN, output={"status": "SUCCEEDED", "results": results})
    assert look(aws) == {"status": "SUCCEEDED", "results": {"Ship": {"parcel": 3}}}
    assert look(aws, seen=SEEN._replace(results=())) == {"status": "SUCCEEDED"}


@pytest.mark.parametrize(("error", "more"), [("CardDeclined", {"error": "CardDeclined"}), ("KeyError", {})])
def test_an_error_is_named_when_it_was_declared_and_never_explained(error: str, more: Any):
    aws, output = StepFunctions(), {"status": "COMPENSATED", "error": {"Error": error, "Cause": "of 4111"}}
    aws.has("one", "SUCCEEDED", OWN, output=output)
    assert look(aws) == {"status": "COMPENSATED", **more}


@pytest.mark.parametrize("status", [contract.COMPENSATION_PARKED, contract.FORWARD_PARKED])
def test_a_parked_step_is_the_status_and_no_more(status: str):
    aws = StepFunctions()
    aws.has("one", "FAILED", OWN, error=status, cause="of 4111")
    assert look(aws) == {"status": status}


@pytest.mark.parametrize("more", [{"status": "FAILED", "error": "States.Runtime"}, {"status": "ABORTED"}])
def test_what_the_saga_did_not_end_itself_is_aborted_until_a_recovery_begins(more: Any):
    aws = StepFunctions()
    aws.has("one", input=OWN, **more)
    assert look(aws) == {"status": "ABORTED"}


@pytest.mark.parametrize("caller", [Caller("bob"), Caller("alice", "cognito"), None])
def test_another_caller_s_execution_is_not_there(caller: Caller | None):
    aws = StepFunctions()
    aws.has("one", input=OWN)
    assert is_hidden(aws, caller=caller)
    assert not is_hidden(aws, caller=caller, seen=SEEN._replace(any_caller=True))


def test_one_that_no_api_has_started_belongs_to_no_caller_of_one():
    aws = StepFunctions()
    aws.has("one", input={"order_id": "7"})
    assert is_hidden(aws, caller=None)
    assert is_hidden(aws)


def test_on_public_routes_all_are_one_caller():
    aws = StepFunctions()
    aws.has("one", input={"caller": None})
    assert not is_hidden(aws, caller=None)
    assert is_hidden(aws)


def test_one_that_is_not_there_is_looked_for_a_moment_longer():
    aws = StepFunctions()
    assert is_hidden(aws)
    assert 0 < sum(aws.slept) < 1
    aws.has("one", input=OWN)
    aws.errors = ["ExecutionDoesNotExist"]
    assert not is_hidden(aws)


@pytest.mark.parametrize("name", ["", "a:b", "../x", "a b", "x" * 81, "é", "one\n"])
def test_what_cannot_be_a_name_is_asked_of_nobody(name: str):
    aws = StepFunctions()
    assert is_hidden(aws, name)
    assert aws.calls == []


def test_a_busy_service_is_no_404():
    aws = StepFunctions()
    aws.errors = ["ThrottlingException"]
    with pytest.raises(Contended):
        look(aws)


def test_what_it_waits_for_is_said_while_it_runs_and_not_to_strangers():
    aws, asked = StepFunctions(), list[tuple[str, int, str]]()
    aws.has("one", input=OWN)

    def approvals() -> Any:
        def waits(execution: str, started: int, step: str) -> bool:
            asked.append((execution, started, step))
            return step == "Board"

        return SimpleNamespace(waits=waits)

    def seen(caller: Caller) -> Any:
        request = Request.fake("GET /checkout/{execution}", params={"execution": "one"}, caller=caller)
        return shown(request, known_by(aws), SEEN._replace(approvals=["Manager", "Board"]), approvals).body

    assert seen(ALICE) == {"status": "RUNNING", "waiting_for": "Board"}
    assert asked == [("one", int(BEGAN.timestamp()), step) for step in ("Manager", "Board")]
    with pytest.raises(PermanentError):
        seen(Caller("bob"))
    aws.has("one", "ABORTED", OWN)
    assert seen(ALICE) == {"status": "ABORTED"}
    assert len(asked) == 2


# What a recovery has made of it.

DEAD = {"died": {"status": "ABORTED"}, "timed out": {"status": "TIMED_OUT"}, "broke": {"status": "FAILED"}}
PARKED = {it: {"status": "FAILED", "error": it} for it in contract.PARKED_ENDS}
BAD_ENDS: Any = pytest.mark.parametrize("end", [*DEAD.values(), *PARKED.values()], ids=[*DEAD, *PARKED])
RESULTS = {"ChargeCard": {"card": "4111"}, "Ship": {"parcel": 3}}


def ended(end: Any) -> StepFunctions:
    aws = StepFunctions()
    aws.has("one", input=OWN, **end)
    return aws


@BAD_ENDS
def test_while_a_recovery_runs_it_is_said_to_be_recovered_and_not_to_run(end: Any):
    aws = ended(end)
    aws.recovers("one-1")
    assert look(aws) == {"status": "RECOVERING"}


@BAD_ENDS
def test_what_a_recovery_has_finished_has_succeeded_with_its_results(end: Any):
    aws = ended(end)
    aws.recovers("one-1", "SUCCEEDED", output={"status": "SUCCEEDED", "results": RESULTS})
    assert look(aws) == {"status": "SUCCEEDED", "results": {"Ship": {"parcel": 3}}}
    assert look(aws, seen=SEEN._replace(results=())) == {"status": "SUCCEEDED"}


def test_a_result_that_a_recovery_does_not_know_is_left_out():
    aws = ended(DEAD["died"])
    aws.recovers("one-1", "SUCCEEDED", output={"status": "SUCCEEDED", "results": {"ChargeCard": None}})
    assert look(aws) == {"status": "SUCCEEDED", "results": {}}


@BAD_ENDS
@pytest.mark.parametrize(("error", "more"), [("CardDeclined", {"error": "CardDeclined"}), ("ABORTED", {})])
def test_what_a_recovery_has_undone_is_compensated_and_a_declared_error_named(end: Any, error: str, more: Any):
    aws = ended(end)
    aws.recovers("one-1", "SUCCEEDED", output={"status": "COMPENSATED", "error": {"Error": error, "Cause": "of 4111"}})
    assert look(aws) == {"status": "COMPENSATED", **more}


@BAD_ENDS
@pytest.mark.parametrize("again", contract.PARKED_ENDS)
def test_what_a_recovery_has_parked_again_is_parked(end: Any, again: str):
    aws = ended(end)
    aws.recovers("one-1", "FAILED", error=again, cause="of 4111")
    assert look(aws) == {"status": again}


@BAD_ENDS
@pytest.mark.parametrize("own", [{"status": "FAILED", "error": "RECOVERY_FAILED"}, *DEAD.values()])
def test_a_recovery_that_has_come_to_no_end_needs_a_person_and_is_not_said_to_begin(end: Any, own: Any):
    aws = ended(end)
    aws.recovers("one-1", **own)
    assert look(aws) == {"status": "RECOVERY_FAILED"}


def test_of_several_recoveries_the_latest_counts():
    aws = ended(PARKED["COMPENSATION_PARKED"])
    for number in range(1, 11):
        aws.recovers(f"one-{number}", "FAILED", error="COMPENSATION_PARKED", later=number)
    aws.recovers("one-11", "SUCCEEDED", output={"status": "COMPENSATED", "error": {"Error": "KeyError"}})
    assert look(aws) == {"status": "COMPENSATED"}


def test_a_recovery_of_an_earlier_execution_of_the_name_is_none_of_this():
    aws = ended(DEAD["died"])
    aws.recovers("one-1", "SUCCEEDED", later=-60, output={"status": "COMPENSATED", "error": {}})
    assert look(aws) == {"status": "ABORTED"}
    aws.recovers("one-2")
    assert look(aws) == {"status": "RECOVERING"}


def test_without_a_look_at_when_it_began_the_earlier_one_is_believed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Execution, "recovers", lambda *_: True)
    aws = ended(DEAD["died"])
    aws.recovers("one-1", "SUCCEEDED", later=-60, output={"status": "COMPENSATED", "error": {}})
    assert look(aws) == {"status": "COMPENSATED"}


def test_recoveries_of_a_stranger_s_execution_are_not_looked_for():
    aws = ended(DEAD["died"])
    aws.recovers("one-1")
    assert is_hidden(aws, caller=Caller("bob"))
    assert is_hidden(aws, "one-1")
    assert not any(RECOVERY.replace("stateMachine", "execution") in it["executionArn"] for _, it in aws.calls)


WELL = {"status": "SUCCEEDED", "output": {"status": "COMPENSATED", "error": {"Error": "CardDeclined"}}}


@pytest.mark.parametrize("end", [{}, WELL])
def test_one_that_runs_or_went_well_costs_one_call(end: Any):
    aws = ended(end)
    look(aws)
    assert [(what, it["executionArn"]) for what, it in aws.calls] == [
        ("DescribeExecution", f"{MACHINE.replace('stateMachine', 'execution')}:one")
    ]


@pytest.mark.parametrize("recoveries", range(3))
def test_one_that_ended_badly_costs_one_call_more_than_it_had_recoveries_and_no_pause(recoveries: int):
    aws = ended(PARKED["FORWARD_PARKED"])
    for number in range(recoveries):
        aws.recovers(f"one-{number + 1}", "FAILED", error="FORWARD_PARKED")
    look(aws)
    assert (len(aws.calls), aws.slept) == (2 + recoveries, [])


def test_a_service_that_is_busy_with_the_recovery_tells_nothing_of_the_end_before():
    aws = ended(PARKED["FORWARD_PARKED"])
    describe = aws.describe_execution

    def busy(**request: Any) -> Any:
        aws.errors = ["ThrottlingException"] if ":Recovery:" in request["executionArn"] else []
        return describe(**request)

    aws.describe_execution = busy
    with pytest.raises(Contended):
        look(aws)
