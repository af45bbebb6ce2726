"""The three functions: behind the items, behind `on_complete`, and the one that gathers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.parallel_map.contract import (
    COMPLETION_HANDLER,
    GATHER_HANDLER,
    ITEM_HANDLER,
    GatherEnv,
    ItemEnv,
    ItemsEnv,
)

from .._acknowledge import acknowledge_wildcard
from .._bundled import BundledHandler
from .._checks import text
from .._consumer import TIMEOUT
from .._function import business_function_env, define_function, endpoints, provisioned
from .._grants import grant_dead_letter, grant_steps, statement
from ..s3_items import S3Items
from .grants import executions_of, grant_gathering, grant_objects, grant_roll
from .plan import GATHER_SECONDS, Plan

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from .._idempotency import Idempotency
    from ..defaults import Settings
    from ..handler import Handler

VARIABLES = (*BusinessFunctionEnv._fields, *ClaimsEnv._fields, *ItemsEnv._fields, *ItemEnv._fields)
GATHER_MEMORY = 1024
_ANY_NAME = "names of executions are not known before they start; those of this machine alone are meant"


class Functions(NamedTuple):
    """What was defined. What is to be invoked is the function or its alias."""

    item: lambda_.Function
    item_target: lambda_.IFunction
    completion: lambda_.Function
    completion_target: lambda_.IFunction
    gather: lambda_.Function


def variables_of(
    plan: Plan, handler: Handler, once: Idempotency, claims: dynamodb.ITable | None, max_result_bytes: int
) -> dict[str, str]:
    """What the runtime of one of the two handlers is told."""
    more = ItemEnv(MAX_RESULT_BYTES=text(max_result_bytes))._asdict() if handler is plan.handler else {}
    return {**business_function_env(handler), **once.env(claims), **plan.env(_bucket_name(plan)), **more}


def services_of_map(plan: Plan) -> tuple[str, ...]:
    """AWS services that the functions call."""
    s3 = ("s3",) if isinstance(plan.items, S3Items) else ()
    return ("dynamodb", "states", *s3)


def define_functions(
    scope: Construct,
    plan: Plan,
    once: Idempotency,
    claims: dynamodb.ITable,
    letters: sqs.IQueue,
    max_result_bytes: int,
    settings: Settings,
    key: kms.IKey | None,
) -> Functions:
    """Define them, with everything that they may do but look at executions: there is no machine yet."""

    def define(
        id: str, handler: Handler, entry_point: str, env: dict[str, str], timeout: Duration, *services: str
    ) -> Any:
        return define_function(
            scope,
            id,
            handler,
            entry_point=entry_point,
            contract=env,
            timeout=timeout,
            settings=settings,
            encryption_key=key,
            reserved_concurrent_executions=handler.reserved_concurrent_executions,
            required_endpoints=endpoints(handler, *services),
        )

    def business(id: str, handler: Handler, entry_point: str) -> tuple[lambda_.Function, lambda_.IFunction]:
        env = variables_of(plan, handler, once, claims, max_result_bytes)
        timeout = handler.timeout or TIMEOUT
        function = define(id, handler, entry_point, env, timeout, *services_of_map(plan))
        grant_steps(function, claims, effects=handler.returns_effects)
        return function, provisioned(scope, f"{id}Live", function, handler)

    item, item_target = business("Item", plan.handler, ITEM_HANDLER)
    completion, completion_target = business("OnComplete", plan.on_complete, COMPLETION_HANDLER)
    grant_roll(completion, claims)
    like = plan.handler
    ours = BundledHandler(
        "Gather", "gather", memory_size=GATHER_MEMORY, runtime=like.runtime, architecture=like.architecture
    )
    env = GatherEnv(
        TOLERATED_FAILURE_PERCENT=f"{plan.tolerated_failure_percent:g}", DEAD_LETTER_QUEUE_URL=letters.queue_url
    )
    told = {**once.env(claims), **plan.env(_bucket_name(plan)), **env._asdict()}
    timeout = Duration.seconds(GATHER_SECONDS)
    gather = define("Gather", ours, GATHER_HANDLER, told, timeout, *services_of_map(plan), "sqs")
    grant_gathering(gather, claims)
    grant_dead_letter(gather, letters)
    for function in (completion, gather):
        if isinstance(plan.items, S3Items):
            grant_objects(function, function.role, plan.items)
    return Functions(item, item_target, completion, completion_target, gather)


def let_look(scope: Construct, functions: Functions, machine: sfn.StateMachine, key: kms.IKey | None) -> None:
    """At executions of the map. In a policy of its own: the machine waits for the others of these functions."""
    executions = executions_of(machine)
    policy = iam.Policy(scope, "Look", statements=[statement(["states:DescribeExecution"], [executions])])
    for function in (functions.completion, functions.gather):
        policy.attach_to_role(cast(iam.IRole, function.role))
        if key is not None:
            key.grant(function, "kms:Decrypt", "kms:GenerateDataKey")
    acknowledge_wildcard(policy, executions, _ANY_NAME)


def _bucket_name(plan: Plan) -> str:
    return plan.items.bucket.bucket_name if isinstance(plan.items, S3Items) else ""
