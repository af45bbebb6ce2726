from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from serverless_patterns_runtime import Caller, PermanentError, Request
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.status import Shown, shown

from .step_functions import StepFunctions

ALICE = Caller("alice")
OWN = {"order_id": "7", "caller": {"id": "alice", "kind": "lambda"}}
SEEN = Shown(results={"Ship"}, errors={"CardDeclined"}, any_caller=False)


def look(aws: StepFunctions, name: str = "one", *, caller: Caller | None = ALICE, seen: Shown = SEEN) -> Any:
    request = Request.fake("GET /checkout/{execution}", params={"execution": name}, caller=caller)
    answer = shown(request, aws.known, seen)
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
def test_what_the_saga_did_not_end_itself_is_aborted(more: Any):
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
    began = datetime(2026, 11, 21, 18, 20, 0, 123_000, UTC)
    aws.has("one", input=OWN)
    aws.executions["one"]["startDate"] = began

    def approvals() -> Any:
        def waits(execution: str, started: int, step: str) -> bool:
            asked.append((execution, started, step))
            return step == "Board"

        return SimpleNamespace(waits=waits)

    def seen(caller: Caller) -> Any:
        request = Request.fake("GET /checkout/{execution}", params={"execution": "one"}, caller=caller)
        return shown(request, aws.known, SEEN._replace(approvals=["Manager", "Board"]), approvals).body

    assert seen(ALICE) == {"status": "RUNNING", "waiting_for": "Board"}
    assert asked == [("one", int(began.timestamp()), step) for step in ("Manager", "Board")]
    with pytest.raises(PermanentError):
        seen(Caller("bob"))
    aws.has("one", "ABORTED", OWN)
    assert seen(ALICE) == {"status": "ABORTED"}
    assert len(asked) == 2
