"""All executions of a matrix at once, on a deployed saga; and each of them as the judge of the simulation sees it."""

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from types import SimpleNamespace
from typing import Any

from serverless_patterns.testing import Deployment, EmbeddedCloud, Fault, wait_until
from serverless_patterns_runtime.saga_state_machine import contract
from tests.interpreters.trace import Step, trace_of
from tests.live.handlers.saga_faults import TWIN
from tests.live.honesty.raw_state_machine import Execution
from tests.live.saga_matrix import Cell
from tests.live.saga_matrix_ledger import Change, Changes
from tests.live.saga_matrix_stack import NAMESPACE, MatrixStack
from tests.simulation.asl import Ended
from tests.simulation.saga_ledger import Books
from tests.simulation.saga_tree_invariants import up_to_the_pivot
from tests.simulation.saga_trees import flat, precedes

__all__ = ["Matrix", "Played"]

SDK_ATTEMPTS = 3
AT_WORK = 4
"""Executions; those that wait for a time-out or a lease do not count."""
DEADLINE_SECONDS = 500


@dataclass
class Played:
    """One execution, from outside."""

    cell: Cell
    arn: str
    ended: Ended | None = None
    trace: Mapping[str, Step] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    """What the test was told when it sent the step's event once more: `done`, or the error."""
    repeating: Future[None] | None = None
    came_to_its_step: bool = False
    books: Books = field(default_factory=Books)
    claims: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def world(self) -> Any:
        """What the judge of the simulation looks at."""
        tree = self.cell.tree
        plans = flat(tree)
        return SimpleNamespace(
            name=self.cell.name,
            plans=plans,
            steps={plan.name: plan for plan in plans},
            way=tree,
            before=precedes(tree),
            backward=up_to_the_pivot(tree),
            waits_for_nothing=False,
            books=self.books,
            claims=lambda: self.claims,
            execution=SimpleNamespace(ended=self.ended),
            faults=SimpleNamespace(spent=int(self.cell.is_repeated)),
        )

    def tries_of(self, state: str) -> tuple[str, ...]:
        """Outcomes of its attempts, without those that an attempt before them stood in the way of."""
        return tuple(outcome for outcome in self.trace[state].outcomes if outcome != contract.RUNNING_ELSEWHERE)

    def __str__(self) -> str:
        told = [self.cell, self.cell.input, *self.trace.values(), self.books.order, self.repeated]
        return "\n".join(map(str, told))

    def hear(self, change: Change) -> None:
        run = change.count(self.books, flat(self.cell.tree))
        self.came_to_its_step |= run is not None and run.plan.name == self.cell.step


class Matrix:
    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: MatrixStack) -> None:
        self._cloud = cloud
        self._states, self._lambda, self._dynamodb = map(cloud.client, ("stepfunctions", "lambda", "dynamodb"))  # type: ignore[arg-type]
        self._machine = deployment.physical_id(stack.saga.state_machine)
        self._ledger, self._claims = map(deployment.physical_id, (stack.ledger, stack.claims))
        self._changes = Changes(cloud, self._ledger)

    def play(self, cells: Sequence[Cell]) -> Mapping[Cell, Played]:
        """An execution of each."""
        played: dict[Cell, Played] = {}
        to_come = iter(cells)
        with self._lost_answers(cells), ThreadPoolExecutor(AT_WORK) as pool:

            def all_ended() -> bool:
                by_name = {each.cell.name: each for each in played.values()}
                running = [by_name[name] for name in self._running()]
                self._hear(by_name)
                for each in running:
                    if each.came_to_its_step and each.cell.is_repeated_at_once and not each.repeating:
                        each.repeating = pool.submit(self._repeat, each)
                at_work = sum(not (each.cell.waits and each.came_to_its_step) for each in running)
                begun = [self._start(cell) for cell in islice(to_come, max(0, AT_WORK - at_work))]
                played.update({each.cell: each for each in begun})
                return not running and not begun

            wait_until(all_ended, DEADLINE_SECONDS, "the end of all executions", interval_seconds=0.25)
            list(pool.map(self._look_back, played.values()))
        self._settle(played)
        return played

    @contextmanager
    def _lost_answers(self, cells: Iterable[Cell]) -> Generator[None]:
        """What an action with Effects cannot act out: its commit is done, and nobody hears of it."""
        faults = [
            Fault.lost_answer(
                "dynamodb",
                "TransactWriteItems",
                times=SDK_ATTEMPTS if cell.goes_on else 2 * SDK_ATTEMPTS,
                body=f"TransactItems[?Put.Item.claim.S == '{NAMESPACE}#{cell.name}#{cell.step}']",
            )
            for cell in cells
            if cell.fault == "raises after" and cell.effects
        ]
        with self._cloud.faults.inject(*faults):
            yield

    def _start(self, cell: Cell) -> Played:
        given = {"name": cell.name, "input": json.dumps(cell.input)}
        return Played(cell, self._states.start_execution(stateMachineArn=self._machine, **given)["executionArn"])

    def _running(self) -> list[str]:
        told = self._states.list_executions(stateMachineArn=self._machine, statusFilter="RUNNING", maxResults=1000)
        return [execution["name"] for execution in told["executions"]]

    def _repeat(self, played: Played) -> None:
        """Let the step's function have the first event once more, to the letter."""
        cell = played.cell
        scheduled = Execution(self._states, played.arn).details("LambdaFunctionScheduled")
        given = next(each for each in scheduled if json.loads(each["input"])["step"] == cell.step)
        answer = self._lambda.invoke(FunctionName=given["resource"], Payload=given["input"])
        told = json.loads(answer["Payload"].read())
        played.repeated.append(told["errorType"] if "FunctionError" in answer else "done")
        if cell.fault == "twice":
            item = {"execution": {"S": cell.name}, "entry": {"S": TWIN}}
            self._dynamodb.put_item(TableName=self._ledger, Item=item)

    def _look_back(self, played: Played) -> None:
        execution = Execution(self._states, played.arn)
        told = execution.described()
        output = json.loads(told["output"]) if told.get("output") else None
        played.ended = Ended(told["status"], output, told.get("error"), told.get("cause"))
        played.trace = {step.name: step for step in trace_of(execution.history())}
        if played.repeating:
            played.repeating.result()
        if played.cell.fault == "late":
            self._repeat(played)

    def _settle(self, played: Mapping[Cell, Played]) -> None:
        """What only the end can tell."""
        self._hear({each.cell.name: each for each in played.values()})
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._claims, ConsistentRead=True)
        claims = {(item["claim"]["S"],): item for page in pages for item in page["Items"]}
        answers = {key: item["answer"]["S"] for (key,), item in claims.items() if "answer" in item}
        for each in played.values():
            each.claims, each.books.recorded = claims, answers
            # A compensation begins when nothing of its action can come any more: what is recorded now was so then.
            each.books.runs = [replace(run, before=answers.get(run.step.action_key)) for run in each.books.runs]

    def _hear(self, by_name: Mapping[str, Played]) -> None:
        for change in self._changes.read():
            by_name[change.execution].hear(change)
