"""An outcome that cannot be known yet is no failure: it is asked for again, for as long as was said."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Effects, StepInput, Unsettled
from serverless_patterns_runtime.saga_state_machine import contract, outside

from .saga import Step

NOT_YET = "Unsettled"


class Asked:
    """A step whose provider does not know; `waited` seconds after its state was entered."""

    def __init__(self, retry_after: float, *, effects: bool = False, kind: str = "action") -> None:
        self.step = Step(self._function, effects=effects)
        self._retry_after, self._kind = retry_after, kind
        self._entered = datetime.fromtimestamp(self.step.clock.now, UTC).isoformat().replace("+00:00", "Z")

    def _function(self, _: StepInput) -> Any:
        raise Unsettled(self._retry_after)

    def told(self, *, waited: float = 0.0, within: int = 900) -> tuple[str, str]:
        self.step.clock.now += waited
        saga = {"error": {}, "results": {"ChargeCard": "charged"}}
        event = self.step.event(self._kind, settles_within=within, entered=self._entered, saga=saga)
        return self.step.error_of(lambda: self.step.send(event))


@pytest.mark.parametrize(
    ("retry_after", "name"), [(0, "Unsettled5"), (5, "Unsettled5"), (6, "Unsettled60"), (61, "Unsettled600")]
)
@pytest.mark.parametrize("kind", ["action", "compensation"])
@pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])
def test_it_is_asked_for_again_no_earlier_than_the_provider_said(
    effects: bool, kind: str, retry_after: float, name: str
) -> None:
    asked = Asked(retry_after, effects=effects, kind=kind)
    assert asked.told()[0] == name
    assert asked.step.outcomes == ["Unsettled"]
    assert asked.step.lines[-1]["level"] == "INFO"


def test_nor_is_it_asked_for_earlier_because_time_runs_out() -> None:
    assert Asked(60).told(waited=841)[0] == contract.PERMANENT_ERROR


@pytest.mark.parametrize(
    ("waited", "name"),
    [(60, "Unsettled5"), (61, "Unsettled60"), (720, "Unsettled60"), (800, "Unsettled60"), (895, "Unsettled5")],
)
def test_the_longer_it_is_unknown_the_more_rarely_it_is_asked_for(waited: float, name: str) -> None:
    assert Asked(0).told(waited=waited)[0] == name


def test_after_that_time_nobody_knows_and_no_retry_will_tell() -> None:
    name, words = Asked(0).told(waited=896)
    assert (name, words.split(":")[0]) == (contract.PERMANENT_ERROR, "Unsettled")


def test_a_step_that_is_not_waited_for_is_tried_again_as_after_any_failure() -> None:
    step = Asked(5).step
    assert step.error_of(step.act)[0] == NOT_YET


def test_an_attempt_that_was_unsettled_may_have_happened() -> None:
    """So a declared error after it is no proof."""
    asked = Asked(0)
    asked.told()

    class Declined(Exception): ...

    def decline(_: StepInput) -> Any:
        raise Declined

    asked.step.function = decline
    assert asked.step.error_of(asked.step.act, no_effect_errors=["Declined"])[0] == contract.PERMANENT_ERROR


def test_what_was_done_after_all_counts() -> None:
    asked = Asked(0)
    asked.told()
    asked.step.function = lambda _: "charged"
    assert asked.step.act() == "charged"


def test_with_effects_an_outcome_that_is_known_counts() -> None:
    step = Step(lambda _: Effects(result=1))
    step.act()

    def ask(_: StepInput) -> Any:
        raise Unsettled

    step.function = ask
    assert step.act(settles_within=900, entered="2026-01-01T00:00:00.000Z") == 1


@given(
    within=st.integers(1, 14 * 86_400),
    retry_after=st.floats(0, 10_000),
    attempt=st.floats(0, 60),
)
def test_no_retrier_comes_to_its_end_before_that_time(within: int, retry_after: float, attempt: float) -> None:
    """Whatever the provider says, and however quick the attempts are: else the saga would be undone too early."""
    left, waited = dict(outside.settling_waits(within)), attempt
    while (wait := outside.wait_for_outcome(within, waited, retry_after)) is not None:
        left[wait] -= 1
        assert left[wait] >= 0, f"{wait} at {waited}"
        waited += wait + attempt
    assert waited <= within + attempt


@given(st.integers(1, 14 * 86_400))
def test_what_it_costs_in_history_is_bounded(within: int) -> None:
    assert sum(outside.settling_waits(within).values()) <= 70 + within // 3600
