"""What a table becomes: its stream, its projectors and machine, what waits for whom; numbers; alarms."""

import json
from typing import Any

import pytest
from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from serverless_patterns import Defaults
from serverless_patterns_runtime.cqrs_views import contract, document_contract
from serverless_patterns_runtime.fan_out_topic.packed import unpacked
from tests.template.cqrs import a_function, by_customer, everything, orders, revenue, sales
from tests.template.stacks import a_table, new_stack, resources, the
from tests.template.test_stability import FLAGS, masked
from tests.template.topics import the_one, variables

# Renaming one of these deletes aggregates, command ids, or what waits to be projected: a major version.
STATEFUL = {
    "OrdersTable1F8332C7": "AWS::DynamoDB::Table",
    "OrdersClaimsACC3EDC1": "AWS::DynamoDB::Table",
    "OrdersProjectionParked27744CB0": "AWS::S3::Bucket",
    "OrdersDocumentSalesBuildsQueueD7986B37": "AWS::SQS::Queue",
    "OrdersDocumentSalesBuildsDeadLetterQueue129621E8": "AWS::SQS::Queue",
}
# These can be filled anew, at the price of a rebuild during which nothing is read.
FILLED_ANEW = {
    "OrdersProjectionControlTable4FD8A6DF": "AWS::DynamoDB::Table",
    "OrdersViewByCustomerTableDDB7E0D2": "AWS::DynamoDB::Table",
    "OrdersViewRevenueTable54A0A4AF": "AWS::DynamoDB::Table",
    "OrdersTokenSecret54A5C045": "AWS::SecretsManager::Secret",
}
# Executions under way hold the ARN of the function, and a replaced mapping reads a day of the stream again.
CALLED = {"OrdersProjectionRebuildBEC612EE", "OrdersProjectionProjector5FDF2BBD", "OrdersProjectionStream35ECAFAC"}
HOLDS = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SecretsManager::Secret")
ALARMS = {"CommandErrors"}
OF_VIEWS = {
    "ControlErrors",
    "IteratorAge",
    "Parked",
    "ProjectionLag",
    "ProjectorErrors",
    "ProjectorThrottles",
    "RebuildFailed",
    "RecordsLost",
    "Unversioned",
}
CRITICAL = {"IteratorAge", "Parked", "ProjectorThrottles", "RebuildFailed", "RecordsLost"}


def a_stack(**arguments: Any) -> Stack:
    stack = new_stack()
    everything(stack, **arguments)
    return stack


def the_stream(stack: Stack) -> dict[str, Any]:
    return the_one(stack, "Lambda::EventSourceMapping", "ProjectionStream")[1]


@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "all flags"])
def test_what_holds_data_or_is_called_keeps_its_logical_id(context: dict[str, Any]) -> None:
    stack = new_stack(context)
    everything(stack)
    found = Template.from_stack(stack).to_json()["Resources"]
    assert {id: it["Type"] for id, it in found.items() if it["Type"] in HOLDS} == STATEFUL | FILLED_ANEW
    assert found.keys() >= CALLED


def test_what_is_nowhere_else_stays_when_the_stack_goes() -> None:
    found = Template.from_stack(a_stack()).to_json()["Resources"]
    stays = {id for id, it in found.items() if it.get("DeletionPolicy") == "Retain"}
    assert stays == STATEFUL.keys() - {"OrdersDocumentSalesBuildsQueueD7986B37"}
    assert {found[id]["DeletionPolicy"] for id in FILLED_ANEW} == {"Delete"}
    assert found["OrdersTable1F8332C7"]["Properties"]["DeletionProtectionEnabled"] is True


def test_an_app_that_wants_nothing_kept_is_heard() -> None:
    stack = new_stack()
    Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY)
    everything(stack)
    found = Template.from_stack(stack).to_json()["Resources"]
    assert {it.get("DeletionPolicy", "Delete") for it in found.values()} == {"Delete"}
    assert found["OrdersTable1F8332C7"]["Properties"]["DeletionProtectionEnabled"] is False


def test_the_template_of_a_view(snapshot: SnapshotAssertion) -> None:
    stack = new_stack()
    by_customer(orders(stack, alarms="none"))
    kinds = ("DynamoDB::Table", "Lambda::EventSourceMapping", "Events::Rule", "S3::Bucket")
    shown = {id: it for id, it in masked(stack).items() if it["Type"].removeprefix("AWS::") in kinds}
    assert shown == snapshot(extension_class=JSONSnapshotExtension)


def test_the_machine_calls_the_function_with_the_views_code() -> None:
    machine = the(a_stack(), "StepFunctions::StateMachine")
    assert "OrdersProjectionRebuildBEC612EE" in json.dumps(machine["DefinitionString"])
    assert "OrdersProjectionProjector5FDF2BBD" in json.dumps(machine["DefinitionString"])


def test_the_order_of_views_changes_nothing() -> None:
    def stack_of(*names: str) -> Stack:
        stack = new_stack()
        table = orders(stack)
        for name in names:
            by_customer(table, name)
        return stack

    assert masked(stack_of("First", "Second")) == masked(stack_of("Second", "First"))


def test_another_key_of_a_view_keeps_its_table_and_another_name_does_not() -> None:
    """What the page says of deployments: rows with other keys are told by the view's description alone."""

    def stack_of(name: str = "Second", **arguments: Any) -> dict[str, Any]:
        stack = new_stack()
        table = orders(stack, alarms="none")
        by_customer(table, "First")
        by_customer(table, name, **arguments)
        return masked(stack)

    before, other_key, other_name = stack_of(), stack_of(partition_key="client_id"), stack_of("Third")
    assert before.keys() == other_key.keys()
    changed = {before[id]["Type"] for id in before if before[id] != other_key[id]}
    assert changed == {"AWS::Lambda::Function"}
    (gone,), (new,) = before.keys() - other_name.keys(), other_name.keys() - before.keys()
    assert before[gone]["Type"] == other_name[new]["Type"] == "AWS::DynamoDB::Table"
    assert before[gone]["DeletionPolicy"] == "Delete"


def test_a_table_without_views_has_no_read_side() -> None:
    stack = new_stack()
    table = orders(stack)
    assert table.projection is None
    assert table.alarms.keys() == ALARMS
    assert len(resources(stack, "Lambda::Function")) == 1
    assert resources(stack, "Lambda::EventSourceMapping") == {}


def test_the_stream_has_both_images() -> None:
    table = the(a_stack(), "DynamoDB::Table", "OrdersTable")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert "TableName" not in table


def test_an_index_is_added_to_the_same_table() -> None:
    stack = new_stack()
    table = orders(stack, time_to_live_attribute="gone_at")
    day = dynamodb.Attribute(name="day", type=dynamodb.AttributeType.STRING)
    table.add_global_secondary_index(index_name="by_day", partition_key=day)
    (id, properties) = the_one(stack, "DynamoDB::Table", "OrdersTable")
    assert id == "OrdersTable1F8332C7"
    assert [each["IndexName"] for each in properties["GlobalSecondaryIndexes"]] == ["by_day"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "gone_at", "Enabled": True}


def test_nothing_is_given_up_without_its_records() -> None:
    stream = the_stream(a_stack())
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["MaximumRetryAttempts"] == 5
    assert stream["MaximumRecordAgeInSeconds"] == 6 * 3600
    assert stream["DestinationConfig"] == {
        "OnFailure": {"Destination": {"Fn::GetAtt": ["OrdersProjectionParked27744CB0", "Arn"]}}
    }


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 1_000),
    window=st.none() | st.integers(0, 300),
    factor=st.integers(1, 10),
    attempts=st.integers(0, 10_000),
    age=st.integers(60, 82_800),
)
def test_whatever_the_numbers_the_stream_is_read_so(
    size: int, window: int | None, factor: int, attempts: int, age: int
) -> None:
    stack = new_stack()
    table = orders(
        stack,
        batch_size=size,
        max_batching_window=None if window is None else Duration.seconds(window),
        parallelization_factor=factor,
        retry_attempts=attempts,
        max_record_age=Duration.seconds(age),
    )
    by_customer(table)
    stream = the_stream(stack)
    assert (stream["BatchSize"], stream.get("MaximumBatchingWindowInSeconds")) == (size, window)
    assert (stream["ParallelizationFactor"], stream["MaximumRetryAttempts"]) == (factor, attempts)
    # Finite in both, and within what the stream remembers.
    assert stream["MaximumRecordAgeInSeconds"] == age < 86_400


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.from_regex(r"[A-Z][a-z0-9]{2,12}", fullmatch=True), min_size=1, max_size=4, unique_by=str.lower)
)
def test_whatever_the_views_one_projector_knows_them_all(names: list[str]) -> None:
    stack = new_stack()
    table = orders(stack, alarms="none")
    for name in names:
        by_customer(table, name)
    for part in ("ProjectionProjector", "ProjectionRebuild", "ProjectionControl"):
        views = unpacked(variables(stack, part)["VIEWS"])["views"]
        assert [view["name"] for view in views] == sorted(names)
    assert len(resources(stack, "Lambda::EventSourceMapping")) == 1
    assert len(resources(stack, "DynamoDB::Table")) == 3 + len(names)


def test_views_are_told_in_few_words() -> None:
    stack = a_stack()
    first, second = unpacked(variables(stack, "ProjectionProjector")["VIEWS"])["views"]
    assert first == {
        "name": "ByCustomer",
        "kind": "rows",
        "call": "shopping:by_customer",
        "pk": "customer_id",
        "sk": "order_id",
        "sink": "dynamodb",
    }
    assert second == {
        "name": "Revenue",
        "kind": "totals",
        "call": "shopping:revenue",
        "pk": "product_id",
        "sink": "dynamodb",
    }


@pytest.mark.parametrize(
    ("arguments", "type"),
    [
        ({}, "S"),
        ({"sort_key": None}, "S"),
        ({"sort_key_type": dynamodb.AttributeType.STRING}, "S"),
        ({"sort_key_type": dynamodb.AttributeType.NUMBER}, "N"),
    ],
)
def test_rows_are_ordered_by_text_or_by_number(arguments: dict[str, Any], type: str) -> None:
    stack = new_stack()
    by_customer(orders(stack), **arguments)
    properties = the(stack, "DynamoDB::Table", "ViewByCustomer")
    types = {each["AttributeName"]: each["AttributeType"] for each in properties["AttributeDefinitions"]}
    assert types == {contract.ROW_PARTITION: "S", contract.ROW_SORT: type}
    assert properties["TimeToLiveSpecification"]["AttributeName"] == contract.TIME_TO_LIVE
    (view,) = unpacked(variables(stack, "ProjectionProjector")["VIEWS"])["views"]
    assert view.get("sk_type", "S") == type


def test_views_that_run_elsewhere_have_a_projector_of_their_own() -> None:
    stack = new_stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-12345678", availability_zones=["a"], private_subnet_ids=["subnet-12345678"]
    )
    table = orders(stack)
    by_customer(table)
    by_customer(table, "Inside", project=a_function("by_customer", vpc=vpc))
    assert len(resources(stack, "Lambda::EventSourceMapping")) == 2
    assert len(resources(stack, "StepFunctions::StateMachine")) == 2
    assert table.projection is not None
    suffixes = [each.suffix for each in table.projection.projectors]
    assert suffixes[0] == ""
    assert len(suffixes[1]) == 6
    functions = [one for id, one in resources(stack, "Lambda::Function").items() if "ProjectionProjector" in id]
    counts = [one["Properties"]["Environment"]["Variables"]["COUNTS"] for one in functions]
    assert sorted(counts) == ["", "yes"], "each reads all records: one of them counts those"


def test_a_view_with_more_memory_than_decide_keeps_the_projector_s_id() -> None:
    stack = new_stack()
    by_customer(orders(stack), project=a_function("by_customer", memory_size=1024, timeout=Duration.seconds(90)))
    projector = Template.from_stack(stack).to_json()["Resources"]["OrdersProjectionProjector5FDF2BBD"]["Properties"]
    assert (projector["MemorySize"], projector["Timeout"]) == (1024, 90)
    assert the(stack, "Lambda::Function", "ProjectionRebuild")["Timeout"] == 900


def test_the_sweep_is_each_minute() -> None:
    rule = the(a_stack(), "Events::Rule")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert json.loads(rule["Targets"][0]["Input"]) == {"request": "sweep"}


def test_a_document_is_debounced_behind_a_queue_of_its_own() -> None:
    stack = a_stack()
    told = variables(stack, "ProjectionProjector")["DOCUMENTS"]
    assert '"seconds\\":10' in json.dumps(told)
    builder = variables(stack, "DocumentSales")
    assert (builder["DOCUMENT"], builder["BUILD"], builder["DOCUMENT_BUCKET_NAME"]) == ("Sales", "shopping:sales", "")
    assert builder["BUSINESS_FUNCTION"] == document_contract.DOCUMENT_HANDLER
    sources = json.loads("".join("x" if isinstance(it, dict) else it for it in builder["SOURCES"]["Fn::Join"][1]))
    assert [source["view"] for source in sources["sources"]] == ["ByCustomer", "Revenue"]


def test_a_command_behind_a_route_is_told_its_name_and_its_claims() -> None:
    stack = a_stack()
    door = variables(stack, "ApiOrdersPlace")
    assert (door["COMMAND"], door["DECIDE"]) == ("place", "shopping:decide")
    assert door["CLAIMS_NAMESPACE"] == "Orders"
    assert door["CLAIMS_TABLE_NAME"] == {"Ref": "OrdersClaimsACC3EDC1"}
    assert variables(stack, "OrdersCommands")["COMMAND"] == ""


def test_the_same_route_target_twice_is_one_function() -> None:
    table = orders(new_stack())
    view = by_customer(table)
    assert table.command("place") is table.command("place")
    assert table.get() is table.get()
    assert view.query() is view.query()


def test_an_existing_table_is_read_where_it_is() -> None:
    stack = new_stack()
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/theirs"
    theirs = dynamodb.Table.from_table_attributes(stack, "Theirs", table_arn=arn, table_stream_arn=f"{arn}/stream/x")
    by_customer(orders(stack, table=theirs))
    assert the_stream(stack)["EventSourceArn"] == f"{arn}/stream/x"
    assert [id for id in resources(stack, "DynamoDB::Table") if id.startswith("OrdersTable")] == []


@pytest.mark.parametrize("kind", ["Table", "TableV2"])
def test_a_table_of_the_same_app_is_adopted(kind: str) -> None:
    stack = new_stack()
    both = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
    key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
    theirs: Any = (
        a_table(stack, "Mine", stream=both)
        if kind == "Table"
        else dynamodb.TableV2(stack, "Mine", partition_key=key, dynamo_stream=both)
    )
    assert orders(stack, table=theirs).table is theirs


def test_alarms() -> None:
    stack = new_stack()
    first = orders(stack)
    by_customer(first)
    revenue(first)
    assert first.alarms.keys() == ALARMS | OF_VIEWS
    second = orders(stack, "Others", alarms="critical")
    by_customer(second)
    assert second.alarms.keys() == CRITICAL
    third = orders(stack, "Quiet", alarms="none")
    by_customer(third)
    assert third.alarms == {}


def test_a_projector_that_never_runs_has_an_alarm_of_its_own() -> None:
    """It has no iterator age then, and neither errors nor a lag."""
    stack = new_stack()
    by_customer(orders(stack, alarms="critical"))
    throttled = the(stack, "CloudWatch::Alarm", "ProjectorThrottles")
    (projector,) = throttled["Dimensions"]
    assert projector["Name"] == "FunctionName"
    assert projector["Value"]["Ref"].startswith("OrdersProjectionProjector")
    asked = ("Namespace", "MetricName", "Statistic", "Threshold", "Period", "EvaluationPeriods")
    assert [throttled[name] for name in asked] == ["AWS/Lambda", "Throttles", "Sum", 1, 300, 3]


def test_alarms_look_where_the_functions_count() -> None:
    stack = new_stack()
    table = orders(stack)
    by_customer(table)
    parked = the(stack, "CloudWatch::Alarm", "Parked")
    assert parked["Dimensions"] == [{"Name": "service", "Value": "Shop/Orders"}]
    assert parked["Namespace"] == "ServerlessPatterns"
    removals = [table.metric_expired(), table.metric_removed()]
    assert [(one.metric_name, one.dimensions) for one in removals] == [
        (name, {"service": "Shop/Orders"}) for name in ("Expired", "Removed")
    ]
    for part in ("ProjectionProjector", "ProjectionRebuild", "ProjectionControl"):
        assert variables(stack, part)["POWERTOOLS_SERVICE_NAME"] == "Shop/Orders"


def test_a_function_that_reads_a_view_is_told_where_it_is() -> None:
    stack = new_stack()
    view = by_customer(orders(stack))
    function = lambda_.Function(
        stack,
        "Mine",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(*_): ..."),
    )
    view.reader("BY_CUSTOMER")(function)
    told = json.dumps(the(stack, "Lambda::Function", "Mine")["Environment"]["Variables"]["BY_CUSTOMER"])
    for word in ("ByCustomer", "customer_id", "order_id", "OrdersViewByCustomerTable", "OrdersProjectionControlTable"):
        assert word in told


def test_a_document_may_be_in_a_bucket() -> None:
    stack = new_stack()
    table = orders(stack)
    by_customer(table)
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "documents")
    assert sales(table, bucket=bucket).bucket is bucket
    assert variables(stack, "DocumentSales")["DOCUMENT_BUCKET_NAME"] == "documents"
