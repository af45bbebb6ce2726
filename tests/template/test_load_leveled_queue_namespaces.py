"""Constructs that share a table of claims: none takes another's messages for duplicates."""

import gc

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns import Route
from tests.template.apis import an_api, take
from tests.template.stacks import a_queue, new_stack, refusal

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/claims"
OTHER_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/others"
FIX = "pass another claims_namespace: each would take the other's messages for duplicates"


def a_claims_table(stack: Stack) -> dynamodb.TableV2:
    key = dynamodb.Attribute(name="claim", type=dynamodb.AttributeType.STRING)
    return dynamodb.TableV2(stack, "Shared", partition_key=key)


def imported(stack: Stack, arn: str = ARN) -> dynamodb.ITable:
    return dynamodb.Table.from_table_arn(stack, "Imported", arn)


def test_two_constructs_of_one_id_do_not_share_a_table_by_accident() -> None:
    app = App()
    here, there = Stack(app, "Here"), Stack(app, "There")
    table = a_claims_table(here)
    a_queue(here, "Orders", claims=table)
    assert refusal(lambda: a_queue(there, "Orders", claims=table)) == (
        "There/Orders: claims_namespace must be its own in a shared table, got 'Orders', "
        f"which Here/Orders has in Here/Shared: {FIX}"
    )
    a_queue(there, "Orders", claims=table, claims_namespace="there-orders")


def test_the_owner_of_a_table_has_its_namespace_there_too() -> None:
    stack = new_stack()
    first = a_queue(stack, "First")
    assert refusal(lambda: a_queue(stack, "Second", claims=first.claims, claims_namespace="First")) == (
        "Shop/Second: claims_namespace must be its own in a shared table, got 'First', "
        f"which Shop/First has in Shop/First/Claims: {FIX}"
    )


def test_a_table_that_is_imported_twice_is_known_by_its_arn() -> None:
    app = App()
    here, there = Stack(app, "Here"), Stack(app, "There")
    a_queue(here, "Orders", claims=imported(here))
    assert refusal(lambda: a_queue(there, "Orders", claims=imported(there))) == (
        "There/Orders: claims_namespace must be its own in a shared table, got 'Orders', "
        f"which Here/Orders has in There/Imported: {FIX}"
    )


def test_an_imported_table_whose_arn_is_a_token_is_known_by_its_object() -> None:
    app = App()
    here, there = Stack(app, "Here"), Stack(app, "There")
    arns = [CfnParameter(stack, "Arn").value_as_string for stack in (here, there)]
    table = imported(here, arns[0])
    a_queue(here, "Orders", claims=table)
    a_queue(there, "Orders", claims=imported(there, arns[1]))
    assert refusal(lambda: a_queue(there, "Again", claims=table, claims_namespace="Orders")) == (
        "There/Again: claims_namespace must be its own in a shared table, got 'Orders', "
        f"which Here/Orders has in Here/Imported: {FIX}"
    )


def test_another_table_is_no_neighbour() -> None:
    app = App()
    for id, arn in (("Here", ARN), ("There", OTHER_ARN)):
        stack = Stack(app, id)
        a_queue(stack, "Orders", claims=imported(stack, arn))


def test_another_app_is_no_neighbour() -> None:
    for id in ("Here", "There"):
        stack = Stack(App(), id)
        a_queue(stack, "Orders", claims=imported(stack))


def test_a_namespace_stays_taken_when_python_forgets_the_construct() -> None:
    app = App()
    table = a_claims_table(Stack(app, "Shop"))
    a_queue(Stack(app, "Here"), "Orders", claims=table)
    del app
    gc.collect()
    there = Stack(table.node.root, "There")  # pyright: ignore[reportArgumentType]
    assert "which Here/Orders has in Shop/Shared" in refusal(lambda: a_queue(there, "Orders", claims=table))


def test_a_refused_construct_takes_no_namespace() -> None:
    stack = new_stack()
    table = a_claims_table(stack)
    refusal(lambda: a_queue(stack, "First", claims=table, claims_namespace="orders", max_concurrency=1))
    a_queue(stack, "Second", claims=table, claims_namespace="orders")


def test_a_construct_that_was_removed_may_be_defined_again() -> None:
    stack = new_stack()
    table = a_claims_table(stack)
    a_queue(stack, "Orders", claims=table)
    stack.node.try_remove_child("Orders")
    a_queue(stack, "Orders", claims=table)


def test_a_namespace_that_is_a_token_passes() -> None:
    stack = new_stack()
    table, token = a_claims_table(stack), CfnParameter(stack, "Namespace").value_as_string
    for id in ("First", "Second"):
        a_queue(stack, id, claims=table, claims_namespace=token)


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (None, None, True),
        (None, Environment(account="1" * 12, region="eu-west-1"), True),
        (Environment(account="1" * 12, region="eu-west-1"), Environment(account="1" * 12, region="eu-west-1"), True),
        (Environment(account="1" * 12, region="eu-west-1"), Environment(account="1" * 12, region="eu-west-2"), False),
        (Environment(account="1" * 12, region="eu-west-1"), Environment(account="2" * 12, region="eu-west-1"), False),
    ],
)
def test_a_table_that_is_imported_twice_by_its_name_is_one_where_it_may_be(
    first: Environment | None, second: Environment | None, refused: bool
) -> None:
    app = App()
    here, there = Stack(app, "Here", env=first), Stack(app, "There", env=second)
    an_api(here, Route("POST /orders", take()), claims=dynamodb.Table.from_table_name(here, "Named", "claims"))

    def again() -> None:
        an_api(there, Route("POST /orders", take()), claims=dynamodb.Table.from_table_name(there, "Named", "claims"))

    if refused:
        assert "got 'Api', which Here/Api has in There/Named" in refusal(again)
    else:
        again()


def test_a_name_and_an_arn_may_be_one_table() -> None:
    app = App()
    here, there = Stack(app, "Here"), Stack(app, "There")
    a_queue(here, "Orders", claims=imported(here))
    named = dynamodb.Table.from_table_name(there, "Named", "claims")
    assert "which Here/Orders has in There/Named" in refusal(lambda: a_queue(there, "Orders", claims=named))
    a_queue(there, "Orders", claims=dynamodb.Table.from_table_name(there, "Other", "others"))
