"""The definition that the construct writes does the same on our interpreter and on moto's, which knows nothing of ours.

A third one, the embedded cloud's, does it in tests/live/test_saga_trace_live.py.
"""

import threading
from typing import Any

import pytest

from tests.interpreters import scripted
from tests.interpreters.moto_states import Moto, function_arn
from tests.interpreters.ours import told_by_ours
from tests.interpreters.saga_cases import CASES, NAME, Case, Told, random_case, told
from tests.interpreters.saga_tree_cases import TREE_CASES, TreeCase, without_order


def told_by_moto(moto: Moto, case: Case) -> Told:
    over = threading.Event()

    def function(event: Any) -> Any:
        if scripted.says(event) == "hangs":
            over.wait(60)
            return None
        return scripted.handler(event)

    def hangs(state: str, retries: int) -> bool:
        return case.says(f"action {state}", retries) == "hangs"

    try:
        definition = case.definition(function_arn("scripted"))
        ended = moto.interpret(definition, case.document, {"scripted": function}, name=NAME, given_up=hangs)
    finally:
        over.set()
    return told(ended.history, ended.status, ended.output, ended.error, ended.items)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_saga_leaves_the_same_trace(moto: Moto, case: Case) -> None:
    ours = told_by_ours(case)
    assert (ours.status, ours.error) == (case.status, case.error)
    assert told_by_moto(moto, case) == ours


@pytest.mark.parametrize("seed", range(8))
def test_a_random_saga_leaves_the_same_trace(moto: Moto, seed: int) -> None:
    case = random_case(seed)
    assert told_by_moto(moto, case) == told_by_ours(case)


@pytest.mark.parametrize("case", TREE_CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_saga_with_branches_leaves_the_same_trace(moto: Moto, case: TreeCase) -> None:
    ours = told_by_ours(case)
    assert (ours.status, ours.error) == (case.status, case.error)
    assert without_order(told_by_moto(moto, case)) == without_order(ours)
