"""Permissions: exact actions on exact resources. CDK's `grant_*` are wider than what the runtime calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam

from ._checks import is_token
from ._immutable_role import warn_of_immutable_role

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct, IConstruct

    from .handler import Handler

_ITEMS = (  # what Effects commit, and reads by key
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)
_TABLE_KEY = (  # as DynamoDB's guide asks of a table's users; ReEncrypt* and GenerateDataKey* by their names
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_SEND_KEY = ("kms:Decrypt", "kms:GenerateDataKey")  # SQS asks for both from a sender
_RECEIVE_KEY = ("kms:Decrypt",)
_POLL = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_ANY_CLAIMS = ("dynamodb:GetItem",)
_EFFECTS_CLAIMS = ("dynamodb:PutItem",)
_LEASE_CLAIMS = ("dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate")
_COUNTED_CLAIMS = ("dynamodb:UpdateItem",)
_TOMBSTONES = ("dynamodb:UpdateItem",)  # a step's leases too
_ANSWER_LEASES = ("dynamodb:DeleteItem", "dynamodb:UpdateItem")
_EXECUTION_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_BREAKER = ("dynamodb:GetItem", "dynamodb:UpdateItem")


def grant_handler(grantee: iam.IGrantable, handler: Handler) -> None:
    """What a handler's `tables`, `secrets` and `parameters` ask for."""
    tables = [handler.tables[name] for name in sorted(handler.tables)]
    if tables:
        give(grantee, _ITEMS, [table.table_arn for table in tables])
    for table in tables:
        grant_table_key(grantee, table)
    for name in sorted(handler.secrets):
        handler.secrets[name].grant_read(grantee)
    parameters = [handler.parameters[name] for name in sorted(handler.parameters)]
    if parameters:
        give(grantee, ("ssm:GetParameter",), [parameter.parameter_arn for parameter in parameters])
    for parameter in parameters:
        if parameter.parameter_type == "SecureString":
            parameter.grant_read(grantee)  # only the CDK sees its key


def grant_claims(grantee: iam.IGrantable, claims: dynamodb.ITable, *, effects: bool, counted: bool) -> None:
    """Look up, claim, complete and release. Counted: the runtime also counts attempts there."""
    ways = (_ANY_CLAIMS, _EFFECTS_CLAIMS if effects else _LEASE_CLAIMS, _COUNTED_CLAIMS if counted else ())
    give(grantee, [action for way in ways for action in way], [claims.table_arn])
    grant_table_key(grantee, claims)


def grant_answers(grantee: iam.IGrantable, claims: dynamodb.ITable, *, effects: bool) -> None:
    """Look up, claim and complete one key at a time, with the answer; release it where there are no effects."""
    give(grantee, [*_ANY_CLAIMS, *(_EFFECTS_CLAIMS if effects else _ANSWER_LEASES)], [claims.table_arn])
    grant_table_key(grantee, claims)


def grant_steps(grantee: iam.IGrantable, claims: dynamodb.ITable, *, effects: bool) -> None:
    """Claim, complete and bury one key at a time."""
    give(grantee, [*((*_ANY_CLAIMS, *_EFFECTS_CLAIMS) if effects else ()), *_TOMBSTONES], [claims.table_arn])
    grant_table_key(grantee, claims)


def grant_parking(grantee: iam.IGrantable, claims: dynamodb.ITable) -> None:
    """Keep what is parked."""
    give(grantee, ("dynamodb:PutItem",), [claims.table_arn])
    grant_table_key(grantee, claims)


def grant_ledger(grantee: iam.IGrantable, claims: dynamodb.ITable) -> None:
    """Read claims; lay tombstones, settle what is parked, and mark what is guarded."""
    give(grantee, (*_ANY_CLAIMS, *_TOMBSTONES), [claims.table_arn])
    grant_table_key(grantee, claims)


def grant_start(grantee: iam.IGrantable, machine: sfn.StateMachine, key: kms.IKey | None) -> iam.Grant:
    """Start executions of this machine."""
    if key is not None:
        key.grant(grantee, *_EXECUTION_KEY)
    return machine.grant_start_execution(grantee)


def grant_answer_tasks(function: lambda_.Function, machine: sfn.StateMachine) -> None:
    """Tell executions of this machine that wait."""
    give(function, ("states:SendTaskFailure", "states:SendTaskSuccess"), [machine.state_machine_arn])


def grant_approvals(function: lambda_.Function, claims: dynamodb.ITable) -> None:
    """Write down a decision."""
    give(function, ("dynamodb:UpdateItem",), [claims.table_arn])
    grant_table_key(function, claims)


def grant_see_approvals(function: lambda_.Function, claims: dynamodb.ITable) -> None:
    """See whether one is open."""
    give(function, _ANY_CLAIMS, [claims.table_arn])
    grant_table_key(function, claims)


def grant_look(function: lambda_.Function, machine: sfn.StateMachine, key: kms.IKey | None) -> str:
    """See what executions of this machine were given, and how they are. Returns the ARN of all of them."""
    executions = machine.stack.format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine.state_machine_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    give(function, ("states:DescribeExecution",), [executions])
    if key is not None:
        key.grant(function, *_EXECUTION_KEY)
    return executions


def grant_breaker(grantee: iam.IGrantable, table: dynamodb.ITable) -> None:
    """Look at a breaker, count failures, claim a probe, close and open it."""
    give(grantee, _BREAKER, [table.table_arn])
    grant_table_key(grantee, table)


def grant_table_key(grantee: iam.IGrantable, table: dynamodb.ITable) -> None:
    """What a table under a customer key needs from whoever uses it."""
    if table.encryption_key is not None:
        table.encryption_key.grant(grantee, *_TABLE_KEY)


def grant_poll(scope: Construct, consumer: lambda_.IFunction, queue: sqs.IQueue) -> iam.Grant:
    """Receive, delete and delay messages of a queue, as the event source mapping and the runtime do."""
    needs: dict[str, Sequence[str]] = {_name_of(queue, queue.queue_arn): _POLL}
    key = queue_key(queue)
    if key is not None:
        key.grant(consumer, *_RECEIVE_KEY)
        needs[_name_of(key, key.key_arn)] = _RECEIVE_KEY
    grant = give(consumer, _POLL, [queue.queue_arn])
    warn_of_immutable_role(scope, consumer, needs, "Lambda refuses to read the queue, and the deployment fails")
    return grant


def grant_dead_letter(grantee: iam.IGrantable, dead_letter_queue: sqs.IQueue) -> None:
    """Send a message that can never succeed to the dead-letter queue."""
    give(grantee, ("sqs:SendMessage",), [dead_letter_queue.queue_arn])
    key = queue_key(dead_letter_queue)
    if key is not None:
        key.grant(grantee, *_SEND_KEY)


def grant_send(grantee: iam.IGrantable, queue: sqs.IQueue) -> iam.Grant:
    """Send to a queue, from this account or another."""
    key = queue_key(queue)
    if key is not None:
        key.grant(grantee, *_SEND_KEY)
    return queue.grant(grantee, "sqs:SendMessage", "sqs:GetQueueUrl")


def grant_redrive(grantee: iam.IGrantable, queue: sqs.IQueue, dead_letter_queue: sqs.IQueue) -> iam.Grant:
    """Look at both queues, take messages from one or give them back, send them to the other."""
    for used, actions in ((queue, _SEND_KEY), (dead_letter_queue, _RECEIVE_KEY)):
        key = queue_key(used)
        if key is not None:
            key.grant(grantee, *actions)
    send = queue.grant(grantee, "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage")
    return send.combine(dead_letter_queue.grant(grantee, *_POLL, "sqs:GetQueueUrl"))


def grant_integration(role: iam.IGrantable, queue: sqs.IQueue) -> None:
    """What the gateway needs to send a request's body to a queue: nothing but that."""
    key = queue_key(queue)
    if key is not None:
        key.grant(role, *_SEND_KEY)
    queue.grant(role, "sqs:SendMessage")


def queue_key(queue: sqs.IQueue) -> kms.IKey | None:
    """The customer key of a queue, when it can be seen."""
    return queue.encryption_master_key


def grant_ask(grantee: iam.IGrantable, function: lambda_.IFunction) -> iam.Grant:
    """See what a function is, and invoke it; none of its versions and aliases."""
    return give(grantee, ("lambda:GetFunctionConfiguration", "lambda:InvokeFunction"), [function.function_arn])


def statement(actions: Iterable[str], resources: Iterable[str]) -> iam.PolicyStatement:
    """Allow these actions on these resources."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def give(grantee: iam.IGrantable, actions: Sequence[str], resources: Sequence[str]) -> iam.Grant:
    """These actions on these resources, in the grantee's one policy: `add_to_role_policy` may make another one."""
    return iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=list(resources))


def _name_of(resource: IConstruct, arn: str) -> str:
    return resource.node.path if is_token(arn) else arn
