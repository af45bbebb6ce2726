"""Everything that FanOutTopic refuses, with the whole text that the user reads."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack, Stage
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from serverless_patterns import ApiProxy, ClaimCheck, FanIn, FanOutTopic, HttpsEndpoint, Route
from tests.template.stacks import a_handler, a_queue, a_table, new_stack, refusal, warnings
from tests.template.topics import a_fan_in, a_topic

DAYS = Duration.days
RETENTION = (
    "a message may come back after 23 days of SNS's tries, 14 in the subscription's dead-letter queue, its queue's "
    "retention and 14 in that one's dead-letter queue: leave it out for 60 days"
)
DATA = "it is data: choose a name that will not change"
KEPT = "be a Duration from 4,752,000 to 315,360,000 seconds"

TOPIC: list[tuple[dict[str, Any], str]] = [
    (
        {"topic": "arn"},
        "topic must be an SNS topic, got 'arn': "
        "pass the construct, or one of sns.Topic.from_...; leave it out for one of its own",
    ),
    (
        {"content_based_deduplication": True},
        "content_based_deduplication must be left out on a standard topic, got True: pass fifo=True, or leave it out",
    ),
    *(
        (
            {"idempotency_key": key},
            f"idempotency_key must be a dotted path into the body, got {key!r}: "
            "write 'order_id', names with dots between them",
        )
        for key in ("$.order_id", "", "a..b", 1)
    ),
    *(
        ({"namespace": name}, f"namespace must be 1 to 60 of A-Z a-z 0-9 . _ -, got {name!r}: {DATA}")
        for name in ("", "a#b", "x" * 61)
    ),
    (
        {"claims": "claims"},
        "claims must be a DynamoDB table, got 'claims': "
        "pass the construct, or one of dynamodb.Table.from_...; leave it out for one of its own",
    ),
    (
        {"fan_in": a_fan_in(on_complete=a_handler("orders:gathered"))},
        "fan_in on_complete must take a Completion, got orders:gathered annotated Gathered: a Gathered is what the "
        "on_complete of a ParallelMap takes: mend the annotation, or name another function",
    ),
    ({"unmatched": "drop"}, "unmatched must be one of 'keep', 'count', got 'drop': leave it out to let them go"),
    (
        {"alarms": "some"},
        "alarms must be one of 'all', 'critical', 'none', got 'some': 'critical' keeps what is late or needs a person",
    ),
    ({"encryption_key": "key"}, "encryption_key must be a KMS key, got 'key': pass the construct, or leave it out"),
    ({"access_logs": "logs"}, "access_logs must be an S3 bucket, got 'logs': pass the construct, or leave it out"),
    (
        {"attributes": ["kind"]},
        "attributes must be a dictionary by name, got a value of type list: write attributes={'kind': '$.kind'}",
    ),
    (
        {"attributes": {f"a{number}": "$.a" for number in range(9)}},
        "attributes must be at most 8, got 9: "
        "SNS drops messages with more than 10 in front of a queue, and two are the runtime's own",
    ),
    (
        {"attributes": {"a..b": "$.a"}},
        "attributes['a..b'] must be named as SNS wants it, got 'a..b': "
        "SNS takes A-Z a-z 0-9 _ - and single dots inside, up to 256 characters",
    ),
    (
        {"attributes": {"AWS.kind": "$.a"}},
        "attributes['AWS.kind'] must be named as SNS wants it, got 'AWS.kind': "
        "SNS takes A-Z a-z 0-9 _ - and single dots inside, up to 256 characters",
    ),
    (
        {"attributes": {"correlation-id": "$.a"}},
        "attributes['correlation-id'] must have a name of its own, got 'correlation-id': the runtime sets it",
    ),
    (
        {"attributes": {"kind": "$.kind[0]"}},
        "attributes['kind'] must be a dotted path into the body, got 'kind[0]': "
        "write '$.kind', names with dots between them",
    ),
    ({"fan_in": "yes"}, "fan_in must be a FanIn, got 'yes': write fan_in=FanIn(on_complete=Handler(...))"),
    (
        {"fan_in": a_fan_in(on_complete="orders:ready")},
        "fan_in on_complete must be a Handler, got 'orders:ready': "
        "our runtime hands it the results: wrap your Python function in a Handler",
    ),
    (
        {"fan_in": a_fan_in(on_complete=a_handler(environment={"FAN_IN_BUCKET": "mine"}))},
        "fan_in on_complete environment['FAN_IN_BUCKET'] must have a name of its own, got 'FAN_IN_BUCKET': "
        "the pattern sets that variable: choose another name",
    ),
    (
        {"fan_in": a_fan_in(expected="$.names")},
        "fan_in expected must be a dotted path into the body, got '$.names': "
        "write 'branches', names with dots between them",
    ),
    *(
        (
            {"fan_in": a_fan_in(max_concurrency=value)},
            f"fan_in max_concurrency must be a whole number from 2 to 1,000, got {value!r}: leave it out for 5",
        )
        for value in (1, 1001, True)
    ),
    *(
        (
            {"fan_in": a_fan_in(deadline=Duration.seconds(value))},
            "fan_in deadline must be a Duration from 1 to "
            f"5,183,999 seconds, got {value:,} seconds: it counts from a message's arrival; less than retention, which "
            "is how long results are kept",
        )
        for value in (0, 60 * 86_400)
    ),
    (
        {"fan_in": a_fan_in(retention=DAYS(59))},
        "fan_in retention must be a Duration from 5,184,000 to 315,360,000 seconds, got 5,097,600 seconds: a branch "
        "knows a message for 60 days: one that is published again when its end is forgotten completes twice",
    ),
    ({"claim_check": True}, "claim_check must be a ClaimCheck, got True: write claim_check=ClaimCheck(keep=[...])"),
    (
        {"claim_check": ClaimCheck(keep="kind")},
        "claim_check keep must be a list, got a value of type str: write claim_check keep=[...]",
    ),
    (
        {"claim_check": ClaimCheck(keep=[1])},  # pyright: ignore[reportArgumentType]
        "claim_check keep must hold names of top-level members, got 1: they stay in the message, whole: write "
        "keep=['kind']",
    ),
    (
        {"claim_check": ClaimCheck(retention=DAYS(54))},
        f"claim_check retention must {KEPT}, got 4,665,600 seconds: {RETENTION}",
    ),
    (
        {"claim_check": ClaimCheck(keep=["kind"]), "fan_in": a_fan_in(expected="plan.branches")},
        "fan_in expected must look at what claim_check keeps, got 'plan.branches': of a large message the body has no "
        "more than what is kept: pass ClaimCheck(keep=['plan', ...])",
    ),
    (
        {"claim_check": ClaimCheck(bucket="mine")},  # pyright: ignore[reportArgumentType]
        "claim_check bucket must be an S3 bucket, got 'mine': leave it out for one of its own",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), TOPIC, ids=[text.partition(", got")[0] for _, text in TOPIC])
def test_a_wrong_argument_of_the_topic_is_refused(arguments: dict[str, Any], message: str) -> None:
    assert refusal(lambda: a_topic(new_stack(), **arguments)) == f"Shop/OrderEvents: {message}"


@pytest.mark.parametrize("function", ["ready", "ready_quoted", "ready_by_module"])
def test_a_subscriber_that_takes_the_end_of_a_fan_in_is_refused(function: str) -> None:
    topic = a_topic(new_stack(), fan_in=a_fan_in(on_complete=a_handler(f"orders:{function}")))
    assert refusal(lambda: topic.add_subscriber("Inventory", a_handler(f"orders:{function}"))) == (
        "Shop/OrderEvents.add_subscriber('Inventory'): target must take the body of a message, got "
        f"orders:{function} annotated Completion: a Completion is what the on_complete of a FanIn takes: mend the "
        "annotation, or name another function"
    )


def test_nobody_but_what_can_be_granted_something_may_publish() -> None:
    topic = a_topic(new_stack())
    assert refusal(lambda: topic.grant_publish("role")) == (  # pyright: ignore[reportArgumentType]
        "Shop/OrderEvents.grant_publish: grantee must be an iam.IGrantable, got 'role': "
        "pass a function, a role or a user"
    )


def test_a_topic_is_no_grant_and_its_publisher_has_a_name() -> None:
    topic = a_topic(new_stack())
    must = "Handler(orders:fulfil): grants[0] must be something to call with the lambda_.Function, got"
    lines: list[tuple[Any, str]] = [
        (topic, "a value of type FanOutTopic: write grants=[topic.publisher('ORDER_EVENTS')], with the name that "
         "publish() takes"),
        (topic.publisher, "the method publisher itself: call it, with the name that publish() takes: "
         "topic.publisher('ORDER_EVENTS')"),
        ("publish", "'publish': write grants=[bucket.grant_read]"),
    ]  # fmt: skip
    for grant, message in lines:
        assert refusal(lambda grant=grant: a_handler(grants=[grant])) == f"{must} {message}"


def test_arguments_of_a_topic_of_mine_are_its_own() -> None:
    stack = new_stack()
    topic = sns.Topic(stack, "Theirs")
    lines = refusal(lambda: a_topic(stack, topic=topic, fifo=True, content_based_deduplication=True)).splitlines()
    assert lines == [
        f"Shop/OrderEvents: {argument} must be left out with a topic of yours, got True: set it where that topic is "
        "defined"
        for argument in ("fifo", "content_based_deduplication")
    ]


def test_a_table_of_claims_with_other_keys_is_refused() -> None:
    stack = new_stack()
    assert refusal(lambda: a_topic(stack, claims=a_table(stack))).startswith(
        "Shop/OrderEvents: claims must have the partition key 'claim' (HASH, S) and no sort key, got "
    )


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = {argument: value for arguments, _ in TOPIC for argument, value in arguments.items()}
    del wrong["topic"]
    lines = refusal(lambda: a_topic(new_stack(), **wrong)).splitlines()
    named = {line.removeprefix("Shop/OrderEvents: ").split(" ")[0].split("[")[0] for line in lines}
    assert named == {*wrong}


def test_tokens_pass() -> None:
    stack = new_stack()
    word = CfnParameter(stack, "Word").value_as_string
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    topic = a_topic(stack, idempotency_key=word, fan_in=a_fan_in(deadline=Duration.seconds(number)))
    topic.add_subscriber("Partner", HttpsEndpoint(word))
    topic.add_subscriber("Inventory", a_handler(), max_concurrency=number)


ENDPOINT = "https://partner.example/hook"
SUBSCRIBERS: list[tuple[str, Callable[[Stack], dict[str, Any]], str]] = [
    *((name, lambda _: {}, f"name must be a letter, then up to 63 of A-Z a-z 0-9 _ -, got {name!r}: "
       "it names queues, claims and results for ever: write 'Inventory'") for name in ("", "a.b", "1st", "x" * 65)),
    ("Completions", lambda _: {}, "name must be another word than the topic's own parts have, got 'Completions': "
     "choose another name"),
    ("Known", lambda _: {}, "name must be its own in the topic, got 'Known': choose another name, or add it once"),
    ("New", lambda _: {"target": "orders:fulfil"}, "target must be a Handler, an IFunction, a queue, a "
     "LoadLeveledQueue, an HttpsEndpoint or a SagaStateMachine, got 'orders:fulfil': "
     "wrap your Python function in a Handler"),
    ("New", lambda stack: {"target": sqs.Queue(stack, "Ordered", fifo=True)}, "target must be a standard queue in "
    "front "
     "of a standard topic, got a FIFO queue: SNS delivers to a FIFO queue from a FIFO topic only: pass fifo=True to "
     "the "
     "topic, or a standard queue"),
    *(("New", lambda _, url=url: {"target": HttpsEndpoint(url)}, f"target url must begin with https:// and name a "
    f"host, "
       f"got {url!r}: SNS sends messages in the clear otherwise: write 'https://partner.example/hook'")
      for url in ("http://partner.example/hook", "partner.example", "https://")),
    ("New", lambda _: {"target": HttpsEndpoint("https://me:secret@partner.example/hook")}, "target url must hold no "
     "user name and no password, got one: it would be in the template: let the endpoint check SNS's signature, or a "
     "token in the path"),
    ("New", lambda _: {"target": HttpsEndpoint(ENDPOINT, max_receives_per_second=0)}, "target max_receives_per_second "
     "must be a whole number from 1 to 100,000, got 0: leave it out for no limit"),
    ("New", lambda _: {"target": HttpsEndpoint(ENDPOINT, retries=101)}, "target retries must be a whole number from 0 "
     "to 100, got 101: leave it out for 50"),
    ("New", lambda _: {"target": HttpsEndpoint(ENDPOINT, min_retry_seconds=61)}, "target min_retry_seconds must be at "
     "most max_retry_seconds, 60, got 61: the delay grows from one to the other"),
    ("New", lambda _: {"target": HttpsEndpoint(ENDPOINT, max_retry_seconds=100)}, "target retries must take at most "
     "3,600 seconds together, got 50 x 100 seconds: SNS tries an endpoint for an hour at most: fewer retries, or "
     "sooner "
     "ones"),
    ("New", lambda _: {"target": HttpsEndpoint("https://known.example/hook")}, "target must subscribe once, got what "
     "'Known' is already: SNS has one subscription for each endpoint: put both filters into one, by '$or', or use "
     "another queue"),
    ("New", lambda _: {"filter": ["placed"]}, "filter must be a dictionary, got ['placed']: "
     "write filter={'kind': ['placed']}"),
    ("New", lambda _: {"filter_scope": "header"}, "filter scope must be one of 'attributes', 'body', got 'header': "
     "say where the filter looks"),
    ("New", lambda _: {"max_concurrency": 1}, "max_concurrency must be a whole number from 2 to 1,000, got 1: "
     "leave it out for 5"),
    ("New", lambda stack: {"target": sqs.Queue(stack, "Mine"), "max_concurrency": 5}, "max_concurrency must be left "
    "out "
     "unless the target is a function, got 5: say it where its consumer is defined"),
    ("New", lambda _: {"scope": "Other"}, "scope must be a construct, got 'Other': "
     "pass a stack, or something in it; leave it out for the topic's own"),
    ("New", lambda _: {"fan_in": "yes"}, "fan_in must be True, False or left out, got 'yes': True: it takes part"),
    ("New", lambda _: {"fan_in": True}, "fan_in must be left out on a topic without one, got True: "
     "pass FanIn(...) to the FanOutTopic"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "message"), SUBSCRIBERS, ids=[text[:60] for _, _, text in SUBSCRIBERS])
def test_a_wrong_argument_of_a_subscriber_is_refused(
    name: str, make: Callable[[Stack], dict[str, Any]], message: str
) -> None:
    stack = new_stack()
    topic = a_topic(stack)
    topic.add_subscriber("Known", HttpsEndpoint("https://known.example/hook"))
    given = {"target": a_handler(), **make(stack)}
    assert refusal(lambda: topic.add_subscriber(name, **given)) == (
        f"Shop/OrderEvents.add_subscriber({name!r}): {message}"
    )
    assert [*topic.subscribers] == ["Known"]


def test_a_subscriber_s_wrong_arguments_are_told_at_once() -> None:
    topic = a_topic(new_stack())
    lines = refusal(
        lambda: topic.add_subscriber("a.b", a_handler(), filter={}, filter_scope="x", max_concurrency=1, fan_in=True)  # pyright: ignore
    ).splitlines()
    assert [line.split("): ")[1].split(" must")[0] for line in lines] == [
        "name",
        "filter scope",
        "max_concurrency",
        "fan_in",
    ]


def test_a_filter_that_sns_would_refuse_is_refused() -> None:
    topic = a_topic(new_stack())
    policy = {f"key{number}": ["a"] for number in range(6)}
    assert "filter" in refusal(lambda: topic.add_subscriber("Inventory", a_handler(), filter=policy))


@pytest.mark.parametrize("arguments", [{"fan_in": a_fan_in()}, {"unmatched": "count"}], ids=["fan-in", "unmatched"])
def test_a_token_in_a_filter_is_refused_where_functions_match_by_it_too(arguments: dict[str, Any]) -> None:
    stack = new_stack()
    policy = {"kind": [CfnParameter(stack, "Kind").value_as_string]}
    a_topic(stack, "Plain").add_subscriber("Inventory", a_handler(), filter=policy)
    topic = a_topic(stack, **arguments)
    assert refusal(lambda: topic.add_subscriber("Inventory", a_handler(), filter=policy)) == (
        "Shop/OrderEvents.add_subscriber('Inventory'): filter must hold no token beside a fan-in or unmatched, got "
        "one: "
        "functions match messages by it too, and are told before it is known: write the value itself"
    )


@pytest.mark.parametrize("variable", ["FAN_IN_BRANCH", "CLAIM_CHECK_BUCKET"])
def test_a_variable_that_the_topic_needs_is_refused(variable: str) -> None:
    topic = a_topic(new_stack(), fan_in=a_fan_in(), claim_check=ClaimCheck())
    assert refusal(lambda: topic.add_subscriber("Inventory", a_handler(environment={variable: "mine"}))) == (
        f"Shop/OrderEvents.add_subscriber('Inventory'): target environment['{variable}'] must have a name of its own, "
        f"got '{variable}': the pattern sets that variable: choose another name"
    )


def test_a_queue_with_another_key_cannot_take_part() -> None:
    stack = new_stack()
    topic, mine = (
        a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in()),
        a_queue(stack, claims_retention=DAYS(60)),
    )
    topic.add_subscriber("Fulfilment", mine)
    topic = a_topic(stack, "Others", idempotency_key="order_id", fan_in=a_fan_in())
    assert refusal(lambda: topic.add_subscriber("Fulfilment", mine, fan_in=True)) == (
        "Shop/Others.add_subscriber('Fulfilment'): target idempotency_key must be the topic's, 'order_id', got None: "
        "all branches of a message have one key: give the queue the topic's idempotency_key, or fan_in=False"
    )


def test_a_queue_that_keeps_messages_longer_than_the_fan_in_remembers_cannot_take_part() -> None:
    stack = new_stack()
    mine = a_queue(stack, idempotency_key="order_id", retention_period=DAYS(13), claims_retention=DAYS(60 + 4))
    topic = a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in())
    assert refusal(lambda: topic.add_subscriber("Fulfilment", mine, fan_in=True)) == (
        "Shop/OrderEvents.add_subscriber('Fulfilment'): fan_in must remember for 5,529,600 seconds or more, got "
        "5,184,000 seconds: its queue keeps messages for long: pass FanIn(retention=...) of 64 days or more"
    )


def test_a_queue_that_forgets_before_a_message_s_last_way_back_cannot_take_part() -> None:
    stack = new_stack()
    topic = a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in())
    mine = a_queue(stack, idempotency_key="order_id", claims_retention=DAYS(54))
    assert refusal(lambda: topic.add_subscriber("Fulfilment", mine, fan_in=True)) == (
        "Shop/OrderEvents.add_subscriber('Fulfilment'): target claims_retention must be 4,752,000 seconds or more, got "
        f"4,665,600 seconds: {RETENTION.removesuffix(': leave it out for 60 days')}: define it with "
        "claims_retention=Duration.days(60)"
    )
    topic.add_subscriber("Fulfilment", mine)


def test_a_queue_that_remembers_longer_than_the_fan_in_cannot_take_part() -> None:
    stack = new_stack()
    mine = a_queue(stack, idempotency_key="order_id", claims_retention=DAYS(61))
    topic = a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in())
    assert refusal(lambda: topic.add_subscriber("Fulfilment", mine, fan_in=True)) == (
        "Shop/OrderEvents.add_subscriber('Fulfilment'): fan_in must remember as long as its branch, 5,270,400 seconds, "
        "got 5,184,000 seconds: what is published again in between completes twice: pass FanIn(retention=...) of 61 "
        "days or more"
    )
    longer = a_topic(stack, "Longer", idempotency_key="order_id", fan_in=a_fan_in(retention=DAYS(61)))
    longer.add_subscriber("Fulfilment", mine, fan_in=True)


def test_what_our_runtime_does_not_run_cannot_take_part() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in())
    function = lambda_.Function(
        stack, "Theirs", runtime=lambda_.Runtime.NODEJS_22_X, handler="a.b", code=lambda_.Code.from_inline("x")
    )
    for number, target in enumerate((sqs.Queue(stack, "Mine"), HttpsEndpoint(ENDPOINT), function)):
        assert refusal(
            lambda target=target, number=number: topic.add_subscriber(f"N{number}", target, fan_in=True)
        ) == (
            f"Shop/OrderEvents.add_subscriber('N{number}'): fan_in must be left out unless a Handler is the "
            f"subscriber, "
            "or behind it, got True: our runtime reports the results: wrap your Python function in a Handler"
        )


def test_two_topics_cannot_both_take_a_queue_into_their_fan_ins() -> None:
    stack = new_stack()
    mine = a_queue(stack, idempotency_key="order_id", claims_retention=DAYS(60))
    for id in ("One", "Two"):
        topic = a_topic(stack, id, idempotency_key="order_id", fan_in=a_fan_in())
        if id == "One":
            topic.add_subscriber("Fulfilment", mine, fan_in=True)
        else:
            assert refusal(lambda topic=topic: topic.add_subscriber("Fulfilment", mine, fan_in=True)) == (
                "Shop/Two.add_subscriber('Fulfilment'): target FAN_IN_BRANCH must be told to its function by one "
                "topic, "
                "got another's: a function has one fan-in and one bucket of claim checks: use a queue for each topic"
            )


def test_a_scope_in_another_region_is_refused() -> None:
    app = App()
    here = Stack(app, "Here", env={"account": "111122223333", "region": "eu-west-1"})
    there = Stack(app, "There", env={"account": "444455556666", "region": "eu-north-1"})
    lines = refusal(lambda: a_topic(here).add_subscriber("Inventory", a_handler(), scope=there)).splitlines()
    fix = "a subscription and its dead-letter queue live where the topic is: subscribe a queue that you import"
    assert lines == [
        f"Here/OrderEvents.add_subscriber('Inventory'): scope must be in the topic's {what}, {ours}, got {theirs}: "
        f"{fix}"
        for what, ours, theirs in (("account", "111122223333", "444455556666"), ("region", "eu-west-1", "eu-north-1"))
    ]


def test_a_scope_whose_stack_says_a_region_that_the_topic_s_does_not_is_refused_in_words() -> None:
    app = App()
    here, there = Stack(app, "Here"), Stack(app, "There", env={"account": "111122223333", "region": "eu-west-1"})
    lines = refusal(lambda: a_topic(here).add_subscriber("Inventory", a_handler(), scope=there)).splitlines()
    assert lines == [
        f"Here/OrderEvents.add_subscriber('Inventory'): scope must be in the topic's {what}, which its stack does not "
        f"say, got {theirs}: give both stacks the same env, or none"
        for what, theirs in (("account", "111122223333"), ("region", "eu-west-1"))
    ]


def test_a_topic_of_others_takes_a_queue_of_a_stack_that_says_where_it_is() -> None:
    app = App()
    here, there = Stack(app, "Here"), Stack(app, "There", env={"account": "111122223333", "region": "eu-west-1"})
    theirs = sns.Topic.from_topic_arn(here, "Theirs", "arn:aws:sns:eu-west-1:111122223333:theirs")
    a_topic(here, topic=theirs).add_subscriber("Audit", sqs.Queue(there, "Audit"))


def test_a_scope_of_another_app_or_stage_is_refused() -> None:
    topic = a_topic(new_stack())
    fix = "CloudFormation deploys each by itself: subscribe there, to a topic that you import"
    for there in (Stack(App(), "There"), Stack(Stage(topic.node.root, "Later"), "There")):  # pyright: ignore[reportArgumentType]
        assert refusal(lambda there=there: topic.add_subscriber("Inventory", a_handler(), scope=there)) == (
            "Shop/OrderEvents.add_subscriber('Inventory'): scope must be in the topic's app, and in its stage, got "
            f"{there.node.path!r} of another one: {fix}"
        )


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ({"prefix": "incoming/*"}, "prefix 'incoming/*' has an asterisk"),
        ({"prefix": "/incoming/"}, "prefix '/incoming/' begins with a slash"),
        ({"suffix": "*.jpg"}, "suffix '*.jpg' has an asterisk"),
        ({"prefix": "incoming/", "suffix": ".jpg"}, None),
    ],
)
def test_names_of_uploads_that_few_objects_have_are_told(ends: dict[str, str], told: str | None) -> None:
    stack = new_stack()
    a_topic(stack).publish_from(s3.Bucket(stack, "Uploads"), **ends)
    found = [text for text in warnings(stack) if "compared as they are" in text]
    assert found == [] if told is None else [text.partition(":")[0] for text in found] == [told]


def test_an_endpoint_behind_a_fifo_topic_is_refused() -> None:
    topic = a_topic(new_stack(), fifo=True)
    assert refusal(lambda: topic.add_subscriber("Partner", HttpsEndpoint(ENDPOINT))) == (
        "Shop/OrderEvents.add_subscriber('Partner'): target must be a queue, or have one, behind a FIFO topic, got an "
        "HttpsEndpoint: SNS delivers from a FIFO topic to queues only: let a Handler call the endpoint"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"bucket": "mine"},
            "bucket must be an S3 bucket, got 'mine': pass the construct, or one of s3.Bucket.from_...",
        ),
        (
            {"prefix": ""},
            "prefix must be text of 1 to 1,024 characters, got '': it is compared with the object's key, "
            "such as 'incoming/'; leave it out for every object",
        ),
        (
            {"suffix": 1},
            "suffix must be text of 1 to 1,024 characters, got 1: it is compared with the object's key, "
            "such as 'incoming/'; leave it out for every object",
        ),
    ],
    ids=["bucket", "prefix", "suffix"],
)
def test_wrong_arguments_of_publish_from_are_refused(arguments: dict[str, Any], message: str) -> None:
    stack = new_stack()
    topic = a_topic(stack)
    given = {"bucket": s3.Bucket(stack, "Uploads"), **arguments}
    assert refusal(lambda: topic.publish_from(**given)) == f"Shop/OrderEvents.publish_from: {message}"


def test_the_same_uploads_twice_are_refused() -> None:
    stack = new_stack()
    topic, bucket = a_topic(stack), s3.Bucket(stack, "Uploads")
    topic.publish_from(bucket, prefix="a/")
    assert refusal(lambda: topic.publish_from(bucket, prefix="a/")) == (
        "Shop/OrderEvents.publish_from: bucket must be published from once for each prefix and suffix, got "
        "Shop/Uploads again: every object would be published twice"
    )


def test_uploads_to_a_fifo_topic_are_refused() -> None:
    stack = new_stack()
    topic = a_topic(stack, fifo=True)
    assert refusal(lambda: topic.publish_from(s3.Bucket(stack, "Uploads"))) == (
        "Shop/OrderEvents.publish_from: publish_from must be called on a standard topic, got a FIFO topic: "
        "EventBridge gives its messages no group: publish from a function, by publisher()"
    )


@pytest.mark.parametrize("name", ["", "A", "ORDER-EVENTS", "AWS_REGION", 1])
def test_a_publisher_s_name_is_one_that_a_variable_can_have(name: Any) -> None:
    topic = a_topic(new_stack())
    assert refusal(lambda: topic.publisher(name)) == (
        f"Shop/OrderEvents.publisher: name must be a letter, then letters, digits or _ (two or more), got {name!r}: "
        "it is the name of a variable, and of the topic in publish(): write 'ORDER_EVENTS'"
    )


ROUTES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("PUT /events", {}, {}, "routes['PUT /events'] must be one of 'POST', got 'PUT': the body of the request becomes "
     "the message"),
    ("POST /events/{id}", {}, {}, "routes['POST /events/{id}'] must have no parameters in its path in front of a "
     "FanOutTopic, got 'id': put them into the body: the message holds nothing else"),
    ("POST /events", {}, {"query": {"type": "object", "properties": {"a": {"type": "string"}}}},
     "routes['POST /events'] query must be left out in front of a FanOutTopic, got a value: "
     "put it into the body: the message holds nothing else"),
    ("POST /events", {}, {"respond": {"a": "$.a"}}, "routes['POST /events'] respond must be left out in front of a "
     "FanOutTopic, got a value: only a LoadLeveledQueue takes it"),
    ("POST /events", {"idempotency_key": "order_id"}, {"idempotency": "required"}, "routes['POST /events'] idempotency "
     "must be 'off' or left out, got 'required': the topic's idempotency_key says where the key is; without one the "
     "header is the key"),
    ("POST /events", {}, {"idempotency": "off"}, "routes['POST /events'] idempotency must be 'required' or left out, "
     "got 'off': the topic's idempotency_key says where the key is; without one the header is the key"),
]  # fmt: skip


@pytest.mark.parametrize(("route", "of_topic", "arguments", "message"), ROUTES, ids=[text[:70] for *_, text in ROUTES])
def test_a_route_that_would_not_reach_the_message_is_refused(
    route: str, of_topic: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    stack = new_stack()
    topic = a_topic(stack, **of_topic)
    assert (
        refusal(lambda: ApiProxy(stack, "Api", public=True, routes=[Route(route, topic, **arguments)]))
        == f"Shop/Api: {message}"
    )


def test_more_filters_than_variables_hold_are_refused_at_synth() -> None:
    stack = new_stack()
    topic = a_topic(stack, fan_in=a_fan_in(), alarms="none")
    for number in range(20):
        words = [hashlib.sha256(f"{number} {word}".encode()).hexdigest() for word in range(5)]
        topic.add_subscriber(f"Branch{number}", a_handler(), filter={"kind": words})
    with pytest.raises(RuntimeError) as raised:
        stack.node.root.synth()  # pyright: ignore
    text = str(raised.value)
    assert "subscriber 'Branch0' environment must hold at most 4,096 bytes of names and values, got " in text
    assert (
        "the filters of all branches go along: pass FanIn(expected='...'), shorten filters, or leave some out" in text
    )


def test_more_branches_than_a_fan_in_takes_are_refused_at_synth() -> None:
    stack = new_stack()
    topic = FanOutTopic(stack, "OrderEvents", fan_in=FanIn(on_complete=a_handler(), expected="names"))
    many: dict[str, Any] = topic._parts.adding.subscribers  # pyright: ignore[reportPrivateUsage]
    one = topic.add_subscriber("Inventory", a_handler())
    many.update({f"Branch{number}": one for number in range(1_000)})
    with pytest.raises(RuntimeError, match="fan_in must have at most 1,000 branches, got 1,001"):
        stack.node.root.synth()  # pyright: ignore


@pytest.mark.parametrize(
    ("filter", "unseen"),
    [
        ({"kind": ["placed"], "order": {"total": [{"numeric": [">", 1]}]}}, "order.total"),
        ({"$or": [{"kind": ["placed"]}, {"total": [{"exists": False}]}]}, "total"),
    ],
)
def test_a_filter_that_would_hold_back_every_large_message_is_refused(filter: dict[str, Any], unseen: str) -> None:
    topic = a_topic(new_stack(), claim_check=ClaimCheck(keep=["kind"]))
    assert refusal(lambda: topic.add_subscriber("New", a_handler(), filter=filter, filter_scope="body")) == (
        f"Shop/OrderEvents.add_subscriber('New'): filter at {unseen} must look at what claim_check keeps, got "
        f"{unseen!r}: of a large message the body has no more than what is kept: pass "
        f"ClaimCheck(keep=[{unseen.partition('.')[0]!r}, ...])"
    )


def test_a_filter_sees_what_is_kept_the_key_and_all_attributes() -> None:
    kept = ClaimCheck(keep=["kind", "order"])
    topic = a_topic(new_stack(), claim_check=kept, idempotency_key="id.of", fan_in=a_fan_in(expected="order.branches"))
    seen = {"kind": ["placed"], "order": {"total": [1]}, "id": {"of": ["o-1"]}}
    topic.add_subscriber("Body", a_handler(), filter=seen, filter_scope="body")
    topic.add_subscriber("Attributes", a_handler(), filter={"total": [1]})
    assert [*topic.subscribers] == ["Body", "Attributes"]


def test_a_topic_s_own_parts_are_no_target_and_the_error_says_what_is() -> None:
    stack = new_stack()
    topic = a_topic(stack)
    text = refusal(lambda: ApiProxy(stack, "Api", public=True, routes=[Route("POST /e", topic.topic)]))
    assert "a FanOutTopic, a ParallelMap, an HttpBackend" in text
    assert "pass the FanOutTopic itself, which checks what is published" in text


def test_a_scope_that_is_meant_for_the_filter_is_told_so() -> None:
    topic = a_topic(new_stack())
    where: Any = "body"
    text = refusal(lambda: topic.add_subscriber("A", a_handler(), filter={"total": [5]}, scope=where))
    assert "scope must be a construct, got 'body': where the filter looks is filter_scope" in text


@pytest.mark.parametrize(("key", "told"), [("order_id", 1), ("detail.object.sequencer", 0), (None, 0)])
def test_who_publishes_uploads_is_told_of_a_key_that_none_has(key: str | None, told: int) -> None:
    stack = new_stack()
    a_topic(stack, idempotency_key=key).publish_from(s3.Bucket(stack, "Uploads"))
    assert sum("no upload has the topic's idempotency_key" in text for text in warnings(stack)) == told
