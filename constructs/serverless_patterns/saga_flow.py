"""`SagaParallel`, `SagaChoice`, `SagaWait`: how a saga's steps stand to each other when they are not in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from ._written_as import written_as

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_stepfunctions as sfn

    from .saga_approval import SagaApproval
    from .saga_step import SagaStep

    Steps = Sequence["SagaStep | SagaParallel | SagaChoice | SagaWait | SagaApproval"]

__all__ = ["SagaChoice", "SagaParallel", "SagaWait"]


@written_as("SagaParallel([reserve, charge]), where the branches are one list")
@dataclass(frozen=True, eq=False)
class SagaParallel:
    """Steps beside each other. When one fails the others are stopped, and what any has done is undone.

    ```python
    SagaParallel([reserve_stock, [ask_bank, charge_card]])
    ```

    Behind the pivot a step that fails is parked, its branch ends, and the others go on.

    Args:
        branches: 2 to 10; each a step, or a list of what a saga may hold, without a pivot. All begin at once. A step
            has the results of those before it in its branch, and of those before the branches.
        name: As a step's; it names a state. Default: `Parallel` and the name of the first step.
    """

    branches: Sequence[SagaStep | SagaParallel | SagaChoice | SagaWait | SagaApproval | Steps]
    _: KW_ONLY
    name: str | None = None

    def __repr__(self) -> str:
        return f"SagaParallel({self.name or '...'})"


@written_as("SagaChoice('Large', when=[(condition, [step])])")
@dataclass(frozen=True, eq=False)
class SagaChoice:
    """One of several ways, by the input and the results so far. What undoes the saga takes the same way back.

    ```python
    SagaChoice("HowToPay", when=[(sfn.Condition.number_greater_than("$.amount", 0), [charge_card])])
    ```

    Args:
        name: As a step's; it names a state.
        when: Conditions with what is done under each; the first that holds decides. They look at the input, `$.amount`,
            and at results of steps before, `$.saga.results.ReserveStock.bin`; inside of branches at results of steps
            before the branches. A comparison does not hold when there is nothing at its path.
        otherwise: What is done when none holds. Default: nothing.
    """

    name: str
    _: KW_ONLY
    when: Sequence[tuple[sfn.Condition, Steps]]
    otherwise: Steps = ()

    def __repr__(self) -> str:
        return f"SagaChoice({self.name})"


@written_as("SagaWait('CoolOff', duration=Duration.days(2))")
@dataclass(frozen=True, eq=False)
class SagaWait:
    """Waiting, at no cost: for a time, or until one. There is nothing to undo.

    ```python
    SagaWait("CoolOff", duration=Duration.days(2))
    SagaWait("UntilPaid", until="$.due_at", longest=Duration.days(30))
    ```

    Args:
        name: As a step's; it names a state.
        duration: From a second to a year.
        until: Instead: path of a timestamp in the input or in the result of a step before, such as
            `2030-01-31T09:00:00Z`. Anything else there fails, as a step does that has had no effect.
        longest: With `until`, and only there: how long that is at most. Claims must be remembered for longer.
    """

    name: str
    _: KW_ONLY
    duration: Duration | None = None
    until: str | None = None
    longest: Duration | None = None

    def __repr__(self) -> str:
        return f"SagaWait({self.name})"
