"""Starting a saga by an API: whatever is lost, repeated or dies, a key has one execution, and all are told of it."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from serverless_patterns_runtime.api_proxy import key
from serverless_patterns_runtime.saga_state_machine import executions
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions, StartedWithOtherInput

from .api_ledger import Ask
from .faults import FAULTS, Chosen, struck_once
from .searching import others_found
from .start_world import StartWorld

CLIENTS = ("request lost", "answer lost on its way", "sent twice")
Patch = pytest.MonkeyPatch


def ask(name: str, **more: Any) -> Ask:
    return Ask(name, path="/checkout", **more)


STORIES: dict[str, Sequence[Ask]] = {
    "one request, and again when it has ended": [ask("a", again=3), ask("late", at=30.0)],
    "twenty at once": [ask(f"{n}") for n in range(20)],
    "another body": [ask("a"), ask("b", at=0.05, amount=7), ask("c", at=60.0, amount=7)],
    "strangers with one key": [ask("a"), ask("b", caller="bob"), ask("c", caller=None)],
}


def run(story: str, seed: int | str = 7, faults: Any = None) -> StartWorld:
    world = StartWorld(STORIES[story], seed, faults)
    world.run()
    return world


def schedules(number: int) -> Sequence[Callable[[], object]]:
    def one(seed: int) -> StartWorld:
        chance = random.Random(f"faults {seed}")
        story = chance.choice(list(STORIES))
        return run(story, seed, Chosen(chance, chance.choice((0.0, 0.1, 0.4)), 12, (*FAULTS, *CLIENTS)))

    return [partial(one, seed) for seed in range(number)]


@pytest.mark.parametrize("story", STORIES)
def test_no_single_fault_at_any_call_starts_two_or_tells_of_another(story: str) -> None:
    assert struck_once(lambda fault: run(story, faults=fault)) >= 1


def test_no_schedule_starts_two_or_tells_of_another() -> None:
    for one in schedules(150):
        one()


def test_another_input_is_told_so_while_the_first_runs_and_when_it_has_ended() -> None:
    told = [[reply.status for reply in replies] for replies in run("another body").told()]
    assert sorted(told) == [[202], [409], [409]] or sorted(told) == [[202], [202], [409]]


def names_of_no_key(patch: Patch) -> None:
    original, number = CallersExecutions.start, iter(range(10**6))

    def start(self: Any, name: str, document: Any) -> None:  # noqa: ARG001
        original(self, f"{next(number)}", document)

    patch.setattr(CallersExecutions, "start", start)


def refusing_what_has_ended(patch: Patch) -> None:
    def find(self: Any, name: str) -> Any:  # noqa: ARG001
        raise StartedWithOtherInput

    patch.setattr(CallersExecutions, "find", find)


def no_look_at_the_input(patch: Patch) -> None:
    patch.setattr(executions, "digest", lambda _: "")


def unseen_is_another(patch: Patch) -> None:
    patch.setattr(executions, "Contended", lambda _: StartedWithOtherInput())


def keys_of_all_callers(patch: Patch) -> None:
    original = key.digest

    def digest(value: Any) -> str:
        return original(value[1:] if isinstance(value, list) else value)

    patch.setattr(key, "digest", digest)


REMOVALS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "an execution is named by its key": (names_of_no_key, "execution"),
    "one that has ended is looked at": (refusing_what_has_ended, "told 409 for the input that was started"),
    "inputs are compared": (no_look_at_the_input, "another input"),
    "one that is not seen yet is asked for again": (unseen_is_another, "told 409 for the input that was started"),
    "keys are a caller's own": (keys_of_all_callers, "not one execution for a key"),
}


@pytest.mark.parametrize("name", REMOVALS)
def test_without_it_a_schedule_goes_wrong(name: str, monkeypatch: Patch) -> None:
    take_out, violates = REMOVALS[name]
    take_out(monkeypatch)
    assert others_found(violates, schedules(400)) is None
