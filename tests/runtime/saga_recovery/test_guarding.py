"""Executions that died are recovered, each once; those that ended as they should are left alone."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.saga_recovery.guarding import RecoveryNameTaken

from ...simulation import aws_errors
from .account import MAIN, RECOVERY, RETENTION, Account


@pytest.mark.parametrize(
    ("status", "error", "started"),
    [
        ("ABORTED", None, ["order-7-1"]),
        ("TIMED_OUT", None, ["order-7-1"]),
        ("FAILED", "States.Runtime", ["order-7-1"]),
        ("FAILED", None, ["order-7-1"]),
        ("FAILED", "COMPENSATION_PARKED", []),
        ("FAILED", "FORWARD_PARKED", []),
        ("SUCCEEDED", None, []),
        ("RUNNING", None, []),
    ],
)
def test_what_died_is_recovered(status: str, error: str | None, started: list[str]) -> None:
    account = Account()
    account.dies(status=status, **({} if error is None else {"error": error}))
    account.tell()
    assert account.stepfunctions.recoveries == started


def test_the_recovery_is_told_its_name_and_nothing_else() -> None:
    account = Account()
    account.dies()
    account.tell()
    assert account.stepfunctions.executions[RECOVERY, "order-7-1"]["input"] == '{"saga":{"execution":"order-7"}}'


def test_whoever_hears_of_it_however_often_there_is_one_recovery() -> None:
    account = Account()
    account.dies()
    for _ in range(2):
        account.tell()
        account.sweep()
    assert account.stepfunctions.recoveries == ["order-7-1"]
    assert [call for call in account.stepfunctions.calls if call[0] == "StartExecution"] == [
        ("StartExecution", "order-7-1")
    ]


def test_a_guardian_that_died_before_it_could_mark_is_no_matter() -> None:
    account = Account()
    account.dies()
    account.stepfunctions.put(RECOVERY, "order-7-1", "SUCCEEDED")
    account.tell()
    mark = account.mark()
    assert mark is not None
    assert mark["attempt"] == {"N": "1"}


def test_a_recovery_of_an_earlier_execution_of_the_name_is_not_taken_for_this_one() -> None:
    account = Account()
    account.stepfunctions.put(RECOVERY, "order-7-1", "SUCCEEDED", started=account.clock.now - 90 * 86_400)
    account.dies()
    with pytest.raises(RecoveryNameTaken):
        account.tell()
    assert account.mark() is None


def test_an_event_of_nobody_is_nothing() -> None:
    account = Account()
    account.tell("never-was")
    assert account.stepfunctions.recoveries == []


def test_one_of_which_it_is_not_known_yet_that_it_died_is_recovered_later() -> None:
    account = Account()
    account.dies(status="RUNNING")
    account.tell()
    account.dies()
    account.sweep()
    assert account.stepfunctions.recoveries == ["order-7-1"]


def test_who_resumes_while_it_is_marked_is_not_forgotten() -> None:
    account = Account()
    account.dies()

    def somebody_resumes(carry_out: Any) -> Any:
        account.dynamodb.meets.clear()
        account.ask(task="resume", execution="order-7", by="ann", reason="at once")
        return carry_out()

    account.dynamodb.meets["UpdateItem"] = somebody_resumes
    account.tell()
    mark = account.mark()
    assert mark is not None
    assert "expires_at" not in mark
    assert len(mark["audit"]["L"]) == 1


def test_a_sweep_finds_all_on_every_page() -> None:
    account = Account()
    for number in range(5):
        account.dies(f"order-{number}")
    account.dies("late", "TIMED_OUT")
    account.parks("parked")
    account.sweep()
    orders = [f"order-{number}-1" for number in range(5)]
    assert sorted(account.stepfunctions.recoveries) == ["late-1", *orders]


def test_a_second_sweep_of_a_warm_function_asks_for_nothing_that_it_knows() -> None:
    account = Account()
    account.dies()
    account.parks("parked")
    account.sweep()
    before = len(account.stepfunctions.calls)
    account.sweep()
    assert {operation for operation, _ in account.stepfunctions.calls[before:]} == {"ListExecutions"}


def test_a_sweep_leaves_what_its_claims_have_forgotten() -> None:
    account = Account()
    account.dies("ancient", started=account.clock.now - RETENTION - 1)
    account.sweep()
    assert account.stepfunctions.recoveries == []


def test_one_that_cannot_be_guarded_keeps_no_other_from_it() -> None:
    account = Account()
    account.dies("first")
    account.dies("second")
    throttled = aws_errors.client_error(
        "stepfunctions", "StartExecution", aws_errors.ServiceError("ThrottlingException")
    )
    account.stepfunctions.fails["StartExecution", "first-1"] = throttled
    with pytest.raises(ClientError):
        account.sweep()
    assert account.stepfunctions.recoveries == ["second-1"]
    account.sweep()
    assert sorted(account.stepfunctions.recoveries) == ["first-1", "second-1"]


def test_a_sweep_without_time_leaves_the_rest_to_the_next() -> None:
    account = Account()
    account.dies()
    account.timeout = 4.0
    account.sweep()
    assert account.stepfunctions.recoveries == []
    account.timeout = 200.0
    account.sweep()
    assert account.stepfunctions.recoveries == ["order-7-1"]


def test_marks_end_with_the_claims() -> None:
    account = Account()
    account.dies()
    account.tell()
    mark = account.mark()
    assert mark is not None
    assert int(mark["expires_at"]["N"]) == int(account.clock.now) + RETENTION


@pytest.mark.parametrize("question", [{}, {"task": "dance"}, {"task": "show"}, {"task": "resume", "execution": "x"}])
def test_what_it_is_not_asked_is_refused(question: dict[str, str]) -> None:
    assert Account().ask(**question) == {"refused": "this is nothing that the guardian is asked"}


def test_a_line_is_written_for_each_and_says_nothing_of_the_order() -> None:
    account = Account()
    account.dies()
    account.tell()
    (line,) = account.lines
    assert (line["correlation_id"], line["task"], line["started"]) == ("order-7", "event", True)
    assert "amount" not in account.stream.getvalue()
    assert MAIN not in account.stream.getvalue()
