"""Saga: steps that are all done, or undone in reverse.

Garcia-Molina, Salem: Sagas (SIGMOD 1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import Aws, Duration
from constructs import Construct

from ._alarms import define_alarms
from ._checks import Problems, path_of
from ._grantee import check_grantee
from ._grants import grant_ask, grant_start
from ._idempotency import Idempotency
from ._saga_state_machine.advice import warn_of_steps
from ._saga_state_machine.alarms import approval_alarms, saga_alarms
from ._saga_state_machine.checks import check_results, check_steps, check_whole, largest_result
from ._saga_state_machine.definition import definition
from ._saga_state_machine.diagram import diagram
from ._saga_state_machine.doors import largest_input
from ._saga_state_machine.foreign import statements
from ._saga_state_machine.functions import functions_of, functions_of_approvals, invoked, targets_of
from ._saga_state_machine.guardian import Shared
from ._saga_state_machine.lengths import retention_fix
from ._saga_state_machine.machine import define_machine
from ._saga_state_machine.metrics import Measured
from ._saga_state_machine.offering import Offered
from ._saga_state_machine.plan import all_approvals, all_steps, planned
from ._saga_state_machine.recovering import define_recovery
from ._saga_state_machine.retired import check_retired
from ._saga_state_machine.states import Resources
from .defaults import ALARMS, Alarms, settings_of

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as sfn

    from ._interfaces import AlarmAction, Key
    from .saga_approval import SagaApproval
    from .saga_flow import SagaChoice, SagaParallel, SagaWait
    from .saga_step import SagaStep

__all__ = ["SagaStateMachine"]

_CLAIMS_RETENTION = Duration.days(30)


class SagaStateMachine(Measured):
    """Steps in their order: all are done, or those that were done, or may have been, are undone in reverse.

    ```python
    SagaStateMachine(self, "Checkout", steps=[
        SagaStep("ReserveStock", Handler(code, "stock:reserve"), compensation=Handler(code, "stock:release")),
        SagaStep("ChargeCard", Handler(code, "card:charge"), compensation=Handler(code, "card:refund"), pivot=True),
        SagaStep("Ship", Handler(code, "shipping:book")),
    ])
    ```

    An execution's input is an object without the key `saga`. It succeeds with `status` `SUCCEEDED` and the `results`,
    or `COMPENSATED` and the `error`; it fails when a step is parked, and then needs a person.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default namespace of the claims.
        steps: At least one `SagaStep`, by itself or in a `SagaParallel` or `SagaChoice`; `SagaWait` and `SagaApproval`.
            Undoing begins with the step that failed, unless it declared the error.
        claims: Table to share, with the partition key `claim` (String). Default: one of its own.
        claims_namespace: Separates constructs that share a table, each its own. Data: never change it. Default: `id`.
        claims_retention: How long a step's claim is remembered; more than all tries and a recovery take, or 14 days.
        max_result_bytes: Of each step's result. Default: 32,768, less for more than six steps.
        retired_steps: Steps and approvals that the saga has no more, as they were: what executions under way call
            stays. Drop them once those have ended.
        encryption_key: Customer key for claims, logs, variables and the state machine. Default: that of `Defaults`,
            else keys that AWS owns.
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.

    Attributes:
        state_machine: The Standard state machine.
        functions: Those that were defined for the steps; a `Handler` that serves several steps has one.
        claims: The table of claims, where parked steps are too.
        recovery_state_machine: Does, or undoes, what is left of executions that died or were parked.
        guardian: The function that starts it: by itself, or asked by `serverless-patterns saga`.
        alarms: By name: Failed, Aborted, TimedOut, Throttled, GuardianFailed, RecoveryFailed, RecoveryAborted;
            ApprovalWaiting where there is one.
        required_endpoints: AWS services that the functions must reach when they run in a VPC.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        steps: Sequence[SagaStep | SagaParallel | SagaChoice | SagaWait | SagaApproval],
        claims: dynamodb.ITable | None = None,
        claims_namespace: str | None = None,
        claims_retention: Duration = _CLAIMS_RETENTION,
        max_result_bytes: int | None = None,
        retired_steps: Sequence[SagaStep | SagaApproval] = (),
        encryption_key: Key | None = None,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        once = Idempotency(None, claims, id if claims_namespace is None else claims_namespace, claims_retention)
        nodes = check_steps(problems, steps, once.namespace)
        once.check_place(problems, scope)
        if alarms is not None:
            problems.one_of("alarms", alarms, ALARMS, "'critical' keeps what needs a person")
        problems.raise_any()
        plan = planned(nodes)
        all_of_them = [one.step for one in all_steps(plan)]
        approvals = [one.approval for one in all_approvals(plan)]
        names = [one.name for one in (*all_of_them, *approvals)]
        retired = check_retired(problems, retired_steps, names, once.namespace)
        problems.raise_any()
        if max_result_bytes is not None:
            check_results(problems, max_result_bytes, plan)
        shortest = check_whole(problems, plan, once.namespace, retired)
        once.check_retention(problems, shortest, retention_fix([*plan, *retired.waits], shortest))
        result_bytes = largest_result(plan) if max_result_bytes is None else max_result_bytes
        functions = functions_of(all_of_them, once, result_bytes)
        functions |= functions_of_approvals(approvals, once, result_bytes)
        former = functions_of(retired.steps, once, result_bytes)
        former |= functions_of_approvals(retired.approvals, once, result_bytes)
        for function in (*functions.values(), *former.values()):
            function.check(problems, id, scope, settings)
        problems.raise_any()

        super().__init__(scope, id)
        warn_of_steps(self, all_of_them)
        key = cast("kms.IKey | None", encryption_key or settings.encryption_key)
        self.claims: dynamodb.ITable = once.define(self, key=key, removal_policy=settings.removal_policy)
        defined = {handler: each.define(self, self.claims, settings, key) for handler, each in functions.items()}
        self._actions = targets_of({step.name: step.action for step in all_of_them}, defined)
        self._compensations = targets_of({step.name: step.compensation for step in all_of_them}, defined)
        asking = {one.name: defined[one.notify] for one in approvals}
        self.functions: list[lambda_.IFunction] = [function for function, _ in defined.values()]
        self.required_endpoints = tuple(
            sorted({"states", *(name for it in functions.values() for name in it.required_endpoints)})
        )
        resources = Resources(
            Aws.PARTITION,
            self.claims.table_name,
            once.namespace,
            {name: target.function_arn for name, (_, target) in (self._actions | asking).items()},
            {name: target.function_arn for name, (_, target) in self._compensations.items()},
        )
        kept = {handler: each.define(self, self.claims, settings, key) for handler, each in former.items()}
        called = invoked([(all_of_them, defined), (retired.steps, kept)])
        native = statements(
            doing for step in (*all_of_them, *retired.steps) for doing in (step.action, step.compensation)
        )
        self._definition = told = definition(plan, resources)
        asking |= {one.name: kept[one.notify] for one in retired.approvals}
        called = [*called, *dict.fromkeys(target for _, target in asking.values())]
        self.state_machine: sfn.StateMachine = define_machine(self, told, called, native, self.claims, settings, key)
        before = targets_of({step.name: step.compensation for step in retired.steps}, kept)
        undoing = {**self._compensations, **before}
        shared = Shared(self.claims, once.env(self.claims), settings, key, next(iter(functions), None))
        resources = resources._replace(compensations={name: it.function_arn for name, (_, it) in undoing.items()})
        recovers = define_recovery(self, shared, self.state_machine, plan, retired, resources, called)
        self.recovery_state_machine: sfn.StateMachine = recovers.state_machine
        self.guardian: lambda_.IFunction = recovers.guardian
        self._offer(
            Offered(
                key,
                once.namespace,
                largest_input(plan, result_bytes),
                [step.name for step in all_of_them],
                [name for step in all_of_them for name in step.no_effect_errors],
                asking,
            )
        )
        actions = settings.alarm_actions if alarm_actions is None else alarm_actions
        wanted = saga_alarms(self.state_machine, self.recovery_state_machine, recovers.letters)
        wanted += approval_alarms(self.metric_approval_waiting()) if asking else []
        self.alarms = define_alarms(self, wanted, alarms or settings.alarms, actions)

    def function_for(self, step: str) -> lambda_.IFunction:
        """The function of a step's action. Raises KeyError for a step that is not there, or is a native call."""
        return self._actions[step][0]

    def compensation_for(self, step: str) -> lambda_.IFunction:
        """The function of a step's compensation. Raises KeyError where there is none, or a native call."""
        return self._compensations[step][0]

    def diagram(self) -> str:
        """The state machine as a Mermaid state diagram."""
        return diagram(self._definition)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow starting executions."""
        check_grantee(self, "grant_start", grantee)
        return grant_start(grantee, self.state_machine, self._offered.key)

    def grant_resume(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow what `serverless-patterns saga` does: list, show and resume what needs a person."""
        check_grantee(self, "grant_resume", grantee)
        return grant_ask(grantee, self.guardian)
