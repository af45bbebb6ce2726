"""What a saga allows, and is seldom meant: warnings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from aws_cdk import Validations

from .._bundled import name_of
from .._error_names import warn_of_errors
from .._once_complete import once_complete
from ..handler import Handler

if TYPE_CHECKING:
    from constructs import Construct

    from ..saga_step import SagaStep


def warn_of_steps(scope: Construct, steps: Sequence[SagaStep]) -> None:
    """Warn of errors that no action raises, and of one function that does and undoes."""
    for step in steps:
        action, undo = step.action, step.compensation
        if not isinstance(action, Handler):
            continue
        so = "an error by another name runs the step's own compensation, and nobody is told of it"
        warn_of_errors(scope, f"{step.name!r} no_effect_errors", step.no_effect_errors, [action], so)
        if isinstance(undo, Handler) and (undo.code, name_of(undo)) == (action.code, name_of(action)):
            Validations.of(scope).add_warning(
                "serverless-patterns:action-as-compensation",
                f"{step.name!r} has {action.function!r} as its action and as its compensation: what undoes the step"
                " does it once more, unless it looks whether there is a step.error",
            )


def warn_of_undecided(scope: Construct, approvals: Collection[str], offered: Callable[[], Collection[str]]) -> None:
    """Warn of approvals that nobody can decide: no `decision()` was asked for, in whatever stack."""

    def look() -> None:
        for name in sorted({*approvals} - {*offered()}):
            Validations.of(scope).add_warning(
                "serverless-patterns:undecided",
                f"nobody can decide {name!r}, so each saga that asks goes back when the time is over: put "
                f"Route('POST /approvals/{{id}}', saga.decision({name!r})) into an ApiProxy",
            )

    if approvals:
        once_complete(scope, look)
