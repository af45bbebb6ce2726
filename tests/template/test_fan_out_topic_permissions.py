"""Who may do what around a topic: SNS with queues and keys, publishers, branches, the sweep."""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from serverless_patterns import ClaimCheck, Defaults
from tests.template.stacks import TABLE_KEY, a_handler, a_queue, new_stack, refusal, resources, warnings
from tests.template.topics import a_fan_in, a_topic, allowed, of_function, the_one

RESTRICTED = {"@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption": True}
SERVICE_KEY = {"kms:Decrypt", "kms:GenerateDataKey"}
TOPIC_ARN = {"Ref": "OrderEventsTopic877D17A7"}
NAMED_ARN = {
    "Fn::Join": [
        "",
        [
            "arn:",
            {"Ref": "AWS::Partition"},
            ":sns:",
            {"Ref": "AWS::Region"},
            ":",
            {"Ref": "AWS::AccountId"},
            ":Shop-OrderEvents-83E4B366",
        ],
    ]
}


def queue_statements(stack: Stack, part_of_id: str) -> list[dict[str, Any]]:
    """What a queue's policy allows."""
    _, policy = the_one(stack, "SQS::QueuePolicy", part_of_id)
    return [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]


def key_statements(stack: Stack, service: str) -> list[dict[str, Any]]:
    """What the stack's keys let a service do."""
    return [
        each
        for key in resources(stack, "KMS::Key").values()
        for each in key["Properties"]["KeyPolicy"]["Statement"]
        if each["Principal"] == {"Service": service}
    ]


@pytest.mark.parametrize("part", ["InventoryQueuePolicy", "InventoryUndeliveredPolicy"])
def test_a_queue_lets_sns_send_for_this_topic_alone(part: str) -> None:
    stack = new_stack()
    a_topic(stack).add_subscriber("Inventory", a_handler())
    (allow,) = queue_statements(stack, part)
    assert allow["Action"] == "sqs:SendMessage"
    assert allow["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC_ARN}}


@pytest.mark.parametrize("flags", [{}, RESTRICTED], ids=["without the flag", "with it"])
def test_a_customer_key_lets_sns_encrypt_for_this_topic_alone(flags: dict[str, Any]) -> None:
    stack = new_stack(flags)
    Defaults.of(stack).set(encryption_key=kms.Key(stack, "Key"))
    a_topic(stack).add_subscriber("Inventory", a_handler())
    (allow,) = key_statements(stack, "sns.amazonaws.com")
    assert {*allow["Action"]} == SERVICE_KEY
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": NAMED_ARN}}, "no reference: the topic needs the key"
    assert the_one(stack, "SNS::Topic", "OrderEvents")[1]["TopicName"] == "Shop-OrderEvents-83E4B366"
    masters = [it["Properties"]["KmsMasterKeyId"] for it in resources(stack, "SQS::Queue").values()]
    assert len(masters) == 3


def test_a_queue_s_own_key_and_that_of_its_subscription_s_dead_letters_let_sns_in() -> None:
    stack = new_stack()
    theirs, ours = kms.Key(stack, "Theirs"), kms.Key(stack, "Ours")
    queue = sqs.Queue(stack, "Mine", encryption=sqs.QueueEncryption.KMS, encryption_master_key=theirs)
    a_topic(stack, encryption_key=ours).add_subscriber("Audit", queue)
    assert len(key_statements(stack, "sns.amazonaws.com")) == 2
    assert the_one(stack, "SQS::Queue", "Undelivered")[1]["KmsMasterKeyId"]["Fn::GetAtt"][0].startswith("Ours")


def test_a_key_of_another_stack_makes_no_circle() -> None:
    app = App()
    keys, here, there = Stack(app, "Keys"), Stack(app, "Topics"), Stack(app, "Subscribers")
    Defaults.of(app).set(encryption_key=kms.Key(keys, "Key"))
    topic = a_topic(here, fan_in=a_fan_in(), claim_check=ClaimCheck(), unmatched="keep")
    topic.add_subscriber("Inventory", a_handler(), scope=there)
    topic.publish_from(s3.Bucket(here, "Uploads"))
    app.synth()
    assert keys.dependencies == []
    assert here.dependencies == [keys]


@pytest.mark.parametrize(
    "arguments",
    [
        {"encryption": sqs.QueueEncryption.KMS_MANAGED},
        {"encryption_master_key": "alias/aws/sqs"},
        {"encryption_master_key": "arn:aws:kms:eu-west-1:111122223333:alias/aws/sqs"},
    ],
    ids=["KMS_MANAGED", "alias", "alias by ARN"],
)
def test_a_queue_under_a_key_that_aws_manages_is_refused(arguments: dict[str, Any]) -> None:
    stack = new_stack()
    alias = arguments.get("encryption_master_key")
    if alias:
        by_name = kms.Alias.from_alias_name(stack, "Alias", "alias/aws/sqs")
        key = kms.Key.from_key_arn(stack, "K", alias.replace("alias/aws/sqs", "key/x")) if ":" in alias else by_name
        queue = sqs.Queue(stack, "Mine", encryption_master_key=key)
        if ":" in alias:
            resource: Any = queue.node.default_child
            resource.kms_master_key_id = alias
    else:
        queue = sqs.Queue(stack, "Mine", **arguments)
    assert refusal(lambda: a_topic(stack).add_subscriber("Audit", queue)) == (
        "Shop/OrderEvents.add_subscriber('Audit'): target encryption must not be by a key that AWS manages for SQS, "
        "got Shop/Mine: SNS may not use that key, and messages vanish: use SQS_MANAGED, free, or a key of your own"
    )


def test_an_imported_queue_is_warned_about_with_the_statement_that_its_owner_has_to_add() -> None:
    stack = new_stack()
    arn = "arn:aws:sqs:eu-west-1:111122223333:theirs"
    a_topic(stack, alarms="none").add_subscriber("Audit", sqs.Queue.from_queue_arn(stack, "Theirs", arn))
    (warning,) = warnings(stack)
    assert "the imported queue Shop/Theirs" in warning
    assert json.loads(warning[warning.index("{") :]) == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["sqs:SendMessage"],
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": "<ARN of Shop/OrderEvents/Topic>"}},
    }


def test_an_imported_key_is_warned_about_with_the_statement_that_its_owner_has_to_add() -> None:
    stack = new_stack()
    key = kms.Key.from_key_arn(stack, "Theirs", "arn:aws:kms:eu-west-1:111122223333:key/1")
    a_topic(stack, alarms="none", encryption_key=key).add_subscriber("Audit", sqs.Queue(stack, "Mine"))
    (warning,) = [each for each in warnings(stack) if "sns.amazonaws.com" in each]
    assert "the imported key Shop/Theirs" in warning
    assert json.loads(warning[warning.index("{") :]) == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": "<ARN of Shop/OrderEvents/Topic>"}},
    }


def test_a_topic_takes_tls_only() -> None:
    stack = new_stack()
    a_topic(stack)
    _, policy = the_one(stack, "SNS::TopicPolicy", "OrderEvents")
    (deny,) = policy["PolicyDocument"]["Statement"]
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_publisher_may_publish_and_leave_payloads_and_nothing_else() -> None:
    stack = new_stack()
    key = kms.Key(stack, "Key")
    topic = a_topic(stack, encryption_key=key, claim_check=ClaimCheck())
    role = iam.Role(stack, "Somebody", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore[reportArgumentType]
    topic.grant_publish(role)
    bucket, _ = the_one(stack, "S3::Bucket", "Payloads")
    assert allowed(stack, "Somebody", "OrderEventsTopic") == {"sns:Publish"}
    assert allowed(stack, "Somebody", bucket) == {"s3:PutObject"}
    assert allowed(stack, "Somebody", "Key") == SERVICE_KEY
    (objects,) = [each["Resource"] for each in of_function(stack, "Somebody") if "s3:PutObject" in each["Action"]]
    assert objects == [{"Fn::Join": ["", [{"Fn::GetAtt": [bucket, "Arn"]}, "/claim-check/*"]]}]


def test_a_publisher_of_another_account_is_let_in_by_the_topic_s_policy() -> None:
    stack = new_stack(env={"account": "111122223333", "region": "eu-west-1"})
    a_topic(stack).grant_publish(iam.AccountPrincipal("444455556666"))
    _, policy = the_one(stack, "SNS::TopicPolicy", "OrderEvents")
    assert "444455556666" in str(policy["PolicyDocument"])


def test_event_bridge_may_publish_and_use_the_keys_of_topic_and_dead_letters() -> None:
    stack = new_stack()
    topic = a_topic(stack, encryption_key=kms.Key(stack, "Key"))
    topic.publish_from(s3.Bucket(stack, "Uploads"))
    _, policy = the_one(stack, "SNS::TopicPolicy", "OrderEvents")
    services = [each["Principal"] for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert services == [{"Service": "events.amazonaws.com"}]
    (allow,) = key_statements(stack, "events.amazonaws.com")
    assert {*allow["Action"]} == SERVICE_KEY
    (sends,) = queue_statements(stack, "Unpublished")
    assert sends["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0].startswith("OrderEventsFrom")


def test_an_imported_topic_is_warned_about_where_event_bridge_may_not_publish() -> None:
    stack = new_stack()
    topic = sns.Topic.from_topic_arn(stack, "Theirs", "arn:aws:sns:eu-west-1:111122223333:theirs")
    a_topic(stack, topic=topic, alarms="none").publish_from(s3.Bucket(stack, "Uploads"))
    (warning,) = warnings(stack)
    assert json.loads(warning[warning.index("{") :]) == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["sns:Publish"],
        "Resource": "arn:aws:sns:eu-west-1:111122223333:theirs",
    }


def test_an_existing_topic_s_key_is_granted_where_it_can_be_seen() -> None:
    stack = new_stack()
    theirs = sns.Topic(stack, "Theirs", master_key=kms.Key(stack, "Key"))  # pyright: ignore[reportArgumentType]
    a_queue(stack, consumer=a_handler(grants=[a_topic(stack, topic=theirs).grant_publish]))
    assert allowed(stack, "FulfilmentConsumer", "Key") == SERVICE_KEY


def test_a_branch_may_report_and_nothing_else() -> None:
    stack = new_stack()
    a_topic(stack, fan_in=a_fan_in()).add_subscriber("Inventory", a_handler())
    table, bucket = (the_one(stack, *of)[0] for of in (("DynamoDB::Table", "FanIn"), ("S3::Bucket", "Results")))
    queue, _ = the_one(stack, "SQS::Queue", "CompletionsQueue")
    reports = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    assert allowed(stack, "InventoryConsumer", table) == reports
    assert allowed(stack, "InventoryConsumer", bucket) == {"s3:PutObject"}
    assert allowed(stack, "InventoryConsumer", queue) == {"sqs:SendMessage"}
    assert {str(each["Resource"]) for each in of_function(stack, "InventoryConsumer") if table in str(each)} == {
        str([{"Fn::GetAtt": [table, "Arn"]}])
    }


def test_the_sweep_may_close_and_announce_and_nothing_else() -> None:
    stack = new_stack()
    a_topic(stack, fan_in=a_fan_in())
    table, _ = the_one(stack, "DynamoDB::Table", "FanIn")
    queue, _ = the_one(stack, "SQS::Queue", "CompletionsQueue")
    assert allowed(stack, "Sweep", table) == {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"}
    assert allowed(stack, "Sweep", queue) == {"sqs:SendMessage"}
    (query,) = [each["Resource"] for each in of_function(stack, "Sweep") if each["Action"] == ["dynamodb:Query"]]
    assert query == [{"Fn::Join": ["", [{"Fn::GetAtt": [table, "Arn"]}, "/index/due"]]}]
    assert len(of_function(stack, "Sweep")) == 3


def test_the_completion_may_read_and_nothing_else() -> None:
    stack = new_stack()
    a_topic(stack, fan_in=a_fan_in())
    table, bucket = (the_one(stack, *of)[0] for of in (("DynamoDB::Table", "FanIn"), ("S3::Bucket", "Results")))
    assert allowed(stack, "CompletionsConsumer", table) == {"dynamodb:GetItem"}
    assert allowed(stack, "CompletionsConsumer", bucket) == {"s3:GetObject"}


@pytest.mark.parametrize("function", ["InventoryConsumer", "CompletionsConsumer", "Sweep"])
def test_a_customer_key_of_table_and_buckets_is_granted_to_all_of_the_fan_in(function: str) -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in(), encryption_key=kms.Key(stack, "Key"), claim_check=ClaimCheck())
    topic.add_subscriber("Inventory", a_handler())
    assert allowed(stack, function, "Key") >= TABLE_KEY | SERVICE_KEY


def test_the_matcher_may_do_nothing_when_it_only_counts() -> None:
    stack = new_stack()
    a_topic(stack, unmatched="count")
    assert {action for each in of_function(stack, "Matcher") for action in each["Action"]} == {
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
