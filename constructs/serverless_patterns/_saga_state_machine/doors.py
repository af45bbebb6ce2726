"""A saga's routes of `ApiProxy`: functions of ours behind the ordinary target for functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from aws_cdk import aws_iam as iam

from serverless_patterns_runtime.saga_state_machine.approval_contract import DecisionEnv
from serverless_patterns_runtime.saga_state_machine.contract import StartEnv, StatusEnv

from .._acknowledge import acknowledge_wildcard
from .._bundled import BundledHandler
from .._grants import grant_answer_tasks, grant_approvals, grant_look, grant_see_approvals, grant_start
from .._targets import RouteTarget, Starting
from .callers import Callers
from .door_targets import DecisionTarget, StartTarget, StatusTarget
from .estimates import most_bytes, most_results

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as sfn

    from .plan import Node

_MODULES = "serverless_patterns_runtime.saga_state_machine"


@dataclass(frozen=True, eq=False)
class Door:
    """What a `Route` leads to: a description, as a `Handler` is."""

    target: RouteTarget

    def __repr__(self) -> str:
        return repr(self.target.handler)

    def _route_target(self) -> RouteTarget:
        return self.target


class Approvals(NamedTuple):
    """What a saga asks, and where that is kept."""

    claims: dynamodb.ITable
    namespace: str
    names: Sequence[str]


def start_door(
    id: str, machine: sfn.StateMachine, key: kms.IKey | None, callers: Callers, max_input_bytes: int
) -> Door:
    """Starts executions of this machine, and looks at those that were started before."""
    env = StartEnv(STATE_MACHINE_ARN=machine.state_machine_arn, MAX_INPUT_BYTES=str(max_input_bytes))
    handler = BundledHandler(
        f"{id} start",
        f"{_MODULES}.start:start",
        services=["states"],
        own_keys=True,
        environment=env._asdict(),
        grants=[starting(machine, key, max_input_bytes).grant],
    )
    return Door(StartTarget(handler, callers))


def starting(machine: sfn.StateMachine, key: kms.IKey | None, max_input_bytes: int) -> Starting:
    """What whoever starts executions of this machine has to know, and may do."""

    def grant(function: lambda_.Function) -> None:
        grant_start(function, machine, key)
        _grant_look(function, machine, key)

    return Starting(machine.state_machine_arn, max_input_bytes, grant)


def status_door(
    id: str,
    machine: sfn.StateMachine,
    recovery: sfn.StateMachine,
    key: kms.IKey | None,
    callers: Callers,
    *,
    results: Sequence[str],
    errors: Sequence[str],
    any_caller: bool,
    approvals: Approvals,
) -> Door:
    """Looks at executions of this machine and of its recovery, and shows these results and errors, and approvals."""
    env = StatusEnv(
        STATE_MACHINE_ARN=machine.state_machine_arn,
        RECOVERY_STATE_MACHINE_ARN=recovery.state_machine_arn,
        SHOWN_RESULTS=",".join(results),
        SHOWN_ERRORS=",".join(sorted({*errors})),
        ANY_CALLER="true" if any_caller else "false",
        APPROVALS=",".join(approvals.names),
        APPROVALS_TABLE_NAME=approvals.claims.table_name if approvals.names else "",
        APPROVALS_NAMESPACE=approvals.namespace,
    )

    def grant(function: lambda_.Function) -> None:
        _grant_look(function, machine, key)
        _grant_look(function, recovery, key)
        if approvals.names:
            grant_see_approvals(function, approvals.claims)

    handler = BundledHandler(
        f"{id} status{' of any caller' if any_caller else ''}",
        f"{_MODULES}.status:status",
        services=["dynamodb", "states"] if approvals.names else ["states"],
        environment=env._asdict(),
        grants=[grant],
    )
    return Door(StatusTarget(handler, callers, any_caller))


def _grant_look(function: lambda_.Function, machine: sfn.StateMachine, key: kms.IKey | None) -> None:
    executions = grant_look(function, machine, key)
    reason = "names of executions are not known before they start; those of this machine alone are meant"
    policy = cast(iam.IRole, function.role).node.find_child("DefaultPolicy")
    acknowledge_wildcard(policy, executions, reason)


def decision_door(
    id: str, machine: sfn.StateMachine, key: kms.IKey | None, claims: dynamodb.ITable, namespace: str, step: str
) -> Door:
    """Decides approvals of one name, and tells the executions that wait for them."""
    env = DecisionEnv(
        STATE_MACHINE_ARN=machine.state_machine_arn,
        APPROVALS_TABLE_NAME=claims.table_name,
        APPROVALS_NAMESPACE=namespace,
        APPROVAL_STEP=step,
    )

    def grant(function: lambda_.Function) -> None:
        grant_approvals(function, claims)
        grant_answer_tasks(function, machine)
        _grant_look(function, machine, key)

    handler = BundledHandler(
        f"{id} decision {step}",
        f"{_MODULES}.decision:decide",
        services=["dynamodb", "states"],
        environment=env._asdict(),
        grants=[grant],
    )
    return Door(DecisionTarget(handler))


def largest_input(plan: Sequence[Node], max_result_bytes: int) -> int:
    """Bytes of an input beside which all results have room; where they would take everything, an equal part."""
    together, results = most_bytes(plan), most_results(plan)[1]
    return max(together - results * max_result_bytes, together // (results + 1))
