"""Keys, names and paths that two sides and executions under way rely on: changed, they forget what is done."""

import re

from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.saga_state_machine import contract

NAMES = st.from_regex(contract.STEP_NAME, fullmatch=True)
EXECUTIONS = st.from_regex("[A-Za-z0-9_.-]{1,80}", fullmatch=True)


def test_the_keys_are_these() -> None:
    assert contract.action_key("Checkout", "order-7", "Ship") == "Checkout#order-7#Ship"
    assert contract.compensation_key("Checkout", "order-7", "Ship") == "Checkout#order-7#Ship#compensation"
    assert contract.parked_key("Checkout", "order-7", "Ship") == "parked#Checkout#order-7#Ship"


@given(st.lists(st.tuples(EXECUTIONS, NAMES), min_size=2, max_size=2, unique=True))
def test_no_two_steps_share_a_key(steps: list[tuple[str, str]]) -> None:
    makers = (contract.action_key, contract.compensation_key, contract.parked_key)
    keys = [make("Checkout", execution, name) for execution, name in steps for make in makers]
    assert len(set(keys)) == 6


@given(NAMES)
def test_a_step_s_name_is_part_of_a_path_and_leaves_room_in_a_state_s_name(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
    assert len(f"Compensate {name}") <= 80
