"""`SagaStep`: what is done, and what undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

from ._written_as import written_as

if TYPE_CHECKING:
    from aws_cdk import aws_stepfunctions as sfn

    from ._interfaces import Function
    from ._protection import Protecting
    from .handler import Handler

    Doing = Handler | Function | sfn.TaskStateBase

__all__ = ["ExternalKey", "Retry", "SagaStep"]

_BASE, _LONGEST = Duration.seconds(2), Duration.minutes(1)


@dataclass(frozen=True, eq=False)
class Retry:
    """How often a step is tried, and how long it waits between: random delays, whose ceiling doubles. A description.

    ```python
    Retry(10, longest_delay=Duration.minutes(15))
    ```

    Args:
        attempts: 1 to 100, the first included.
        base_delay: Ceiling of the first delay, in whole seconds.
        longest_delay: Ceiling of every delay; at most a day.
    """

    attempts: int = 6
    _: KW_ONLY
    base_delay: Duration = _BASE
    longest_delay: Duration = _LONGEST


@dataclass(frozen=True, eq=False)
class ExternalKey:
    """How a provider outside recognises what a step sends, and for how long. A description.

    ```python
    ExternalKey("{digest}", Duration.hours(24))
    ```

    Args:
        format: Of the key: `{digest}` (32 characters), or `{execution}` and `{step}` with a character between that
            is no letter, digit or `_`; `{namespace}` and text as well. A compensation's step is `<name>_undo`.
        lifetime: For how long the provider remembers a key. No attempt that could outlive it is given one.
        max_length: Of a key at the provider, 1 to 1,024 characters.
    """

    format: str
    lifetime: Duration
    _: KW_ONLY
    max_length: int = 255


@written_as("SagaStep('Reserve', Handler(...), compensation=Handler(...))")
@dataclass(frozen=True, eq=False)
class SagaStep:
    """One step of a saga. A description: `SagaStateMachine` checks it.

    ```python
    SagaStep("ReserveStock", Handler(code, "stock:reserve"), compensation=Handler(code, "stock:release"))
    ```

    Args:
        name: A letter, then letters, digits and `_`, at most 64. Data: executions under way know it, and so do claims.
        action: What is done. Its function takes `(step)` or `(step, invocation)`, where `step` is a `StepInput`. Or any
            function, or a native task (`sfn.TaskStateBase`): then at least once.
        compensation: What undoes it; it also runs when nobody knows whether the action has happened. A `Handler` where
            the action is one.
        nothing_to_undo: Instead of a compensation: the action only reads, or what it leaves harms nobody. Not at the
            pivot, whose compensation refuses what comes late.
        timeout: Of one attempt. Default and least: 15 seconds more than the function's, for a cold start.
        retry: Of the action. Default: 6 attempts.
        compensation_retry: Default: 13 attempts, up to an hour apart.
        pivot: `True`: once this step is done the saga only goes forward.
        no_effect_errors: Names of classes of errors that say that the action has had no effect, such as `CardDeclined`.
        external_key: For effects outside: gives `step.external_key`, until the provider may have forgotten it.
        settles_within: How long `Unsettled` is waited for, in the action and in the compensation, at least 5 seconds.
            Default: 15 minutes with an `external_key`; else `Unsettled` is an error like others.
        circuit_breaker: A `CircuitBreaker` for what the action and the compensation call. A refusal is no attempt.
    """

    name: str
    action: Doing
    _: KW_ONLY
    compensation: Doing | None = None
    nothing_to_undo: bool = False
    timeout: Duration | None = None
    retry: Retry | None = None
    compensation_retry: Retry | None = None
    pivot: bool = False
    no_effect_errors: Sequence[str] = ()
    external_key: ExternalKey | None = None
    settles_within: Duration | None = None
    circuit_breaker: Protecting | None = None

    def __repr__(self) -> str:
        return f"SagaStep({self.name})"
