"""What already exists: imported queues, functions, tables, keys, networks; and what cannot be seen of them."""

from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from tests.template.stacks import (
    TABLE_KEY,
    a_handler,
    a_queue,
    new_stack,
    resources,
    statements,
    the,
    the_mapping,
    the_queue,
    the_variables,
    warnings,
)

ACCOUNT = "eu-west-1:111122223333"
QUEUE_ARN, LETTERS_ARN = f"arn:aws:sqs:{ACCOUNT}:incoming", f"arn:aws:sqs:{ACCOUNT}:letters"
TABLE_ARN = f"arn:aws:dynamodb:{ACCOUNT}:table/claims"
KEY_ARN = f"arn:aws:kms:{ACCOUNT}:key/0"
SECONDS = Duration.seconds


def imported_queue(stack: Stack, suffix: str = "") -> dict[str, Any]:
    return {
        "queue": sqs.Queue.from_queue_arn(stack, "Imported", QUEUE_ARN + suffix),
        "dead_letter_queue": sqs.Queue.from_queue_arn(stack, "Letters", LETTERS_ARN + suffix),
        "queue_visibility_timeout": SECONDS(240),
    }


def imported_function(stack: Stack) -> lambda_.IFunction:
    arn = f"arn:aws:lambda:{ACCOUNT}:function:fulfil"
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/fulfil")
    return lambda_.Function.from_function_attributes(stack, "Function", function_arn=arn, role=role)


def node_function(stack: Stack, **arguments: Any) -> lambda_.Function:
    code, runtime = lambda_.Code.from_inline("exports.handler = 1"), lambda_.Runtime.NODEJS_22_X
    return lambda_.Function(stack, "Own", code=code, handler="index.handler", runtime=runtime, **arguments)


def allowed(stack: Stack, resource: Any) -> set[str]:
    return {action for each in statements(stack) if resource in each["Resource"] for action in each["Action"]}


def test_an_imported_queue_is_consumed_with_what_was_said_of_it() -> None:
    stack = new_stack()
    queue = a_queue(stack, **imported_queue(stack), max_receive_count=7)
    assert resources(stack, "SQS::Queue") == {}
    assert the_mapping(stack)["EventSourceArn"] == QUEUE_ARN
    assert the_variables(stack)["VISIBILITY_TIMEOUT_SECONDS"] == "240"
    assert the_variables(stack)["MAX_RECEIVE_COUNT"] == "7"
    assert allowed(stack, LETTERS_ARN) == {"sqs:SendMessage"}
    assert "sqs:ReceiveMessage" in allowed(stack, QUEUE_ARN)
    assert queue.queue.queue_arn == QUEUE_ARN


def test_an_imported_fifo_queue_is_known_by_its_name() -> None:
    stack = new_stack()
    a_queue(stack, **imported_queue(stack, ".fifo"), batch_size=3)
    assert the_variables(stack)["COUNT_ATTEMPTS"] == "true"


def unseen(least: str) -> str:
    return (
        f"the maxReceiveCount of Shop/Imported cannot be seen and must be at least {least}, or a failing message of a "
        "FIFO batch takes healthy ones of its group to the dead-letter queue: set it where the queue is defined, or "
        "use batch_size=1"
    )


def test_an_imported_fifo_queue_s_own_count_is_warned_about_in_batches() -> None:
    stack = new_stack()
    a_queue(stack, **imported_queue(stack, ".fifo"), batch_size=3, alarms="none")
    assert warnings(stack) == [unseen("36")]


def test_an_imported_fifo_queue_s_own_count_is_safe_at_sqs_s_largest_whatever_a_token_says() -> None:
    stack = new_stack()
    batch = CfnParameter(stack, "Batch", type="Number").value_as_number
    a_queue(stack, **imported_queue(stack, ".fifo"), batch_size=batch, alarms="none")
    assert warnings(stack) == [unseen("1,000")]


@pytest.mark.parametrize(("suffix", "batch_size"), [(".fifo", None), (".fifo", 1), ("", 3)])
def test_where_the_queue_counts_or_nothing_is_held_up_nobody_is_warned(suffix: str, batch_size: int | None) -> None:
    stack = new_stack()
    a_queue(stack, **imported_queue(stack, suffix), batch_size=batch_size, alarms="none")
    assert warnings(stack) == []


def test_a_queue_of_this_app_shows_all_that_is_needed() -> None:
    stack = new_stack()
    letters = sqs.Queue(stack, "Letters")
    existing = sqs.Queue(
        stack,
        "Existing",
        visibility_timeout=SECONDS(200),
        retention_period=Duration.days(1),
        dead_letter_queue=sqs.DeadLetterQueue(queue=letters, max_receive_count=8),
    )
    queue = a_queue(stack, queue=existing, claims_retention=Duration.days(15))
    assert queue.dead_letter_queue is letters
    assert the_variables(stack)["VISIBILITY_TIMEOUT_SECONDS"] == "200"
    assert the_variables(stack)["MAX_RECEIVE_COUNT"] == "8"


def test_an_imported_function_gets_the_wiring_and_its_role_the_permission() -> None:
    stack = new_stack()
    consumer = imported_function(stack)
    queue = a_queue(stack, consumer=consumer, consumer_timeout=SECONDS(10), report_batch_item_failures=True)
    assert the_queue(stack)["VisibilityTimeout"] == 60
    assert the_mapping(stack)["FunctionName"] == "fulfil"
    assert the_mapping(stack)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert the_mapping(stack)["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert the(stack, "IAM::Policy")["Roles"] == ["fulfil"]
    assert queue.claims is None
    assert queue.required_endpoints == ()
    assert queue.consumer_function is consumer
    assert resources(stack, "DynamoDB::Table") == {}
    assert resources(stack, "Lambda::Function") == {}


def test_the_mapping_waits_for_the_permission_to_poll() -> None:
    stack = new_stack()
    a_queue(stack, consumer=imported_function(stack), consumer_timeout=SECONDS(9), report_batch_item_failures=True)
    (policy,) = resources(stack, "IAM::Policy")
    (mapping,) = resources(stack, "Lambda::EventSourceMapping").values()
    assert policy in mapping["DependsOn"]


POLL = "sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage"


def an_immutable_role(stack: Stack) -> iam.IRole:
    return iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/fulfil", mutable=False)


def a_function_imported_with(stack: Stack, role: iam.IRole) -> lambda_.IFunction:
    arn = f"arn:aws:lambda:{ACCOUNT}:function:fulfil"
    return lambda_.Function.from_function_attributes(stack, "Function", function_arn=arn, role=role)


def must_allow(statements: str, *, role: str = "Shop/Role", function: str = "Shop/Function") -> str:
    return (
        f"the role {role} of {function} cannot be changed here, so nothing was granted: import it with mutable=True, "
        f"or have its owner allow {statements}; else Lambda refuses to read the queue, and the deployment fails"
    )


def test_an_immutable_role_gets_nothing_and_synth_says_what_its_owner_has_to_allow() -> None:
    stack = new_stack()
    consumer = a_function_imported_with(stack, an_immutable_role(stack))
    said = {"consumer_timeout": SECONDS(10), "report_batch_item_failures": True, "alarms": "none"}
    a_queue(stack, consumer=consumer, encryption_key=kms.Key(stack, "Key"), **said)
    assert resources(stack, "IAM::Policy") == {}
    assert warnings(stack) == [must_allow(f"{POLL} on Shop/Fulfilment/Queue; kms:Decrypt on Shop/Key")]


def test_an_immutable_role_is_told_of_an_imported_queue_by_its_arn() -> None:
    stack = new_stack()
    consumer = a_function_imported_with(stack, an_immutable_role(stack))
    said = {"consumer_timeout": SECONDS(10), "report_batch_item_failures": True, "alarms": "none"}
    a_queue(stack, consumer=consumer, **imported_queue(stack), **said)
    assert warnings(stack) == [must_allow(f"{POLL} on {QUEUE_ARN}")]


def test_a_function_of_this_app_whose_role_must_not_change_is_warned_about() -> None:
    stack = new_stack()
    principal = iam.ServicePrincipal("lambda.amazonaws.com")
    role = iam.Role(stack, "Role", assumed_by=principal).without_policy_updates()  # pyright: ignore
    a_queue(stack, consumer=node_function(stack, role=role), report_batch_item_failures=True, alarms="none")
    assert warnings(stack) == [
        must_allow(f"{POLL} on Shop/Fulfilment/Queue", role="Shop/ImmutableRoleRole", function="Shop/Own")
    ]


@pytest.mark.parametrize("imported", [True, False])
def test_a_role_that_takes_the_permission_is_not_warned_about(imported: bool) -> None:
    stack = new_stack()
    consumer = imported_function(stack) if imported else node_function(stack)
    timeout = SECONDS(10) if imported else None
    a_queue(stack, consumer=consumer, consumer_timeout=timeout, report_batch_item_failures=True, alarms="none")
    assert warnings(stack) == []


def test_a_function_of_another_language_shows_its_timeout() -> None:
    stack = new_stack()
    a_queue(stack, consumer=node_function(stack, timeout=SECONDS(20)), report_batch_item_failures=False)
    assert the_queue(stack)["VisibilityTimeout"] == 120
    assert "FunctionResponseTypes" not in the_mapping(stack)


def test_a_function_that_says_no_timeout_has_lambda_s_three_seconds() -> None:
    stack = new_stack()
    a_queue(stack, consumer=node_function(stack), report_batch_item_failures=True)
    assert the_queue(stack)["VisibilityTimeout"] == 18


@pytest.mark.parametrize("kind", ["alias", "version"])
def test_an_alias_or_version_shows_the_timeout_of_its_function(kind: str) -> None:
    stack = new_stack()
    function = node_function(stack, timeout=SECONDS(20))
    version = function.current_version
    consumer = lambda_.Alias(stack, "Live", alias_name="live", version=version) if kind == "alias" else version  # pyright: ignore
    a_queue(stack, consumer=consumer, report_batch_item_failures=True)
    assert the_queue(stack)["VisibilityTimeout"] == 120


def test_a_raw_fifo_batch_above_one_is_warned_about() -> None:
    stack = new_stack()
    consumer = node_function(stack)
    a_queue(stack, consumer=consumer, report_batch_item_failures=True, fifo=True, batch_size=2, alarms="none")
    assert the_queue(stack)["RedrivePolicy"]["maxReceiveCount"] == 5
    assert warnings(stack) == [
        "a failing message of a FIFO batch takes healthy ones of its group to the dead-letter queue: "
        "use batch_size=1, or a Handler, whose runtime counts attempts itself"
    ]


def test_imported_tables_are_granted_by_their_arn() -> None:
    stack = new_stack()
    claims = dynamodb.Table.from_table_arn(stack, "Claims", TABLE_ARN)
    key = kms.Key.from_key_arn(stack, "Key", KEY_ARN)
    orders_arn = TABLE_ARN.replace("claims", "orders")
    orders = dynamodb.Table.from_table_attributes(stack, "Orders", table_arn=orders_arn, encryption_key=key)
    a_queue(stack, claims=claims, consumer=a_handler(tables={"ORDERS": orders}))
    assert allowed(stack, TABLE_ARN) == {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    assert "dynamodb:ConditionCheckItem" in allowed(stack, orders_arn)
    assert allowed(stack, KEY_ARN) == TABLE_KEY
    assert the_variables(stack)["ORDERS"] == "orders"
    assert the_variables(stack)["CLAIMS_TABLE_NAME"] == "claims"


def test_an_imported_key_is_used_and_its_policy_asked_for() -> None:
    stack = new_stack()
    a_queue(stack, encryption_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN), alarms="none")
    assert the_queue(stack)["KmsMasterKeyId"] == KEY_ARN
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= allowed(stack, KEY_ARN)
    assert warnings(stack) == [
        "the policy of the imported key Shop/Key cannot be changed here: it must let logs.<region>.amazonaws.com "
        "use the key for this account's log groups, or the deployment fails"
    ]


def test_an_imported_network_is_used() -> None:
    stack = new_stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-12345678", availability_zones=["a"], private_subnet_ids=["subnet-12345678"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-12345678")
    handler = a_handler(vpc=vpc, vpc_subnets=ec2.SubnetSelection(subnets=vpc.private_subnets), security_groups=[group])
    a_queue(stack, consumer=handler)
    assert the(stack, "Lambda::Function")["VpcConfig"] == {
        "SecurityGroupIds": ["sg-12345678"],
        "SubnetIds": ["subnet-12345678"],
    }


def test_a_claims_table_of_our_own_kind_may_be_shared() -> None:
    stack = new_stack()
    key = dynamodb.Attribute(name="claim", type=dynamodb.AttributeType.STRING)
    table = dynamodb.TableV2(stack, "Shared", partition_key=key)
    assert a_queue(stack, claims=table).claims is table
