"""SA1, SA6: first nothing of the action may come any more, then what may have happened is undone, once."""

import json
from typing import Any

import pytest

from serverless_patterns_runtime import Effects, Invocation, PermanentError, StepError, StepInput, Update
from serverless_patterns_runtime.saga_state_machine import contract

from .saga import INPUT, Step

CAUGHT = {"Error": "PermanentError", "Cause": json.dumps({"errorMessage": "SoldOut: two left", "errorType": "x"})}
FAILED = {"error": CAUGHT}


def charge(step: StepInput) -> Effects:
    return Effects([Update("ROWS", {"id": "card"}, add={"times": 1})], result={"charged": step.input["amount"]})


class Saga:
    """An action and its compensation over one table."""

    def __init__(self, *, effects: bool) -> None:
        self.given: list[tuple[StepInput, Invocation]] = []
        self.action = Step(charge if effects else lambda step: {"charged": step.input["amount"]}, effects=effects)
        self.compensation = Step(self._refund, effects=effects, dynamodb=self.action.dynamodb)
        self.compensation.clock.now = self.action.clock.now
        self._effects = effects
        self.fails: list[BaseException] = []

    def undo(self, **event: Any) -> Any:
        return self.compensation.undo(**self._event(event))

    def failure_of_undo(self, **event: Any) -> tuple[str, str]:
        return self.compensation.error_of(self.compensation.undo, **self._event(event))

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        # The functions have clocks of their own, of which one is the table's.
        self.action.clock.now = self.compensation.clock.now = max(self.action.clock.now, self.compensation.clock.now)
        return {"saga": FAILED} | event

    def _refund(self, step: StepInput, invocation: Invocation) -> Any:
        self.given.append((step, invocation))
        if self.fails:
            raise self.fails.pop()
        return Effects([Update("ROWS", {"id": "card"}, add={"times": -1})]) if self._effects else None

    def times(self) -> int:
        row = self.action.row()
        return 0 if row is None else int(row["times"]["N"])


MODES = pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])


def test_effects_are_undone_once_whatever_is_repeated() -> None:
    saga = Saga(effects=True)
    saga.action.act()
    assert saga.undo() is None
    assert saga.undo() is None
    assert saga.times() == 0
    assert saga.compensation.outcomes == ["Undone", "Replayed"]


def test_two_requests_undo_effects() -> None:
    saga = Saga(effects=True)
    saga.action.act()
    saga.undo()
    assert saga.action.dynamodb.operations[1:] == ["UpdateItem", "TransactWriteItems"]


@MODES
def test_a_compensation_is_given_why_and_what_and_a_key_of_its_own(effects: bool) -> None:
    saga = Saga(effects=effects)
    saga.action.act()
    saga.undo(saga={"results": {"Reserve": 5}, **FAILED})
    (step, invocation) = saga.given[0]
    assert step == StepInput(
        input=INPUT,
        results={"Reserve": 5},
        result={"charged": 100},
        error=StepError("SoldOut", "two left"),
        action_key="Checkout#order-7#ChargeCard",
    )
    assert invocation.idempotency_key == "Checkout#order-7#ChargeCard#compensation"
    assert invocation.correlation_id == "order-7"


def test_the_result_is_known_though_no_answer_of_the_action_ever_arrived() -> None:
    saga = Saga(effects=True)
    saga.action.act()
    saga.undo(saga=FAILED)  # without results: the state machine has heard of none
    assert saga.given[0][0].result == {"charged": 100}


@MODES
def test_what_left_no_claim_has_not_begun_and_never_will(effects: bool) -> None:
    """A sibling of the branch that failed, or what a choice has passed over."""
    saga = Saga(effects=effects)
    assert saga.undo() is None
    assert saga.given == []
    assert saga.compensation.outcomes == ["NothingToUndo"]
    assert saga.action.error_of(saga.action.act)[1].startswith("Undone: ")
    assert saga.times() == 0
    assert saga.undo() is None
    assert saga.given == []


def test_a_step_whose_claim_was_lost_is_undone_when_the_document_has_its_result() -> None:
    saga = Saga(effects=True)
    saga.action.act()
    saga.action.dynamodb.service.tables["claims"].items.clear()
    saga.undo(saga={"results": {"ChargeCard": {"charged": 100}}, **FAILED})
    assert saga.times() == 0
    assert saga.given[0][0].result == {"charged": 100}


def test_what_began_is_undone_seen_or_not() -> None:
    saga = Saga(effects=False)
    saga.action.function = _raise
    saga.action.error_of(saga.action.act)
    saga.undo()
    assert saga.given[0][0].result is None
    saga.action.function = charge
    assert saga.action.error_of(saga.action.act)[1].startswith("Undone: ")


def test_effects_of_an_action_that_took_a_lease_before_it_was_deployed_anew_are_undone() -> None:
    saga = Saga(effects=False)
    saga.action.function = _raise
    saga.action.error_of(saga.action.act)
    saga.undo()
    assert len(saga.given) == 1


def _raise(_: StepInput) -> Any:
    raise OSError


def test_an_action_at_work_is_waited_for() -> None:
    saga = Saga(effects=False)
    told: list[tuple[str, str]] = []

    def function(_: StepInput) -> str:
        told.append(saga.failure_of_undo())
        return "charged"

    saga.action.function = function
    assert saga.action.act() == "charged"
    assert told[0][0] == contract.RUNNING_ELSEWHERE
    assert saga.given == []
    assert saga.undo() is None
    assert saga.given[0][0].result == "charged"


def test_who_held_the_lease_and_lost_it_to_a_tombstone_records_nothing() -> None:
    saga = Saga(effects=False)

    def function(_: StepInput) -> str:
        saga.action.clock.now += saga.action.timeout + contract.LEASE_MARGIN_SECONDS
        saga.undo()
        return "charged"

    saga.action.function = function
    assert saga.action.error_of(saga.action.act)[1].startswith("Undone: ")
    claim = saga.action.claim()
    assert claim is not None
    assert (claim["undone"]["BOOL"], claim["done"]["BOOL"], "answer" in claim) == (True, False, False)


@MODES
def test_a_compensation_that_fails_is_tried_again_until_it_is_done(effects: bool) -> None:
    saga = Saga(effects=effects)
    saga.action.act()
    saga.fails = [OSError(), OSError()]
    assert [saga.failure_of_undo()[0] for _ in range(2)] == ["OSError", "OSError"]
    saga.undo()
    saga.undo()
    assert [invocation.attempt for _, invocation in saga.given][-1] == (1 if effects else 3)
    assert len(saga.given) == (4 if effects else 3), (
        "with a lease nobody runs again; Effects are computed, not committed"
    )
    assert saga.times() == 0


def test_a_compensation_that_cannot_be_done_says_so() -> None:
    saga = Saga(effects=True)
    saga.action.act()
    saga.fails = [PermanentError("the shop has closed")]
    assert saga.failure_of_undo() == ("PermanentError", "PermanentError: the shop has closed")


def test_the_action_of_another_execution_of_that_name_is_not_undone() -> None:
    """Names can be used again after 90 days; the claim of the first may still be there."""
    saga = Saga(effects=True)
    saga.action.act()
    assert saga.undo(input={"order_id": "7", "amount": 5}) is None
    assert (saga.given, saga.times()) == ([], 1)
    assert saga.action.act() == {"charged": 100}, "and is still known"


def test_nor_when_its_claim_has_expired_and_then_ours_cannot_come_late() -> None:
    saga = Saga(effects=True)
    saga.action.act()
    saga.action.clock.now += 2000
    other = {"order_id": "7", "amount": 5}
    assert saga.undo(input=other) is None
    assert saga.action.error_of(saga.action.act, input=other)[1].startswith("Undone: ")
    assert saga.times() == 1


@pytest.mark.parametrize(
    ("caught", "expected"),
    [
        ({"Error": "States.Timeout"}, StepError("States.Timeout")),
        ({"Error": "States.Timeout", "Cause": "words"}, StepError("States.Timeout", "words")),
        ({"Error": "OSError", "Cause": '{"errorMessage": "a"}'}, StepError("OSError", "a")),
        ({"Error": "OSError", "Cause": "[1]"}, StepError("OSError", "[1]")),
        (CAUGHT, StepError("SoldOut", "two left")),
        (None, None),
    ],
)
def test_why_is_said_in_a_word_and_a_few_more(caught: Any, expected: StepError | None) -> None:
    saga = Saga(effects=False)
    saga.action.act()
    saga.undo(saga={"error": caught} if caught else {})
    assert saga.given[0][0].error == expected


@MODES
def test_an_action_that_lays_no_claim_is_undone_seen_or_not(effects: bool) -> None:
    """Somebody's function, or a native call: nobody knows whether it began."""
    saga = Saga(effects=effects)
    saga.undo(action_unclaimed=True)
    assert len(saga.given) == 1
