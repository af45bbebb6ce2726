"""A retry goes to the side of the first try, whatever has become of the percentage."""

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.strangler_gateway.contract import PIN_SECONDS, Side
from serverless_patterns_runtime.strangler_gateway.pins import Pins, PinsUnavailable

from ...simulation.aws_errors import ServiceError, client_error
from .gateway import OTHER, TABLE, Gateway

SIDES: st.SearchStrategy[Side] = st.sampled_from(["legacy", "new"])


@given(st.text(min_size=1), st.lists(SIDES, min_size=1, max_size=8), st.integers(0, PIN_SECONDS - 1))
def test_whatever_is_wanted_later_and_by_whichever_router_the_first_side_holds(
    key: str, wanted: list[Side], pause: int
) -> None:
    gateway = Gateway()
    for side in wanted:
        assert gateway.router().pinned(key, side) == wanted[0]
        gateway.passes(pause)


def test_a_pin_lives_as_long_as_the_construct_says() -> None:
    gateway = Gateway()
    pins = Pins(gateway.dynamodb, TABLE, gateway.clock, seconds=PIN_SECONDS * 4)
    pins.side(OTHER, "k", "legacy")
    gateway.passes(PIN_SECONDS * 3)
    assert pins.side(OTHER, "k", "new") == "legacy"


def test_two_first_tries_at_the_same_moment_agree() -> None:
    gateway = Gateway()
    first, second = gateway.router(), gateway.router()
    inside: list[Side] = []

    def overtaken(carry_out: Any) -> Any:
        gateway.works()
        inside.append(second.pinned("k", "legacy"))
        return carry_out()

    gateway.dynamodb.meets["UpdateItem"] = overtaken
    assert first.pinned("k", "new") == "legacy"
    assert inside == ["legacy"]


def test_keys_and_routes_are_pinned_apart() -> None:
    router = Gateway().router()
    assert router.pinned("a", "new") == "new"
    assert router.pinned("b", "legacy") == "legacy"
    assert router.pinned("a", "legacy", "PUT /basket") == "legacy"


def test_a_pin_is_one_write_and_outlives_what_the_function_remembers_of_a_key_from_each_use() -> None:
    gateway = Gateway()
    router = gateway.router()
    for _ in range(3):
        router.pinned("k", "new")
        (pin,) = gateway.entries("pin#")
        assert int(pin["expires_at"]["N"]) == int(gateway.clock()) + PIN_SECONDS
        assert "k" not in pin["kind"]["S"].removeprefix(f"pin#{OTHER}#")
        gateway.passes(1_000)
    assert gateway.operations() == {"UpdateItem": 3}


@pytest.mark.parametrize(
    "error",
    [
        client_error("dynamodb", "UpdateItem", ServiceError("ThrottlingException", "no")),
        ConnectionClosedError(endpoint_url="https://dynamodb.invalid"),
    ],
)
def test_without_the_table_nobody_knows_where_it_was_sent(error: Exception) -> None:
    gateway = Gateway()
    gateway.fails(error)
    with pytest.raises(PinsUnavailable) as raised:
        gateway.router().pinned("k", "new")
    assert raised.value.__cause__ is error


def test_one_throttle_is_nobody_s_trouble() -> None:
    gateway = Gateway()
    router = gateway.router()

    def throttled(_: Any) -> Any:
        gateway.works()
        raise client_error("dynamodb", "UpdateItem", ServiceError("ThrottlingException", "no"))

    gateway.dynamodb.meets["UpdateItem"] = throttled
    assert router.pinned("k", "new") == "new"
    assert router.pins.known(OTHER, "k") == "new"
    assert router.pins.known(OTHER, "another") is None


def test_who_heard_nothing_of_his_pin_finds_it() -> None:
    gateway = Gateway()

    def lost(carry_out: Any) -> Any:
        carry_out()
        raise ConnectionClosedError(endpoint_url="https://dynamodb.invalid")

    gateway.dynamodb.meets["UpdateItem"] = lost
    with pytest.raises(PinsUnavailable):
        gateway.router().pinned("k", "new")
    gateway.works()
    assert gateway.router().pinned("k", "legacy") == "new"
    assert len(gateway.dynamodb.items(TABLE)) == 1
