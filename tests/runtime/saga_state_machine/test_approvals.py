import json
from datetime import datetime
from typing import Any

import pytest

from serverless_patterns_runtime import ApprovalRequest, Caller, Invocation, PermanentError
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.saga_state_machine import approval_contract

from .approving import ANN, BOB, SECONDS, STARTED, Approving
from .step_functions import refused


def test_who_may_decide_is_told_what_it_is_about() -> None:
    world = Approving()
    assert world.ask() is None
    (request,) = world.told
    assert (request.execution, request.step, request.reminder) == ("order-7", "Manager", False)
    assert (request.input, request.results) == ({"amount": 5_000}, {"Reserve": {"bin": 3}})
    assert request.expires_at == int(world.clock()) + SECONDS


def test_an_approval_goes_to_the_task_that_waits_with_who_and_when() -> None:
    world = Approving()
    world.ask()
    told = world.decide()
    assert told == {"decision": "approve", "by": {"id": "ann", "kind": "lambda"}, "at": told["at"]}
    assert told["at"].endswith("Z")
    assert world.aws.answers == [told]


def test_a_rejection_fails_the_task_by_its_name_with_the_comment() -> None:
    world = Approving()
    world.ask()
    assert world.decide({"decision": "reject", "comment": "too much"})["decision"] == "reject"
    ((error, cause),) = world.aws.answers
    assert error == "Rejected"
    assert json.loads(cause) == {"errorMessage": "too much", "errorType": "Rejected"}


def test_the_same_again_is_told_the_same_whatever_has_become_of_the_task() -> None:
    world = Approving()
    world.ask()
    first = world.decide()
    world.clock.sleep(10 * SECONDS)
    assert world.decide() == first
    world.aws.has("order-7", "SUCCEEDED", output={})
    assert world.decide() == first
    assert len(world.aws.answers) == 1


@pytest.mark.parametrize(("said", "caller"), [("reject", ANN), ("approve", BOB), ("reject", BOB)])
def test_the_first_decision_counts_and_every_other_is_too_late(said: str, caller: Caller) -> None:
    world = Approving()
    world.ask()
    world.decide()
    assert world.refusal(said, caller=caller) == 410
    assert len(world.aws.answers) == 1


def test_after_its_time_is_over_nobody_decides() -> None:
    world = Approving()
    world.ask()
    world.clock.sleep(SECONDS)
    assert world.refusal() == 410
    assert world.aws.answers == []


def test_a_closed_approval_cannot_be_decided() -> None:
    world = Approving()
    world.ask()
    assert world.error_of(world.close) == ("NotDecided", "nobody has decided in time")
    assert world.refusal() == 410


def test_what_is_decided_before_it_is_closed_counts_though_its_token_is_dead() -> None:
    world = Approving()
    world.ask()
    world.aws.waiting.clear()
    told = world.decide()
    assert world.aws.answers == []
    assert world.close() == told
    assert world.close() == told, "and closing is asked for again when its answer is lost"


def test_a_rejection_counts_so_too() -> None:
    world = Approving()
    world.ask()
    world.aws.waiting.clear()
    world.decide({"decision": "reject", "comment": "no"})
    assert world.error_of(world.close) == ("Rejected", "no")


def test_a_decision_whose_task_could_not_be_told_is_found_when_somebody_would_be_reminded() -> None:
    world = Approving()
    world.ask()
    world.aws.errors = ["ThrottlingException"]
    with pytest.raises(Contended):
        world.decide()
    assert world.error_of(world.remind)[0] == "AlreadyDecided"
    assert len(world.told) == 1
    assert world.close("AlreadyDecided")["decision"] == "approve"


def test_who_repeats_the_decision_tells_the_task() -> None:
    world = Approving()
    world.ask()
    world.aws.errors = ["ThrottlingException"]
    with pytest.raises(Contended):
        world.decide()
    assert world.decide() in world.aws.answers


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_for_an_execution_that_was_ended_from_outside_no_decision_counts(status: str) -> None:
    world = Approving()
    world.ask()
    world.aws.waiting.clear()
    world.aws.has("order-7", status, error="States.Runtime")
    assert world.refusal() == 410


@pytest.mark.parametrize("error", ["COMPENSATION_PARKED", "FORWARD_PARKED"])
def test_a_saga_that_has_parked_later_has_heard_of_the_decision(error: str) -> None:
    world = Approving()
    world.ask()
    first = world.decide()
    world.aws.has("order-7", "FAILED", error=error)
    assert world.decide() == first


# What is asked again.


def test_every_id_counts_that_was_told_and_the_token_of_the_latest_attempt() -> None:
    world = Approving()
    world.ask("token-1")
    world.aws.waiting.clear()
    world.ask("token-2", retries=1)
    first, second = world.told
    assert first.id != second.id
    assert first.expires_at == second.expires_at
    told = world.decide(id=first.id)
    assert world.aws.answers == [told]
    assert world.decide(id=second.id) == told


def test_a_late_invocation_does_not_put_back_a_token_that_is_dead() -> None:
    world = Approving()
    world.ask("token-1")
    world.aws.waiting.clear()
    world.ask("token-2", retries=1)
    assert world.send("ask", token="token-1", seconds=SECONDS) is None
    assert len(world.told) == 2
    assert world.outcomes[-1] == "Superseded"
    world.decide()
    assert len(world.aws.answers) == 1


def test_a_late_invocation_of_the_first_request_comes_after_the_reminder() -> None:
    world = Approving()
    world.ask("token-1", retries=5)
    world.remind("token-2")
    world.send("ask", token="token-1", seconds=SECONDS, retries=5)
    world.decide()
    assert len(world.aws.answers) == 1


def test_a_late_invocation_opens_nothing_that_is_closed() -> None:
    world = Approving()
    world.error_of(world.close)
    assert world.ask() is None
    assert (world.told, world.outcomes) == ([], ["NotDecided", "Superseded"])


def test_a_reminder_says_that_it_is_one_and_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    world = Approving()
    world.ask()
    world.clock.sleep(SECONDS / 2)
    world.remind()
    first, second = world.told
    assert (first.reminder, second.reminder) == (False, True)
    assert first.expires_at == second.expires_at
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "ApprovalWaiting" in line]
    assert (line["saga"], line["table"], line["ApprovalWaiting"]) == ("Checkout", "claims", [1.0])
    assert world.decide() in world.aws.answers


def test_a_reminder_that_fails_ends_no_wait() -> None:
    world = Approving()
    world.ask()
    world.notify = lambda _: 1 / 0
    assert world.remind() is None
    assert world.decide(id=world.told[0].id) in world.aws.answers


def test_a_name_that_is_used_again_after_90_days_is_another_approval() -> None:
    world = Approving()
    world.ask()
    world.decide()
    world.ask("token-2", started="2027-03-01T00:00:00.000Z")
    assert len(world.told) == 2
    assert world.decide("reject", caller=BOB)["decision"] == "reject"


@pytest.mark.parametrize("end", ["decided", "closed", "its time is over", "never asked", "another start"])
def test_a_status_says_what_is_waited_for_as_long_as_somebody_can_decide(end: str) -> None:
    world = Approving()
    began = int(datetime.fromisoformat(STARTED).timestamp())
    assert not world.approvals.waits("order-7", began, "Manager")
    if end != "never asked":
        world.ask()
        assert world.approvals.waits("order-7", began, "Manager")
        assert not world.approvals.waits("order-7", began, "Clerk")
    match end:
        case "decided":
            world.decide()
        case "closed":
            world.error_of(world.close)
        case "its time is over":
            world.clock.sleep(SECONDS)
        case "another start":
            began += 1
        case _:
            pass
    assert not world.approvals.waits("order-7", began, "Manager")


# Who is not to decide.


@pytest.mark.parametrize(
    "id", ["", "x", "0" * 32, "0" * 96, "é" * 40], ids=["empty", "short", "no secret", "unknown", "no ascii"]
)
def test_an_id_that_nobody_was_told_is_unknown(id: str) -> None:
    world = Approving()
    world.ask()
    assert world.refusal(id=id) == 404


def test_half_an_id_is_none() -> None:
    world = Approving()
    world.ask()
    id = world.told[0].id
    assert world.refusal(id=id[:32]) == 404
    assert world.refusal(id=id[:-1]) == 404
    assert world.refusal(id=id[:32] + "0" * 64) == 404
    assert "decision" not in world.item


def test_an_id_is_good_for_its_own_route_alone() -> None:
    world = Approving()
    world.ask()
    assert world.refusal(step="Clerk") == 404
    world.decide()
    assert world.refusal(step="Clerk") == 404


def test_without_an_authorizer_nobody_decides() -> None:
    world = Approving()
    world.ask()
    assert world.refusal(caller=None) == 401
    assert "decision" not in world.item


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "yes"},
        {"decision": True},
        {"decision": "approve", "by": "root"},
        {"decision": "approve", "comment": 1},
        {"decision": "approve", "comment": "x" * 1_001},
        {"comment": "approve"},
    ],
)
def test_what_is_no_decision_is_refused(body: Any) -> None:
    world = Approving()
    world.ask()
    assert world.refusal(body) == 400
    assert "decision" not in world.item


# What goes wrong.


def test_when_people_cannot_be_told_the_task_fails_and_is_tried_again() -> None:
    world = Approving()
    world.notify = lambda _: 1 / 0
    assert world.error_of(world.ask)[0] == "ZeroDivisionError"
    world.notify = world.told.append
    world.ask("token-2", retries=1)
    assert world.decide() in world.aws.answers


@pytest.mark.parametrize("name", ["Rejected", "NotDecided", "AlreadyDecided", "NotAsked"])
def test_an_error_of_the_user_s_is_not_taken_for_a_decision(name: str) -> None:
    def notify(_: ApprovalRequest) -> None:
        raise type(name, (Exception,), {})("no mail")

    assert Approving().error_of(Approving(notify).ask) == ("NotifyFailed", "")


def test_when_nobody_could_be_asked_that_is_why() -> None:
    world = Approving()
    assert world.error_of(world.close, "PermanentError")[0] == "NotAsked"


def test_a_permanent_error_is_not_tried_again() -> None:
    def notify(_: ApprovalRequest) -> None:
        raise PermanentError("no such manager")

    assert Approving().error_of(Approving(notify).ask) == ("PermanentError", "PermanentError: no such manager")


def test_an_event_of_nobody_s_is_refused() -> None:
    world = Approving()
    assert world.error_of(world.send, "action")[0] in {"PermanentError", "KeyError"}


def test_the_function_may_take_the_invocation() -> None:
    keys: list[str] = []

    def notify(request: ApprovalRequest, invocation: Invocation) -> None:
        assert request.step == "Manager"
        keys.append(invocation.idempotency_key)

    world = Approving(notify)
    for _ in range(2):
        world.ask()
    world.remind()
    assert keys == ["Checkout#order-7#Manager#ask"] * 2 + ["Checkout#order-7#Manager#remind"]


# What nobody gets to see.


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_neither_token_nor_id_nor_data_is_in_a_log_or_an_error(level: str) -> None:
    world = Approving(level=level)
    secret = "token-AQDEAAAAKgAAAAMAAAAA"
    errors = [world.ask(secret)]
    id = world.told[0].id
    world.notify = lambda _: [][1]
    errors.append(world.error_of(world.ask, secret, retries=1))
    world.aws.errors = ["ValidationException"]
    errors.append(world.error_of(world.decide, id=id))
    world.aws.send_task_success = None  # type: ignore[assignment]
    errors.append(world.error_of(world.close, "PermanentError", started="another"))
    errors.append(repr(world.told[0]))
    text = world.log + repr(errors)
    for hidden in (secret, id, id[32:], "5000", "5_000"):
        assert hidden not in text
    assert "approval handled" in text


def test_the_table_holds_a_digest_of_the_id_and_forgets_all_of_it() -> None:
    world = Approving()
    world.ask()
    id, item = world.told[0].id, world.item
    assert id[32:] not in repr(item)
    assert len(id) == 96
    assert int(item["expires_at"]["N"]) == int(world.clock()) + SECONDS + 1_000_000
    assert item["claim"]["S"] == f"approval#Checkout#{id[:32]}"


def test_an_error_of_a_task_s_answer_says_its_code_and_not_its_text() -> None:
    world = Approving()
    world.ask("hidden")

    def refuse(**_: Any) -> None:
        error = refused("ValidationException")
        error.args = ("'hidden' at 'taskToken' failed",)
        raise error

    world.aws.send_task_success = refuse  # type: ignore[method-assign]
    name, words = world.error_of(world.decide)
    assert (name, words) == ("ValidationException", "")


def test_the_names_of_errors_are_those_that_the_definition_knows() -> None:
    assert set(approval_contract.UNAPPROVED) == {"Rejected", "NotDecided", "NotAsked"}
