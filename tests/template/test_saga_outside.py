"""A step whose effect is outside: what its tasks are told, how long they wait, and what synth refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, Stack

from serverless_patterns import CircuitBreaker, ExternalKey, Retry, SagaStep
from serverless_patterns_runtime.saga_state_machine import contract, outside
from tests.template.sagas import a_saga, a_step, a_step_handler, the_definition
from tests.template.stacks import new_stack, refusal, resources, the
from tests.template.test_saga_state_machine_checks import seconds_later

DAY = Duration.days(1)


def a_charge(name: str = "ChargeCard", **arguments: Any) -> SagaStep:
    given = {"action": a_step_handler("charge"), "compensation": a_step_handler("refund"), **arguments}
    return a_step(name, **given)


def a_key(format: str = "{digest}", lifetime: Duration = DAY, **arguments: Any) -> ExternalKey:
    return ExternalKey(format, lifetime, **arguments)


def states_of(*steps: SagaStep, stack: Stack | None = None) -> dict[str, dict[str, Any]]:
    stack = stack or new_stack()
    a_saga(stack, steps=steps)
    return dict(the_definition(stack)["States"])


def retriers(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {error: retrier for retrier in state["Retry"] for error in retrier["ErrorEquals"]}


def test_both_tasks_are_told_of_the_key() -> None:
    states = states_of(a_charge(external_key=a_key("{execution}-{step}")))
    told = [states[name]["Parameters"]["external_key"] for name in ("ChargeCard", "Undo ChargeCard")]
    assert told == [{"format": "{execution}-{step}", "lifetime": 86_400}] * 2


def test_a_compensation_with_effects_is_given_no_key() -> None:
    states = states_of(a_charge(compensation=a_step_handler("release"), external_key=a_key()))
    assert "external_key" not in states["Undo ChargeCard"]["Parameters"]


def test_an_unknown_outcome_has_retriers_of_its_own() -> None:
    states = states_of(a_charge(settles_within=Duration.hours(2)))
    for name in ("ChargeCard", "Undo ChargeCard"):
        told, found = states[name]["Parameters"], retriers(states[name])
        assert (told["settles_within"], told["entered.$"]) == (7200, "$$.State.EnteredTime")
        waits = {error: it["IntervalSeconds"] for error, it in found.items() if error.startswith("Unsettled")}
        assert waits == {"Unsettled5": 5, "Unsettled60": 60, "Unsettled600": 600, "Unsettled3600": 3600}
        assert {it["BackoffRate"] for error, it in found.items() if error.startswith("Unsettled")} == {1.0}
        assert list(found)[-1] == "States.ALL"


def test_with_an_external_key_it_is_waited_for_a_quarter_of_an_hour() -> None:
    assert states_of(a_charge(external_key=a_key()))["ChargeCard"]["Parameters"]["settles_within"] == 900
    assert "settles_within" not in states_of(a_charge())["ChargeCard"]["Parameters"]


def test_a_step_that_is_tried_once_waits_all_the_same() -> None:
    found = retriers(states_of(a_charge(settles_within=Duration.seconds(30), retry=Retry(1)))["ChargeCard"])
    assert list(found) == [contract.PERMANENT_ERROR, "Unsettled5"]


def test_a_breaker_guards_both_tasks_and_waits_without_using_up_tries() -> None:
    stack = new_stack()
    partner = CircuitBreaker(stack, "Partner", open_for=Duration.seconds(20))
    states = states_of(a_charge(circuit_breaker=partner), stack=stack)
    for name in ("ChargeCard", "Undo ChargeCard"):
        assert states[name]["Parameters"]["circuit_breaker"] == "Partner"
        assert states[name]["Parameters"]["tries"] == retriers(states[name])["States.ALL"]["MaxAttempts"]
        retrier = retriers(states[name])[contract.CIRCUIT_OPEN]
        assert (retrier["IntervalSeconds"], retrier["MaxDelaySeconds"]) == (20, 900)
        assert retrier["JitterStrategy"] == "FULL"


def test_functions_are_told_of_their_breakers_and_may_use_them() -> None:
    stack = new_stack()
    partner, bank = CircuitBreaker(stack, "Partner"), CircuitBreaker(stack, "Bank")
    both = a_step_handler("refund")
    a_saga(
        stack,
        steps=[
            a_charge("First", compensation=both, circuit_breaker=partner),
            a_charge("Second", compensation=both, circuit_breaker=bank),
            a_charge("Third"),
        ],
    )
    variables = [
        "CIRCUIT_BREAKERS" in the(stack, "Lambda::Function", f"{id}{kind}")["Environment"]["Variables"]
        for id, kind in (("First", "Action"), ("Second", "Action"), ("First", "Compensation"), ("Third", "Action"))
    ]
    assert variables == [True, True, True, False]
    told = json.dumps(the(stack, "Lambda::Function", "FirstCompensation")["Environment"]["Variables"])
    assert "Partner" in told
    assert "Bank" in told
    policy = json.dumps(
        [it for id, it in resources(stack, "IAM::Policy").items() if id.startswith("CheckoutFirstCompensation")]
    )
    assert "PartnerTable" in policy
    assert "BankTable" in policy


def test_waits_count_in_what_an_execution_can_take() -> None:
    a_saga(new_stack(), steps=[a_charge()], claims_retention=Duration.days(15))
    stack = new_stack()
    partner = CircuitBreaker(stack, "Partner", open_for=Duration.minutes(15))
    for more in ({"settles_within": Duration.days(1)}, {"circuit_breaker": partner}):
        steps = [a_charge(f"Step{at}", **more) for at in range(4)]
        message = refusal(lambda steps=steps: a_saga(stack, steps=steps, claims_retention=Duration.days(15)))
        assert "claims_retention must" in message


def test_waits_count_in_the_history() -> None:
    steps = [a_charge(f"Step{at}", settles_within=Duration.hours(2)) for at in range(70)]
    a_saga(new_stack(), steps=[a_charge(f"Step{at}") for at in range(70)])
    assert "steps need at most 25,000 events" in refusal(
        lambda: a_saga(new_stack(), steps=steps, claims_retention=Duration.days(99))
    ).replace("must need", "need")


WRONG: dict[str, tuple[Callable[[], list[SagaStep]], str]] = {
    "no key": (
        lambda: [a_charge(external_key="{digest}")],
        "'ChargeCard' external_key must be an ExternalKey, got '{digest}': write ExternalKey('{digest}'",
    ),
    "a lifetime without a unit": (
        lambda: [a_charge(external_key=a_key(lifetime=24))],  # type: ignore[arg-type]
        "'ChargeCard' external_key lifetime must be a Duration from 1 to 31,622,400 seconds, got 24: say the unit",
    ),
    "a lifetime that nobody knows": (
        lambda: [a_charge(external_key=a_key(lifetime=seconds_later()))],
        "'ChargeCard' external_key lifetime must be known at synth",
    ),
    "a key that its tries outlive": (
        lambda: [a_charge(external_key=a_key(lifetime=Duration.minutes(20)))],
        "'ChargeCard' external_key lifetime must be at least 1,643 seconds (27.4 minutes), got 1,200 seconds: all",
    ),
    "a key that its compensation outlives": (
        lambda: [a_charge(external_key=a_key(lifetime=Duration.hours(1)))],
        "all tries of the compensation take as long",
    ),
    "another placeholder": (
        lambda: [a_charge(external_key=a_key("{order}-{digest}"))],
        "external_key format must be text with placeholders, got '{order}-{digest}': its placeholders are {namespace}",
    ),
    "half a placeholder": (lambda: [a_charge(external_key=a_key("{digest}}"))], "must be text with placeholders"),
    "a format of another kind": (lambda: [a_charge(external_key=a_key(7))], "got 7"),  # type: ignore[arg-type]
    "a key for every execution": (
        lambda: [a_charge(external_key=a_key("{execution}"))],
        "external_key format must hold {digest}, or {execution} and {step} with a character between",
    ),
    "parts that run together": (lambda: [a_charge(external_key=a_key("{execution}_{step}"))], "must hold {digest}"),
    "one part twice": (lambda: [a_charge(external_key=a_key("{step}-{step}"))], "must hold {digest}"),
    "a long key": (
        lambda: [a_charge(external_key=a_key("{namespace}-{execution}-{step}", max_length=64))],
        "come to at most 64 characters, got 105 at most with '{namespace}-{execution}-{step}': an execution's name has",
    ),
    "a length of another kind": (
        lambda: [a_charge(external_key=a_key(max_length=0))],
        "external_key max_length must be a whole number from 1 to 1,024, got 0",
    ),
    "a key with Effects": (
        lambda: [a_step(external_key=a_key())],
        "'ReserveStock' external_key must be left out with Effects, got a value: an action with Effects takes no lease",
    ),
    "a step with a compensation's name": (
        lambda: [a_charge("Charge", external_key=a_key()), a_charge("Charge_undo", external_key=a_key())],
        "steps must have none named Charge_undo beside Charge",
    ),
    "a short wait": (
        lambda: [a_charge(settles_within=Duration.seconds(4))],
        "'ChargeCard' settles_within must be a Duration from 5 to",
    ),
    "a wait that nobody knows": (
        lambda: [a_charge(settles_within=seconds_later())],
        "'ChargeCard' settles_within must be known at synth, got a token",
    ),
    "no breaker": (
        lambda: [a_charge(circuit_breaker="Partner")],
        "'ChargeCard' circuit_breaker must be a CircuitBreaker",
    ),
    "a breaker's refusal as proof": (
        lambda: [a_charge(no_effect_errors=["CircuitOpen"])],
        "no_effect_errors must hold none of PermanentError, RunningElsewhere, CircuitOpen, Unsettled, KeyExpired",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_synth_refuses(wrong: str) -> None:
    steps, message = WRONG[wrong]
    assert message in refusal(lambda: a_saga(new_stack(), steps=steps()))


def test_two_breakers_of_one_name_in_one_function_are_refused() -> None:
    stack, handler = new_stack(), a_step_handler("refund")
    breakers = [CircuitBreaker(stack, id, name="Partner") for id in ("One", "Two")]
    steps = [
        a_charge(f"Step{at}", compensation=handler, circuit_breaker=breaker) for at, breaker in enumerate(breakers)
    ]
    assert "must have a name of its own among those of its function" in refusal(lambda: a_saga(stack, steps=steps))


def test_a_wait_of_no_length_is_none() -> None:
    assert outside.settling_waits(5) == {5: 2}
