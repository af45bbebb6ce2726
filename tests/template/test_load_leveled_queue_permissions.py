"""A role per function, exact actions on exact resources: what the runtime calls and nothing else."""

from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm

from tests.template.stacks import TABLE_KEY, a_handler, a_queue, a_table, new_stack, resources, statements, the

ITEMS = {
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
}
EFFECTS = {"dynamodb:GetItem", "dynamodb:PutItem"}
LEASES = {"dynamodb:GetItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"}


def actions_on(stack: Stack, logical_id_part: str) -> set[str]:
    """Actions on the resource whose logical id holds this word."""
    return {
        action
        for statement in statements(stack)
        for resource in statement["Resource"]
        if logical_id_part in str(resource)
        for action in statement["Action"]
    }


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("orders:fulfil", {"batch_size": 1}, EFFECTS),
        ("orders:fulfil", {}, EFFECTS | {"dynamodb:UpdateItem"}),
        ("orders:call", {"batch_size": 1}, LEASES),
        ("orders:call", {"fifo": True, "batch_size": 2}, LEASES | {"dynamodb:UpdateItem"}),
    ],
)
def test_claims_are_allowed_what_the_way_of_claiming_needs(
    function: str, arguments: dict[str, Any], expected: set[str]
) -> None:
    stack = new_stack()
    a_queue(stack, consumer=a_handler(function), **arguments)
    assert actions_on(stack, "FulfilmentClaims") == expected


def test_queues_are_allowed_what_polling_and_dead_lettering_need() -> None:
    stack = new_stack()
    a_queue(stack)
    assert actions_on(stack, "FulfilmentQueue") == {
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    assert actions_on(stack, "FulfilmentDeadLetterQueue") == {"sqs:SendMessage"}


def test_tables_allow_items_and_reads_by_key_but_no_scans_batches_or_indexes() -> None:
    stack = new_stack()
    table = a_table(stack)
    table.add_global_secondary_index(
        index_name="by_day", partition_key=dynamodb.Attribute(name="day", type=dynamodb.AttributeType.STRING)
    )
    a_queue(stack, consumer=a_handler(tables={"ORDERS": table}))
    assert actions_on(stack, "Orders") == ITEMS
    resources = [statement["Resource"] for statement in statements(stack) if "dynamodb:Query" in statement["Action"]]
    assert resources == [[stack.resolve(table.table_arn)]]


def test_a_table_under_a_customer_key_comes_with_its_key() -> None:
    stack = new_stack()
    table = a_table(stack, encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED, encryption_key=kms.Key(stack, "Key"))
    a_queue(stack, consumer=a_handler(tables={"ORDERS": table}))
    assert actions_on(stack, "Key") == TABLE_KEY


def test_secrets_pass_an_arn_and_a_grant_never_a_value() -> None:
    stack = new_stack()
    secret = secretsmanager.Secret(stack, "Password")
    queue = a_queue(stack, consumer=a_handler(secrets={"PASSWORD": secret}))
    assert the(stack, "Lambda::Function")["Environment"]["Variables"]["PASSWORD"] == stack.resolve(secret.secret_arn)
    assert actions_on(stack, "Password") == {"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}
    assert queue.required_endpoints == ("dynamodb", "secretsmanager", "sqs")


def test_parameters_pass_a_name_and_a_grant() -> None:
    stack = new_stack()
    parameter = ssm.StringParameter(stack, "Limit", string_value="5")
    queue = a_queue(stack, consumer=a_handler(parameters={"LIMIT": parameter}))
    value = the(stack, "Lambda::Function")["Environment"]["Variables"]["LIMIT"]
    assert value == stack.resolve(parameter.parameter_name)
    assert actions_on(stack, "Limit") == {"ssm:GetParameter"}
    assert queue.required_endpoints == ("dynamodb", "sqs", "ssm")


def test_an_encrypted_parameter_can_be_read_with_its_customer_key() -> None:
    stack = new_stack()
    key = kms.Key(stack, "ParameterKey")
    parameter = ssm.StringParameter.from_secure_string_parameter_attributes(
        stack, "Limit", parameter_name="/limit", encryption_key=key
    )
    a_queue(stack, consumer=a_handler(parameters={"LIMIT": parameter}))
    assert "kms:Decrypt" in actions_on(stack, "ParameterKey")


def test_grants_get_what_nothing_else_gives() -> None:
    stack = new_stack()
    a_queue(stack, consumer=a_handler(grants=[a_table(stack).grant_read_data]))
    assert "dynamodb:Scan" in actions_on(stack, "Orders")


@pytest.mark.parametrize("network", [False, True])
def test_wildcards_are_x_ray_s_and_the_network_s_alone(network: bool) -> None:
    stack = new_stack()
    key = kms.Key(stack, "Key")
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1) if network else None
    handler = a_handler(tables={"ORDERS": a_table(stack)}, vpc=vpc)
    a_queue(stack, consumer=handler, encryption_key=key, fifo=True, batch_size=2)
    everything = statements(stack)
    assert not [action for statement in everything for action in statement["Action"] if "*" in action]
    wild = {action for each in everything if "*" in str(each["Resource"]) for action in each["Action"]}
    tracing = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    interfaces = {action for action in wild if action.startswith("ec2:")}
    assert wild - interfaces == tracing
    assert bool(interfaces) == network
    assert {action for action in interfaces if "NetworkInterface" not in action} <= {
        "ec2:AssignPrivateIpAddresses",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    }


def test_the_role_is_the_function_s_own_without_managed_policies_and_logs_to_its_own_group() -> None:
    stack = new_stack()
    a_queue(stack, "First")
    a_queue(stack, "Second")
    roles = resources(stack, "IAM::Role")
    functions = resources(stack, "Lambda::Function")
    assert len({str(function["Properties"]["Role"]) for function in functions.values()}) == len(roles) == 2
    assert not [role for role in roles.values() if "ManagedPolicyArns" in role["Properties"]]
    assert actions_on(stack, "FirstConsumerLogs") == {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_sending_is_granted_with_the_key() -> None:
    stack = new_stack()
    queue = a_queue(stack, encryption_key=kms.Key(stack, "Key"))
    sender = iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))  # pyright: ignore
    queue.grant_send(sender)
    policy = the(stack, "IAM::Policy", "Sender")["PolicyDocument"]["Statement"]
    granted = [action for statement in policy for action in statement["Action"]]
    assert sorted(granted) == ["kms:Decrypt", "kms:GenerateDataKey", "sqs:GetQueueUrl", "sqs:SendMessage"]


def test_sending_from_another_account_is_granted_on_the_queue() -> None:
    stack = new_stack()
    a_queue(stack).grant_send(iam.AccountPrincipal("444455556666"))
    policy = the(stack, "SQS::QueuePolicy", "FulfilmentQueuePolicy")["PolicyDocument"]["Statement"]
    (allow,) = [statement for statement in policy if statement["Effect"] == "Allow"]
    assert allow["Action"] == ["sqs:SendMessage", "sqs:GetQueueUrl"]


LOOK = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
TAKE = LOOK | {"sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"}


def granted_to(stack: Stack, name: str) -> dict[str, set[str]]:
    """Actions by resource, in the policy of one role."""
    granted: dict[str, set[str]] = {}
    for statement in the(stack, "IAM::Policy", name)["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        resource = statement["Resource"]
        named = resource if isinstance(resource, str) else resource["Fn::GetAtt"][0].rstrip("0123456789ABCDEF")
        granted.setdefault(named, set()).update([actions] if isinstance(actions, str) else actions)
    return granted


def an_operator(stack: Stack) -> iam.Role:
    return iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore


def test_an_operator_may_do_what_the_command_line_does_and_nothing_else() -> None:
    stack = new_stack()
    a_queue(stack).grant_redrive(an_operator(stack))
    assert granted_to(stack, "Operator") == {
        "FulfilmentQueue": LOOK | {"sqs:SendMessage"},
        "FulfilmentDeadLetterQueue": TAKE,
    }


def test_an_operator_may_use_the_customer_keys_of_both_queues() -> None:
    stack = new_stack()
    letters_key = kms.Key(stack, "LettersKey")
    letters = sqs.Queue(
        stack,
        "Letters",
        retention_period=Duration.days(14),
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=letters_key,
    )
    queue = a_queue(stack, dead_letter_queue=letters, encryption_key=kms.Key(stack, "Key"))
    queue.grant_redrive(an_operator(stack))
    assert granted_to(stack, "Operator") == {
        "FulfilmentQueue": LOOK | {"sqs:SendMessage"},
        "Key": {"kms:Decrypt", "kms:GenerateDataKey"},
        "Letters": TAKE,
        "LettersKey": {"kms:Decrypt"},
    }


def test_a_grant_to_an_operator_is_one_of_both_queues() -> None:
    stack = new_stack()
    grant = a_queue(stack).grant_redrive(an_operator(stack))
    assert len(grant.principal_statements) == 2


def test_an_operator_of_another_account_is_granted_on_both_queues() -> None:
    stack = new_stack()
    a_queue(stack).grant_redrive(iam.AccountPrincipal("444455556666"))
    allowed = {
        name: [each["Action"] for each in the(stack, "SQS::QueuePolicy", name)["PolicyDocument"]["Statement"]][-1]
        for name in ("FulfilmentQueuePolicy", "FulfilmentDeadLetterQueuePolicy")
    }
    assert {name: set(actions) for name, actions in allowed.items()} == {
        "FulfilmentQueuePolicy": LOOK | {"sqs:SendMessage"},
        "FulfilmentDeadLetterQueuePolicy": TAKE,
    }
