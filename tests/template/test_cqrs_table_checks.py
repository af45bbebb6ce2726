"""Everything that CqrsTable refuses, with the whole text that the user reads."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from serverless_patterns import ApiProxy, CqrsTable, Handler, Route, _environment
from tests.template.cqrs import a_function, by_customer, orders, revenue, sales
from tests.template.stacks import HANDLERS, a_handler, a_table, new_stack, refusal, warnings
from tests.template.topics import variables

APART = HANDLERS / "apart"
NAMED = "be a letter or _, then letters, digits or _, up to 63"
PURE = "it is a pure function of one state, which a rebuild calls for every aggregate: keep it in the state"
PATHS = "it is the name of an attribute, and of a parameter in paths: 'order_id'"
STREAM = "the stream forgets after 24 hours: before that, what cannot be projected has to be in the bucket"

TABLE: list[tuple[dict[str, Any], str]] = [
    *(({"key": key}, f"key must {NAMED}, got {key!r}: {PATHS}") for key in ("", "order-id", "1st", 7)),
    (
        {"key": "_aggregate"},
        "key must be another name than '_aggregate', got '_aggregate': what is ours of an item has that name",
    ),
    (
        {"time_to_live_attribute": "order_id"},
        "time_to_live_attribute must be another attribute than key, got 'order_id': "
        "it holds the second at which DynamoDB deletes the item",
    ),
    ({"time_to_live_attribute": "gone at"}, f"time_to_live_attribute must {NAMED}, got 'gone at': {PATHS}"),
    ({"commands": "place"}, "commands must be a list, got a value of type str: write commands=[...]"),
    (
        {"commands": ["place", "place"]},
        "commands must hold each name once, got 'place': take one of them out",
    ),
    *(
        (
            {"commands": [name]},
            f"commands must hold names of A-Z a-z 0-9 _ -, up to 63, a letter first, got {name!r}: "
            "a word, as 'place': decide gets it as command.name",
        )
        for name in ("place,confirm", "", 5)
    ),
    (
        {"decide": "orders:decide"},
        "decide must be a Handler, got 'orders:decide': our runtime calls it as decide(state, command) or (state, "
        "command, invocation): write Handler(code, 'module:function')",
    ),
    (
        {"decide": a_function("decide_alone")},
        "decide function must take (state, command) or (state, command, invocation), got (state) in "
        "shopping:decide_alone: it is called with these values",
    ),
    (
        {"decide": a_function("decide_effects")},
        "decide function must return Decision, got -> Effects of shopping:decide_effects: "
        "what it writes is its result: a CqrsTable's functions have no effects of their own",
    ),
    (
        {"decide": a_function("decide_backwards")},
        "decide function must take (state, command) or (state, command, invocation), got "
        "command: Command in shopping:decide_backwards: correct the parameter, or its annotation",
    ),
    (
        {"decide": a_function("decide_invoked")},
        "decide function must take (state, command) or (state, command, invocation), got "
        "invocation: Invocation in shopping:decide_invoked: correct the parameter, or its annotation",
    ),
    (
        {"decide": a_function(environment={"AGGREGATE_KEY": "mine"})},
        "decide environment['AGGREGATE_KEY'] must have a name of its own, got 'AGGREGATE_KEY': "
        "the pattern sets that variable: choose another name",
    ),
    (
        {"decide": a_function(provisioned_concurrent_executions=5, reserved_concurrent_executions=2)},
        "decide provisioned_concurrent_executions must be at most reserved_concurrent_executions, 2, got 5: "
        "Lambda keeps no more environments warm than may run: lower it, or reserve more",
    ),
    (
        {"commands": [f"command-{number:048}" for number in range(80)]},
        "decide environment must hold at most 4,096 bytes of names and values, got 4,827: "
        "move long values to parameters or into the code",
    ),
    *(
        (
            {"schema_version": version},
            f"schema_version must be a whole number from 1 to 1,000, got {version!r}: it is the schema that decide "
            "writes, counted from 1: add 1 with every change that old states do not have",
        )
        for version in (0, 1.5, True)
    ),
    (
        {"schema_version": 2},
        "upcast must be given with a schema_version above 1, got None: "
        "write upcast=Handler(code, 'orders:upcast'): it takes a state and its schema version to the next one",
    ),
    (
        {"upcast": a_function("upcast")},
        "upcast must be left out with schema_version 1, got a value: there is no older state yet",
    ),
    (
        {"schema_version": 2, "upcast": a_function("by_customer")},
        "upcast function must take (state, schema), got (order) in shopping:by_customer: it is called with these "
        "values",
    ),
    (
        {"schema_version": 2, "upcast": Handler(APART, "pricing:upcast")},
        f"upcast code must be that of decide, {HANDLERS}, got {APART}: "
        "one function runs both: put them into one folder",
    ),
    (
        {"claims_namespace": "a#b"},
        "claims_namespace must be 1 to 128 of A-Z a-z 0-9 . _ -, got 'a#b': it is data: choose a name that will not "
        "change",
    ),
    (
        {"claims_retention": Duration.hours(1)},
        "claims_retention must be a Duration from 86,400 to 315,360,000 seconds, got 3,600 seconds: "
        "a command that is sent again within a day must find its first answer",
    ),
    *(
        (
            {"claims_retention": number},
            f"claims_retention must be a Duration from 86,400 to 315,360,000 seconds, got {number}: {fix}",
        )
        for number, fix in (
            (30, "say the unit: Duration.hours(30)"),
            (8, "say the unit: Duration.days(8)"),
            (86_400, "say the unit: Duration.seconds(86400)"),
            (0, "a command that is sent again within a day must find its first answer"),
        )
    ),
    *(
        (
            {"batch_size": size},
            f"batch_size must be a whole number from 1 to 10,000, got {size!r}: "
            "100 is a good start: a larger one is projected with fewer requests, and later",
        )
        for size in (0, 10_001)
    ),
    (
        {"batch_size": 5_000},
        "max_batching_window must be given with a batch_size above 1,000, got none: "
        "so many come together only if Lambda waits for them: write Duration.seconds(1) or more",
    ),
    (
        {"parallelization_factor": 11},
        "parallelization_factor must be a whole number from 1 to 10, got 11: Lambda takes up to 10",
    ),
    (
        {"retry_attempts": -1},
        "retry_attempts must be a whole number from 0 to 10,000, got -1: "
        "Lambda tries so often what the function never answered, and then keeps it in the bucket",
    ),
    *(
        (
            {"max_record_age": age},
            f"max_record_age must be a Duration from 60 to 82,800 seconds, got {age.to_seconds():,} seconds: {STREAM}",
        )
        for age in (Duration.seconds(59), Duration.hours(24))
    ),
    ({"encryption_key": "key"}, "encryption_key must be a KMS key, got 'key': pass the construct, or leave it out"),
    ({"access_logs": "logs"}, "access_logs must be an S3 bucket, got 'logs': pass the construct, or leave it out"),
    (
        {"alarms": "some"},
        "alarms must be one of 'all', 'critical', 'none', got 'some': 'critical' keeps what is late or needs a person",
    ),
    (
        {"claims_namespace": ""},
        "claims_namespace must be 1 to 128 of A-Z a-z 0-9 . _ -, got '': it is data: choose a name that will not "
        "change",
    ),
    (
        {"alarm_actions": ["topic"]},
        "alarm_actions must hold actions of aws_cloudwatch_actions, got 'topic': "
        "write alarm_actions=[cloudwatch_actions.SnsAction(topic)]",
    ),
    (
        {"table": "orders"},
        "table must be a DynamoDB table, got 'orders': "
        "pass the construct, or one of dynamodb.Table.from_...; leave it out for one of its own",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), TABLE, ids=[message[:70] for _, message in TABLE])
def test_a_table_that_is_asked_for_wrongly_is_refused(arguments: dict[str, Any], message: str) -> None:
    assert refusal(lambda: orders(new_stack(), **arguments)).split("\n") == [f"Shop/Orders: {message}"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refusal(lambda: orders(new_stack(), key="", retry_attempts=-1, schema_version=0))
    assert len(told.split("\n")) == 3


def test_numbers_that_only_cloudformation_knows_pass() -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    orders(stack, retry_attempts=number, batch_size=number)


def test_what_belongs_to_the_code_is_known_at_synth() -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    assert refusal(lambda: orders(stack, schema_version=number)).startswith(
        "Shop/Orders: schema_version must be known at synth, got a token: write its number: it belongs to the code"
    )


BOTH = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES


def imported(stack: Stack) -> dynamodb.ITable:
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/theirs"
    return dynamodb.Table.from_table_attributes(stack, "Theirs", table_arn=arn)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            lambda stack: a_table(stack, "Mine"),
            "table must have a stream, got none: set its stream to NEW_AND_OLD_IMAGES; of an imported one pass "
            "table_stream_arn to from_table_attributes",
        ),
        (
            imported,
            "table must have a stream, got none: set its stream to NEW_AND_OLD_IMAGES; of an imported one pass "
            "table_stream_arn to from_table_attributes",
        ),
        (
            lambda stack: a_table(stack, "Mine", stream=dynamodb.StreamViewType.NEW_IMAGE),
            "table stream must be NEW_AND_OLD_IMAGES, got NEW_IMAGE: "
            "a change is projected by what was there before: set its stream to NEW_AND_OLD_IMAGES",
        ),
        (
            lambda stack: a_table(
                stack,
                "Mine",
                stream=BOTH,
                sort_key=dynamodb.Attribute(name="line", type=dynamodb.AttributeType.NUMBER),
            ),
            "table must have the partition key 'order_id' (HASH, S) and no sort key, got 'order_id' (HASH, S), 'line' "
            "(RANGE, N): an aggregate is one item: pass key= as the table has it",
        ),
    ],
    ids=["no stream", "imported without", "new images only", "sort key"],
)
def test_a_table_that_cannot_be_adopted_is_refused(table: Any, message: str) -> None:
    stack = new_stack()
    assert refusal(lambda: orders(stack, table=table(stack))) == f"Shop/Orders: {message}"


def test_a_table_of_yours_keeps_its_own_settings() -> None:
    stack = new_stack()
    theirs = a_table(stack, "Mine", stream=BOTH)
    assert refusal(lambda: orders(stack, table=theirs, time_to_live_attribute="gone_at")) == (
        "Shop/Orders: time_to_live_attribute must be left out with a table of yours, got a value: "
        "the table is yours: set it there"
    )
    table = orders(stack, table=theirs)
    assert refusal(lambda: table.add_global_secondary_index(index_name="by_day")) == (
        "Shop/Orders.add_global_secondary_index: table must be its own, got Shop/Mine: "
        "add the index where that table is defined"
    )


def test_a_table_is_of_one_construct() -> None:
    stack = new_stack()
    theirs = a_table(stack, "Mine", stream=BOTH)
    first, second = orders(stack, table=theirs), orders(stack, "Others")
    for table in (theirs, first.table):
        assert refusal(lambda table=table: orders(stack, "Second", table=table)) == (
            "Shop/Second: table must be of one CqrsTable, got Shop/Mine, which Shop/Orders has: "
            "its commands, views and readers of the stream are one construct's: add them there"
        )
    told = refusal(lambda: orders(stack, "Third", table=second.table))
    assert "got Shop/Others/Table, which Shop/Others has" in told


def test_commands_that_decide_visibly_does_not_know_are_warned_of() -> None:
    stack = new_stack()
    orders(stack, decide=a_function("decide_by_match"), commands=["place", "confirm", "withdrwa"])
    assert [text for text in warnings(stack) if "command" in text] == [
        "Handler(shopping:decide_by_match) knows the command 'withdraw', and commands has 'confirm', 'place', "
        "'withdrwa' alone: each such command is answered 400 before it; add it, or take it out there",
        "commands has 'withdrwa', and Handler(shopping:decide_by_match) compares command.name with 'confirm', 'place', "
        "'withdraw' alone (did you mean 'withdraw'?): it would refuse each such command",
    ]


@pytest.mark.parametrize(
    ("function", "commands"),
    [
        ("decide_by_match", ["withdraw", "place", "confirm"]),
        ("decide_by_match", []),
        ("decide_by_others", ["whatever"]),
        ("decide_in_part", ["whatever"]),
        ("decide_with_invocation", ["whatever"]),
    ],
)
def test_what_decide_may_know_is_not_warned_of(function: str, commands: list[str]) -> None:
    stack = new_stack()
    orders(stack, decide=a_function(function), commands=commands)
    assert [text for text in warnings(stack) if "command" in text] == []


def test_two_tables_keep_their_commands_apart() -> None:
    stack = new_stack()
    first = orders(stack)
    assert "claims_namespace must be its own in a shared table" in refusal(
        lambda: orders(stack, "Others", claims=first.claims, claims_namespace="Orders")
    )


# Views, totals and documents.

VIEW: list[tuple[dict[str, Any], str]] = [
    *(
        (
            {"name": name},
            f"name must be a letter, then letters or digits, up to 40, got {name!r}: "
            "it is data: choose one that will not change, as 'ByCustomer'",
        )
        for name in ("", "by-customer", "x" * 41, 5)
    ),
    (
        {"name": "Known"},
        "name must be its own among views, totals and documents, got 'Known': 'Known' is there already",
    ),
    (
        {"name": "KNOWN"},
        "name must be its own among views, totals and documents, got 'KNOWN': 'Known' is there already",
    ),
    (
        {"project": "by_customer"},
        "project must be a Handler, got 'by_customer': "
        "our runtime calls it as project(state): write Handler(code, 'module:function')",
    ),
    (
        {"project": a_function("project_effects")},
        "project function must return list[dict], got -> Effects of shopping:project_effects: "
        "what it writes is its result: a CqrsTable's functions have no effects of their own",
    ),
    (
        {"project": a_function("project_one")},
        "project function must return list[dict], got -> dict of shopping:project_one: "
        "correct what it returns, or its annotation",
    ),
    (
        {"project": a_function("project_invoked")},
        "project function must take (state), got (order, invocation) in shopping:project_invoked: "
        "it is called with these values",
    ),
    (
        {"project": a_function("by_customer", grants=[print])},
        f"project grants must be left out, got a value: {PURE}",
    ),
    (
        {"project": a_function("by_customer", provisioned_concurrent_executions=1)},
        "project provisioned_concurrent_executions must be left out, got a value: "
        "nobody waits for a projector: leave it out",
    ),
    (
        {"project": a_function("by_customer", memory_size=1024)},
        "project must run as that of 'Known', whose projector it shares, got another memory_size: "
        "give it the same code and arguments as the others have: a project is pure, and needs nothing of its own",
    ),
    (
        {"partition_key": "pk"},
        "partition_key must be none of '_row', 'expires_at', 'pk', 'sk', and not begin with '_', got 'pk': "
        "these names are ours in a row, now or later",
    ),
    (
        {"sort_key": "_at"},
        "sort_key must be none of '_row', 'expires_at', 'pk', 'sk', and not begin with '_', got '_at': "
        "these names are ours in a row, now or later",
    ),
    (
        {"partition_key": "a b"},
        "partition_key must be a letter, then letters, digits or _, up to 63, got 'a b': "
        "it is a member of the rows, and a parameter in paths: 'customer_id'",
    ),
    (
        {"sort_key": "customer_id"},
        "sort_key must be another member than partition_key, got 'customer_id': "
        "it orders the rows of one partition: name another member, or leave it out",
    ),
    (
        {"sort_key_type": dynamodb.AttributeType.BINARY},
        "sort_key_type must be STRING or NUMBER, got <AttributeType.BINARY: 'BINARY'>: "
        "rows are JSON: dynamodb.AttributeType.STRING, or NUMBER",
    ),
    (
        {"sort_key": None, "sort_key_type": dynamodb.AttributeType.STRING},
        "sort_key_type must be left out without a sort_key, got a value: pass sort_key too",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), VIEW, ids=[message[:70] for _, message in VIEW])
def test_a_view_that_is_asked_for_wrongly_is_refused(arguments: dict[str, Any], message: str) -> None:
    table = orders(new_stack())
    by_customer(table, "Known")
    name = arguments.get("name", "ByCustomer")
    told = refusal(lambda: by_customer(table, **arguments))
    assert told.split("\n") == [f"Shop/Orders.view({name!r}): {message}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"group": "expires_at"},
            "group must be none of '_row', 'expires_at', 'pk', 'sk', and not begin with '_', got 'expires_at': "
            "these names are ours in a row, now or later",
        ),
        (
            {"group": "_kind"},
            "group must be none of '_row', 'expires_at', 'pk', 'sk', and not begin with '_', got '_kind': "
            "these names are ours in a row, now or later",
        ),
        (
            {"contributes": a_function("by_customer")},
            "contributes function must return dict[str, dict], got -> list[dict] of shopping:by_customer: "
            "correct what it returns, or its annotation",
        ),
    ],
)
def test_totals_that_are_asked_for_wrongly_are_refused(arguments: dict[str, Any], message: str) -> None:
    assert refusal(lambda: revenue(orders(new_stack()), **arguments)) == f"Shop/Orders.totals('Revenue'): {message}"


DOCUMENT: list[tuple[dict[str, Any], str]] = [
    (
        {"sources": []},
        "sources must name a view or totals, got none: "
        "a document is built when one of them changes: write sources=[by_customer]",
    ),
    (
        {"sources": ["ByCustomer"]},
        "sources must be views and totals of this table, got 'ByCustomer': "
        "pass what view() and totals() of this table have returned",
    ),
    (
        {"build": a_handler()},
        "build function must return dict, got -> Effects of orders:fulfil: "
        "what it writes is its result: a CqrsTable's functions have no effects of their own",
    ),
    (
        {"build": a_function("sales", environment={"SOURCES": "mine"})},
        "build environment['SOURCES'] must have a name of its own, got 'SOURCES': "
        "the pattern sets that variable: choose another name",
    ),
    *(
        (
            {"every": Duration.seconds(length)},
            f"every must be a Duration from 1 to 900 seconds, got {length:,} seconds: "
            "a document is built no more often than this",
        )
        for length in (0, 901)
    ),
    (
        {"bucket": "documents"},
        "bucket must be an S3 bucket, got 'documents': leave it out: it is kept in DynamoDB, up to 390 KB",
    ),
    (
        {"name": "Known"},
        "name must be its own among views, totals and documents, got 'Known': 'Known' is there already",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), DOCUMENT, ids=[message[:70] for _, message in DOCUMENT])
def test_a_document_that_is_asked_for_wrongly_is_refused(arguments: dict[str, Any], message: str) -> None:
    table = orders(new_stack())
    by_customer(table, "Known")
    name = arguments.get("name", "Sales")
    assert refusal(lambda: sales(table, **arguments)).split("\n") == [f"Shop/Orders.document({name!r}): {message}"]


def test_a_build_that_reads_what_is_no_source_is_refused() -> None:
    table, best = orders(new_stack()), a_function("best")
    known, totals = by_customer(table, "Known"), revenue(table)
    told = refusal(lambda: sales(table, sources=[totals], build=best))
    assert re.sub(r":\d+,", ":7,", told) == (
        "Shop/Orders.document('Sales'): sources must hold the view 'Known' of sources.rows('Known') in "
        f"{HANDLERS / 'shopping.py'}:7, got 'Revenue': add it there"
    )
    near = by_customer(table, "Revenues")
    told = refusal(lambda: sales(table, sources=[known, near], build=best))
    assert "got 'Known', 'Revenues' (did you mean 'Revenues'?): add it there" in told
    assert sales(table, sources=[totals, known], build=best)


def test_a_build_that_reads_rows_as_totals_is_refused() -> None:
    table = orders(new_stack())
    by_customer(table, "Known")
    by_customer(table, "Revenue")
    told = refusal(lambda: sales(table, build=a_function("best")))
    assert "build must read 'Revenue' as what it is, got sources.totals('Revenue') in " in told
    assert told.endswith(": write sources.rows('Revenue'): it is of rows")


def test_a_view_of_another_table_is_no_source() -> None:
    stack = new_stack()
    first, second = orders(stack), orders(stack, "Others")
    by_customer(first)
    told = refusal(lambda: sales(second, sources=[first.views["ByCustomer"]]))
    assert "sources must be views and totals of this table" in told


def test_a_third_reader_of_the_stream_is_refused() -> None:
    table = orders(new_stack())
    by_customer(table)
    intel = lambda_.Architecture.X86_64
    by_customer(table, "Second", project=a_function("by_customer", architecture=intel))
    by_customer(table, "Third", project=a_function("by_day"))
    told = refusal(lambda: by_customer(table, "Fourth", project=Handler(APART, "pricing:by_price")))
    assert told.split("\n")[-1] == (
        "Shop/Orders.view('Fourth'): project must run as one of the 2 projectors that there are ('ByCustomer', "
        "'Third'; 'Second'), got a third one, which would starve the stream: give it the same code and arguments as "
        "the others have: a project is pure, and needs nothing of its own"
    )


def test_with_an_upcast_all_code_is_in_one_folder() -> None:
    table = orders(new_stack(), schema_version=2, upcast=a_function("upcast"))
    told = refusal(lambda: by_customer(table, project=Handler(APART, "pricing:by_price")))
    assert f"project code must be that of upcast, {HANDLERS}, got {APART}" in told


# Routes, and who reads.


def test_a_command_that_is_not_there_is_refused() -> None:
    table = orders(new_stack(), commands=["place", "confirm"])
    assert refusal(lambda: table.command("plaec")) == (
        "Shop/Orders.command: name must be one of commands, 'confirm', 'place', got 'plaec' (did you mean 'place'?): "
        "add it there"
    )
    assert orders(new_stack(), commands=[]).command("whatever")


@pytest.mark.parametrize(
    ("route", "arguments", "message"),
    [
        (
            "GET /orders",
            {},
            "routes['GET /orders'] must be one of 'DELETE', 'PATCH', 'POST', 'PUT', got 'GET': it changes an aggregate",
        ),
        (
            "POST /shops/{shop_id}/orders",
            {},
            "routes['POST /shops/{shop_id}/orders'] must have no parameter but {order_id} in its path in front of "
            "command(), got 'shop_id': decide gets the key and the body: put the others into the body, or write "
            "{order_id}",
        ),
        (
            "POST /orders",
            {"body": {"type": "object", "properties": {"customer_id": {"type": "string"}}}},
            "routes['POST /orders'] body must have the property 'order_id', got none: "
            "the aggregate's key is in the path, as {order_id}, or in the body",
        ),
        (
            "POST /orders",
            {"idempotency": "optional"},
            "routes['POST /orders'] idempotency must be 'required' or left out, got 'optional': "
            "the key is the command's id, by which a retry gets the first answer",
        ),
        (
            "POST /orders",
            {"query": {"type": "object", "properties": {"dry": {"type": "boolean"}}}},
            "routes['POST /orders'] query must be left out in front of command(), got a value: put it into the body",
        ),
    ],
)
def test_a_route_that_does_not_fit_a_command_is_refused(route: str, arguments: dict[str, Any], message: str) -> None:
    stack = new_stack()
    target = orders(stack).command("place")
    api = lambda: ApiProxy(stack, "Api", public=True, routes=[Route(route, target, **arguments)])  # noqa: E731
    assert f"Shop/Api: {message}" in refusal(api).split("\n")


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("POST /customers/{customer_id}", "must be one of 'GET', got 'POST': it changes nothing"),
        (
            "GET /customers",
            "must have {customer_id} in its path, and no other, in front of query(), got none: "
            "it says what is read, and nothing else of the path does",
        ),
        (
            "GET /shops/{shop_id}/customers/{customer_id}",
            "must have {customer_id} in its path, and no other, in front of query(), got 'shop_id', 'customer_id': "
            "it says what is read, and nothing else of the path does",
        ),
    ],
)
def test_a_route_that_does_not_say_what_is_read_is_refused(route: str, message: str) -> None:
    stack = new_stack()
    target = by_customer(orders(stack)).query()
    told = refusal(lambda: ApiProxy(stack, "Api", public=True, routes=[Route(route, target)]))
    assert f"Shop/Api: routes[{route!r}] {message}" in told.split("\n")


def test_a_query_waits_for_twenty_seconds_at_most() -> None:
    view = by_customer(orders(new_stack()))
    assert refusal(lambda: view.query(max_wait=Duration.seconds(21))) == (
        "Shop/Orders/ViewByCustomer.query: max_wait must be a Duration from 0 to 20 seconds, got 21 seconds: "
        "then the caller is told to ask again"
    )


def test_who_is_allowed_something_is_somebody() -> None:
    table = orders(new_stack())
    view, document = by_customer(table), sales(table)
    for method in (table.grant_command, table.grant_control, view.grant_query, document.grant_read):
        told = refusal(lambda method=method: method("role"))
        must = "grantee must be an iam.IGrantable, got 'role': pass a function, a role or a user"
        assert told.endswith(f".{method.__name__}: {must}")


def test_a_topic_is_no_action_of_an_alarm() -> None:
    stack = new_stack()
    topic = sns.Topic(stack, "Night")
    told = refusal(lambda: orders(stack, alarm_actions=[topic]))
    assert "alarm_actions must hold actions of aws_cloudwatch_actions, got Shop/Night: " in told


def test_the_signature_of_a_decide_is_told_as_its_own(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def decide(state, command, invocation, more):\n    return None\n")
    assert refusal(lambda: Handler(tmp_path, "shop:decide")).endswith(
        "must take (state, command) or (state, command, invocation), got (state, command, invocation, more) in "
        f"decide ({tmp_path}/shop.py:1): a decide is called with two or three values"
    )


def test_a_reader_s_name_is_that_of_a_variable() -> None:
    view = by_customer(orders(new_stack()))
    assert refusal(lambda: view.reader("by-customer")) == (
        "Shop/Orders/ViewByCustomer.reader: name must be a letter, then letters, digits or _ (two or more), got "
        "'by-customer': it is the name of a variable, and of the view in read_view(): write 'BY_CUSTOMER'"
    )


def test_a_decide_with_an_invocation_is_taken() -> None:
    assert isinstance(orders(new_stack(), decide=a_function("decide_with_invocation")), CqrsTable)


def test_more_views_than_variables_hold_are_refused_at_synth() -> None:
    stack = new_stack()
    table = orders(stack)
    alike = a_function("by_customer", environment={"LONG": "x" * 3_500})
    for number in range(4):
        odd = hashlib.sha256(str(number).encode()).hexdigest()
        by_customer(table, f"A{odd[:38]}", project=alike, partition_key=f"a{odd[:60]}", sort_key=f"b{odd[4:64]}")
    with pytest.raises(Exception, match="all views, and of all documents: give them shorter names"):
        stack.node.root.synth()  # pyright: ignore[reportAttributeAccessIssue]


def test_a_view_is_no_grant_and_its_reader_has_a_name() -> None:
    view = by_customer(orders(new_stack()))
    must = "grants[0] must be something to call with the lambda_.Function, got"
    for grant, told in (
        (view, "with the name that read_view() takes"),
        (view.reader, "the method reader itself: call it, with the name that read_view() takes"),
    ):
        text = refusal(lambda grant=grant: a_function(grants=[grant]))
        assert must in text
        assert told in text
        assert "by_customer.reader('BY_CUSTOMER')" in text


def test_what_a_route_leads_to_is_a_command_or_a_query_and_the_error_says_which() -> None:
    stack = new_stack()
    table = orders(stack)
    view = by_customer(table)
    for given, fix in (
        (table, "a CqrsTable has command('place') and get(), its views and documents query(): pass one of these"),
        (view, "call its query()"),
        (view.query, "call it: query(...)"),
        (table.get, "call it: get(...)"),
    ):
        routes = [Route("GET /orders", given)]
        assert fix in refusal(lambda routes=routes: ApiProxy(stack, "Api", public=True, routes=routes))


def as_deployed(stack: Stack, part: str) -> int:
    """Bytes of a function's variables, with each name as long as CloudFormation makes it."""
    kinds = {
        id: it["Type"].removeprefix("AWS::") for id, it in Template.from_stack(stack).to_json()["Resources"].items()
    }
    beginnings = {
        "SQS::Queue": "https://sqs.eu-west-1.amazonaws.com/111122223333/",
        "StepFunctions::StateMachine": "arn:aws:states:eu-west-1:111122223333:stateMachine:",
        "Lambda::Function": "arn:aws:lambda:eu-west-1:111122223333:function:",
    }
    most = {"DynamoDB::Table": 255, "S3::Bucket": 63, "Lambda::Function": 64}

    def size(value: Any) -> int:
        match value:
            case str():
                return len(value)
            case {"Fn::Join": ["", parts]}:
                return sum(map(size, parts))
            case {"Ref": id} | {"Fn::GetAtt": [id, "Arn"]}:
                stack_name = "" if kinds[id] == "StepFunctions::StateMachine" else "Shop-"
                name = f"{stack_name}{id}-AbCdEfGhIjKl"[: most.get(kinds[id], 80)]
                return len(beginnings.get(kinds[id], "") + name)
        raise AssertionError(value)

    return sum(len(name) + size(value) for name, value in variables(stack, part).items())


def test_more_views_than_a_function_can_be_told_of_are_refused_at_synth(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = new_stack()
    table = orders(stack)
    by_customer(table)
    revenue(table, "Revenue" * 5)
    document = sales(table)
    assert table.projection is not None
    (projector,) = table.projection.projectors
    told = "one function is told of all views, and of all documents: give them shorter names, or have fewer"
    asked = {
        "ProjectionControl": (table.projection.control, "views", told),
        "ProjectionProjector": (projector.function, "views", told),
        "ProjectionRebuild": (projector.rebuild_function, "views", told),
        "DocumentSalesBuildsConsumer": (
            document.queue.consumer_function,
            "sources",
            "build is told of every source: give them shorter names, or split the document",
        ),
    }
    sizes = {part: as_deployed(stack, part) for part in asked}
    assert [message for function, _, _ in asked.values() for message in function.node.validate()] == []
    for part, (function, argument, fix) in asked.items():
        monkeypatch.setattr(_environment, "_MAX_BYTES", sizes[part])
        assert [*function.node.validate()] == []
        monkeypatch.setattr(_environment, "_MAX_BYTES", sizes[part] - 1)
        assert [*function.node.validate()] == [
            f"{argument} environment must hold at most {sizes[part] - 1:,} bytes of names and values, got "
            f"{sizes[part]:,}: {fix}"
        ]
