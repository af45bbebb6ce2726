import dataclasses
import logging

import pytest

from serverless_patterns_runtime import Invocation


def test_a_fake_invocation_needs_nothing():
    invocation = Invocation.fake()
    assert invocation.idempotency_key == "key-1"
    assert invocation.correlation_id == "correlation-1"
    assert invocation.attempt == 1
    assert invocation.remaining() == 30.0
    invocation.logger.info("said", extra={"order_id": "A-1"})


def test_everything_of_a_fake_invocation_can_be_said():
    logger = logging.getLogger("mine")
    invocation = Invocation.fake(
        idempotency_key="k", correlation_id="c", attempt=3, remaining=lambda: 1.5, logger=logger, payload_digest="d"
    )
    assert (invocation.idempotency_key, invocation.correlation_id, invocation.attempt) == ("k", "c", 3)
    assert invocation.remaining() == 1.5
    assert invocation.logger is logger
    assert invocation.claim.payload == "d"


def test_two_fakes_are_equal_whoever_logs_for_them():
    assert Invocation.fake(logger=logging.getLogger("a")) == Invocation.fake(logger=logging.getLogger("b"))
    assert Invocation.fake(attempt=2) != Invocation.fake()


def test_an_invocation_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Invocation.fake().attempt = 2  # type: ignore[misc]
