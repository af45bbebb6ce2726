"""The guardian and the ledger: functions of ours that see to executions which died, or were parked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.saga_recovery.contract import (
    DEAD_STATUSES,
    GUARDIAN_HANDLER,
    LEDGER_HANDLER,
    SWEEP_MINUTES,
    GuardianEnv,
    LedgerEnv,
    Sweep,
)

from .._acknowledge import acknowledge_wildcard
from .._bundled import BundledHandler
from .._function import define_function, endpoints
from .._grants import grant_dead_letter, grant_ledger, statement
from .._queues import define_letters
from .attempts import LEDGER_SECONDS

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from ..defaults import Settings
    from ..handler import Handler

_GUARDIAN_MINUTES = 4  # less than between two sweeps
_SERVICES = ("dynamodb", "states")
_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_NAMES_UNKNOWN = "names of executions are not known before they start; those of this machine alone are meant"
_UNDELIVERED = "a state machine hears what fails; events that fail go to a queue, by the function's invoke config"
_LOOK = ("states:DescribeExecution", "states:DescribeStateMachineForExecution")


class Shared(NamedTuple):
    """What all of the recovery needs."""

    claims: dynamodb.ITable
    claims_env: Mapping[str, str]
    settings: Settings
    key: kms.IKey | None
    like: Handler | None
    """One of the saga's: ours run on the same runtime, and so in the same layer."""


def define_ledger(
    scope: Construct, shared: Shared, machine: sfn.StateMachine, longest_seconds: int
) -> lambda_.Function:
    """What the recovery asks: it reads claims, and lays a tombstone on a pivot that is not done."""
    env = LedgerEnv(STATE_MACHINE_ARN=machine.state_machine_arn, LONGEST_SECONDS=str(longest_seconds))
    timeout = Duration.seconds(LEDGER_SECONDS)
    return _define(scope, "Ledger", LEDGER_HANDLER, env._asdict(), timeout, shared, machine)


def define_guardian(
    scope: Construct, shared: Shared, machine: sfn.StateMachine, recovery: sfn.StateMachine
) -> tuple[lambda_.Function, sqs.Queue]:
    """What starts recoveries, and the queue of events that it could not handle."""
    env = GuardianEnv(
        STATE_MACHINE_ARN=machine.state_machine_arn, RECOVERY_STATE_MACHINE_ARN=recovery.state_machine_arn
    )
    timeout = Duration.minutes(_GUARDIAN_MINUTES)
    function = _define(scope, "Guardian", GUARDIAN_HANDLER, env._asdict(), timeout, shared, machine)
    _let_look(function, recovery, _LOOK[:1])
    function.add_to_role_policy(statement(["states:ListExecutions"], [machine.state_machine_arn]))
    function.add_to_role_policy(statement(["states:StartExecution"], [recovery.state_machine_arn]))
    letters = define_letters(scope, "GuardianDeadLetters", shared.key)
    _keep_what_fails(scope, function, letters, shared.key)
    _tell(scope, function, letters, machine)
    return function, letters


def _define(
    scope: Construct,
    id: str,
    entry_point: str,
    env: Mapping[str, str],
    timeout: Duration,
    shared: Shared,
    machine: sfn.StateMachine,
) -> lambda_.Function:
    like: dict[str, Any] = {}
    if shared.like is not None:
        like = {"runtime": shared.like.runtime, "architecture": shared.like.architecture}
    handler = BundledHandler(id, id.lower(), memory_size=256, **like)
    function = define_function(
        scope,
        id,
        handler,
        entry_point=entry_point,
        contract={**shared.claims_env, **env},
        timeout=timeout,
        settings=shared.settings,
        encryption_key=shared.key,
        reserved_concurrent_executions=None,
        required_endpoints=endpoints(handler, *_SERVICES),
        undelivered=_UNDELIVERED,
    )
    grant_ledger(function, shared.claims)
    if shared.key is not None:
        shared.key.grant(function, *_KEY)
    _let_look(function, machine, _LOOK)
    return function


def _let_look(function: lambda_.Function, machine: sfn.StateMachine, actions: Sequence[str]) -> None:
    executions = _executions_of(machine)
    function.add_to_role_policy(statement(actions, [executions]))
    policy = cast(iam.Role, function.role).node.find_child("DefaultPolicy")
    acknowledge_wildcard(policy, executions, _NAMES_UNKNOWN)


def _executions_of(machine: sfn.StateMachine) -> str:
    return Stack.of(machine).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine.state_machine_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def _keep_what_fails(scope: Construct, function: lambda_.Function, letters: sqs.Queue, key: kms.IKey | None) -> None:
    grant_dead_letter(function, letters)
    config = lambda_.CfnEventInvokeConfig(
        scope,
        "GuardianEvents",
        function_name=function.function_name,
        qualifier="$LATEST",
        maximum_event_age_in_seconds=3600,
        maximum_retry_attempts=2,
        destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
            on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=letters.queue_arn)
        ),
    )
    config.node.add_dependency(cast(iam.Role, function.role))  # Lambda looks at the permission when this is made
    if key is not None:
        key.grant(cast(iam.IGrantable, iam.ServicePrincipal("events.amazonaws.com")), *_KEY)


def _tell(scope: Construct, function: lambda_.Function, letters: sqs.Queue, machine: sfn.StateMachine) -> None:
    ended = events.EventPattern(
        source=["aws.states"],
        detail_type=["Step Functions Execution Status Change"],
        detail={"stateMachineArn": [machine.state_machine_arn], "status": list(DEAD_STATUSES)},
    )
    target = cast(lambda_.IFunction, function)
    events.Rule(
        scope,
        "BadEnds",
        description="Executions that ended without success: the guardian recovers those that died",
        event_pattern=ended,
        targets=[cast(events.IRuleTarget, targets.LambdaFunction(target, dead_letter_queue=letters))],
    )
    sweep = Sweep(task="sweep")
    swept = targets.LambdaFunction(
        target, dead_letter_queue=letters, event=events.RuleTargetInput.from_object(dict(sweep))
    )
    events.Rule(
        scope,
        "Sweep",
        description="The guardian looks for itself: of some ends nobody hears",
        schedule=events.Schedule.rate(Duration.minutes(SWEEP_MINUTES)),
        targets=[cast(events.IRuleTarget, swept)],
    )
