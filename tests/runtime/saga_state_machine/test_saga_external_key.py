"""Effects outside: a key is given only while the provider surely knows it, and to nobody who could outlive it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Effects, KeyExpired, StepInput
from serverless_patterns_runtime.claims.leases import CLOCK_SKEW_SECONDS
from serverless_patterns_runtime.saga_state_machine import contract, outside

from .saga import Step

KEY: contract.ExternalKey = {"format": "{namespace}-{execution}-{step}", "lifetime": 1000}
DIGEST: contract.ExternalKey = {"format": "{digest}", "lifetime": 1000}
FAILED = {"error": {}, "results": {"ChargeCard": "charged"}}
CLAIMS_LIVE_LONGER = {"claims_retention_seconds": 10_000}


def send(step: StepInput) -> str:
    return step.external_key


def fails_first(keys: list[str], times: int = 1) -> Any:
    def function(step: StepInput) -> str:
        keys.append(step.external_key)
        if len(keys) <= times:
            raise OSError
        return step.external_key

    return function


def test_a_key_is_as_its_format_says() -> None:
    assert Step(send, effects=False).act(external_key=KEY) == "Checkout-order-7-ChargeCard"


def test_an_action_and_its_compensation_send_different_things() -> None:
    told: list[str] = []
    for settings in (KEY, DIGEST):
        for kind in ("action", "compensation"):
            step = Step(lambda step: told.append(step.external_key), effects=False)
            step.send(step.event(kind, external_key=settings, saga=FAILED))
    assert told[:2] == ["Checkout-order-7-ChargeCard", "Checkout-order-7-ChargeCard_undo"]
    assert len({*told}) == 4
    assert [len(key) for key in told[2:]] == [outside.DIGEST_CHARACTERS] * 2


def test_a_digest_is_of_the_input_too() -> None:
    """A name can be used again after 90 days, and a provider may remember for longer."""
    keys = [Step(send, effects=False).act(external_key=DIGEST, input={"amount": amount}) for amount in (1, 2)]
    assert len(set(keys)) == 2


def test_every_attempt_has_the_same_key() -> None:
    keys: list[str] = []
    step = Step(fails_first(keys), effects=False)
    step.error_of(step.act, external_key=KEY)
    step.clock.now += 500
    assert step.act(external_key=KEY) == keys[0] == keys[1]


@pytest.mark.parametrize("kind", ["action", "compensation"])
def test_no_attempt_gets_a_key_that_it_could_outlive(kind: str) -> None:
    """Its life began with the first attempt, which may have sent it; this one may send it at its very last moment."""
    keys: list[str] = []
    step = Step(fails_first(keys, times=9), effects=False, **CLAIMS_LIVE_LONGER)
    event = step.event(kind, external_key=KEY, saga=FAILED)
    began = step.clock.now
    step.error_of(lambda: step.send(event))
    step.clock.now = int(began) + 1000 - step.timeout - CLOCK_SKEW_SECONDS
    step.error_of(lambda: step.send(event))
    assert len(keys) == 2
    step.clock.now += 1
    name, words = step.error_of(lambda: step.send(event))
    assert (name, words.split(":")[0]) == (contract.PERMANENT_ERROR, "KeyExpired")
    assert len(keys) == 2


def test_a_function_can_look_up_what_it_may_not_send_again() -> None:
    def charge(step: StepInput) -> str:
        if step.key_expired:
            return f"looked up {step.action_key}"
        raise OSError

    step = Step(charge, effects=False, **CLAIMS_LIVE_LONGER)
    step.error_of(step.act, external_key=KEY)
    step.clock.now += 1000
    assert step.act(external_key=KEY) == "looked up Checkout#order-7#ChargeCard"


def test_attempts_that_die_have_used_the_key_too() -> None:
    """Nothing is recorded after the call: it is before it."""
    step = Step(send, effects=False, **CLAIMS_LIVE_LONGER)
    step.function = _die
    with pytest.raises(KeyboardInterrupt):
        step.act(external_key=KEY)
    claim = step.claim()
    assert claim is not None
    assert claim["begun_at"] == {"N": str(int(step.clock.now))}
    step.clock.now += 1000
    step.function = send
    assert step.error_of(step.act, external_key=KEY)[1].startswith("KeyExpired: ")


def _die(_: StepInput) -> Any:
    raise KeyboardInterrupt


def test_a_step_without_a_key_keeps_no_date() -> None:
    step = Step(lambda _: 1, effects=False)
    step.act()
    claim = step.claim()
    assert claim is not None
    assert "begun_at" not in claim


def test_effects_take_no_lease_and_so_get_no_key() -> None:
    """A step of the definition before this deployment: what is refused at synth now."""

    def charge(step: StepInput) -> Effects:
        return Effects(result=step.external_key)

    step = Step(charge)
    assert step.error_of(step.act, external_key=KEY)[1].startswith("KeyExpired: ")


def test_it_is_no_failure_of_a_downstream() -> None:
    """A breaker that counts everything but PermanentError stays closed."""
    assert KeyExpired().status is None


NAMES = st.from_regex(contract.STEP_NAME, fullmatch=True)
EXECUTIONS = st.from_regex("[A-Za-z0-9_.-]{1,80}", fullmatch=True)


@given(st.lists(st.tuples(EXECUTIONS, NAMES), min_size=2, max_size=2, unique=True))
@pytest.mark.parametrize("format", ["{execution}-{step}", "{step}.{execution}", "{namespace}/{execution}/{step}"])
def test_no_two_steps_share_a_key(format: str, steps: list[tuple[str, str]]) -> None:
    keys = [
        outside.key_of(format, namespace="n", execution=execution, step=step, claim="", payload="")
        for execution, step in steps
    ]
    assert len(set(keys)) == 2
