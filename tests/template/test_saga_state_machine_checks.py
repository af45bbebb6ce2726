"""What synth refuses of a saga: every message says what is allowed and what to do."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack

from serverless_patterns import Retry, SagaApproval, SagaChoice, SagaParallel, SagaStep, SagaWait
from tests.template.sagas import a_saga, a_step, a_step_handler
from tests.template.stacks import new_stack, refusal


def refused(**arguments: Any) -> str:
    return refusal(lambda: a_saga(new_stack(), **arguments))


def behind(**arguments: Any) -> list[SagaStep]:
    return [a_step("Charge", pivot=True), SagaStep("Ship", a_step_handler("ship"), **arguments)]


def unusable(**arguments: Any) -> list[SagaStep]:
    return [a_step(**arguments)]


def a_function(stack: Stack) -> Any:
    return a_saga(stack, "Other").functions[0]


def seconds_later() -> Duration:
    stack = new_stack()
    return Duration.seconds(CfnParameter(stack, "Seconds", type="Number").value_as_number)


WRONG: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "no steps": (lambda: {"steps": []}, "steps must hold a SagaStep or more, got none"),
    "not a list": (lambda: {"steps": a_step()}, "steps must be a list, got a value of type SagaStep"),
    "not a step": (lambda: {"steps": ["Ship"]}, "steps[0] must be a SagaStep, got 'Ship'"),
    "a name that is no path": (
        lambda: {"steps": unusable(name="reserve-stock")},
        "steps[0] name must be a letter, then letters, digits or _, at most 64, got 'reserve-stock'",
    ),
    "a long name": (lambda: {"steps": unusable(name="A" * 65)}, "at most 64"),
    "a name of ours": (lambda: {"steps": unusable(name="Undone")}, "rename the step"),
    "two of a name": (
        lambda: {"steps": [a_step(), a_step()]},
        "steps must have names of their own, got 'ReserveStock' 2 times: rename the later ones",
    ),
    "two pivots": (
        lambda: {"steps": [a_step("A", pivot=True), a_step("B", pivot=True)]},
        "steps must have one pivot at most, got A and B",
    ),
    "no compensation": (
        lambda: {"steps": unusable(compensation=None)},
        "'ReserveStock' compensation must be given up to the pivot, got None: pass what undoes it, say "
        "nothing_to_undo=True, or make an earlier step the pivot",
    ),
    "no compensation at the pivot": (
        lambda: {"steps": unusable(compensation=None, pivot=True)},
        "'ReserveStock' compensation must be given up to the pivot",
    ),
    "nothing to undo at the pivot": (
        lambda: {"steps": unusable(compensation=None, nothing_to_undo=True, pivot=True)},
        "'ReserveStock' nothing_to_undo must be left out at the pivot, got True: the pivot's compensation lays the",
    ),
    "something and nothing to undo": (
        lambda: {"steps": unusable(nothing_to_undo=True)},
        "'ReserveStock' nothing_to_undo must be left out beside a compensation",
    ),
    "retries of nothing": (
        lambda: {"steps": unusable(compensation=None, nothing_to_undo=True, compensation_retry=Retry())},
        "'ReserveStock' compensation_retry must be left out without a compensation",
    ),
    "a compensation behind the pivot": (
        lambda: {"steps": behind(compensation=a_step_handler("refund"))},
        "'Ship' compensation must be left out behind the pivot, got a value: the saga only goes forward once 'Charge'",
    ),
    "nothing to undo behind the pivot": (
        lambda: {"steps": behind(nothing_to_undo=True)},
        "'Ship' nothing_to_undo must be left out behind the pivot",
    ),
    "a declared error behind the pivot": (
        lambda: {"steps": behind(no_effect_errors=["SoldOut"])},
        "'Ship' no_effect_errors must be left out behind the pivot",
    ),
    "a declared error in a word": (
        lambda: {"steps": unusable(no_effect_errors="Declined")},
        "'ReserveStock' no_effect_errors must be a list",
    ),
    "a declared error with its module": (
        lambda: {"steps": unusable(no_effect_errors=["card.Declined"])},
        "'ReserveStock' no_effect_errors must be names of classes, got 'card.Declined'",
    ),
    "every permanent error": (
        lambda: {"steps": unusable(no_effect_errors=["PermanentError"])},
        "'ReserveStock' no_effect_errors must hold none of PermanentError, RunningElsewhere, CircuitOpen, Unsettled, "
        "KeyExpired, got 'PermanentError'",
    ),
    "another attempt at work": (lambda: {"steps": unusable(no_effect_errors=["RunningElsewhere"])}, "hold none of"),
    "an error twice": (lambda: {"steps": unusable(no_effect_errors=["A", "A"])}, "hold each name once"),
    "somebody else's function": (
        lambda: {"steps": unusable(compensation=a_function(new_stack()))},
        "'ReserveStock' compensation must be a Handler where the action is one, got something else: only a Handler",
    ),
    "a compensation that is a word": (
        lambda: {"steps": unusable(compensation="stock:release")},
        "'ReserveStock' compensation must be a Handler, a lambda_.IFunction or an sfn.TaskStateBase, got 'stock:rel",
    ),
    "a task that gives up on its function": (
        lambda: {"steps": unusable(timeout=Duration.seconds(44))},
        "'ReserveStock' timeout must be a Duration from 45 to 86,400 seconds, got 44 seconds",
    ),
    "a task that gives up on its slower compensation": (
        lambda: {
            "steps": unusable(
                timeout=Duration.seconds(60),
                compensation=a_step_handler("release", timeout=Duration.seconds(50)),
            )
        },
        "'ReserveStock' timeout must be a Duration from 65 to 86,400 seconds",
    ),
    "a number without its unit": (lambda: {"steps": unusable(timeout=60)}, "say the unit: Duration.seconds(60)"),
    "a time-out that nobody knows": (
        lambda: {"steps": unusable(timeout=seconds_later())},
        "'ReserveStock' timeout must be known at synth, got a token",
    ),
    "a function's time-out that nobody knows": (
        lambda: {"steps": unusable(action=a_step_handler("reserve", timeout=seconds_later()))},
        "'ReserveStock' action timeout must be known at synth, got a token",
    ),
    "retries in a number": (lambda: {"steps": unusable(retry=3)}, "'ReserveStock' retry must be a Retry, got 3"),
    "no attempt": (
        lambda: {"steps": unusable(retry=Retry(0))},
        "'ReserveStock' retry attempts must be a whole number from 1 to 100, got 0",
    ),
    "a delay that is longer than the longest": (
        lambda: {"steps": unusable(compensation_retry=Retry(base_delay=Duration.minutes(2)))},
        "'ReserveStock' compensation_retry base_delay must be a Duration from 1 to 60 seconds, got 120 seconds",
    ),
    "a delay of weeks": (
        lambda: {"steps": unusable(retry=Retry(longest_delay=Duration.days(2)))},
        "'ReserveStock' retry longest_delay must be a Duration from 1 to 86,400 seconds",
    ),
    "a namespace with a #": (
        lambda: {"claims_namespace": "a#b"},
        "claims_namespace must be 1 to 128 of A-Z a-z 0-9 . _ -, got 'a#b'",
    ),
    "claims that are forgotten": (
        lambda: {"claims_retention": Duration.days(14)},
        "a claim must outlive its execution, with every retry, and its redrive (14 days) or its recovery",
    ),
    "claims that an approval outlives": (
        lambda: {
            "steps": [a_step(), SagaApproval("Manager", notify=a_step_handler("ship"), timeout=Duration.days(60))]
        },
        "or its recovery, and 'Manager' alone may take 60.2 days: say claims_retention=Duration.days(75)",
    ),
    "an action that is an object": (
        lambda: {"steps": unusable(action=object())},
        "'ReserveStock' action must be a Handler, a lambda_.IFunction or an sfn.TaskStateBase, got a value of type obj",
    ),
    "retries that outlive the claims": (
        lambda: {
            "steps": unusable(compensation_retry=Retry(40, longest_delay=Duration.days(1))),
        },
        "claims_retention must be a Duration from",
    ),
    "a history that is too long": (
        lambda: {"steps": many(150)},
        "steps must need at most 25,000 events of history, got",
    ),
    "a definition that is too large": (
        lambda: {"steps": many(40, no_effect_errors=[f"Declined{number:0100}" for number in range(100)])},
        "steps must make a definition of at most 1,048,576 bytes, got about",
    ),
    "results without room": (
        lambda: {"max_result_bytes": 100_000},
        "max_result_bytes must be a whole number from 2 to 81,920, got 100000",
    ),
    "alarms of another word": (lambda: {"alarms": "some"}, "alarms must be one of 'all', 'critical', 'none'"),
    "a variable of ours": (
        lambda: {"steps": unusable(action=a_step_handler("reserve", environment={"MAX_RESULT_BYTES": "1"}))},
        "'ReserveStock' action environment['MAX_RESULT_BYTES'] must have a name of its own",
    ),
    "more warm than may run": (
        lambda: {
            "steps": unusable(
                action=a_step_handler("reserve", provisioned_concurrent_executions=3, reserved_concurrent_executions=2)
            )
        },
        "'ReserveStock' action provisioned_concurrent_executions must be at most reserved_concurrent_executions, 2",
    ),
}


def many(number: int, **arguments: Any) -> list[SagaStep]:
    both = {"action": a_step_handler("reserve"), "compensation": a_step_handler("release")}
    return [a_step(f"Step{at}", **both, **arguments) for at in range(number)]


@pytest.mark.parametrize("wrong", WRONG)
def test_synth_refuses(wrong: str) -> None:
    arguments, message = WRONG[wrong]
    told = refused(**arguments())
    assert message in told
    assert told.startswith("Shop/Checkout: ")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refused(steps=unusable(name="no-name", compensation=None), claims_namespace="#")
    assert len(told.splitlines()) == 3


def test_two_sagas_may_not_share_a_namespace() -> None:
    stack = new_stack()
    claims = a_saga(stack, "Other").claims
    told = refusal(lambda: a_saga(stack, claims=claims, claims_namespace="Other"))
    assert "claims_namespace must be its own in a shared table" in told


def test_a_compensation_behind_the_pivot_is_refused_with_whatever_else_is_wrong() -> None:
    told = refused(steps=[*behind(retry=Retry(0)), a_step("Late")])
    assert "'Ship' retry attempts" in told
    assert "'Late' compensation must be left out behind the pivot" in told


@pytest.mark.parametrize(
    ("make", "example"),
    [
        (lambda: SagaStep("A", 1, 2), "write SagaStep('Reserve', Handler(...), compensation=Handler(...))"),  # pyright: ignore
        (lambda: SagaParallel(a_step("A"), a_step("B")), "write SagaParallel([reserve, charge]), where"),  # pyright: ignore
        (lambda: SagaChoice("A", [a_step("B")]), "write SagaChoice('Large', when=[(condition, [step])])"),  # pyright: ignore
        (lambda: SagaWait("A", Duration.days(1)), "write SagaWait('CoolOff', duration=Duration.days(2))"),  # pyright: ignore
        (lambda: SagaApproval("M"), "'notify' and 'timeout': write SagaApproval('Manager', notify=Handler(...), "),  # pyright: ignore
    ],
)
def test_what_is_written_otherwise_is_told_how(make: Callable[[], object], example: str) -> None:
    with pytest.raises(TypeError, match=re.escape(example)):
        make()


def test_the_bounds_are_allowed() -> None:
    a_saga(new_stack(), steps=unusable(timeout=Duration.seconds(45)))
    a_saga(new_stack(), steps=unusable(retry=Retry(100)), claims_retention=Duration.days(365))
    a_saga(new_stack(), max_result_bytes=81_920)


def test_a_function_for_a_route_is_no_step() -> None:
    stack = new_stack()
    step = SagaStep("Identify", a_step_handler("identify"), nothing_to_undo=True)
    text = refusal(lambda: a_saga(stack, steps=[step]))
    assert "'Identify' action must take a StepInput, got checkout:identify, which takes a Request" in text
    a_saga(stack, steps=[SagaStep("Identify", a_step_handler("both"), nothing_to_undo=True)])
