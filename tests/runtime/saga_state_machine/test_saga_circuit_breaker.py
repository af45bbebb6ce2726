"""A step's circuit breaker: asked before anything is claimed, and no refusal is an attempt."""

from typing import Any

import pytest

from serverless_patterns_runtime import Effects, PermanentError, StepInput, Update
from serverless_patterns_runtime.circuit_breaker import contract as breaker_contract
from serverless_patterns_runtime.saga_state_machine import contract

from ..circuit_breaker.fleet import NAME, Down, Fleet
from .saga import Step

GUARDED = {"circuit_breaker": NAME}


class Guarded:
    """A step over a downstream, which a breaker with the threshold 3 guards."""

    def __init__(self, *, effects: bool = False) -> None:
        self.fleet = Fleet()
        self.step = Step(self._charge, effects=effects)
        self.step.clock.now = self.fleet.clock.now
        self.step.edge = self.step.edge._replace(breakers={NAME: self.fleet.breaker()})
        self._effects = effects

    def _charge(self, _: StepInput) -> Any:
        answer = self.fleet.downstream()
        return Effects([Update("ROWS", {"id": "card"}, add={"times": 1})], result=answer) if self._effects else answer

    def open(self) -> None:
        self.fleet.down = Down()
        names = [self.step.error_of(self.step.act, **GUARDED)[0] for _ in range(3)]
        assert names == ["Down", "Down", contract.CIRCUIT_OPEN], "the one by which it opened is no attempt"

    def after(self, seconds: float) -> None:
        self.step.clock.now += seconds
        self.fleet.clock.now = self.step.clock.now


MODES = pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])


@MODES
def test_while_it_is_open_nothing_is_called_and_nothing_claimed(effects: bool) -> None:
    guarded = Guarded(effects=effects)
    guarded.open()
    before, claim = len(guarded.step.dynamodb.operations), guarded.step.claim()
    name, words = guarded.step.error_of(guarded.step.act, **GUARDED)
    assert (name, words) == (contract.CIRCUIT_OPEN, "the circuit breaker is open")
    assert guarded.fleet.calls == 3
    assert guarded.step.dynamodb.operations[before:] == []
    assert guarded.step.claim() == claim
    assert guarded.step.outcomes[-1] == "Held"
    assert guarded.fleet.metrics[breaker_contract.METRIC_REFUSED] == 1


@MODES
def test_one_probe_and_it_goes_on(effects: bool) -> None:
    guarded = Guarded(effects=effects)
    guarded.open()
    guarded.after(31)
    assert guarded.step.error_of(guarded.step.act, **GUARDED)[0] == contract.CIRCUIT_OPEN, "a probe is no attempt"
    guarded.fleet.down = None
    guarded.after(31)
    assert guarded.step.act(**GUARDED) == "answered"
    assert guarded.fleet.calls == 5


def test_the_log_says_what_the_probe_has_met() -> None:
    guarded = Guarded()
    guarded.open()
    (line,) = [line for line in guarded.step.lines if line.get("outcome") == "Held"]
    assert line["error_type"] == "Down"


def test_a_compensation_lays_its_tombstone_whatever_the_breaker_says() -> None:
    guarded = Guarded()
    guarded.open()
    told = guarded.step.error_of(guarded.step.undo, saga={"error": {}}, **GUARDED)
    assert told[0] == contract.CIRCUIT_OPEN
    claim = guarded.step.claim()
    assert claim is not None
    assert claim["undone"] == {"BOOL": True}
    assert guarded.step.claim("Checkout#order-7#ChargeCard#compensation") is None


def test_where_there_is_nothing_to_undo_nobody_is_asked() -> None:
    guarded = Guarded(effects=True)
    guarded.open()
    assert guarded.step.undo(saga={"error": {}}, action_returns_effects=True, **GUARDED) is None


def test_what_was_done_already_gives_the_probe_back() -> None:
    guarded = Guarded()
    guarded.step.act(**GUARDED)
    guarded.fleet.down = Down()
    for _ in range(3):
        guarded.step.error_of(guarded.step.act, execution="order-8", **GUARDED)
    guarded.after(31)
    assert guarded.step.act(**GUARDED) == "answered", "told again, without a call"
    guarded.fleet.down = None
    assert guarded.step.act(execution="order-8", **GUARDED) == "answered"


def test_a_refusal_by_the_downstream_is_final_however_open_the_breaker_is() -> None:
    guarded = Guarded()
    guarded.fleet.settings["counts"] = ["PermanentError"]
    guarded.fleet.settings["failure_threshold"] = 1
    guarded.fleet.down = PermanentError("no such card")
    assert guarded.step.error_of(guarded.step.act, **GUARDED) == ("PermanentError", "PermanentError: no such card")


def test_a_declared_error_keeps_its_name_when_it_opens_the_breaker() -> None:
    class Declined(Exception): ...

    guarded = Guarded()
    guarded.fleet.settings["failure_threshold"] = 1
    guarded.fleet.down = Declined()
    assert guarded.step.error_of(guarded.step.act, no_effect_errors=["Declined"], **GUARDED)[0] == "Declined"


def test_a_breaker_that_this_deployment_does_not_know_guards_nothing() -> None:
    """An execution under way still has its name; without it the step would never end."""
    guarded = Guarded()
    assert guarded.step.act(circuit_breaker="Former") == "answered"
    assert guarded.fleet.dynamodb.operations == []


def test_the_last_failure_of_a_lone_saga_asks_the_breaker_before_the_saga_goes_back() -> None:
    guarded = Guarded()
    guarded.fleet.down = Down()
    assert guarded.step.error_of(guarded.step.act, retries=4, tries=5, **GUARDED)[0] == "Down"
    assert guarded.step.error_of(guarded.step.act, retries=5, tries=5, **GUARDED)[0] == contract.CIRCUIT_OPEN
    guarded.after(31)
    assert guarded.step.error_of(guarded.step.act, retries=6, tries=5, **GUARDED)[0] == contract.CIRCUIT_OPEN
    guarded.fleet.down = None
    guarded.after(31)
    assert guarded.step.act(retries=7, tries=5, **GUARDED) == "answered"


def test_the_last_failure_is_final_where_it_is_none_of_the_downstream_s() -> None:
    guarded = Guarded()
    guarded.fleet.down = PermanentError("no such card")
    assert guarded.step.error_of(guarded.step.act, retries=5, tries=5, **GUARDED)[0] == "PermanentError"
