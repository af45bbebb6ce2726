"""What FanOutTopic tells CloudFormation."""

import json
from decimal import Decimal
from typing import Any

import pytest
from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from serverless_patterns import ApiProxy, ClaimCheck, Defaults, HttpsEndpoint, LoadLeveledQueue, Route
from serverless_patterns_runtime.fan_in import contract as fan_in
from serverless_patterns_runtime.fan_out_topic import contract
from serverless_patterns_runtime.fan_out_topic.packed import unpacked
from serverless_patterns_runtime.load_leveled_queue.contract import HANDLER
from tests.template.sagas import a_saga
from tests.template.stacks import a_handler, a_queue, a_table, new_stack, resources, the, warnings
from tests.template.topics import a_fan_in, a_topic, allowed, of_function, the_one, variables

PLACED = {"kind": ["placed"]}


def the_subscription(stack: Stack, name: str) -> dict[str, Any]:
    return the_one(stack, "SNS::Subscription", name)[1]


def test_a_handler_gets_a_queue_of_its_own_raw_and_with_its_filter() -> None:
    stack = new_stack()
    a_topic(stack).add_subscriber("Inventory", a_handler(), filter=PLACED)
    queue, _ = the_one(stack, "SQS::Queue", "InventoryQueue")
    subscription = the_subscription(stack, "Inventory")
    assert subscription["Protocol"] == "sqs"
    assert subscription["Endpoint"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert subscription["RawMessageDelivery"] is True
    assert subscription["FilterPolicy"] == PLACED
    assert subscription["FilterPolicyScope"] == "MessageAttributes"
    assert the(stack, "Lambda::Function")["Handler"] == HANDLER


def test_a_filter_looks_at_the_body_where_it_is_told_to() -> None:
    stack = new_stack()
    policy = {"order": {"coupon": ["tea", {"exists": False}]}, "total": [{"numeric": [">", 100, "<=", 500]}]}
    a_topic(stack).add_subscriber("Large", a_handler(), filter=policy, filter_scope="body")
    assert the_subscription(stack, "Large")["FilterPolicy"] == policy
    assert the_subscription(stack, "Large")["FilterPolicyScope"] == "MessageBody"


def test_a_subscriber_without_a_filter_gets_everything() -> None:
    stack = new_stack()
    a_topic(stack).add_subscriber("Audit", a_handler())
    assert {"FilterPolicy", "FilterPolicyScope"}.isdisjoint(the_subscription(stack, "Audit"))


def test_every_subscription_has_a_dead_letter_queue_of_its_own_for_fourteen_days() -> None:
    stack = new_stack()
    topic = a_topic(stack)
    topic.add_subscriber("Inventory", a_handler())
    topic.add_subscriber("Audit", sqs.Queue(stack, "Mine"))
    topic.add_subscriber("Partner", HttpsEndpoint("https://partner.example/hook"))
    targets = [
        it["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for it in resources(stack, "SNS::Subscription").values()
    ]
    assert len({*targets}) == 3
    for target in targets:
        letters = resources(stack, "SQS::Queue")[target]
        assert letters["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
        assert letters["DeletionPolicy"] == "Retain"


def test_a_subscription_waits_for_the_policies_that_let_sns_in() -> None:
    stack = new_stack()
    a_topic(stack).add_subscriber("Inventory", a_handler())
    (subscription,) = resources(stack, "SNS::Subscription").values()
    assert {"InventoryQueuePolicy", "InventoryUndeliveredPolicy"} == {
        id.removeprefix("OrderEvents")[:-8] for id in subscription["DependsOn"]
    }


def test_nothing_of_one_subscriber_is_another_s() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in())
    for name in ("Inventory", "Invoicing"):
        topic.add_subscriber(name, a_handler(), max_concurrency=3)
    for type, count in (
        ("SNS::Subscription", 1),
        ("SQS::Queue", 3),
        ("Lambda::Function", 1),
        ("IAM::Role", 1),
        ("Lambda::EventSourceMapping", 1),
    ):
        for name in ("Inventory", "Invoicing"):
            assert len([id for id in resources(stack, type) if name in id]) == count, (type, name)
    for name in ("Inventory", "Invoicing"):
        other = "Invoicing" if name == "Inventory" else "Inventory"
        assert other not in str(of_function(stack, name))
    caps = [it["Properties"]["ScalingConfig"] for id, it in resources(stack, "Lambda::EventSourceMapping").items()]
    assert caps.count({"MaximumConcurrency": 3}) == 2


def test_all_branches_have_one_table_of_claims_and_a_namespace_each() -> None:
    stack = new_stack()
    topic = a_topic(stack, idempotency_key="order_id")
    topic.add_subscriber("Inventory", a_handler())
    topic.add_subscriber("Invoicing", a_handler())
    assert len(resources(stack, "DynamoDB::Table")) == 1
    told = [variables(stack, name) for name in ("InventoryConsumer", "InvoicingConsumer")]
    assert told[0]["CLAIMS_TABLE_NAME"] == told[1]["CLAIMS_TABLE_NAME"]
    assert [each["CLAIMS_NAMESPACE"] for each in told] == ["OrderEvents.Inventory", "OrderEvents.Invoicing"]
    assert [each["IDEMPOTENCY_KEY"] for each in told] == ["order_id", "order_id"]


def test_a_topic_without_handlers_has_no_table() -> None:
    stack = new_stack()
    a_topic(stack).add_subscriber("Audit", sqs.Queue(stack, "Mine"))
    assert resources(stack, "DynamoDB::Table") == {}
    assert resources(stack, "Lambda::Function") == {}


def test_what_remembers_outlives_every_way_back() -> None:
    """23 days of SNS's tries, 14 as its dead letter, 4 in the queue, 14 as a dead letter of that."""
    stack, longest = new_stack(), (23 + 14 + 4 + 14) * 86_400
    topic = a_topic(stack, fan_in=a_fan_in(deadline=Duration.days(3)), claim_check=ClaimCheck())
    topic.add_subscriber("Inventory", a_handler())
    told = variables(stack, "InventoryConsumer")
    assert int(told["CLAIMS_RETENTION_SECONDS"]) >= longest
    assert int(told["FAN_IN_RETENTION_SECONDS"]) >= longest
    assert int(variables(stack, "CompletionsConsumer")["CLAIMS_RETENTION_SECONDS"]) >= longest
    days = {
        id: it["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"]
        for id, it in resources(stack, "S3::Bucket").items()
    }
    payloads, results = (next(days[id] for id in days if word in id) for word in ("Payloads", "Results"))
    assert payloads * 86_400 > longest
    kept = int(told["FAN_IN_RETENTION_SECONDS"]) + int(told["FAN_IN_DEADLINE_SECONDS"])
    assert results * 86_400 > kept, "a head lives so long after its end, which is up to a deadline after the result"


def test_a_function_of_somebody_s_gets_one_message_at_a_time() -> None:
    stack = new_stack()
    function = lambda_.Function(
        stack, "Theirs", runtime=lambda_.Runtime.NODEJS_22_X, handler="a.b", code=lambda_.Code.from_inline("x")
    )
    a_topic(stack, idempotency_key="order_id").add_subscriber("Theirs", function)
    mapping = the(stack, "Lambda::EventSourceMapping")
    assert mapping["BatchSize"] == 1
    assert "FunctionResponseTypes" not in mapping


def test_a_queue_of_mine_only_gets_a_subscription() -> None:
    stack = new_stack()
    mine = a_queue(stack)
    subscriber = a_topic(stack).add_subscriber("Fulfilment", mine)
    assert subscriber.queue is mine
    assert not subscriber.takes_part
    assert len([id for id in resources(stack, "SQS::Queue") if "OrderEvents" in id]) == 1


def test_an_endpoint_is_tried_within_an_hour_no_faster_than_it_wants() -> None:
    stack = new_stack()
    endpoint = HttpsEndpoint("https://partner.example/hook", max_receives_per_second=10)
    assert a_topic(stack).add_subscriber("Partner", endpoint).queue is None
    subscription = the_subscription(stack, "Partner")
    assert subscription["Protocol"] == "https"
    assert subscription["Endpoint"] == "https://partner.example/hook"
    assert subscription["RawMessageDelivery"] is False, "only SNS's envelope is signed"
    policy = subscription["DeliveryPolicy"]
    assert policy["throttlePolicy"] == {"maxReceivesPerSecond": 10}
    retries = policy["healthyRetryPolicy"]
    assert retries["numRetries"] * retries["maxDelayTarget"] <= 3_600


def test_a_saga_starts_behind_a_queue_with_what_its_own_door_may() -> None:
    stack = new_stack()
    saga = a_saga(stack)
    a_topic(stack, idempotency_key="order_id").add_subscriber("Checkout", saga)
    told = variables(stack, "OrderEventsCheckoutConsumer")
    assert told["BUSINESS_FUNCTION"] == contract.SAGA_STARTER
    assert {*contract.SagaStarterEnv._fields} <= {*told}
    assert "states:StartExecution" in str(of_function(stack, "OrderEventsCheckoutConsumer"))
    assert "states:DescribeExecution" in str(of_function(stack, "OrderEventsCheckoutConsumer"))


def test_fifo_holds_for_everything_behind_the_topic() -> None:
    stack = new_stack()
    topic = a_topic(stack, fifo=True, content_based_deduplication=True, fan_in=a_fan_in())
    topic.add_subscriber("Inventory", a_handler())
    told = the(stack, "SNS::Topic")
    assert told["FifoTopic"] is True
    assert told["ContentBasedDeduplication"] is True
    assert told["TopicName"].endswith(".fifo")
    queues = {id: it["Properties"].get("FifoQueue", False) for id, it in resources(stack, "SQS::Queue").items()}
    assert {id for id, fifo in queues.items() if fifo} == {id for id in queues if "Inventory" in id}


def test_an_existing_topic_is_used_as_it_is() -> None:
    stack = new_stack()
    theirs = sns.Topic(stack, "Theirs", fifo=True)
    topic = a_topic(stack, topic=theirs)
    topic.add_subscriber("Inventory", a_handler())
    assert topic.topic is theirs
    assert len(resources(stack, "SNS::Topic")) == 1
    assert the_one(stack, "SQS::Queue", "InventoryQueue")[1]["FifoQueue"] is True


def test_only_handlers_take_part_unless_they_are_left_out() -> None:
    stack = new_stack()
    topic = a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in())
    topic.add_subscriber("Inventory", a_handler(), filter=PLACED)
    topic.add_subscriber("Invoicing", a_handler(), filter=PLACED, filter_scope="body")
    topic.add_subscriber("Analytics", a_handler(), fan_in=False)
    topic.add_subscriber(
        "Mine", a_queue(stack, idempotency_key="order_id", claims_retention=Duration.days(60)), fan_in=True
    )
    topic.add_subscriber("Audit", sqs.Queue(stack, "AuditQueue"))
    taking = {name for name, each in topic.subscribers.items() if each.takes_part}
    assert taking == {"Inventory", "Invoicing", "Mine"}
    expected = {"Inventory": {"filter": PLACED}, "Invoicing": {"filter": PLACED, "scope": "body"}, "Mine": {}}
    for consumer in ("InventoryConsumer", "FulfilmentConsumer"):
        told = variables(stack, consumer)
        assert {*fan_in.StoreEnv._fields, *fan_in.BranchEnv._fields} <= {*told}
        assert unpacked(told["FAN_IN_SUBSCRIBERS"]) == expected, "those that were added later too"
    assert "FAN_IN_TABLE_NAME" not in variables(stack, "AnalyticsConsumer")


def test_who_looks_early_does_not_freeze_who_takes_part() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in())
    topic.add_subscriber("Inventory", a_handler())
    packed_branches = topic._parts.adding.packed_branches  # pyright: ignore[reportPrivateUsage]
    assert {*unpacked(stack.resolve(packed_branches))} == {"Inventory"}
    topic.add_subscriber("Invoicing", a_handler())
    assert {*unpacked(stack.resolve(packed_branches))} == {"Inventory", "Invoicing"}


def test_with_an_expression_no_filters_go_along() -> None:
    stack = new_stack()
    a_topic(stack, fan_in=a_fan_in(expected="order.branches")).add_subscriber("Inventory", a_handler())
    told = variables(stack, "InventoryConsumer")
    assert told["FAN_IN_EXPECTED"] == "order.branches"
    assert told["FAN_IN_SUBSCRIBERS"] == ""


def test_the_fan_in_s_table_is_found_by_its_deadline_and_keeps_its_items_from_deletion() -> None:
    stack = new_stack()
    a_topic(stack, fan_in=a_fan_in())
    id, table = the_one(stack, "DynamoDB::Table", "FanIn")
    assert table["KeySchema"] == [{"AttributeName": fan_in.PARTITION_KEY, "KeyType": "HASH"}]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == fan_in.DUE_INDEX
    assert index["KeySchema"] == [
        {"AttributeName": fan_in.SHARD, "KeyType": "HASH"},
        {"AttributeName": fan_in.DUE, "KeyType": "RANGE"},
    ]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    types = {it["AttributeName"]: it["AttributeType"] for it in table["AttributeDefinitions"]}
    assert types == {fan_in.PARTITION_KEY: "S", fan_in.SHARD: "S", fan_in.DUE: "N"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": fan_in.TIME_TO_LIVE, "Enabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert resources(stack, "DynamoDB::Table")[id]["DeletionPolicy"] == "Retain"


def test_the_sweep_runs_every_minute_and_ends_before_the_next() -> None:
    stack = new_stack()
    a_topic(stack, fan_in=a_fan_in())
    sweep, function = the_one(stack, "Lambda::Function", "Sweep")
    assert function["Handler"] == fan_in.SWEEP_HANDLER
    assert function["Timeout"] < 60
    told = {*function["Environment"]["Variables"]}
    assert {*fan_in.StoreEnv._fields, *fan_in.SweepEnv._fields} <= told
    rule = the(stack, "Events::Rule")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Targets"][0]["Arn"] == {"Fn::GetAtt": [sweep, "Arn"]}


def test_completions_are_told_apart_by_their_key() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in(max_concurrency=7))
    told = variables(stack, "CompletionsConsumer")
    assert told["IDEMPOTENCY_KEY"] == "key"
    assert {*fan_in.StoreEnv._fields, *fan_in.CompletionEnv._fields} <= {*told}
    assert topic.fan_in is not None
    assert isinstance(topic.fan_in.completions, LoadLeveledQueue)
    assert the(stack, "Lambda::EventSourceMapping")["ScalingConfig"] == {"MaximumConcurrency": 7}


def test_claim_checks_are_opened_by_handlers_and_by_the_completion_from_one_bucket_alone() -> None:
    stack = new_stack()
    topic = a_topic(stack, claim_check=ClaimCheck(keep=["kind"]), fan_in=a_fan_in())
    topic.add_subscriber("Inventory", a_handler())
    bucket, _ = the_one(stack, "S3::Bucket", "Payloads")
    for consumer in ("InventoryConsumer", "CompletionsConsumer"):
        assert variables(stack, consumer)["CLAIM_CHECK_BUCKET"] == {"Ref": bucket}
        assert allowed(stack, consumer, bucket) == {"s3:GetObject"}


def test_a_bucket_is_private_and_encrypted_and_takes_tls_only() -> None:
    stack = new_stack()
    a_topic(stack, claim_check=ClaimCheck(), fan_in=a_fan_in())
    buckets = resources(stack, "S3::Bucket")
    assert len(buckets) == 2
    for it in buckets.values():
        assert {*it["Properties"]["PublicAccessBlockConfiguration"].values()} == {True}
        assert it["Properties"]["BucketEncryption"]
        assert it["DeletionPolicy"] == "Retain"
    assert len(resources(stack, "S3::BucketPolicy")) == 2
    for policy in resources(stack, "S3::BucketPolicy").values():
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert statement["Effect"] == "Deny"


def test_a_bucket_of_mine_holds_the_payloads() -> None:
    stack = new_stack()
    mine = s3.Bucket(stack, "Mine")
    topic = a_topic(stack, claim_check=ClaimCheck(bucket=mine))
    assert topic.payloads is mine
    assert len(resources(stack, "S3::Bucket")) == 1


def test_a_publisher_is_told_where_and_how() -> None:
    stack = new_stack()
    topic = a_topic(
        stack,
        idempotency_key="order_id",
        attributes={"kind": "$.kind", "country": "address.country"},
        claim_check=ClaimCheck(keep=["kind"]),
    )
    a_queue(stack, consumer=a_handler(grants=[topic.publisher("ORDER_EVENTS")]))
    told = Stack.of(topic).resolve(variables(stack, "FulfilmentConsumer")["ORDER_EVENTS"])
    text = "".join(part if isinstance(part, str) else "?" for part in told["Fn::Join"][1])
    assert text == (
        '{"topic_arn":"?","fifo":false,"key":"order_id","attributes":{"country":"address.country","kind":"kind"},'
        '"claim_check_bucket":"?","claim_check_keep":["kind"]}'
    )


def test_a_route_publishes_by_a_function_of_ours() -> None:
    stack = new_stack()
    topic = a_topic(stack, claim_check=ClaimCheck())
    ApiProxy(stack, "Api", public=True, routes=[Route("POST /events", topic), Route("POST /others", topic)])
    (function,) = resources(stack, "Lambda::Function").values()
    told = function["Properties"]["Environment"]["Variables"]
    assert told["BUSINESS_FUNCTION"] == contract.PUBLISHER
    assert contract.PUBLISHER_TOPIC in told
    assert resources(stack, "DynamoDB::Table") == {}, "the message's key is claimed by those who get it"


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ({"prefix": "in*/", "suffix": "\\.jpg"}, [{"wildcard": "in\\*/*\\\\.jpg"}]),
        ({"prefix": "in*/"}, [{"prefix": "in*/"}]),
        ({"suffix": ".jpg"}, [{"suffix": ".jpg"}]),
        ({}, None),
    ],
    ids=["both", "prefix", "suffix", "all"],
)
def test_uploads_are_published_by_a_rule_that_takes_names_as_they_are(arguments: dict[str, str], pattern: Any) -> None:
    stack = new_stack()
    bucket = s3.Bucket(stack, "Uploads")
    uploads = a_topic(stack).publish_from(bucket, **arguments)
    rule = the(stack, "Events::Rule")
    name, mine = the_one(stack, "S3::Bucket", "Uploads")
    detail = {"bucket": {"name": [{"Ref": name}]}, **({"object": {"key": pattern}} if pattern else {})}
    assert rule["EventPattern"] == {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}
    assert mine["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    (target,) = rule["Targets"]
    letters = Stack.of(uploads.rule).resolve(uploads.dead_letter_queue.queue_arn)
    assert target["DeadLetterConfig"] == {"Arn": letters}
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {"detail": "$.detail"}
    message = json.loads(transformer["InputTemplate"].replace("<detail>", '"detail"'))
    same_when_told_twice = {"source": "aws.s3", "detail-type": "Object Created", "detail": "detail"}
    assert message == same_when_told_twice
    kinds = {it["Type"] for it in Template.from_stack(stack).to_json()["Resources"].values()}
    assert not any(kind.startswith("Custom::") or kind == "AWS::Lambda::Function" for kind in kinds)


def test_a_filter_of_the_cdk_s_own_is_written_out_for_sns_and_for_functions() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in())
    policy = {"kind": sns.SubscriptionFilter.string_filter(allowlist=["placed"]), "total": [Decimal(1)]}
    topic.add_subscriber("Inventory", a_handler(), filter=policy)
    plain = {"kind": ["placed"], "total": [1]}
    assert the_subscription(stack, "Inventory")["FilterPolicy"] == plain
    assert unpacked(variables(stack, "Inventory")["FAN_IN_SUBSCRIBERS"]) == {"Inventory": {"filter": plain}}


def test_other_notifications_of_a_bucket_stay() -> None:
    stack = new_stack()
    bucket = s3.Bucket(stack, "Uploads")
    resource: Any = bucket.node.default_child
    resource.notification_configuration = {"queueConfigurations": [{"event": "s3:ObjectRemoved:*", "queue": "arn:q"}]}
    a_topic(stack).publish_from(bucket)
    told = the_one(stack, "S3::Bucket", "Uploads")[1]["NotificationConfiguration"]
    assert told["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    assert told["QueueConfigurations"] == [{"Event": "s3:ObjectRemoved:*", "Queue": "arn:q"}]


def test_an_imported_bucket_is_warned_about_with_what_its_owner_has_to_set() -> None:
    stack = new_stack()
    topic = a_topic(stack, alarms="none")
    topic.add_subscriber("Inventory", a_handler())
    topic.publish_from(s3.Bucket.from_bucket_name(stack, "Theirs", "theirs"))
    (warning,) = warnings(stack)
    assert '{"EventBridgeConfiguration": {"EventBridgeEnabled": true}}' in warning
    assert "Shop/Theirs" in warning


def test_one_topic_takes_from_several_buckets_and_places() -> None:
    stack = new_stack()
    topic, bucket = a_topic(stack), s3.Bucket(stack, "Uploads")
    topic.publish_from(bucket, prefix="a/")
    topic.publish_from(bucket, prefix="a*")
    topic.publish_from(s3.Bucket(stack, "Others"), prefix="a/")
    assert len(resources(stack, "Events::Rule")) == 3


@pytest.mark.parametrize("which", ["keep", "count"])
def test_unmatched_messages_are_found_behind_a_subscription_without_a_filter(which: Any) -> None:
    stack = new_stack()
    topic = a_topic(stack, unmatched=which)
    topic.add_subscriber("Inventory", a_handler(), filter=PLACED)
    told = variables(stack, "Matcher")
    assert unpacked(told["SUBSCRIBERS"]) == {"Inventory": {"filter": PLACED}}
    assert "FilterPolicy" not in the_subscription(stack, "Matching")
    mapping = the_one(stack, "Lambda::EventSourceMapping", "Matching")[1]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert told["TOPIC_NAME"] == stack.resolve(topic.topic.topic_name)
    if which == "count":
        assert topic.unmatched_queue is None
        assert told["UNMATCHED_QUEUE_URL"] == ""
    else:
        kept, queue = the_one(stack, "SQS::Queue", "EventsUnmatched")
        assert told["UNMATCHED_QUEUE_URL"] == {"Ref": kept}
        assert queue["MessageRetentionPeriod"] == 14 * 86_400
        assert allowed(stack, "Matcher", kept) == {"sqs:SendMessage"}


def test_unmatched_beside_a_subscriber_of_everything_is_warned_about() -> None:
    stack = new_stack()
    topic = a_topic(stack, unmatched="count", alarms="none")
    topic.add_subscriber("Inventory", a_handler(), filter=PLACED)
    assert warnings(stack) == []
    stack = new_stack()
    topic = a_topic(stack, unmatched="count", alarms="none")
    topic.add_subscriber("Audit", a_handler())
    (warning,) = warnings(stack)
    assert "'Audit'" in warning


def test_subscribers_of_another_stack_make_no_circle() -> None:
    app = App()
    here, there = Stack(app, "Topics"), Stack(app, "Subscribers")
    topic = a_topic(here, idempotency_key="order_id", fan_in=a_fan_in(), claim_check=ClaimCheck(), unmatched="keep")
    topic.add_subscriber("Inventory", a_handler(tables={"ORDERS": a_table(there)}), filter=PLACED, scope=there)
    topic.add_subscriber("Audit", sqs.Queue(there, "Audit"), filter=PLACED)
    topic.add_subscriber(
        "Mine",
        a_queue(there, idempotency_key="order_id", claims_retention=Duration.days(60)),
        filter=PLACED,
        fan_in=True,
    )
    topic.add_subscriber("Checkout", a_saga(there, "Checkout"), filter=PLACED)
    app.synth()
    assert here.dependencies == []
    assert there.dependencies == [here]
    assert "Fn::ImportValue" not in str(Template.from_stack(here).to_json())
    assert len(resources(there, "SNS::Subscription")) == 4
    assert len(resources(here, "SNS::Subscription")) == 1, "the matcher's"
    assert [id for id in resources(here, "SQS::Queue") if any(name in id for name in topic.subscribers)] == []


def test_a_removal_policy_of_defaults_holds_for_all_that_holds_data() -> None:
    stack = new_stack()
    Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY)
    topic = a_topic(stack, fan_in=a_fan_in(), claim_check=ClaimCheck(), unmatched="keep")
    topic.add_subscriber("Inventory", a_handler())
    found = Template.from_stack(stack).to_json()["Resources"].values()
    assert [it["Type"] for it in found if it.get("DeletionPolicy") == "Retain"] == []


def test_numbers_and_alarms_of_defaults_reach_the_subscribers() -> None:
    stack = new_stack()
    Defaults.of(stack).set(alarms="none")
    a_topic(stack, fan_in=a_fan_in()).add_subscriber("Inventory", a_handler())
    assert resources(stack, "CloudWatch::Alarm") == {}


@pytest.mark.parametrize(
    ("which", "own", "of_a_subscriber"),
    [
        ("all", {"NotificationsFailed", "NotificationsLost", "SweepErrors", "DeadlinesMissed", "Unmatched"}, 6),
        ("critical", {"NotificationsLost", "SweepErrors", "DeadlinesMissed"}, 3),
        ("none", set[str](), 0),
    ],
)
def test_alarms_by_how_many_are_wanted(which: Any, own: set[str], of_a_subscriber: int) -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in(), unmatched="count", alarms=which)
    subscriber = topic.add_subscriber("Inventory", a_handler())
    assert {*topic.alarms} == own
    assert {*subscriber.alarms} == ({"Undelivered"} if of_a_subscriber else set())
    mine = [id for id in resources(stack, "CloudWatch::Alarm") if "Inventory" in id]
    assert len(mine) == of_a_subscriber


def test_every_alarm_is_about_something_of_the_template_or_a_metric_of_ours() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in(), unmatched="keep")
    topic.add_subscriber("Inventory", a_handler())
    topic.publish_from(s3.Bucket(stack, "Uploads"))
    found = Template.from_stack(stack).to_json()["Resources"]
    for id, alarm in resources(stack, "CloudWatch::Alarm").items():
        for dimension in alarm["Properties"]["Dimensions"]:
            value = dimension["Value"]
            if isinstance(value, dict):
                name = value.get("Ref") or value["Fn::GetAtt"][0]
                assert name in found, id
            else:
                assert value == "OrderEvents", id


def test_resources_of_a_subscriber_are_counted() -> None:
    counts = list[int]()
    for number in (1, 2, 3):
        stack = new_stack()
        topic = a_topic(stack, fan_in=a_fan_in())
        for each in range(number):
            topic.add_subscriber(f"Branch{each}", a_handler())
        counts.append(len(Template.from_stack(stack).to_json()["Resources"]))
    assert counts[2] - counts[1] == counts[1] - counts[0] == 18


def test_what_is_offered_is_what_is_defined() -> None:
    stack = new_stack()
    topic = a_topic(stack)
    assert topic.fan_in is None
    assert topic.payloads is None
    subscriber = topic.add_subscriber("Inventory", a_handler())
    assert topic.subscribers == {"Inventory": subscriber}
    assert isinstance(subscriber.queue, LoadLeveledQueue)
    assert subscriber.queue.node.path == "Shop/OrderEvents/Inventory"


def test_metrics_are_found_where_they_are_emitted() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in())
    name = {"TopicName": stack.resolve(topic.topic.topic_name)}
    for metric, called in (
        (topic.metric_published(), "NumberOfMessagesPublished"),
        (topic.metric_delivered(), "NumberOfNotificationsDelivered"),
        (topic.metric_failed(), "NumberOfNotificationsFailed"),
        (topic.metric_filtered_out(), "NumberOfNotificationsFilteredOut"),
        (topic.metric_lost(), "NumberOfNotificationsFailedToRedriveToDlq"),
    ):
        assert metric.metric_name == called
        assert stack.resolve(metric.dimensions) == name
    unmatched = topic.metric_unmatched()
    assert unmatched.metric_name == contract.METRIC_UNMATCHED
    assert stack.resolve(unmatched.dimensions) == {contract.TOPIC_DIMENSION: name["TopicName"]}
