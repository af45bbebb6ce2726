"""CircuitBreaker: its table, its alarm, and what the functions that it guards are told and allowed."""

import json
import random
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns import CircuitBreaker, Defaults, Route
from serverless_patterns._delivery import Delivery
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.load_leveled_queue.visibility import Backoff
from tests.template.apis import an_api, asset_of, get, the_routes, variables_of
from tests.template.stacks import (
    TABLE_KEY,
    a_handler,
    a_queue,
    new_stack,
    resources,
    statements,
    the,
    the_queue,
    the_variables,
    warnings,
)
from tests.template.test_stability import FLAGS, masked, resources_of

SECONDS, DAYS, MINUTES = Duration.seconds, Duration.days, Duration.minutes
# Renaming it forgets what is open, of everybody who updates: it needs a major version.
TABLE = "PartnerTable108D5A36"
ITEM = {"dynamodb:GetItem", "dynamodb:UpdateItem"}


def a_breaker(stack: Stack, id: str = "Partner", **arguments: Any) -> CircuitBreaker:
    return CircuitBreaker(stack, id, **arguments)


def a_guarded_queue(stack: Stack, breaker: CircuitBreaker | None = None, **arguments: Any) -> CircuitBreaker:
    breaker = breaker or a_breaker(stack)
    a_queue(stack, circuit_breaker=breaker, **arguments)
    return breaker


def actions_on(stack: Stack, logical_id_part: str) -> set[str]:
    """Of the consumer, on the resource whose logical id holds this word."""
    return {
        action
        for statement in statements(stack)
        for resource in statement["Resource"]
        if logical_id_part in str(resource)
        for action in statement["Action"]
    }


def breakers_of(variables: dict[str, Any]) -> dict[str, BreakerSettings]:
    """What `CIRCUIT_BREAKERS` says, references as `<logical id>`."""
    parts = variables["CIRCUIT_BREAKERS"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts))


def native_limit(stack: Stack) -> int:
    return the_queue(stack)["RedrivePolicy"]["maxReceiveCount"]


@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "all flags"])
def test_the_table_keeps_its_logical_id(context: dict[str, Any]) -> None:
    stack = new_stack(context)
    a_breaker(stack)
    assert set(resources(stack, "DynamoDB::Table")) == {TABLE}


def test_feature_flags_change_no_resource_of_ours() -> None:
    templates: list[Any] = []
    for context in ({}, FLAGS):
        stack = new_stack(context)
        a_guarded_queue(stack)
        templates.append(masked(stack))
    assert templates[0] == templates[1]


def test_the_table_has_one_key_is_on_demand_restorable_and_stays() -> None:
    stack = new_stack()
    a_breaker(stack)
    table = resources(stack, "DynamoDB::Table")[TABLE]
    assert table["Properties"] == {
        "AttributeDefinitions": [{"AttributeName": "breaker", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "KeySchema": [{"AttributeName": "breaker", "KeyType": "HASH"}],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    assert table["DeletionPolicy"] == "Retain"


def test_the_table_goes_where_an_app_says_so() -> None:
    stack = new_stack()
    Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY)
    a_breaker(stack)
    table = resources(stack, "DynamoDB::Table")[TABLE]
    assert table["DeletionPolicy"] == "Delete"
    assert table["Properties"]["DeletionProtectionEnabled"] is False


def test_a_table_to_share_is_taken_as_it_is() -> None:
    stack = new_stack()
    first = a_breaker(stack)
    second = a_breaker(stack, "Bank", table=first.table)
    assert second.table is first.table
    assert set(resources(stack, "DynamoDB::Table")) == {TABLE}


def test_a_consumer_is_told_of_its_breaker() -> None:
    stack = new_stack()
    breaker = a_breaker(
        stack,
        failure_threshold=3,
        window=SECONDS(10),
        open_for=Duration.millis(2500),
        cache_age=Duration.millis(500),
        counts=["PartnerDown", "TimeoutError"],
        name="partner-api",
    )
    a_guarded_queue(stack, breaker)
    assert breakers_of(the_variables(stack)) == {
        "partner-api": {
            "table": f"<{TABLE}>",
            "failure_threshold": 3,
            "window_seconds": 10,
            "open_seconds": 2.5,
            "cache_seconds": 0.5,
            "counts": ["PartnerDown", "TimeoutError"],
        }
    }


def test_what_a_newcomer_gets() -> None:
    stack = new_stack()
    a_guarded_queue(stack)
    assert breakers_of(the_variables(stack)) == {
        "Partner": {
            "table": f"<{TABLE}>",
            "failure_threshold": 5,
            "window_seconds": 60,
            "open_seconds": 30,
            "cache_seconds": 5,
            "counts": [],
        }
    }


def test_a_function_without_a_breaker_has_no_variable_for_it() -> None:
    stack = new_stack()
    a_queue(stack)
    an_api(stack)
    assert "CIRCUIT_BREAKERS" not in the_variables(stack)
    assert "CIRCUIT_BREAKERS" not in variables_of(stack, "ApiWebGet")


def test_a_guarded_function_may_read_and_update_the_item_alone() -> None:
    stack = new_stack()
    breaker = a_guarded_queue(stack, consumer=a_handler("orders:call"))
    assert actions_on(stack, "PartnerTable") == ITEM
    other = new_stack()
    breaker = a_breaker(other)
    an_api(other, Route("GET /orders", get(), circuit_breaker=breaker))
    assert actions_on(other, "PartnerTable") == ITEM


def test_a_guarded_function_may_use_the_key_of_the_breaker_s_table() -> None:
    stack = new_stack()
    key = kms.Key(stack, "BreakersKey")
    a_guarded_queue(stack, a_breaker(stack, encryption_key=key))
    assert resources(stack, "DynamoDB::Table")[TABLE]["Properties"]["SSESpecification"]["SSEEnabled"] is True
    assert actions_on(stack, "BreakersKey") >= TABLE_KEY


def test_one_breaker_guards_functions_of_two_stacks() -> None:
    app = App(analytics_reporting=False, context={"aws:cdk:disable-asset-staging": True})
    where = Environment(account="111122223333", region="eu-west-1")
    owner, shop = Stack(app, "Owner", env=where), Stack(app, "Shop", env=where)
    breaker = a_breaker(owner)
    a_queue(shop, circuit_breaker=breaker)
    an_api(owner, Route("GET /orders", get(), circuit_breaker=breaker))
    exported = Template.from_stack(owner).to_json()["Outputs"]
    assert {json.dumps(output["Value"]) for output in exported.values()} == {
        json.dumps({"Fn::GetAtt": [TABLE, "Arn"]}),
        json.dumps({"Ref": TABLE}),
    }
    assert actions_on(shop, "PartnerTable") == actions_on(owner, "PartnerTable") == ITEM
    assert "PartnerTable" in json.dumps(the_variables(shop)["CIRCUIT_BREAKERS"])


def test_a_guarded_queue_counts_tries_itself_whatever_its_batch() -> None:
    for arguments in ({}, {"batch_size": 1}, {"fifo": True}):
        stack = new_stack()
        a_guarded_queue(stack, **arguments)
        assert the_variables(stack)["COUNT_ATTEMPTS"] == "true"
        assert the_variables(stack)["MAX_RECEIVE_COUNT"] == "5"
        assert "dynamodb:UpdateItem" in actions_on(stack, "FulfilmentClaims")


@pytest.mark.parametrize(
    ("arguments", "limit"),
    [
        ({}, 960),  # half of four days, for a consumer that is broken altogether
        ({"retention_period": DAYS(13)}, 1000),
        ({"consumer": a_handler(timeout=MINUTES(2))}, 448),  # 120 of its batch, 40 at first, one in 20 minutes
        ({"consumer": a_handler(timeout=MINUTES(2)), "batch_size": 1}, 340),
        ({"retention_period": Duration.hours(5), "max_receive_count": 2, "batch_size": 1}, 61),
    ],
)
def test_the_queue_s_own_limit_outlasts_every_refusal(arguments: dict[str, Any], limit: int) -> None:
    stack = new_stack()
    a_guarded_queue(stack, **arguments)
    assert native_limit(stack) == limit


class Never(random.Random):
    """No jitter: messages come back as soon as they ever may."""

    def uniform(self, a: float, b: float) -> float:
        return min(a, b)


@given(
    retention=st.integers(60, 13 * 86_400),
    open_for=st.integers(1, 900),
    tries=st.integers(1, 30),
    batch_size=st.sampled_from([1, 10]),
)
def test_no_outage_as_long_as_the_queue_keeps_messages_uses_up_its_limit(
    retention: int, open_for: int, tries: int, batch_size: int
) -> None:
    """Both sides at once: the limit that the construct computes, and the shipped delays of refused messages."""
    backoff, now, receives = Backoff(1, 1, Never()), float(open_for), 0
    while now < retention:
        receives += 1
        now += backoff.while_open(CircuitOpen(retry_at=now, opened_at=0), now)
    delivery = Delivery(
        handled=True,
        own_queue=True,
        guarded=True,
        fifo=False,
        max_concurrency=2,
        asked_batch_size=batch_size,
        max_batching_window=None,
        max_receive_count=tries,
    )
    visibility = SECONDS(5400)  # so long that nothing but refusals and tries asks for more
    assert receives + tries <= delivery.native_max_receive_count(visibility, retention) <= 1000


def test_a_limit_that_depends_on_a_token_is_the_largest() -> None:
    stack = new_stack()
    count = CfnParameter(stack, "Number", type="Number").value_as_number
    a_guarded_queue(stack, max_receive_count=count)  # pyright: ignore[reportArgumentType]
    assert native_limit(stack) == 1000


def test_a_queue_that_exists_and_keeps_its_own_count_leaves_the_tries_to_the_runtime() -> None:
    stack = new_stack()
    redrive = sqs.DeadLetterQueue(queue=sqs.Queue(stack, "Letters", retention_period=DAYS(14)), max_receive_count=448)
    queue = sqs.Queue(stack, "Existing", dead_letter_queue=redrive, visibility_timeout=SECONDS(180))
    a_guarded_queue(stack, queue=queue)
    assert the_variables(stack)["COUNT_ATTEMPTS"] == "true"
    assert the_variables(stack)["MAX_RECEIVE_COUNT"] == "5"


def test_an_imported_queue_whose_limit_cannot_be_seen_warns() -> None:
    stack = new_stack()
    arn = "arn:aws:sqs:eu-west-1:111122223333:"
    source = sqs.Queue.from_queue_arn(stack, "Imported", f"{arn}incoming")
    letters = sqs.Queue.from_queue_arn(stack, "Letters", f"{arn}letters")
    a_guarded_queue(stack, queue=source, dead_letter_queue=letters, queue_visibility_timeout=SECONDS(180))
    assert (
        "the maxReceiveCount of Shop/Imported cannot be seen and must be at least 1,000, or a long outage behind the "
        "circuit breaker sends healthy messages to the dead-letter queue: set it where the queue is defined"
    ) in warnings(stack)


def test_a_function_too_slow_for_its_queue_s_retention_warns() -> None:
    stack = new_stack()
    a_guarded_queue(stack, consumer=a_handler(timeout=MINUTES(3)))
    assert (
        "with a circuit_breaker a message needs 448 receives, each of which may hide it for 1,080 seconds: longer than "
        "its 345,600 seconds in the queue, so a consumer that does not even start loses it without a dead letter. "
        "Shorten the function's timeout, or act on the alarm OldestMessage"
    ) in warnings(stack)


@pytest.mark.parametrize(
    ("arguments", "age"),
    [
        ({}, 4 * 86_400 - 2 * 1200),
        ({"max_age": MINUTES(30)}, 30 * 60),
        ({"retention_period": DAYS(13)}, 13 * 86_400 - 2 * 1200),
        ({"retention_period": SECONDS(4500)}, 2250),
        ({"retry_max_delay": MINUTES(60)}, 4 * 86_400 - 2 * 3600),
        ({"visibility_timeout": MINUTES(90)}, 4 * 86_400 - 2 * 5400),
    ],
    ids=["nothing", "max_age", "retention_period", "a short retention_period", "retry_max_delay", "visibility_timeout"],
)
def test_a_guarded_message_is_a_dead_letter_before_the_queue_deletes_it(arguments: dict[str, Any], age: int) -> None:
    """Its age is looked at when it is received, and it may wait for so long in between."""
    stack = new_stack()
    a_guarded_queue(stack, **arguments)
    assert the_variables(stack)["MAX_AGE_SECONDS"] == str(age)


def test_where_nobody_knows_how_long_the_queue_keeps_a_message_it_has_no_age() -> None:
    stack = new_stack()
    kept = SECONDS(CfnParameter(stack, "Kept", type="Number").value_as_number)
    a_guarded_queue(stack, retention_period=kept, claims_retention=DAYS(60))
    assert the_variables(stack)["MAX_AGE_SECONDS"] == "0"


def test_a_threshold_above_the_tries_of_one_message_is_nothing_to_warn_of() -> None:
    """Its last try asks the breaker, whatever that has counted."""
    stack = new_stack()
    a_guarded_queue(stack, a_breaker(stack, failure_threshold=100))
    assert [text for text in warnings(stack) if "failure_threshold" in text] == []


def test_an_ordinary_guarded_queue_warns_of_nothing_but_alarms_that_tell_nobody() -> None:
    stack = new_stack()
    a_guarded_queue(stack)
    assert [text for text in warnings(stack) if "alarms notify nobody" not in text] == []


def test_a_route_is_told_of_its_breaker_and_its_fallback_and_its_neighbour_is_not() -> None:
    stack = new_stack()
    handler, breaker, bank = get(), a_breaker(stack), a_breaker(stack, "Bank")
    an_api(
        stack,
        Route("GET /quotes", handler, circuit_breaker=breaker, fallback="web:last_known"),
        Route("GET /rates", handler, circuit_breaker=bank),
        Route("GET /more-rates", handler, circuit_breaker=bank),
        Route("GET /orders", handler),
    )
    plain = {"evidence": "none", "idempotency": "off", "content": "json"}
    assert the_routes(stack, "ApiWebGet") == {
        "GET /quotes": {**plain, "circuit_breaker": "Partner", "fallback": "web:last_known"},
        "GET /rates": {**plain, "circuit_breaker": "Bank"},
        "GET /more-rates": {**plain, "circuit_breaker": "Bank"},
        "GET /orders": plain,
    }
    assert {*breakers_of(variables_of(stack, "ApiWebGet"))} == {"Bank", "Partner"}
    assert (asset_of(stack, "ApiWebGet") / "web.py").is_file()


def test_a_guarded_function_has_to_reach_dynamodb() -> None:
    stack = new_stack()
    without = an_api(stack, id="Without")
    guarded = an_api(stack, Route("GET /orders", get(), circuit_breaker=a_breaker(stack)), id="Guarded")
    assert (without.required_endpoints, guarded.required_endpoints) == ((), ("dynamodb",))


def test_the_alarm_is_on_the_metric_that_the_functions_write() -> None:
    stack = new_stack()
    breaker = a_breaker(stack)
    alarm = the(stack, "CloudWatch::Alarm")
    assert {*breaker.alarms} == {"Opened"}
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
        "ServerlessPatterns",
        "CircuitOpened",
        "Sum",
    )
    assert alarm["Dimensions"] == [{"Name": "breaker", "Value": "Partner"}, {"Name": "table", "Value": {"Ref": TABLE}}]
    assert (alarm["Threshold"], alarm["Period"], alarm["TreatMissingData"]) == (1, 300, "notBreaching")


@pytest.mark.parametrize(("which", "count"), [("all", 1), ("critical", 1), ("none", 0)])
def test_an_open_breaker_is_critical(which: Any, count: int) -> None:
    stack = new_stack()
    a_breaker(stack, alarms=which)
    assert len(resources(stack, "CloudWatch::Alarm")) == count


def test_metrics_are_those_of_the_contract() -> None:
    breaker = a_breaker(new_stack())
    metrics = [breaker.metric_opened(), breaker.metric_refused(), breaker.metric_store_unavailable(period=MINUTES(1))]
    assert [metric.metric_name for metric in metrics] == ["CircuitOpened", "CircuitRefused", "CircuitStoreUnavailable"]
    assert [metric.period.to_seconds() for metric in metrics] == [300, 300, 60]


def test_the_order_of_routes_and_breakers_changes_nothing() -> None:
    templates: list[Any] = []
    for turned in (False, True):
        stack = new_stack()
        handler, breaker, bank = get(), a_breaker(stack), a_breaker(stack, "Bank")
        routes = [
            Route("GET /quotes", handler, circuit_breaker=breaker),
            Route("GET /rates", handler, circuit_breaker=bank),
        ]
        an_api(stack, *(reversed(routes) if turned else routes))
        templates.append(resources_of(stack))
    assert templates[0] == templates[1]


def test_the_template_of_a_queue_with_a_breaker_differs_from_one_without_in_few_things() -> None:
    """A deployment never touches the event source mapping because of a breaker, open or not."""
    guarded, plain = new_stack(), new_stack()
    a_guarded_queue(guarded)
    a_queue(plain)
    ours, theirs = masked(guarded), masked(plain)
    changed = {id[:-8] for id in ours if ours[id] != theirs.get(id)}
    assert changed == {
        "FulfilmentConsumer",
        "FulfilmentConsumerRoleDefaultPolicy",
        "FulfilmentQueue",
        "PartnerOpenedAlarm",
        "PartnerTable",
    }


def test_a_shared_table_of_the_other_kind_is_taken_too() -> None:
    stack = new_stack()
    key = dynamodb.Attribute(name="breaker", type=dynamodb.AttributeType.STRING)
    table = dynamodb.TableV2(stack, "Breakers", partition_key=key)
    a_guarded_queue(stack, a_breaker(stack, table=table))
    assert actions_on(stack, "Breakers") == ITEM
