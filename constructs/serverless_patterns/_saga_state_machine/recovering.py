"""Everything that sees to executions which died, put together: the ledger, the recovery, the guardian."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from .estimates import longest_recovery_seconds
from .foreign import statements
from .guardian import Shared, define_guardian, define_ledger
from .machine import define_machine
from .plan import Plan, Planned, all_steps
from .recovery import recovery

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from ..saga_step import Doing
    from .retired import Retired
    from .states import Resources


class Recovering(NamedTuple):
    """What was defined."""

    state_machine: sfn.StateMachine
    guardian: lambda_.IFunction
    letters: sqs.Queue
    """Events that the guardian could not handle."""


def define_recovery(
    scope: Construct,
    shared: Shared,
    machine: sfn.StateMachine,
    plan: Plan,
    retired: Retired,
    resources: Resources,
    targets: Sequence[lambda_.IFunction],
) -> Recovering:
    """Define it.

    Args:
        scope: The saga.
        shared: What all of it needs.
        machine: The saga's own.
        plan: Checked.
        retired: What executions under way may have done, or wait for.
        resources: With the functions of those, too.
        targets: Functions behind all steps; the recovery may invoke those that it names.
    """
    former = retired.planned
    ledger = define_ledger(scope, shared, machine, longest_recovery_seconds(plan, former))
    told = recovery(plan, former, resources, ledger.function_arn, [it.name for it in retired.approvals])
    named = json.dumps(told)
    called = [each for each in (*targets, cast("lambda_.IFunction", ledger)) if each.function_arn in named]
    native = statements(_doings([*all_steps(plan), *former]))
    recovers = define_machine(scope, told, called, native, shared.claims, shared.settings, shared.key, id="Recovery")
    guardian, letters = define_guardian(scope, shared, machine, recovers)
    return Recovering(recovers, cast("lambda_.IFunction", guardian), letters)


def _doings(steps: Sequence[Planned]) -> Iterator[Doing | None]:
    """What a recovery calls: what undoes the steps up to the pivot, and the actions behind it."""
    yield from (step.undo if step.backward else step.step.action for step in steps)
