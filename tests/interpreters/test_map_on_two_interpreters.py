"""The definitions that `ParallelMap` writes ask the same of their functions, and end alike, on ours and on moto's.

The embedded cloud is a third one: tests/live/test_parallel_map_live.py. moto reads no object in S3 for us.
"""

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from serverless_patterns_runtime.parallel_map import contract
from tests.interpreters.moto_states import Moto, function_arn
from tests.simulation.asl import Answered, TaskFailure
from tests.simulation.map_definition import COMPLETE, GATHER, PROCESS, MapPlan, definitions
from tests.simulation.state_machines_model import StateMachines
from tests.simulation.virtual_time import Schedule

NAME = "document-7"


class PermanentError(Exception):
    pass


@dataclass(frozen=True)
class Case:
    name: str
    given: Any
    outcome: str = "succeeded"
    burying: str = ""


def pages(*does: str) -> dict[str, Any]:
    return {"pages": [{"id": f"p{at}", "does": what} for at, what in enumerate(does)]}


CASES = [
    Case("all are processed", pages("ok", "ok", "ok")),
    Case("one is refused", pages("ok", "is refused", "ok"), "failed"),
    Case("one fails once, one always", pages("fails once", "fails", "ok"), "failed"),
    Case("no dead letter can be sent", pages("is refused", "ok"), "failed", burying="is refused"),
    Case("a list that is too long", pages(*["ok"] * 7), "failed"),
    Case("an empty list", {"pages": []}),
    Case("no list", {"pages": {"id": "p0"}}, "failed"),
    Case("nothing", {}, "failed"),
]
MODES = pytest.mark.parametrize("distributed", [False, True], ids=["inline", "distributed"])


class Functions:
    """What stands behind both: they note what they are asked."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.asked: list[str] = []

    def __call__(self, name: str, event: Any) -> Any:
        shown = {**event, "arn": event["arn"].rpartition(":")[2]} if "arn" in event else dict(event)
        if "error" in shown:
            shown["error"] = shown["error"]["Error"]
        self.asked.append(f"{name} {json.dumps(shown, sort_keys=True)}")
        if name == PROCESS:
            return self._processed(event)
        if event.get("task") == "bury":
            if self._case.burying:
                raise PermanentError("no queue")
            return {}
        if event.get("task") == "gather":
            why = {} if self._case.outcome == "succeeded" else {"reason": "more items failed than are tolerated"}
            return {"outcome": self._case.outcome, "items": 3, "processed": 2, "failed": 1} | why
        return {}

    def _processed(self, event: Any) -> Any:
        does = event["item"]["does"]
        if does == "is refused":
            raise PermanentError("no page")
        if does == "fails" or (does == "fails once" and event["retries"] == 0):
            raise RuntimeError("not now")
        return {}


def told_by_ours(definition: Mapping[str, Any], case: Case, given: Any) -> tuple[str, str | None, list[str]]:
    functions, chance = Functions(case), random.Random(case.name)
    schedule = Schedule(chance, 0.0)

    def service(name: str) -> Any:
        def call(event: Any, answered: Answered) -> None:
            try:
                answer = functions(name, event)
            except Exception as error:
                answer = TaskFailure(type(error).__name__, str(error))
            schedule.after(0.01, lambda: answered(answer))

        return call

    services = {name: service(name) for name in (PROCESS, GATHER, COMPLETE)}
    machines = StateMachines({"Pages": definition}, services, schedule, chance, lambda *_: None)
    run = machines.start("Pages", NAME, given)
    schedule.run()
    assert run.ended is not None
    return run.ended.status, run.ended.error, sorted(functions.asked)


def told_by_moto(
    moto: Moto, definition: Mapping[str, Any], case: Case, given: Any
) -> tuple[str, str | None, list[str]]:
    functions, made = Functions(case), copy.deepcopy(dict(definition))
    for state in _tasks(made):
        state["Resource"] = function_arn(state["Resource"])

    def called(name: str) -> Any:
        return lambda event: functions(name, event)

    items = made["States"].get("Items", {})
    if "ToleratedFailurePercentage" in items:
        items["ToleratedFailurePercentage"] = float(items["ToleratedFailurePercentage"])  # moto reads no whole number
    by_name = {name: called(name) for name in (PROCESS, GATHER, COMPLETE)}
    end = moto.interpret(made, given, by_name, name=NAME)
    return end.status, end.error, sorted(functions.asked)


def _tasks(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        if state["Type"] == "Task":
            yield state
        if "ItemProcessor" in state:
            yield from _tasks(state["ItemProcessor"])


@MODES
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_map_asks_the_same_and_ends_alike(moto: Moto, case: Case, distributed: bool) -> None:
    main, _ = definitions(MapPlan(retries=2, distributed=distributed, max_concurrency=1))  # moto's workers may race
    ours = told_by_ours(main, case, case.given)
    wanted = ("SUCCEEDED", None) if case.outcome == "succeeded" else ("FAILED", contract.ITEMS_FAILED)
    assert ours[:2] == wanted
    assert told_by_moto(moto, main, case, case.given) == ours


ARN = f"arn:aws:states:eu-central-1:1:execution:Pages:{NAME}"
TOLD = {"arn": ARN, "status": "ABORTED"}
EVENT = {"id": "e-1", "source": "aws.states", "detail": {"executionArn": ARN, "status": "ABORTED", "input": "{}"}}


@pytest.mark.parametrize("given", [TOLD, EVENT], ids=["told", "event"])
def test_a_completion_asks_the_same_also_when_it_is_started_with_eventbridge_s_own_event(
    moto: Moto, given: Mapping[str, Any]
) -> None:
    _, completion = definitions(MapPlan(retries=2))
    case = Case("", {})
    ours = told_by_ours(completion, case, given)
    assert (ours[0], len(ours[2])) == ("SUCCEEDED", 2)
    assert ours[2] == told_by_ours(completion, case, TOLD)[2]
    assert told_by_moto(moto, completion, case, given) == ours
