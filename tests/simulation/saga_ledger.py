"""The test's own books of a saga, which the code under test never sees: what ran, what took effect, in which order."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime import Effects, Invocation, PermanentError, StepInput, Update

from .faults import Call
from .lambda_model import Sandbox
from .saga_definition import Plan

__all__ = ["DECLINED", "EFFECTS", "Books", "Run", "action", "compensation"]

EFFECTS = "EFFECTS"
DECLINED = "Declined"
FAILURES = {"fails once": 1, "fails twice": 2, "hangs once": 1, "fails once, then is declined": 1}


class Declined(PermanentError):
    """What a definition may declare to have no effect."""


@dataclass(frozen=True)
class Run:
    """One run of a business function."""

    kind: str
    plan: Plan
    step: StepInput
    key: str
    attempt: int
    at: float
    before: str | None
    """What the claims table then held as the action's result."""


@dataclass
class Books:
    runs: list[Run] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    net: Counter[str] = field(default_factory=Counter)
    """By step: done, less undone. Inside DynamoDB as the table shows it, outside as the provider does."""
    order: list[tuple[str, str]] = field(default_factory=list)
    """`do` or `undo`, and the step."""
    most: int = 0
    least: int = 0
    recorded: dict[str, str] = field(default_factory=dict)
    """Results of actions, by the claim's id; seen at the table."""
    sent: list[Any] = field(default_factory=list)
    """What functions have told the state machine."""

    def count(self, step: str, change: int) -> None:
        if change == 0:
            return
        self.net[step] += change
        self.most, self.least = max(self.most, self.net[step]), min(self.least, self.net[step])
        self.order.append(("do" if change > 0 else "undo", step))

    def runs_of(self, kind: str, step: str) -> list[Run]:
        return [run for run in self.runs if (run.kind, run.plan.name) == (kind, step)]

    def runs_of_kind(self, kind: str) -> list[Run]:
        return [run for run in self.runs if run.kind == kind]

    # A provider outside, which knows a charge by its key, and forgets it with the refund.

    def charge(self, step: str) -> None:
        self.count(step, 1 - self.net[step])

    def refund(self, step: str) -> None:
        self.count(step, -self.net[step])


Function = Callable[[StepInput, Invocation], Any]
Fault = Callable[[Call], str | None]


def action(books: Books, plan: Plan, sandbox: Sandbox, fault: Fault) -> Function:
    """What a user would have written, for one sandbox."""

    def act(step: StepInput, invocation: Invocation) -> Any:
        _begin(books, "action", plan, sandbox, step, invocation)
        number = len(books.runs_of("action", plan.name))
        sandbox.sleep(plan.seconds)
        if (plan.does, number) == ("is declined first", 1) or (plan.does == "is declined again" and number > 1):
            raise Declined("no more credit")
        if plan.does in ("fails", "is declined", "is refused", "fails once", "fails twice"):
            _misbehave()
        result = {"receipt": f"{sandbox.schedule.chance.getrandbits(64):x}", "step": plan.name}
        if plan.does == "is too large":
            result["filling"] = "x" * 300_000
        if plan.effects:
            _work(sandbox, fault)
            if _often("hangs"):
                sandbox.sleep(10**6)
            if plan.does in ("fails after", "fails once, then is declined"):
                _misbehave()
            return Effects([Update(EFFECTS, {"id": plan.name}, add={"times": 1})], result=result)
        if plan.does == "fails once, then is declined" and books.failures[plan.name] > 0:
            raise Declined("no more credit")
        books.charge(plan.name)
        _work(sandbox, fault)
        if _often("hangs"):
            sandbox.sleep(10**6)
        if plan.does in ("fails after", "fails once, then is declined"):
            _misbehave()
        return result

    def _often(what: str) -> bool:
        if not plan.does.startswith(what):
            return False
        books.failures[plan.name] += 1
        return books.failures[plan.name] <= FAILURES.get(plan.does, 10**9)

    def _misbehave() -> None:
        books.failures[plan.name] += 1
        if plan.does == "is declined":
            raise Declined("no more credit")
        if plan.does == "is refused":
            raise PermanentError("not to be had")
        if books.failures[plan.name] <= FAILURES.get(plan.does, 10**9):
            raise RuntimeError("the bank does not answer")
        if plan.does == "fails once, then is declined":
            raise Declined("no more credit")

    return act


def compensation(books: Books, plan: Plan, sandbox: Sandbox, fault: Fault) -> Function:
    """For Effects one that may only be run when they are there: it does not look."""

    def undo(step: StepInput, invocation: Invocation) -> Any:
        _begin(books, "compensation", plan, sandbox, step, invocation)
        number = len(books.runs_of("compensation", plan.name))
        sandbox.sleep(0.1)
        if plan.undo == "is refused":
            raise PermanentError("the shop has closed")
        if plan.undo == "fails always" or (plan.undo == "fails once" and number == 1):
            raise RuntimeError("the bank does not answer")
        if plan.effects:
            _work(sandbox, fault)
            return Effects([Update(EFFECTS, {"id": plan.name}, add={"times": -1})])
        books.refund(plan.name)
        _work(sandbox, fault)
        return None

    return undo


def _begin(books: Books, kind: str, plan: Plan, sandbox: Sandbox, step: StepInput, invocation: Invocation) -> None:
    sandbox.check_alive()  # shipped code may catch even Killed; the dead still do nothing
    before = books.recorded.get(step.action_key)
    books.runs.append(
        Run(kind, plan, step, invocation.idempotency_key, invocation.attempt, sandbox.schedule.now, before)
    )


def _work(sandbox: Sandbox, fault: Fault) -> None:
    if fault(Call("function", "Work", {})) is not None:
        sandbox.crash()


def result_of(recorded: str | None) -> Mapping[str, Any] | None:
    return None if recorded is None else json.loads(recorded)


__all__ += ["result_of"]
