"""Steps that executions under way still take, though the saga has them no more.

An execution keeps the definition with which it began, and calls functions by their ARNs, under the role of today. So
what a step calls has to stay for as long as executions can last.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .._checks import Problems
from .._shapes import several
from ..saga_step import SagaStep
from .foreign_checks import check_doing, check_shared
from .outside_checks import check_outside


def check_retired(problems: Problems, given: Any, names: Collection[str], namespace: str) -> list[SagaStep]:
    """The steps that are kept; what is wrong with them goes to `problems`.

    Args:
        problems: Takes what is wrong.
        given: What the user gave.
        names: Of everything that the saga has now.
        namespace: Of the claims.
    """
    kept: list[SagaStep] = []
    known = set(names)
    for at, step in enumerate(several(problems, "retired_steps", given)):
        if not isinstance(step, SagaStep):
            fix = "pass the step as it was: SagaStep(name, action, ...)"
            problems.add(f"retired_steps[{at}]", "be a SagaStep", repr(step), fix)
            continue
        if step.name in known:
            fix = "executions under way call the functions of that name, and so do new ones: leave it out"
            problems.add(f"retired_steps[{at}]", "have a name that the saga has no more", repr(step.name), fix)
        known.add(step.name)
        if step.pivot:
            fix = (
                "executions under way that die are recovered by the pivot of today: deploy it under its old name until "
            )
            fix += "they have ended"
            problems.add(f"{step.name} pivot", "be no step that is retired", "True", fix)
        check_doing(problems, step)
        check_outside(problems, step, namespace)
        kept.append(step)
    check_shared(problems, kept)
    return kept
