"""What a recovery is told: which way, decided once, and everything that the claims know."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from serverless_patterns_runtime import Caller
from serverless_patterns_runtime.saga_state_machine.approval import Asking
from serverless_patterns_runtime.saga_state_machine.approvals import Approvals

from .account import INPUT, LONGEST, RETENTION, STEPS, Account


def dead(**claimed: Any) -> Account:
    """With claims of these steps: `done`, or what `claimed` is given."""
    account = Account()
    account.dies()
    for step, how in claimed.items():
        account.claimed(step, **how)
    return account


def refusal(account: Account, **asked: Any) -> tuple[str, str]:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        account.recall(**asked)
    return type(raised.value).__name__, str(raised.value)


def test_the_document_is_the_input_and_what_is_known() -> None:
    account = dead(ReserveStock={"result": {"shelf": 3}})
    assert account.recall() == {
        **INPUT,
        "saga": {
            "execution": "order-7",
            "error": {"Error": "ABORTED", "Cause": ""},
            "results": {"ReserveStock": {"shelf": 3}},
        },
    }


def test_a_pivot_that_is_done_leads_forward() -> None:
    account = dead(ReserveStock={}, ChargeCard={"result": "c-1"})
    told = account.recall()["saga"]
    assert (told["forward"], told["results"]) == (True, {"ReserveStock": None, "ChargeCard": "c-1"})
    assert "undone" not in account.item("Checkout#order-7#ChargeCard")


def test_a_pivot_that_is_not_done_never_will_be() -> None:
    account = dead(ReserveStock={})
    assert "forward" not in account.recall()["saga"]
    assert account.item("Checkout#order-7#ChargeCard")["undone"] == {"BOOL": True}


def test_it_says_the_same_again() -> None:
    account = dead(ReserveStock={})
    assert account.recall() == account.recall()


def test_a_pivot_at_work_is_waited_for() -> None:
    account = dead(ChargeCard={"done": False, "free_at": 2_000_000_000_0})
    assert refusal(account)[0] == "RunningElsewhere"
    assert "undone" not in account.item("Checkout#order-7#ChargeCard")


def test_a_pivot_whose_lease_has_ended_is_given_up() -> None:
    account = dead(ChargeCard={"done": False, "free_at": 1})
    assert "forward" not in account.recall()["saga"]
    assert account.item("Checkout#order-7#ChargeCard")["undone"] == {"BOOL": True}


@pytest.mark.parametrize("step", ["ReserveStock", "ChargeCard"])
def test_who_has_begun_to_go_back_goes_on_so(step: str) -> None:
    """Though the pivot's action came late, and is done."""
    claimed: dict[str, dict[str, Any]] = {"ChargeCard": {}, step: {"undone": True}}
    assert "forward" not in dead(**claimed).recall()["saga"]


def test_nothing_is_undone_before_what_began_behind_another_pivot() -> None:
    """A deployment has moved the pivot: back would leave the parcel with who pays nothing."""
    name, said = refusal(dead(ReserveStock={}, Ship={"done": False}))
    assert (name, "Ship began, though ChargeCard is not done" in said) == ("PermanentError", True)


def test_without_a_pivot_all_is_undone() -> None:
    assert "forward" not in dead(**{step: {} for step in STEPS}).recall(pivot=None)["saga"]


def test_what_is_behind_the_pivot_tells_its_result_itself() -> None:
    account = dead(ReserveStock={}, ChargeCard={}, Ship={"result": "p-1"})
    assert set(account.recall()["saga"]["results"]) == {"ReserveStock", "ChargeCard"}


def test_claims_of_another_input_are_another_s() -> None:
    account = dead(ChargeCard={"input": {"order_id": "6"}})
    assert "forward" not in account.recall()["saga"]
    assert account.recall()["saga"]["results"] == {}


def test_why_is_what_was_parked_with_it() -> None:
    account = Account()
    account.parks()
    account.parked("ReserveStock")
    assert account.recall()["saga"]["error"] == {"Error": "CardDeclined", "Cause": "above the limit"}


def test_why_is_otherwise_how_it_ended_in_a_few_words() -> None:
    account = Account()
    account.dies(status="FAILED", error="States.Runtime", cause="x" * 5_000)
    assert account.recall()["saga"]["error"] == {"Error": "States.Runtime", "Cause": "x" * 1_000}


@pytest.mark.parametrize("given", ["[1]", '"text"', '{"saga": {"results": {"Ship": 1}}}'])
def test_an_input_that_no_step_takes_is_no_document(given: str) -> None:
    account = Account()
    account.dies(input=given)
    assert set(account.recall()) == {"saga"}
    assert account.recall()["saga"]["results"] == {}


def test_an_input_that_no_task_could_be_given_is_left_out() -> None:
    account = Account()
    account.dies(input=f'{{"order_id": "{"7" * 262_100}"}}')
    assert set(account.recall()) == {"saga"}


@pytest.mark.parametrize("letters", ["7" * 250_000, "ä" * 120_000])
def test_a_large_input_is_that_of_a_step_that_has_begun(letters: str) -> None:
    """Without it the step's claim would be another's, and nothing of it be undone."""
    given = {"order_id": letters}
    account = Account()
    account.dies(input=json.dumps(given, ensure_ascii=False))
    assert account.recall()["order_id"] == letters
    account.claimed("ReserveStock", done=False, input=given)
    assert account.recall()["order_id"] == letters


def test_one_that_still_runs_is_not_recovered() -> None:
    account = Account()
    account.dies(status="RUNNING")
    assert refusal(account)[0] == "StillRunning"


@pytest.mark.parametrize(("status", "words"), [("SUCCEEDED", "has ended well"), (None, "there is no execution")])
def test_what_cannot_be_recovered_is_refused_for_good(status: str | None, words: str) -> None:
    account = Account()
    if status is not None:
        account.dies(status=status)
    name, said = refusal(account)
    assert name == "PermanentError"
    assert words in said


@pytest.mark.parametrize(("age", "recovered"), [(RETENTION - LONGEST - 10, True), (RETENTION - LONGEST + 10, False)])
def test_what_the_claims_may_forget_meanwhile_is_refused(age: int, recovered: bool) -> None:
    account = Account()
    account.dies(started=account.clock.now - age)
    if recovered:
        assert account.recall()
    else:
        assert "its claims may be forgotten" in refusal(account)[1]


def test_a_step_that_this_version_does_not_know_is_not_forgotten() -> None:
    account = dead(Wrap={})
    account.dies(steps=("ReserveStock", "Wrap", "ChargeCard", "Ship"))
    name, said = refusal(account)
    assert (name, "no Wrap" in said) == ("PermanentError", True)
    assert not [key for (key,) in account.dynamodb.items("claims") if "ChargeCard" in key]


def test_a_step_that_it_does_not_know_and_nobody_has_begun_is_no_matter() -> None:
    account = dead(ReserveStock={})
    account.dies(steps=("ReserveStock", "Wrap", "ChargeCard", "Ship"))
    assert account.recall()


@pytest.mark.parametrize("steps", [STEPS, ("ReserveStock", "Tell", "ChargeCard", "Ship")])
def test_a_step_without_claims_that_is_gone_or_lays_some_now_may_have_happened(steps: tuple[str, ...]) -> None:
    account = dead(ReserveStock={})
    account.dies(unclaimed=["Tell"])
    name, said = refusal(account, steps=steps)
    assert (name, "no Tell as it was" in said) == ("PermanentError", True)
    assert not [key for (key,) in account.dynamodb.items("claims") if "ChargeCard" in key]


def test_a_step_without_claims_that_is_as_it_was_is_undone() -> None:
    account = dead(ReserveStock={}, Tell={"done": False, "undone": True})
    account.dies(steps=(*STEPS[:1], "Tell", *STEPS[1:]), unclaimed=["Tell"])
    assert account.recall(steps=["ReserveStock", "Tell", "ChargeCard"], unclaimed=["Tell"])


def test_a_claim_of_a_step_that_lays_none_any_more_is_not_passed_over() -> None:
    account = dead(ReserveStock={})
    assert "no ReserveStock as it was" in refusal(account, unclaimed=["ReserveStock"])[1]


def test_what_is_still_to_do_and_is_behind_no_pivot_any_more_is_not_taken_for_done() -> None:
    """A deployment has dropped `Wrap`, or its function: it was parked, and somebody resumes."""
    account = dead(ReserveStock={}, ChargeCard={})
    account.dies(steps=(*STEPS, "Wrap"), behind=["Ship", "Wrap"])
    account.parked("Wrap")
    name, said = refusal(account)
    assert (name, "no Wrap behind the pivot" in said) == ("PermanentError", True)
    assert "resumed_by" not in account.item("parked#Checkout#order-7#Wrap")


def test_what_is_retired_behind_the_pivot_is_not_taken_for_done() -> None:
    """It would be undone if the saga went back, and nothing does it."""
    account = dead(ReserveStock={}, ChargeCard={}, Wrap={"done": False})
    account.dies(steps=(*STEPS, "Wrap"), behind=["Ship", "Wrap"])
    assert "no Wrap behind the pivot" in refusal(account, steps=["Wrap", *STEPS])[1]


def test_what_was_done_behind_the_pivot_may_be_retired() -> None:
    account = dead(ReserveStock={}, ChargeCard={}, Wrap={})
    account.dies(steps=(*STEPS, "Wrap"), behind=["Ship", "Wrap"])
    assert account.recall(steps=["Wrap", *STEPS])["saga"]["forward"]


def test_what_was_done_behind_the_pivot_is_not_done_again_under_another_name() -> None:
    """`Wrap` is `Ship` of before, kept in `retired_steps`: two parcels otherwise."""
    account = dead(ReserveStock={}, ChargeCard={}, Ship={})
    account.dies(behind=["Ship"])
    name, said = refusal(account, steps=["Ship", "ReserveStock", "ChargeCard", "Wrap"])
    assert (name, "has Wrap behind the pivot, and this execution has done Ship" in said) == ("PermanentError", True)


def test_what_is_new_behind_the_pivot_is_done() -> None:
    account = dead(ReserveStock={}, ChargeCard={}, Ship={})
    account.dies(behind=["Ship"])
    assert account.recall(steps=[*STEPS, "Wrap"])["saga"]["forward"]


def test_what_is_behind_the_pivot_matters_nothing_on_the_way_back() -> None:
    account = dead(ReserveStock={})
    account.dies(steps=(*STEPS, "Wrap"), behind=["Ship", "Wrap"])
    assert "forward" not in account.recall()["saga"]


def test_errors_that_people_did_not_write_quote_nothing() -> None:
    account = dead(ReserveStock={})

    def broken(_: Any) -> Any:
        raise RuntimeError("4111 1111 1111 1111")

    account.dynamodb.meets["GetItem"] = broken
    name, said = refusal(account)
    assert name == "RuntimeError"
    assert "4111" not in f"{said}{account.stream.getvalue()}"


def approved(account: Account, *, approve: bool = True, started: str | None = None) -> dict[str, Any]:
    """As the functions of an approval leave it in the table; what the decider was told."""
    began = datetime.fromtimestamp(account.clock.now, UTC).isoformat(timespec="milliseconds")
    approvals = Approvals(account.dynamodb, "claims", "Checkout", 1_000, account.clock)
    id, _ = approvals.ask(Asking("order-7", started or began, "Manager", "token", 0, "secret", 600))
    caller, at = Caller("ann"), "2026-11-21T18:20:00Z"
    return approvals.decide(id, "Manager", approve=approve, caller=caller, comment=None, at=at).told


def test_what_was_approved_is_among_the_results() -> None:
    account = dead(ReserveStock={}, ChargeCard={})
    told = approved(account)
    assert account.recall(approvals=["Manager", "Board"])["saga"]["results"]["Manager"] == told
    assert set(account.recall(approvals=["Manager", "Board"])["saga"]["results"]) == {*STEPS[:2], "Manager"}


def test_neither_a_rejection_nor_the_approval_of_an_execution_before_is_a_result() -> None:
    account = dead(ReserveStock={}, ChargeCard={})
    approved(account, started="2026-01-01T00:00:00.000Z")
    assert "Manager" not in account.recall(approvals=["Manager"])["saga"]["results"]
    approved(account, approve=False)
    assert "Manager" not in account.recall(approvals=["Manager"])["saga"]["results"]
