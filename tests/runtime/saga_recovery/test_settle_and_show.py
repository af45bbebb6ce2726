"""What had been parked is marked when it is settled; and what a person is shown of it."""

import json
from typing import Any

import pytest

from .account import RECOVERY, STEPS, Account


def begin(account: Account, recovery: str = "order-7-1") -> None:
    asked = {"recovery": recovery, "execution": "order-7", "steps": list(STEPS), "backward": list(STEPS)}
    account.ledger(task="recall", **asked)


def settle(account: Account, recovery: str = "order-7-1") -> None:
    account.ledger(task="settle", execution="order-7", recovery=recovery, steps=list(STEPS))


def parked(*steps: str, **more: Any) -> Account:
    account = Account()
    account.parks(**more)
    for step in steps:
        account.parked(step)
    return account


def test_what_is_not_parked_again_is_settled_and_stays() -> None:
    account = parked("ReserveStock")
    begin(account)
    assert "settled_at" not in account.item("parked#Checkout#order-7#ReserveStock")
    settle(account)
    item = account.item("parked#Checkout#order-7#ReserveStock")
    assert (item["settled_by"], item["settled_at"]) == ({"S": "order-7-1"}, {"N": str(int(account.clock.now))})
    assert "expires_at" not in item
    assert item["error"]


def test_what_is_parked_again_is_not() -> None:
    account = parked("ReserveStock", "Ship")
    begin(account)
    account.parked("Ship")
    settle(account)
    assert "settled_at" in account.item("parked#Checkout#order-7#ReserveStock")
    assert "settled_at" not in account.item("parked#Checkout#order-7#Ship")


def test_a_recovery_settles_what_it_has_gone_on_with_and_no_other() -> None:
    account = parked("Ship")
    begin(account)
    settle(account, "order-7-2")
    assert "settled_at" not in account.item("parked#Checkout#order-7#Ship")


def test_once_settled_it_keeps_who_did_it() -> None:
    account = parked("Ship")
    begin(account)
    settle(account)
    settled = account.item("parked#Checkout#order-7#Ship")
    account.clock.now += 60
    settle(account)
    begin(account, "order-7-2")
    settle(account, "order-7-2")
    assert account.item("parked#Checkout#order-7#Ship") == settled
    assert settled["settled_by"] == {"S": "order-7-1"}


def test_what_was_never_parked_is_not_made_up() -> None:
    account = parked()
    begin(account)
    settle(account)
    assert dict(account.dynamodb.items("claims")) == {}


def test_the_list_has_what_needs_a_person() -> None:
    account = Account()
    account.parks("parked", started=account.clock.now - 300)
    account.dies("dead", started=account.clock.now - 200)
    account.dies("well", started=account.clock.now - 100)
    account.tell("well")
    account.stepfunctions.put(RECOVERY, "well-1", "SUCCEEDED")
    account.dies("again", started=account.clock.now - 50)
    account.tell("again")
    account.stepfunctions.put(RECOVERY, "again-1", "FAILED", error="RECOVERY_FAILED", cause="no ledger")
    answer = account.ask(task="list")
    assert answer["complete"] is True
    assert [(one["execution"], one["outcome"], one["recovery"]) for one in answer["executions"]] == [
        ("again", "RECOVERY_FAILED", "again-1"),
        ("dead", "ABORTED", None),
        ("parked", "COMPENSATION_PARKED", None),
    ]
    assert answer["executions"][0]["error"] == "RECOVERY_FAILED: no ledger"
    assert len(account.ask(task="list", all=True)["executions"]) == 4


@pytest.mark.parametrize("status", ["SUCCEEDED", "COMPENSATED"])
def test_a_recovery_that_undid_it_all_is_not_one_that_did_it_all(status: str) -> None:
    account = Account()
    account.dies()
    account.tell()
    account.stepfunctions.put(RECOVERY, "order-7-1", "SUCCEEDED", output=json.dumps({"status": status}))
    assert account.ask(task="list")["executions"] == []
    assert [one["outcome"] for one in account.ask(task="list", all=True)["executions"]] == [status]
    assert account.ask(task="show", execution="order-7")["outcome"] == status


def test_errors_are_shown_in_their_own_words() -> None:
    """Lambda's are JSON, with a stack trace, in the text."""
    account = Account()
    account.parks()
    cause = {"errorMessage": "NoSuchPolicy: ask Bob", "errorType": "PermanentError", "stackTrace": ["File ..."]}
    account.parked("ChargeCard", error={"S": json.dumps({"Error": "PermanentError", "Cause": json.dumps(cause)})})
    shown = account.ask(task="show", execution="order-7")
    assert shown["undone_for"] == "CardDeclined: above the limit"
    assert [it["error"] for it in shown["steps"] if it["status"] == "PARKED"] == ["NoSuchPolicy: ask Bob"]


def test_a_list_that_was_cut_says_so() -> None:
    account = Account()
    account.parks()
    account.timeout = 3.0
    assert account.ask(task="list") == {"executions": [], "complete": False}


def test_an_execution_is_shown_step_by_step() -> None:
    account = Account()
    steps = ("Back", "Parked", "Undoing", "Given", "Forbidden", "Working", "Done", "Never")
    account.parks(steps=steps)
    account.claimed("Back", undone=True)
    account.claimed("Back", kind="compensation")
    account.claimed("Parked", undone=True)
    account.parked("Parked")
    account.claimed("Undoing", undone=True)
    account.claimed("Given", done=False, undone=True, attempt=1)
    account.claimed("Forbidden", done=False, undone=True)
    account.claimed("Working", done=False)
    account.claimed("Done")
    shown = account.ask(task="show", execution="order-7")
    assert [(step["step"], step["status"]) for step in shown["steps"]] == [
        ("Back", "UNDONE"),
        ("Parked", "PARKED"),
        ("Undoing", "UNDOING"),
        ("Given", "UNDONE"),
        ("Forbidden", "NOT_BEGUN"),
        ("Working", "AT_WORK"),
        ("Done", "DONE"),
        ("Never", "NOT_BEGUN"),
    ]
    assert shown["steps"][1]["error"] == "BankIsDown: no answer"
    assert (shown["outcome"], shown["recoveries"], shown["audit"]) == ("COMPENSATION_PARKED", [], [])


def test_its_recoveries_and_who_asked_for_them_are_shown() -> None:
    account = Account()
    account.dies()
    account.tell()
    account.stepfunctions.put(RECOVERY, "order-7-1", "FAILED", error="COMPENSATION_PARKED")
    account.ask(task="resume", execution="order-7", by="ann", reason="mended")
    shown = account.ask(task="show", execution="order-7")
    assert [(it["name"], it["outcome"]) for it in shown["recoveries"]] == [
        ("order-7-1", "COMPENSATION_PARKED"),
        ("order-7-2", "RUNNING"),
    ]
    assert [(it["by"], it["recovery"]) for it in shown["audit"]] == [("ann", "order-7-2")]


def undone(name: str = "Rejected", words: str = "no budget") -> str:
    return json.dumps({"status": "COMPENSATED", "error": {"Error": name, "Cause": words}})


def test_list_and_show_agree_on_what_became_of_it_and_why_it_went_back() -> None:
    account = Account()
    account.parks()
    account.parked("ReserveStock")
    shown = account.ask(task="show", execution="order-7")
    assert (shown["outcome"], shown["error"]) == ("COMPENSATION_PARKED", None)
    assert shown["undone_for"] == "CardDeclined: above the limit"
    account.ask(task="resume", execution="order-7", by="ann", reason="mended")
    account.stepfunctions.put(RECOVERY, "order-7-1", "SUCCEEDED", output=undone())
    shown = account.ask(task="show", execution="order-7")
    assert (shown["outcome"], shown["undone_for"]) == ("COMPENSATED", "Rejected: no budget")
    assert shown["recoveries"][0]["outcome"] == "COMPENSATED"
    (listed,) = account.ask(task="list", all=True)["executions"]
    assert (listed["outcome"], listed["recovery"]) == ("COMPENSATED", "order-7-1")
    assert account.ask(task="list")["executions"] == []


def test_a_saga_that_was_undone_by_itself_has_not_succeeded() -> None:
    account = Account()
    account.dies(status="SUCCEEDED", output=undone())
    shown = account.ask(task="show", execution="order-7")
    assert (shown["outcome"], shown["undone_for"]) == ("COMPENSATED", "Rejected: no budget")
    assert "is COMPENSATED" in account.ask(task="resume", execution="order-7", by="ann", reason="why")["refused"]


def test_what_only_goes_forward_has_not_gone_back() -> None:
    account = Account()
    account.parks(error="FORWARD_PARKED")
    account.parked("Ship")
    assert account.ask(task="show", execution="order-7")["undone_for"] is None


def test_a_recovery_that_was_counted_and_never_started_is_none() -> None:
    account = Account()
    account.dies()
    account.tell()
    account.stepfunctions.put(RECOVERY, "order-7-1", "FAILED", error="COMPENSATION_PARKED")
    account.ask(task="resume", execution="order-7", by="ann", reason="mended")
    del account.stepfunctions.executions[RECOVERY, "order-7-2"]
    (listed,) = account.ask(task="list")["executions"]
    assert listed["outcome"] == account.ask(task="show", execution="order-7")["outcome"] == "COMPENSATION_PARKED"


def test_a_recovery_of_an_earlier_execution_of_the_name_is_neither_listed_nor_shown() -> None:
    account = Account()
    early = account.clock.now - 90 * 86_400
    account.stepfunctions.put(RECOVERY, "order-7-1", "SUCCEEDED", started=early, output='{"status": "COMPENSATED"}')
    account.dies()
    (listed,) = account.ask(task="list")["executions"]
    assert (listed["outcome"], listed["recovery"]) == ("ABORTED", None)
    assert account.ask(task="show", execution="order-7")["recoveries"] == []


def test_what_was_settled_is_not_shown_as_parked() -> None:
    account = Account()
    account.parks(steps=("Ship",))
    account.claimed("Ship")
    account.parked("Ship")
    begin(account)
    settle(account)
    assert account.ask(task="show", execution="order-7")["steps"] == [{"step": "Ship", "status": "DONE", "error": None}]


def test_nothing_of_the_order_is_shown() -> None:
    account = Account()
    account.parks()
    account.parked("ReserveStock")
    assert "amount" not in str(account.ask(task="show", execution="order-7"))
