"""Who may do what around a table: commands, projectors, rebuilds, the sweep, readers."""

import json

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from serverless_patterns import ApiProxy, Defaults, Route
from tests.template.cqrs import by_customer, everything, orders, revenue, sales
from tests.template.stacks import TABLE_KEY, new_stack, refusal, resources
from tests.template.topics import allowed, of_function

TABLE, CLAIMS = "OrdersTable1F8332C7", "OrdersClaimsACC3EDC1"
CONTROL, PARKED = "OrdersProjectionControlTable4FD8A6DF", "OrdersProjectionParked27744CB0"
VIEW, TOTALS = "OrdersViewByCustomerTableDDB7E0D2", "OrdersViewRevenueTable54A0A4AF"
QUEUE, SECRET = "OrdersDocumentSalesBuildsQueueD7986B37", "OrdersTokenSecret54A5C045"
MACHINE = "OrdersProjectionRebuilding49CFD9D3"
EVERYTHING = (TABLE, CLAIMS, CONTROL, PARKED, VIEW, TOTALS, QUEUE, SECRET, MACHINE)
STREAM = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}


@pytest.fixture(scope="module")
def stack() -> Stack:
    stack = new_stack()
    everything(stack)
    return stack


def may(stack: Stack, part: str) -> dict[str, set[str]]:
    """By resource, without those that it may do nothing with; without the names of services."""
    found = {name: allowed(stack, part, name) for name in EVERYTHING}
    return {name: {action.partition(":")[2] for action in actions} for name, actions in found.items() if actions}


@pytest.mark.parametrize("part", ["OrdersCommandsRole", "ApiOrdersPlaceRole"])
def test_a_command_reads_and_puts_the_aggregate_and_its_id_and_nothing_else(stack: Stack, part: str) -> None:
    assert may(stack, part) == {TABLE: {"BatchGetItem", "PutItem"}, CLAIMS: {"BatchGetItem", "PutItem"}}


def test_a_projector_writes_rows_and_nothing_of_the_table(stack: Stack) -> None:
    rows = {"BatchGetItem", "GetItem", "PutItem", "UpdateItem"}
    assert may(stack, "ProjectionProjectorRole") == {
        TABLE: {"BatchGetItem", "GetItem"} | STREAM,
        CONTROL: {"BatchGetItem", "GetItem", "UpdateItem"},
        PARKED: {"DeleteObject", "GetObject", "ListBucket", "PutObject"},
        VIEW: rows,
        TOTALS: rows,
        QUEUE: {"SendMessage"},
    }


def test_a_rebuild_reads_all_and_stamps_but_puts_no_aggregate(stack: Stack) -> None:
    rows = {"BatchGetItem", "BatchWriteItem", "GetItem", "PartiQLInsert", "PutItem", "Scan", "UpdateItem"}
    assert may(stack, "ProjectionRebuildRole") == {
        TABLE: {"BatchGetItem", "GetItem", "Scan", "UpdateItem"},
        CONTROL: {"BatchGetItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"},
        PARKED: {"PutObject"},
        VIEW: rows,
        TOTALS: rows,
        QUEUE: {"SendMessage"},
    }


def test_the_control_function_reads_no_aggregate_and_no_row(stack: Stack) -> None:
    assert may(stack, "ProjectionControlRole") == {
        TABLE: {"DescribeTable"},
        CONTROL: {"BatchGetItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"},
        PARKED: {"DeleteObject", "GetObject", "ListBucket", "PutObject"},
        QUEUE: {"SendMessage"},
        MACHINE: {"DescribeExecution", "StartExecution", "StopExecution"},
    }


def test_a_query_reads_its_own_view_alone(stack: Stack) -> None:
    assert may(stack, "ApiOrdersByCustomerRole") == {
        TABLE: {"BatchGetItem", "GetItem"},
        CONTROL: {"GetItem"},
        VIEW: {"GetItem", "Query"},
        SECRET: {"GetSecretValue"},
    }


def test_a_document_s_builder_reads_its_sources_and_keeps_the_document(stack: Stack) -> None:
    rows = {"GetItem", "Query", "Scan"}
    found = may(stack, "DocumentSalesBuildsConsumerRole")
    assert {name: found[name] for name in (CONTROL, VIEW, TOTALS)} == {
        CONTROL: {"GetItem", "PutItem", "UpdateItem"},
        VIEW: rows,
        TOTALS: rows,
    }
    assert TABLE not in found
    assert may(stack, "ApiOrdersSalesRole") == {CONTROL: {"GetItem"}}
    assert may(stack, "ApiOrdersGetRole") == {TABLE: {"BatchGetItem", "GetItem"}}


def test_the_machine_invokes_the_two_functions_that_it_names(stack: Stack) -> None:
    invoked = [each["Resource"] for each in of_function(stack, "RebuildingRole") if "lambda" in str(each["Action"])]
    assert [it["Fn::GetAtt"][0] for it in invoked[0]] == [
        "OrdersProjectionRebuildBEC612EE",
        "OrdersProjectionProjector5FDF2BBD",
    ]


def test_objects_are_named_by_prefix(stack: Stack) -> None:
    objects = {
        json.dumps(one["Fn::Join"][1][1])
        for part in ("ProjectionProjectorRole", "ProjectionRebuildRole", "ProjectionControlRole")
        for each in of_function(stack, part)
        if any("Object" in action for action in each["Action"])
        for one in each["Resource"]
    }
    assert objects == {'"/parked/*"', '"/aws/lambda/*"'}


def test_who_sends_commands_may_invoke_and_nothing_else() -> None:
    stack = new_stack()
    who = iam.Role(stack, "Somebody", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore[reportArgumentType]
    orders(stack).grant_command(who)  # pyright: ignore[reportArgumentType]
    (statement,) = of_function(stack, "Somebody")
    assert statement["Action"] == ["lambda:InvokeFunction"]
    assert statement["Resource"] == [{"Fn::GetAtt": ["OrdersCommands263DB626", "Arn"]}]


def test_who_rebuilds_may_ask_the_control_function_and_nothing_else() -> None:
    stack = new_stack()
    who = iam.Role(stack, "Somebody", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore[reportArgumentType]
    table = orders(stack)
    assert refusal(lambda: table.grant_control(who)) == (  # pyright: ignore[reportArgumentType]
        "Shop/Orders: control_function must be asked for after the first view, got no view: add one with view()"
    )
    by_customer(table)
    table.grant_control(who)  # pyright: ignore[reportArgumentType]
    (statement,) = of_function(stack, "Somebody")
    assert {*statement["Action"]} == {"lambda:GetFunctionConfiguration", "lambda:InvokeFunction"}
    assert statement["Resource"] == [{"Fn::GetAtt": ["OrdersProjectionControl8E6C5CEB", "Arn"]}]


def test_who_reads_a_view_may_query_it_and_see_which_generation_is_live() -> None:
    stack = new_stack()
    who = iam.Role(stack, "Somebody", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore[reportArgumentType]
    by_customer(orders(stack)).grant_query(who)  # pyright: ignore[reportArgumentType]
    assert may(stack, "Somebody") == {VIEW: {"GetItem", "Query"}, CONTROL: {"GetItem"}}


def test_a_document_in_a_bucket_has_a_prefix_of_its_own() -> None:
    stack = new_stack()
    table = orders(stack)
    by_customer(table)
    bucket = s3.Bucket(stack, "Documents", encryption_key=kms.Key(stack, "BucketKey"))
    document = sales(table, bucket=bucket)
    ApiProxy(stack, "Api", public=True, routes=[Route("GET /sales", document.query())])
    assert allowed(stack, "ApiOrdersSalesRole", "Documents") == {"s3:GetObject", "s3:ListBucket"}
    assert allowed(stack, "DocumentSalesBuildsConsumerRole", "documents/Sales/*") == {
        "s3:DeleteObject",
        "s3:PutObject",
    }
    assert allowed(stack, "DocumentSalesBuildsConsumerRole", "BucketKey") >= {"kms:Decrypt", "kms:GenerateDataKey"}


@pytest.mark.parametrize(
    "part", ["OrdersCommandsRole", "ProjectionProjectorRole", "ProjectionRebuildRole", "ProjectionControlRole"]
)
def test_a_customer_key_is_granted_to_all_who_use_it(part: str) -> None:
    stack = new_stack()
    Defaults.of(stack).set(encryption_key=kms.Key(stack, "Key"))
    everything(stack)
    assert allowed(stack, part, "Key") >= TABLE_KEY


def test_a_customer_key_is_everywhere() -> None:
    stack = new_stack()
    Defaults.of(stack).set(encryption_key=kms.Key(stack, "Key"))
    everything(stack)
    for table in resources(stack, "DynamoDB::Table").values():
        assert table["Properties"]["SSESpecification"]["SSEType"] == "KMS"
    for secret in resources(stack, "SecretsManager::Secret").values():
        assert "KmsKeyId" in secret["Properties"]
    for machine in resources(stack, "StepFunctions::StateMachine").values():
        assert "EncryptionConfiguration" in machine["Properties"]


def test_a_key_of_another_stack_makes_no_circle() -> None:
    app = App()
    keys, here = Stack(app, "Keys"), Stack(app, "Tables")
    Defaults.of(app).set(encryption_key=kms.Key(keys, "Key"))
    table = orders(here)
    by_customer(table)
    revenue(table)
    sales(table)
    app.synth()
    assert keys.dependencies == []
    assert here.dependencies == [keys]
