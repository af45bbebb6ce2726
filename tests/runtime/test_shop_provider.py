"""The fake payment provider: one charge a key for as long as keys live, and faults that strike whom they must."""

import os
import signal
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import payment_provider
import pytest
from demo.provider.ledger import Ledger
from demo.provider.process import PaymentProvider

KEY, OTHER = "checkout-1", "checkout-11"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def charged(ledger: Ledger, key: str = KEY, amount: int = 500) -> int:
    known = ledger.begin(key, KEY, KEY, amount)
    return (known or ledger.finish(key))[0]


def test_a_key_charges_once_within_its_lifetime_and_again_after_it() -> None:
    clock = Clock()
    ledger = Ledger(key_lifetime=60, clock=clock)
    assert [charged(ledger), charged(ledger)] == [201, 201]
    assert len(ledger.find(KEY)) == 1
    clock.now = 60
    charged(ledger)
    assert len(ledger.find(KEY)) == 2, "whoever sends it so late has to look it up instead"


def test_a_key_means_one_amount() -> None:
    ledger = Ledger()
    assert [charged(ledger), charged(ledger, amount=501)] == [201, 422]


def test_a_refund_finds_every_charge_of_a_reference() -> None:
    clock = Clock()
    ledger = Ledger(key_lifetime=60, clock=clock)
    charged(ledger)
    clock.now = 60
    charged(ledger)
    assert ledger.refund(KEY) == (201, {"reference": KEY, "refunded": 1000})
    assert ledger.refund(KEY) == (201, {"reference": KEY, "refunded": 0})


def test_a_charge_that_has_begun_when_it_is_called_off_has_to_end_first() -> None:
    ledger = Ledger()
    ledger.begin(KEY, KEY, KEY, 500)
    assert ledger.refund(KEY)[0] == 409
    ledger.finish(KEY)
    assert ledger.refund(KEY) == (201, {"reference": KEY, "refunded": 500})


def charge(reference: str) -> tuple[int, object]:
    """As the shop does."""
    return payment_provider.charge(f"digest of {reference}", reference, reference, 500)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Generator[PaymentProvider]:
    with PaymentProvider() as there:
        monkeypatch.setenv("PAYMENT_PROVIDER", there.url)
        yield there


def test_the_shop_s_client_and_the_process_understand_each_other(provider: PaymentProvider) -> None:
    with ThreadPoolExecutor(8) as callers:
        statuses = [status for status, _ in callers.map(charge, [KEY] * 20)]
    assert set(statuses) <= {201, 409}
    assert len(provider.charges()) == 1
    assert [found["amount"] for found in payment_provider.find(KEY)] == [500]
    assert payment_provider.refund(KEY, KEY)[1]["refunded"] == 500


def test_a_fault_strikes_whom_it_is_meant_for_as_often_as_it_is_meant(provider: PaymentProvider) -> None:
    provider.inject("charge", "fails", "checkout-1", times=2)
    for _ in range(2):
        with pytest.raises(payment_provider.ProviderFailed):
            charge(KEY)
    assert charge(OTHER)[0] == charge(KEY)[0] == 201
    assert [(fault.matching, fault.fired) for fault in provider.faults()] == [("checkout-1", 2)]
    assert len(provider.charges()) == 2, "it acts before it fails"


def test_one_that_is_down_has_not_acted_until_it_is_mended(provider: PaymentProvider) -> None:
    provider.inject("charge", "down", "checkout-1")
    for _ in range(3):
        with pytest.raises(payment_provider.ProviderFailed):
            charge(KEY)
    assert provider.charges() == []
    provider.mend("checkout-1")
    assert charge(KEY)[0] == 201


def test_patience_ends_before_a_slow_answer(provider: PaymentProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_provider, "PATIENCE_SECONDS", 0.2)
    provider.inject("charge", "slow", "checkout-1", times=1, seconds=5)
    with pytest.raises(payment_provider.NoAnswer):
        charge(KEY)
    assert len(provider.charges()) == 1
    assert charge(KEY)[0] == 201


def test_it_ends_with_its_block() -> None:
    with PaymentProvider() as provider:
        assert provider.charges() == []
    with pytest.raises(OSError, match="refused"):
        provider.charges()


def test_a_detached_one_stays() -> None:
    with PaymentProvider() as provider:
        pid = provider.detach()
    assert provider.charges() == []
    os.kill(pid, signal.SIGTERM)
