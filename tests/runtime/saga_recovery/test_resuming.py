"""A person resumes: one recovery at a time, with his name and reason kept."""

from typing import Any

import pytest

from serverless_patterns_runtime.saga_recovery.guarding import RecoveryNameTaken

from .account import RECOVERY, Account


def resume(account: Account, by: str = "ann") -> Any:
    return account.ask(task="resume", execution="order-7", by=by, reason="the bank is back")


def ends(account: Account, recovery: str, status: str, error: str | None = None) -> None:
    told: dict[str, Any] = {} if error is None else {"error": error}
    account.stepfunctions.put(RECOVERY, recovery, status, **told)


def audit(account: Account) -> list[tuple[str, str]]:
    mark = account.mark()
    assert mark is not None
    return [(line["M"]["by"]["S"], line["M"]["recovery"]["S"]) for line in mark["audit"]["L"]]


def test_what_is_parked_is_recovered_and_who_asked_is_kept_for_ever() -> None:
    account = Account()
    account.parks()
    account.tell()
    assert resume(account) == {"recovery": "order-7-1", "began": True, "outcome": "RUNNING"}
    mark = account.mark()
    assert mark is not None
    assert "expires_at" not in mark
    (line,) = mark["audit"]["L"]
    assert line["M"]["reason"] == {"S": "the bank is back"}
    assert line["M"]["at"] == {"N": str(int(account.clock.now))}
    assert audit(account) == [("ann", "order-7-1")]


def test_two_at_once_are_one() -> None:
    account = Account()
    account.parks()
    assert resume(account)["began"] is True
    assert resume(account, "bob") == {"recovery": "order-7-1", "began": False, "outcome": "RUNNING"}
    assert account.stepfunctions.recoveries == ["order-7-1"]


def test_parked_again_is_resumed_again() -> None:
    account = Account()
    account.parks()
    resume(account)
    ends(account, "order-7-1", "FAILED", "COMPENSATION_PARKED")
    assert resume(account, "bob")["recovery"] == "order-7-2"
    assert audit(account) == [("ann", "order-7-1"), ("bob", "order-7-2")]


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_a_recovery_that_died_is_resumed(status: str) -> None:
    account = Account()
    account.dies()
    account.tell()
    ends(account, "order-7-1", status)
    assert resume(account)["recovery"] == "order-7-2"


def test_what_came_to_a_good_end_is_not() -> None:
    account = Account()
    account.dies()
    account.tell()
    ends(account, "order-7-1", "SUCCEEDED")
    assert resume(account) == {"recovery": "order-7-1", "began": False, "outcome": "SUCCEEDED"}


def test_a_recovery_of_an_earlier_execution_of_the_name_settles_nothing() -> None:
    account = Account()
    account.stepfunctions.put(RECOVERY, "order-7-1", "SUCCEEDED", started=account.clock.now - 90 * 86_400)
    account.parks()
    with pytest.raises(RecoveryNameTaken):
        resume(account)
    assert resume(account, "bob") == {"recovery": "order-7-2", "began": True, "outcome": "RUNNING"}


def test_who_was_counted_and_died_before_he_began_is_begun_for() -> None:
    account = Account()
    account.parks()
    resume(account)
    del account.stepfunctions.executions[RECOVERY, "order-7-1"]
    assert resume(account, "bob") == {"recovery": "order-7-1", "began": True, "outcome": "RUNNING"}
    assert audit(account) == [("ann", "order-7-1")]


def test_of_two_who_count_at_once_one_does() -> None:
    account = Account()
    account.parks()
    held: list[Any] = []

    def another_was_faster(carry_out: Any) -> Any:
        account.dynamodb.meets.clear()
        held.append(resume(account, "bob"))
        return carry_out()

    account.dynamodb.meets["UpdateItem"] = another_was_faster
    assert resume(account) == {"recovery": "order-7-1", "began": False, "outcome": "RUNNING"}
    assert audit(account) == [("bob", "order-7-1")]
    assert held[0]["began"] is True


@pytest.mark.parametrize(("status", "words"), [("RUNNING", "is RUNNING"), ("SUCCEEDED", "is SUCCEEDED")])
def test_what_has_not_ended_badly_is_refused(status: str, words: str) -> None:
    account = Account()
    account.dies(status=status)
    assert words in resume(account)["refused"]


def test_what_is_not_there_is_refused() -> None:
    assert "there is no execution 'order-7'" in resume(Account())["refused"]


def test_it_is_logged_with_who_and_why() -> None:
    account = Account()
    account.parks()
    resume(account)
    (line,) = account.lines
    assert (line["by"], line["reason"], line["recovery"]) == ("ann", "the bank is back", "order-7-1")


def test_a_sweep_does_not_set_the_count_back() -> None:
    account = Account()
    account.dies()
    account.tell()
    ends(account, "order-7-1", "ABORTED")
    resume(account)
    account.sweep()
    mark = account.mark()
    assert mark is not None
    assert mark["attempt"] == {"N": "2"}
    assert "expires_at" not in mark
