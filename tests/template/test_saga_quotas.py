"""What Step Functions allows of a saga and of its recovery, reckoned at synth and held against the definitions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns import ExternalKey, Retry, SagaChoice, SagaParallel, SagaStep
from serverless_patterns._saga_state_machine.estimates import most_events, most_recovery_events
from serverless_patterns._saga_state_machine.plan import Planned, planned
from tests.template.sagas import a_saga, a_step, a_step_handler, the_definition
from tests.template.stacks import new_stack, refusal
from tests.template.test_saga_under_way import a_native

BOTH = {"action": a_step_handler("reserve"), "compensation": a_step_handler("release")}
MOST_EVENTS = 25_000


def several(number: int, first: int = 0, **more: Any) -> list[SagaStep]:
    return [a_step(f"Step{first + at}", **{**BOTH, **more}) for at in range(number)]


def a_choice(number: int) -> list[SagaChoice]:
    return [SagaChoice("Way", when=[(sfn.Condition.is_present(f"$.{it.name}"), [it]) for it in several(number)])]


def longest(machine: Mapping[str, Any]) -> int:
    """Events on the longest way through a state machine, with every retry; it goes round nowhere."""
    states: Mapping[str, Any] = machine["States"]
    known: dict[str, int] = {}

    def events(name: str) -> int:
        if name not in known:
            known[name] = _events(states[name]) + max(map(events, _following(states[name])), default=0)
        return known[name]

    return events(machine["StartAt"])


def _events(state: Mapping[str, Any]) -> int:
    if state["Type"] == "Parallel":
        return 4 + sum(map(longest, state["Branches"]))
    tries = 1 + sum(it["MaxAttempts"] for it in state["Retry"]) if state["Type"] == "Task" else 0
    return 2 + 4 * tries


def _following(state: Mapping[str, Any]) -> set[str]:
    ways = [state, *state.get("Catch", []), *state.get("Choices", [])]
    return {way[key] for way in ways for key in ("Next", "Default") if key in way}


def the_pivot() -> list[SagaStep]:
    return [a_step("Charge", pivot=True), *(SagaStep(name, BOTH["action"]) for name in ("Ship", "Bill", "Tell"))]


def patient(name: str) -> SagaStep:
    key = ExternalKey("{digest}", Duration.days(2))
    return a_step(name, action=a_step_handler("charge"), external_key=key, compensation_retry=Retry(40))


PLANS: dict[str, tuple[Callable[[Stack], list[Any]], Callable[[], list[SagaStep]]]] = {
    "in a row": (lambda _: several(3), list),
    "with retired ones": (lambda _: several(2), lambda: several(4, first=2)),
    "by one way of many": (lambda _: a_choice(6), list),
    "in branches": (lambda _: [SagaParallel([*several(3)], name="Fork")], list),
    "on from a pivot": (lambda _: the_pivot(), list),
    "back from a pivot": (lambda _: [*several(5), *the_pivot()], list),
    "with waits": (lambda _: [patient("Pay"), *several(1)], list),
    "with a native task": (
        lambda stack: [*several(1), SagaStep("Tell", a_native(stack), compensation=a_native(stack, "Recall"))],
        list,
    ),
}


@pytest.mark.parametrize("plan", PLANS)
def test_no_way_has_more_events_than_were_reckoned(plan: str) -> None:
    stack, (steps, former) = new_stack(), PLANS[plan]
    given, retired = steps(stack), former()
    a_saga(stack, steps=given, retired_steps=retired)
    reckoned = most_recovery_events(planned(given), [Planned(it, backward=True) for it in retired])
    started_and_ended = 2
    found = longest(the_definition(stack, recovery=True)) + started_and_ended
    assert 0.97 * reckoned - 10 <= found <= reckoned
    assert longest(the_definition(stack)) + started_and_ended <= most_events(planned(given))


def test_a_saga_whose_recovery_alone_has_too_many_events_is_refused() -> None:
    assert most_events(planned(a_choice(160))) < 1_000
    text = refusal(lambda: a_saga(new_stack(), steps=a_choice(160)))
    assert "Shop/Checkout: steps must recover with at most 25,000 events of history, got 25,744 at worst: a rec" in text
    assert "retry less, drop what is in retired_steps, or split the saga" in text


def test_retired_steps_count() -> None:
    def make(retired: int) -> None:
        a_saga(new_stack(), steps=several(1), retired_steps=several(retired, first=1))

    assert "steps must recover with at most 25,000 events" in refusal(lambda: make(160))


def test_a_recovery_whose_definition_is_too_large_is_refused() -> None:
    """Which the saga's own is not: it has no state of what is retired."""
    long = [a_step(f"{'Former' * 9}{at}", **BOTH, compensation_retry=Retry(2)) for at in range(500)]
    text = refusal(lambda: a_saga(new_stack(), steps=several(1), retired_steps=long))
    assert "steps must make a recovery with a definition of at most 1,048,576 bytes, got about 1," in text
    assert "make a definition of" not in text


def test_the_saga_s_own_is_told_first_and_alone() -> None:
    text = refusal(lambda: a_saga(new_stack(), steps=several(200)))
    assert "steps must need at most 25,000 events" in text
    assert "recover" not in json.dumps([line for line in text.splitlines() if line.startswith("Shop/Checkout: steps")])
