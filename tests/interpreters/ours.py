"""A scripted saga on the tests' own interpreter, in virtual time."""

import json
import random
from typing import Any

from tests.interpreters import scripted
from tests.interpreters.saga_cases import NAME, Case, Told, plain
from tests.interpreters.trace import Step
from tests.simulation.asl import Answered, Execution, Machine, TaskFailure
from tests.simulation.saga_synthesized import PARK
from tests.simulation.virtual_time import Schedule

__all__ = ["told_by_ours"]

FUNCTION = "function"


def told_by_ours(case: Case) -> Told:
    chance = random.Random(case.name)
    schedule = Schedule(chance, 0.0)
    asked: list[Any] = []
    items: list[Any] = []
    outcomes: dict[int, list[str]] = {}

    def function(event: Any, answered: Answered) -> None:
        asked.append(event)
        if scripted.says(event) == "hangs":
            return
        try:
            answer = scripted.handler(event)
        except Exception as error:
            name = type(error).__name__
            answer = TaskFailure(name, json.dumps({"errorMessage": str(error), "errorType": name}))
        _answer(answer, answered)

    def park(parameters: Any, answered: Answered) -> None:
        items.append(parameters["Item"])
        _answer({}, answered)

    def _answer(answer: Any, answered: Answered) -> None:
        def tell() -> None:
            here = outcomes.setdefault(len(execution.entered), [])
            before = len(here)
            answered(answer)  # which notes a failure, also that the answer is too large
            if len(here) == before:
                here.append("succeeded")

        schedule.after(0.1, tell)

    def note(_who: str, what: str, more: Any) -> None:
        if what == "failed":
            outcomes.setdefault(len(execution.entered), []).append(more.rpartition(": ")[2])

    machine = Machine(case.definition(FUNCTION))
    services = {FUNCTION: function, PARK: park}
    execution = Execution(machine, NAME, case.document, services, schedule, chance, note)
    execution.start()
    schedule.run()
    end = execution.ended
    assert end is not None
    trace = [
        Step(name, machine.states[name]["Type"], tuple(outcomes.get(number, ())))
        for number, name in enumerate(execution.entered, 1)
    ]
    trace.append(Step("", "Execution", (end.status, *([end.error] if end.error else []))))
    return plain(trace, end.status, end.output, end.error, asked, items)
