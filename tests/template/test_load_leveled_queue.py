"""What LoadLeveledQueue tells CloudFormation, and the relations it keeps."""

import ast
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from serverless_patterns import Defaults
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.load_leveled_queue import contract
from tests.template.stacks import (
    a_handler,
    a_queue,
    a_table,
    new_stack,
    resources,
    the,
    the_dead_letter_queue,
    the_mapping,
    the_queue,
    the_variables,
    warnings,
)


def test_visibility_is_six_times_the_timeout_and_the_window() -> None:
    stack = new_stack()
    handler = a_handler(timeout=Duration.seconds(20))
    a_queue(stack, consumer=handler, batch_size=100, max_batching_window=Duration.seconds(7))
    assert the_queue(stack)["VisibilityTimeout"] == 6 * 20 + 7
    assert the_variables(stack)["VISIBILITY_TIMEOUT_SECONDS"] == "127"


def test_visibility_can_be_raised() -> None:
    stack = new_stack()
    a_queue(stack, visibility_timeout=Duration.hours(1))
    assert the_queue(stack)["VisibilityTimeout"] == 3600
    assert the_variables(stack)["VISIBILITY_TIMEOUT_SECONDS"] == "3600"


def test_the_cap_is_on_the_event_source_mapping_and_no_concurrency_is_reserved() -> None:
    stack = new_stack()
    a_queue(stack, max_concurrency=7)
    assert the_mapping(stack)["ScalingConfig"] == {"MaximumConcurrency": 7}
    assert "ReservedConcurrentExecutions" not in the(stack, "Lambda::Function")


def test_concurrency_is_reserved_when_asked_for_and_the_construct_wins_over_the_handler() -> None:
    stack = new_stack()
    a_queue(stack, consumer=a_handler(reserved_concurrent_executions=6))
    a_queue(stack, "Other", consumer=a_handler(reserved_concurrent_executions=6), reserved_concurrent_executions=9)
    assert the(stack, "Lambda::Function", "FulfilmentConsumer")["ReservedConcurrentExecutions"] == 6
    assert the(stack, "Lambda::Function", "OtherConsumer")["ReservedConcurrentExecutions"] == 9


@pytest.mark.parametrize("arguments", [{}, {"fifo": True}, {"fifo": True, "batch_size": 10}])
def test_partial_batch_responses_are_always_on_for_a_handler(arguments: dict[str, Any]) -> None:
    stack = new_stack()
    a_queue(stack, **arguments)
    assert the_mapping(stack)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_batches_hold_ten_messages_and_one_on_fifo() -> None:
    stack = new_stack()
    a_queue(stack, "Standard")
    a_queue(stack, "Ordered", fifo=True)
    sizes = {id: mapping["Properties"]["BatchSize"] for id, mapping in mappings(stack).items()}
    assert sorted(sizes.values()) == [1, 10]


def mappings(stack: Any) -> dict[str, dict[str, Any]]:
    return resources(stack, "Lambda::EventSourceMapping")


def test_a_window_is_told_to_the_mapping() -> None:
    stack = new_stack()
    a_queue(stack, batch_size=10_000, max_batching_window=Duration.seconds(300))
    assert the_mapping(stack)["BatchSize"] == 10_000
    assert the_mapping(stack)["MaximumBatchingWindowInSeconds"] == 300


@pytest.mark.parametrize("fifo", [False, True])
def test_batches_above_one_are_counted_by_the_runtime_and_the_native_limit_is_out_of_the_way(fifo: bool) -> None:
    stack = new_stack()
    a_queue(stack, fifo=fifo, batch_size=4, max_receive_count=3)
    assert the_queue(stack)["RedrivePolicy"]["maxReceiveCount"] == 2 * (3 + 1) * 4
    assert the_variables(stack)["MAX_RECEIVE_COUNT"] == "3"
    assert the_variables(stack)["COUNT_ATTEMPTS"] == "true"


def test_a_consumer_that_is_broken_altogether_fills_the_dead_letter_queue_before_its_messages_expire() -> None:
    stack = new_stack()
    a_queue(stack, consumer=a_handler(timeout=Duration.minutes(15)), retention_period=Duration.days(4))
    visibility, retention = 6 * 900, 4 * 86_400
    receives = the_queue(stack)["RedrivePolicy"]["maxReceiveCount"]
    assert receives == retention // 2 // visibility, "half of the time that it has"


@pytest.mark.parametrize("fifo", [False, True])
def test_batches_of_one_are_counted_by_the_queue(fifo: bool) -> None:
    stack = new_stack()
    a_queue(stack, fifo=fifo, batch_size=1)
    assert the_queue(stack)["RedrivePolicy"]["maxReceiveCount"] == 5
    assert the_variables(stack)["COUNT_ATTEMPTS"] == "false"


def test_fifo_holds_for_the_queue_and_its_dead_letter_queue() -> None:
    stack = new_stack()
    a_queue(stack, fifo=True, content_based_deduplication=True)
    assert the_queue(stack)["FifoQueue"] is True
    assert the_queue(stack)["ContentBasedDeduplication"] is True
    assert the_queue(stack)["QueueName"].endswith(".fifo")
    assert the_dead_letter_queue(stack)["FifoQueue"] is True


def test_dead_letters_live_longer_than_messages() -> None:
    stack = new_stack()
    a_queue(stack, retention_period=Duration.days(13))
    assert the_queue(stack)["MessageRetentionPeriod"] == 13 * 86_400
    assert the_dead_letter_queue(stack)["MessageRetentionPeriod"] == 14 * 86_400


def test_only_the_queue_itself_may_use_its_dead_letter_queue() -> None:
    stack = new_stack()
    a_queue(stack)
    policy = the_dead_letter_queue(stack)["RedriveAllowPolicy"]
    assert policy["redrivePermission"] == "byQueue"
    (arn,) = policy["sourceQueueArns"]
    assert arn["Fn::Join"][1][-1] == f":{the_queue(stack)['QueueName']}"


def test_queue_names_fit_and_differ() -> None:
    stack = new_stack()
    for id in ("Fulfilment" * 9, "Fulfilment" * 9 + "2"):
        a_queue(stack, id, fifo=True)
    named = [queue["Properties"].get("QueueName") for queue in resources(stack, "SQS::Queue").values()]
    names = [name for name in named if name]
    assert len(set(names)) == 2
    assert max(map(len, names)) <= 80


def test_both_queues_are_encrypted_and_refuse_plain_http() -> None:
    stack = new_stack()
    a_queue(stack)
    queues = resources(stack, "SQS::Queue")
    assert [queue["Properties"]["SqsManagedSseEnabled"] for queue in queues.values()] == [True, True]
    protected = {
        queue["Ref"]
        for policy in resources(stack, "SQS::QueuePolicy").values()
        for queue in policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert protected == set(queues)


def test_a_customer_key_encrypts_queues_claims_logs_and_variables() -> None:
    stack = new_stack()
    key = kms.Key(stack, "Key")
    a_queue(stack, encryption_key=key)
    arn = stack.resolve(key.key_arn)
    for queue in resources(stack, "SQS::Queue").values():
        assert queue["Properties"]["KmsMasterKeyId"] == arn
    assert the(stack, "DynamoDB::Table")["SSESpecification"]["KMSMasterKeyId"] == arn
    assert the(stack, "Logs::LogGroup")["KmsKeyId"] == arn
    assert the(stack, "Lambda::Function")["KmsKeyArn"] == arn


def test_a_customer_key_lets_the_logs_service_in_for_this_account_only() -> None:
    stack = new_stack()
    a_queue(stack, encryption_key=kms.Key(stack, "Key"))
    (statement,) = [
        statement
        for statement in the(stack, "KMS::Key")["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    ]
    condition = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert {"Ref": "AWS::AccountId"} in condition["Fn::Join"][1]
    assert condition["Fn::Join"][1][-1] == ":log-group:*"


def test_the_function_s_variables_are_those_of_the_contracts_and_the_user_s() -> None:
    stack = new_stack()
    handler = a_handler(tables={"ORDERS": a_table(stack)}, environment={"MODE": "fast"})
    a_queue(stack, consumer=handler)
    shared = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
    fields = {*business_function.Env._fields, *claims.Env._fields, *contract.Env._fields}
    assert {*the_variables(stack)} == fields | shared | {"ORDERS", "MODE"}


def test_the_entry_point_is_a_function_that_exists() -> None:
    stack = new_stack()
    a_queue(stack)
    module, _, name = the(stack, "Lambda::Function")["Handler"].rpartition(".")
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    assert name in {getattr(node, "name", None) for node in ast.parse(Path(found.origin).read_text()).body}


def test_what_the_runtime_is_told() -> None:
    stack = new_stack()
    a_queue(
        stack,
        consumer=a_handler(tables={"STOCK": a_table(stack, "Stock"), "ORDERS": a_table(stack)}),
        idempotency_key="order.id",
        claims_namespace="orders",
        max_age=Duration.hours(2),
        retry_base_delay=Duration.seconds(3),
        retry_max_delay=Duration.minutes(1),
    )
    told = the_variables(stack)
    literal = {name: value for name, value in told.items() if isinstance(value, str)}
    assert literal == {
        "BUSINESS_FUNCTION": "orders:fulfil",
        "CLAIMS_NAMESPACE": "orders",
        "CLAIMS_RETENTION_SECONDS": "2592000",
        "COUNT_ATTEMPTS": "true",
        "IDEMPOTENCY_KEY": "order.id",
        "MAX_AGE_SECONDS": "7200",
        "MAX_RECEIVE_COUNT": "5",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
        "POWERTOOLS_SERVICE_NAME": "Fulfilment",
        "RETRY_BASE_SECONDS": "3",
        "RETRY_MAX_SECONDS": "60",
        "RETURNS_EFFECTS": "true",
        "TABLES": "ORDERS,STOCK",
        "VISIBILITY_TIMEOUT_SECONDS": "180",
    }


def test_a_user_may_say_another_log_level() -> None:
    stack = new_stack()
    a_queue(stack, consumer=a_handler(environment={"POWERTOOLS_LOG_LEVEL": "DEBUG"}))
    assert the_variables(stack)["POWERTOOLS_LOG_LEVEL"] == "DEBUG"


def test_claims_are_on_demand_restorable_kept_and_forgotten_in_time() -> None:
    stack = new_stack()
    a_queue(stack)
    (table,) = resources(stack, "DynamoDB::Table").values()
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"] == {
        "AttributeDefinitions": [{"AttributeName": "claim", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "KeySchema": [{"AttributeName": "claim", "KeyType": "HASH"}],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }


def test_a_shared_table_of_claims_is_used_as_it_is() -> None:
    stack = new_stack()
    first = a_queue(stack, "First")
    second = a_queue(stack, "Second", claims=first.claims)
    assert second.claims is first.claims
    assert len(resources(stack, "DynamoDB::Table")) == 1
    namespaces = {
        function["Properties"]["Environment"]["Variables"]["CLAIMS_NAMESPACE"]
        for function in resources(stack, "Lambda::Function").values()
    }
    assert namespaces == {"First", "Second"}


def test_what_holds_data_is_kept_unless_the_app_says_otherwise() -> None:
    stack = new_stack()
    a_queue(stack)
    kept = {
        id for id, it in all_resources(stack).items() if it.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
    }
    assert {all_resources(stack)[id]["Type"] for id in kept} == {"AWS::DynamoDB::Table", "AWS::SQS::Queue"}
    assert any("DeadLetterQueue" in id for id in kept)
    loose = new_stack()
    Defaults.of(loose).set(removal_policy=RemovalPolicy.DESTROY)
    a_queue(loose)
    assert {it["DeletionPolicy"] for it in all_resources(loose).values() if "DeletionPolicy" in it} == {"Delete"}
    assert the(loose, "DynamoDB::Table")["DeletionProtectionEnabled"] is False


def all_resources(stack: Any) -> dict[str, dict[str, Any]]:
    return Template.from_stack(stack).to_json()["Resources"]


def test_logs_end_after_a_month_in_a_group_of_their_own() -> None:
    stack = new_stack()
    a_queue(stack)
    (id,) = resources(stack, "Logs::LogGroup")
    assert the(stack, "Logs::LogGroup")["RetentionInDays"] == 30
    assert the(stack, "Lambda::Function")["LoggingConfig"] == {"LogGroup": {"Ref": id}}


def test_tracing_is_on() -> None:
    stack = new_stack()
    a_queue(stack)
    assert the(stack, "Lambda::Function")["TracingConfig"] == {"Mode": "Active"}


def test_the_newest_python_on_arm_with_the_layer_of_that_python() -> None:
    stack = new_stack()
    a_queue(stack)
    a_queue(stack, "Other")
    function = the(stack, "Lambda::Function", "FulfilmentConsumer")
    newest = max(int(name[9:]) for name in dir(lambda_.Runtime) if name.startswith("PYTHON_3_"))
    assert function["Runtime"] == f"python3.{newest}"
    assert function["Architectures"] == ["arm64"]
    (layer,) = resources(stack, "Lambda::LayerVersion")
    assert function["Layers"] == [{"Ref": layer}]


def test_five_alarms_watch_a_queue_and_notify_whom_the_app_says() -> None:
    stack = new_stack()
    topic = sns.Topic(stack, "OnCall")
    Defaults.of(stack).set(alarm_actions=[cloudwatch_actions.SnsAction(topic)])
    queue = a_queue(stack, max_oldest_age=Duration.minutes(10))
    assert sorted(queue.alarms) == [
        "ConsumerErrors",
        "ConsumerThrottles",
        "DeadLetters",
        "DeadLettersExpire",
        "OldestMessage",
    ]
    thresholds = {name: the(stack, "CloudWatch::Alarm", f"{name}Alarm")["Threshold"] for name in queue.alarms}
    half_of_what_is_left = (14 - 4) * 86_400 // 2
    assert thresholds == {
        "ConsumerErrors": 1,
        "ConsumerThrottles": 1,
        "DeadLetters": 1,
        "DeadLettersExpire": half_of_what_is_left,
        "OldestMessage": 600,
    }
    for alarm in resources(stack, "CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [stack.resolve(topic.topic_arn)]
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"
    assert warnings(stack) == []


def test_every_alarm_is_about_a_resource_of_the_template() -> None:
    stack = new_stack()
    a_queue(stack)
    everything = all_resources(stack)
    for alarm in resources(stack, "CloudWatch::Alarm").values():
        (dimension,) = alarm["Properties"]["Dimensions"]
        value = dimension["Value"]
        assert (value.get("Ref") or value["Fn::GetAtt"][0]) in everything


def test_critical_alarms_are_age_and_dead_letters() -> None:
    stack = new_stack()
    assert sorted(a_queue(stack, alarms="critical").alarms) == ["DeadLetters", "OldestMessage"]


def test_no_alarms_and_no_warning_when_nobody_wants_them() -> None:
    stack = new_stack()
    assert a_queue(stack, alarms="none").alarms == {}
    assert resources(stack, "CloudWatch::Alarm") == {}
    assert warnings(stack) == []


def test_alarms_without_an_action_are_warned_about() -> None:
    stack = new_stack()
    a_queue(stack, alarms="critical")
    assert warnings(stack) == [
        "2 alarms notify nobody: pass alarm_actions, or Defaults.of(app).set(alarm_actions=[...])"
    ]


def test_fewer_than_five_receives_are_warned_about() -> None:
    stack = new_stack()
    a_queue(stack, alarms="none", max_receive_count=4)
    assert warnings(stack) == [
        "max_receive_count is 4: a throttled receive counts too, so with fewer than 5 a healthy message may become a "
        "dead letter"
    ]


def test_a_vpc_is_warned_about_with_the_endpoints_that_it_needs() -> None:
    stack = new_stack()
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1)
    queue = a_queue(stack, alarms="none", consumer=a_handler(vpc=vpc))
    assert queue.required_endpoints == ("dynamodb", "sqs")
    assert warnings(stack) == [
        "Handler(orders:fulfil) runs in a VPC: give its subnets a route to dynamodb, sqs (endpoints or NAT)"
    ]
    assert the(stack, "Lambda::Function", "Consumer")["VpcConfig"]["SubnetIds"]


def test_metrics_name_the_queues() -> None:
    stack = new_stack()
    queue = a_queue(stack)
    depth, age, dead = (
        queue.metric_depth(),
        queue.metric_oldest_age(),
        queue.metric_dead_letters(period=Duration.hours(1)),
    )
    assert (depth.metric_name, age.metric_name) == (
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
    )
    assert dead.period.to_seconds() == 3600
    assert depth.dimensions == {"QueueName": queue.queue.queue_name}
    assert dead.dimensions == {"QueueName": queue.dead_letter_queue.queue_name}
    assert isinstance(depth, cloudwatch.Metric)


def test_provisioned_environments_are_invoked_through_an_alias() -> None:
    stack = new_stack()
    a_queue(stack, consumer=a_handler(provisioned_concurrent_executions=2))
    alias = the(stack, "Lambda::Alias")
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 2}
    assert alias["Name"] == "live"
    (id,) = resources(stack, "Lambda::Alias")
    name = json.dumps(the_mapping(stack)["FunctionName"])
    assert f'{{"Ref": "{id}"}}' in name
    assert ":live" in name


def test_customize_and_grants_get_the_function_itself() -> None:
    stack = new_stack()
    seen: list[lambda_.Function] = []
    queue = a_queue(stack, consumer=a_handler(customize=seen.append, grants=[seen.append]))
    assert seen == [queue.consumer_function] * 2


def test_a_dead_letter_queue_of_the_user_s_own_is_used() -> None:
    stack = new_stack()
    own = sqs.Queue(stack, "Shared", retention_period=Duration.days(14))
    queue = a_queue(stack, dead_letter_queue=own)
    assert queue.dead_letter_queue is own
    assert the_queue(stack)["RedrivePolicy"]["deadLetterTargetArn"] == stack.resolve(own.queue_arn)
    assert "QueueName" not in the_queue(stack)


def test_no_outputs_no_custom_resources_and_nothing_for_the_whole_account() -> None:
    stack = new_stack()
    a_queue(stack)
    template = Template.from_stack(stack).to_json()
    assert "Outputs" not in template
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert types == {
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Logs::LogGroup",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    }
