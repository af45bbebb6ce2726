"""Steps and approvals that executions under way still take, though the saga has them no more.

An execution keeps the definition with which it began, and calls functions by their ARNs, under the role of today. So
what a step calls has to stay for as long as executions can last; and so has what decides an approval.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from .._checks import Problems
from .._shapes import several, told
from ..saga_approval import SagaApproval
from ..saga_step import SagaStep
from .approval_checks import check_approval
from .foreign_checks import check_doing, check_shared
from .outside_checks import check_outside
from .plan import Planned, PlannedApproval


@dataclass(frozen=True)
class Retired:
    """What is kept, checked."""

    steps: Sequence[SagaStep]
    approvals: Sequence[SagaApproval]

    @property
    def planned(self) -> list[Planned]:
        """The steps: a recovery goes back over them."""
        return [Planned(step, backward=True) for step in self.steps]

    @property
    def waits(self) -> list[PlannedApproval]:
        """The approvals: no way leads to them, and executions under way may still be there."""
        return [PlannedApproval(approval, None) for approval in self.approvals]


def check_retired(problems: Problems, given: Any, names: Collection[str], namespace: str) -> Retired:
    """What is kept; what is wrong with it goes to `problems`.

    Args:
        problems: Takes what is wrong.
        given: What the user gave.
        names: Of everything that the saga has now.
        namespace: Of the claims.
    """
    steps: list[SagaStep] = []
    approvals: list[SagaApproval] = []
    known = set(names)
    for at, step in enumerate(several(problems, "retired_steps", given)):
        if not isinstance(step, SagaStep | SagaApproval):
            fix = "pass the step as it was, SagaStep(name, action, ...), without what it was in"
            problems.add(f"retired_steps[{at}]", "be a SagaStep or a SagaApproval", told(step), fix)
            continue
        if step.name in known:
            fix = "executions under way call the functions of that name, and so do new ones: leave it out"
            problems.add(f"retired_steps[{at}]", "have a name that the saga has no more", repr(step.name), fix)
        known.add(step.name)
        if isinstance(step, SagaApproval):
            check_approval(problems, step)
            approvals.append(step)
            continue
        if step.pivot:
            fix = (
                "executions under way that die are recovered by the pivot of today: deploy it under its old name until "
            )
            fix += "they have ended"
            problems.add(f"{step.name!r} pivot", "be no step that is retired", "True", fix)
        check_doing(problems, step)
        check_outside(problems, step, namespace)
        steps.append(step)
    check_shared(problems, steps)
    for approval in approvals:
        if any(approval.notify in (step.action, step.compensation) for step in steps):
            fix = "its function does nothing else: write a second Handler(...)"
            problems.add(f"{approval.name!r} notify", "be a Handler of its own", "that of a step", fix)
    return Retired(steps, approvals)
