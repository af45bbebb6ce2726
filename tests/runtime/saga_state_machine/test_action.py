"""SA1, SA2: an action happens once, tells one result, and is known to have no effect only when that is certain."""

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from serverless_patterns_runtime import Effects, Invocation, PermanentError, StepInput, Update
from serverless_patterns_runtime.saga_state_machine import contract

from .saga import INPUT, Step

LOST = ConnectionClosedError(endpoint_url="https://dynamodb.invalid")


class Declined(PermanentError):
    pass


class Expired(Declined):
    pass


def charge(step: StepInput) -> Effects:
    return Effects([Update("ROWS", {"id": "card"}, add={"times": 1})], result={"charged": step.input["amount"]})


def raising(error: BaseException) -> Any:
    def function(_: StepInput) -> Any:
        raise error

    return function


def test_effects_happen_with_their_claim_and_the_result_is_kept() -> None:
    step = Step(charge)
    assert step.act() == {"charged": 100}
    assert step.row() == {"id": {"S": "card"}, "times": {"N": "1"}}
    assert step.dynamodb.operations == ["TransactWriteItems"], "one request a step"
    assert step.outcomes == ["Succeeded"]


def test_effects_of_a_repeated_call_happened_before_and_the_first_result_is_told() -> None:
    step = Step(charge)
    step.act()
    step.function = lambda _: Effects([Update("ROWS", {"id": "card"}, add={"times": 1})], result="another")
    assert step.act(retries=1) == {"charged": 100}
    assert step.row() == {"id": {"S": "card"}, "times": {"N": "1"}}
    assert step.outcomes == ["Succeeded", "Replayed"]


def test_another_step_and_another_execution_are_work_of_their_own() -> None:
    step = Step(charge)
    step.act()
    step.act(step="ChargeDeposit")
    step.act(execution="order-8")
    assert step.row() == {"id": {"S": "card"}, "times": {"N": "3"}}


def test_a_business_function_is_given_the_input_the_results_and_a_stable_key() -> None:
    seen: list[tuple[StepInput, Invocation]] = []

    def function(step: StepInput, invocation: Invocation) -> None:
        seen.append((step, invocation))
        raise OSError

    step = Step(function, effects=False)
    for retries in range(2):
        step.error_of(step.act, saga={"status": "SUCCEEDED", "results": {"Reserve": 5}}, retries=retries)
    assert [given for given, _ in seen] == [
        StepInput(input=INPUT, results={"Reserve": 5}, action_key="Checkout#order-7#ChargeCard")
    ] * 2
    assert {invocation.idempotency_key for _, invocation in seen} == {"Checkout#order-7#ChargeCard"}
    assert {invocation.correlation_id for _, invocation in seen} == {"order-7"}
    assert [invocation.attempt for _, invocation in seen] == [1, 2]


def test_an_attempt_at_effects_has_the_number_that_the_state_machine_gives_it() -> None:
    attempts: list[int] = []

    def function(_: StepInput, invocation: Invocation) -> Effects:
        attempts.append(invocation.attempt)
        raise OSError

    step = Step(function)
    for retries in range(3):
        step.error_of(step.act, retries=retries)
    assert attempts == [1, 2, 3]


def test_a_number_that_changes_its_spelling_on_the_way_is_the_same_input() -> None:
    step = Step(charge)
    step.send(Step.event("action", input={"amount": 100}))
    assert step.send(Step.event("action", input={"amount": 1e2})) == {"charged": 100}


def test_an_execution_s_name_that_is_used_again_for_another_input_is_refused() -> None:
    step = Step(charge)
    step.act()
    name, words = step.error_of(step.act, input={"amount": 5})
    assert (name, words.split(":")[0]) == ("PermanentError", "IdempotencyKeyReused")


def test_a_lease_keeps_two_attempts_apart_and_the_second_is_told_to_come_again() -> None:
    errors: list[tuple[str, str]] = []

    def function(_: StepInput) -> str:
        if not errors:
            errors.append(step.error_of(step.act))
        return "charged"

    step = Step(function, effects=False)
    assert step.act() == "charged"
    assert errors[0][0] == contract.RUNNING_ELSEWHERE
    assert step.outcomes == ["Busy", "Succeeded"]


def test_after_a_death_the_lease_is_free_as_soon_as_the_contract_says() -> None:
    dies = True

    def function(_: StepInput) -> str:
        if dies:
            raise KeyboardInterrupt  # nothing is caught, nothing is recorded
        return "charged"

    step = Step(function, effects=False)
    with pytest.raises(KeyboardInterrupt):
        step.act()
    dies = False
    step.clock.now += step.timeout
    assert step.error_of(step.act)[0] == contract.RUNNING_ELSEWHERE
    step.clock.now += contract.LEASE_MARGIN_SECONDS
    assert step.act() == "charged"


@pytest.mark.parametrize("result", [None, 5, "text", [1], {"a": {"b": None}}])
def test_any_json_is_a_result(result: object) -> None:
    assert Step(lambda _: result, effects=False).act() == result


def test_a_decimal_that_was_read_from_a_table_is_a_number() -> None:
    step = Step(lambda _: {"n": Decimal("1.5")}, effects=False)
    assert step.act() == step.act() == {"n": 1.5}


# Too large.


@pytest.mark.parametrize("size", [998, 999])
def test_a_result_beyond_its_budget_is_refused_before_anything_is_committed(size: int) -> None:
    step = Step(lambda _: Effects([Update("ROWS", {"id": "card"}, add={"times": 1})], result="x" * size))
    if size == 998:
        assert step.act() == "x" * 998
        return
    name, words = step.error_of(step.act)
    assert name == contract.PERMANENT_ERROR
    assert "at most 1,000 bytes as JSON, got 1,001" in words
    assert (step.row(), step.claim()) == (None, None)


def test_characters_count_as_the_most_that_they_can_become_on_the_way() -> None:
    step = Step(lambda _: Effects(result="é" * 200))
    assert "got 1,202" in step.error_of(step.act)[1]


def test_a_result_for_which_the_document_has_no_room_is_refused_before_anything_is_committed() -> None:
    step = Step(charge)
    room = contract.MAX_STATE_BYTES - contract.RESERVED_BYTES
    name, words = step.error_of(step.act, input={"amount": 1, "filling": "x" * (room - 37)})
    assert name == contract.PERMANENT_ERROR
    assert f"the results of all steps hold at most {room:,} bytes" in words
    assert step.row() is None


@pytest.mark.parametrize(("beside", "refused"), [(0, False), (3, False), (4, True)])
def test_in_a_branch_the_results_of_others_have_room_too(beside: int, refused: bool) -> None:
    step = Step(charge)
    room = contract.MAX_STATE_BYTES - contract.RESERVED_BYTES
    given: dict[str, Any] = {
        "input": {"amount": 1, "filling": "x" * (room - 3_100)},
        **({"beside": beside} if beside else {}),
    }
    if refused:
        assert "the results of all steps hold at most" in step.error_of(step.act, **given)[1]
        assert step.row() is None
    else:
        step.act(**given)


def test_what_was_done_outside_is_done_though_its_result_is_too_large() -> None:
    step = Step(lambda _: "x" * 2000, effects=False)
    assert step.error_of(step.act)[0] == contract.PERMANENT_ERROR
    claim = step.claim()
    assert claim is not None
    assert claim["done"]["BOOL"]
    assert "answer" not in claim
    assert step.error_of(step.act) == (
        contract.PERMANENT_ERROR,
        "AnswerNotKept: the request with this key was completed, and its answer was not kept",
    )


# Errors.


def test_a_permanent_error_has_one_name_and_says_which_it_was() -> None:
    step = Step(raising(Declined("no more credit")))
    assert step.error_of(step.act) == ("PermanentError", "Declined: no more credit")


@pytest.mark.parametrize(("declared", "name"), [("Declined", "Declined"), ("Expired", "Expired")])
def test_a_declared_error_or_one_of_its_kind_has_the_declared_name(declared: str, name: str) -> None:
    step = Step(raising(Expired("no more credit")))
    assert step.error_of(step.act, no_effect_errors=[declared]) == (name, "no more credit")


@pytest.mark.parametrize("effects", [True, False])
def test_after_a_declared_error_nothing_can_come_of_the_action_any_more(effects: bool) -> None:
    step = Step(raising(Declined("no more credit")), effects=effects)
    step.error_of(step.act, no_effect_errors=["Declined"])
    step.function = charge if effects else lambda _: "late"
    assert step.error_of(step.act, no_effect_errors=["Declined"])[1].startswith("Undone: ")
    assert step.row() is None


@pytest.mark.parametrize("effects", [True, False])
def test_a_declared_error_comes_with_its_name_again_when_its_answer_was_lost(effects: bool) -> None:
    """With a lease nobody runs twice; then it is undone, which does no harm."""
    step = Step(raising(Declined("no more credit")), effects=effects)
    names = [step.error_of(step.act, no_effect_errors=["Declined"])[0] for _ in range(2)]
    assert names == ["Declined", "Declined" if effects else "PermanentError"]


def test_a_declared_error_of_who_finds_its_own_effects_is_no_error() -> None:
    step = Step(charge)
    step.act()
    step.function = raising(Declined("charged already"))
    assert step.act(no_effect_errors=["Declined"]) == {"charged": 100}


def test_a_declared_error_that_cannot_be_made_certain_is_tried_again() -> None:
    def lose(_: object) -> None:
        raise LOST

    step = Step(raising(Declined("no more credit")))
    step.dynamodb.meets["UpdateItem"] = lose
    assert step.error_of(step.act, no_effect_errors=["Declined"])[0] == "ConnectionClosedError"


def test_a_declared_error_after_an_attempt_that_raised_is_undone_like_any_other() -> None:
    """The provider may have charged the card before the connection was lost."""
    step = Step(raising(OSError()), effects=False)
    step.error_of(step.act, no_effect_errors=["Declined"])
    step.function = raising(Declined("no more credit"))
    told = step.error_of(step.act, no_effect_errors=["Declined"])
    assert told == ("PermanentError", "Declined: no more credit")


def test_other_errors_have_their_own_name_and_none_of_their_words() -> None:
    step = Step(raising(ValueError("4111 1111 1111 1111")))
    name, words = step.error_of(step.act)
    assert name == "ValueError"
    assert "4111" not in words
    assert "test_action.py" in words


def test_an_error_is_short_however_long_it_was() -> None:
    step = Step(raising(PermanentError("x" * 10_000)))
    assert len(step.error_of(step.act)[1]) == 1000


def test_exits_are_errors_like_others() -> None:
    """Lambda would take them for the death of the function."""
    assert Step(raising(SystemExit(1))).error_of(Step(raising(SystemExit(1))).act)[0] == "SystemExit"


def test_who_raises_carries_nothing_along() -> None:
    """Neither words nor frames of the first error: what the state machine is told, Lambda also logs."""
    step = Step(raising(ValueError("4111 1111 1111 1111")))
    with pytest.raises(Exception) as raised:  # noqa: PT011
        step.act()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert raised.value.__context__ is None
