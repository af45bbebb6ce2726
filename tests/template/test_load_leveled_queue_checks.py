"""Every argument that LoadLeveledQueue refuses, with the whole text that the user reads."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, SecretValue, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from serverless_patterns import Defaults
from tests.template.stacks import a_handler, a_queue, a_table, new_stack, refusal, the_mapping, the_queue, the_variables

SECONDS = Duration.seconds
DAYS = Duration.days
ARN = "arn:aws:sqs:eu-west-1:111122223333:incoming"
TABLE_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/claims"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:111122223333:function:fulfil"


def a_function(stack: Stack, id: str = "Own", **arguments: Any) -> lambda_.Function:
    code, runtime = lambda_.Code.from_inline("exports.handler = 1"), lambda_.Runtime.NODEJS_22_X
    return lambda_.Function(stack, id, code=code, handler="index.handler", runtime=runtime, **arguments)


def imported_function(stack: Stack) -> lambda_.IFunction:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/fulfil")
    return lambda_.Function.from_function_attributes(stack, "Imported", function_arn=FUNCTION_ARN, role=role)


def with_letters(stack: Stack, **arguments: Any) -> sqs.Queue:
    letters = sqs.Queue(stack, "Letters", fifo=arguments.get("fifo"), retention_period=arguments.pop("kept", DAYS(14)))
    redrive = sqs.DeadLetterQueue(queue=letters, max_receive_count=arguments.pop("max_receive_count", 5))
    return sqs.Queue(stack, "Existing", dead_letter_queue=redrive, **arguments)


def own_secret(stack: Stack) -> secretsmanager.Secret:
    return secretsmanager.Secret(stack, "Secret")


SECRETS_IN_THE_OPEN: dict[str, Callable[[Stack], str]] = {
    "unwrapped": lambda _: SecretValue.secrets_manager("shop").unsafe_unwrap(),
    "of a secret of this app": lambda stack: own_secret(stack).secret_value.unsafe_unwrap(),
    "one field": lambda stack: own_secret(stack).secret_value_from_json("password").unsafe_unwrap(),
    "inside a text": lambda stack: f"postgres://shop:{own_secret(stack).secret_value.unsafe_unwrap()}@db",
    "of an encrypted parameter": lambda _: SecretValue.ssm_secure("/shop").unsafe_unwrap(),
    "written by hand": lambda _: "{{resolve:secretsmanager:shop:SecretString:password}}",
}

PLAIN: list[tuple[dict[str, Any], str]] = [
    (
        {"max_concurrency": 1},
        "max_concurrency must be a whole number from 2 to 1,000, got 1: "
        "for one at a time use fifo=True and send every message with the same group id",
    ),
    *(
        (
            {"max_concurrency": value},
            f"max_concurrency must be a whole number from 2 to 1,000, got {value!r}: "
            "it is the cap on invocations at once",
        )
        for value in (0, -1, 1001, True, 2.0, "5", None)
    ),
    *(
        (
            {"batch_size": value, "max_batching_window": SECONDS(1)},
            f"batch_size must be a whole number from 1 to 10,000, got {value!r}: leave it out for 10",
        )
        for value in (0, 10_001, True, 1.5)
    ),
    (
        {"batch_size": 11, "fifo": True},
        "batch_size must be a whole number from 1 to 10, got 11: leave it out for 1",
    ),
    (
        {"batch_size": 11},
        "max_batching_window must be at least 1 second for batches above 10, got None: "
        "pass max_batching_window=Duration.seconds(1)",
    ),
    (
        {"batch_size": 11, "max_batching_window": SECONDS(0)},
        "max_batching_window must be a Duration from 1 to 300 seconds, got 0 seconds: "
        "Lambda waits so long for a batch to fill up",
    ),
    (
        {"max_batching_window": SECONDS(301)},
        "max_batching_window must be a Duration from 0 to 300 seconds, got 301 seconds: "
        "Lambda waits so long for a batch to fill up",
    ),
    (
        {"max_batching_window": SECONDS(1), "fifo": True},
        "max_batching_window must be left out on a FIFO queue, got a value: Lambda has no window there",
    ),
    *(
        (
            {"max_receive_count": value},
            f"max_receive_count must be a whole number from 1 to 1,000, got {value!r}: leave it out for 5",
        )
        for value in (0, 1001, False, 5.0)
    ),
    *(
        (
            {"idempotency_key": value},
            f"idempotency_key must be a dotted path into the body, got {value!r}: "
            "write 'order_id' or 'order.id'; leave it out for the message id",
        )
        for value in ("", ".", "order..id", "$.order_id", "order id", "lines[0]")
    ),
    *(
        (
            {"claims_namespace": value},
            f"claims_namespace must be 1 to 128 of A-Z a-z 0-9 . _ -, got {value!r}: "
            "it is data: choose a name that will not change",
        )
        for value in ("a#b", "n" * 129, "köln")
    ),
    (
        {"claims_namespace": "attempts"},
        "claims_namespace must be another word than 'attempts', got 'attempts': "
        "the runtime counts attempts under that name: pass another claims_namespace",
    ),
    (
        {"claims_retention": DAYS(17)},
        "claims_retention must be a Duration from 1,555,200 to 315,360,000 seconds, got 1,468,800 seconds: "
        "a claim must outlive its message: the queue's retention + 14 days in the dead-letter queue",
    ),
    (
        {"retention_period": DAYS(14)},
        "retention_period must be a Duration from 60 to 1,123,200 seconds, got 1,209,600 seconds: "
        "dead letters live 14 days, counted from when they were first sent: leave them at least one",
    ),
    (
        {"retention_period": SECONDS(59), "max_age": SECONDS(59)},
        "retention_period must be a Duration from 60 to 1,123,200 seconds, got 59 seconds: "
        "dead letters live 14 days, counted from when they were first sent: leave them at least one",
    ),
    (
        {"max_age": DAYS(5)},
        "max_age must be a Duration from 1 to 345,600 seconds, got 432,000 seconds: "
        "SQS deletes what is older than the queue's retention",
    ),
    (
        {"max_age": 60},
        "max_age must be a Duration from 1 to 345,600 seconds, got 60: say the unit: Duration.seconds(60)",
    ),
    (
        {"visibility_timeout": SECONDS(179)},
        "visibility_timeout must be a Duration from 180 to 43,200 seconds, got 179 seconds: "
        "6 x function timeout + batching window is the least that keeps retries apart",
    ),
    (
        {"visibility_timeout": SECONDS(43_201)},
        "visibility_timeout must be a Duration from 180 to 43,200 seconds, got 43,201 seconds: "
        "6 x function timeout + batching window is the least that keeps retries apart",
    ),
    (
        {"retry_base_delay": SECONDS(61), "retry_max_delay": SECONDS(60)},
        "retry_base_delay must be a Duration from 1 to 60 seconds, got 61 seconds: "
        "the delay starts below retry_base_delay and grows to retry_max_delay",
    ),
    (
        {"retry_max_delay": Duration.hours(13)},
        "retry_max_delay must be a Duration from 1 to 43,200 seconds, got 46,800 seconds: "
        "SQS hides a message for 12 hours at most",
    ),
    (
        {"max_receive_count": 20, "retry_max_delay": Duration.hours(12)},
        "retention_period must be at least 864,000 seconds (max_receive_count 20 x retry_max_delay, 43,200 seconds), "
        "got 345,600 seconds: lower max_receive_count or retry_max_delay, or raise it: "
        "SQS deletes what is older, without a dead letter",
    ),
    (
        {"retention_period": SECONDS(4499)},
        "retention_period must be at least 4,500 seconds (max_receive_count 5 x retry_max_delay, 900 seconds), "
        "got 4,499 seconds: lower max_receive_count or retry_max_delay, or raise it: "
        "SQS deletes what is older, without a dead letter",
    ),
    (
        {"max_receive_count": 1000, "visibility_timeout": Duration.hours(2)},
        "retention_period must be at least 7,200,000 seconds "
        "(max_receive_count 1,000 x the visibility timeout, 7,200 seconds), "
        "got 345,600 seconds: lower max_receive_count or the visibility timeout: "
        "SQS deletes what is older, without a dead letter",
    ),
    (
        {"content_based_deduplication": True},
        "content_based_deduplication must be left out on a standard queue, got True: pass fifo=True, or leave it out",
    ),
    (
        {"reserved_concurrent_executions": 4},
        "reserved_concurrent_executions must be a whole number from 5 to 1,000,000, got 4: "
        "below the cap, throttled receives count and healthy messages become dead letters",
    ),
    (
        {"alarms": "some"},
        "alarms must be one of 'all', 'critical', 'none', got 'some': 'critical' keeps age and dead letters",
    ),
    (
        {"max_oldest_age": SECONDS(59)},
        "max_oldest_age must be a Duration from 60 to 1,209,600 seconds, got 59 seconds: "
        "how long the oldest message may wait before somebody is told",
    ),
    (
        {"consumer_timeout": SECONDS(3)},
        "consumer_timeout must be left out for a Handler, got a value: the Handler says it",
    ),
    (
        {"report_batch_item_failures": True},
        "report_batch_item_failures must be left out for a Handler, got a value: the Handler says it",
    ),
    (
        {"queue_visibility_timeout": SECONDS(180)},
        "queue_visibility_timeout must be left out without an imported queue, got a value: use visibility_timeout",
    ),
    (
        {"consumer": "orders:fulfil"},
        "consumer must be a Handler or a lambda_.IFunction, got 'orders:fulfil': "
        "wrap your Python function in a Handler",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), PLAIN, ids=[f"{' '.join(a)} {i}" for i, (a, _) in enumerate(PLAIN)])
def test_a_bad_argument_is_refused(arguments: dict[str, Any], message: str) -> None:
    stack = new_stack()
    assert refusal(lambda: a_queue(stack, **arguments)) == f"Shop/Fulfilment: {message}"


KEEP = "seconds: set it where that queue is defined, best to 14 days: SQS may count from when a message was first sent"
BUILT: dict[str, tuple[Callable[[Stack], dict[str, Any]], str]] = {
    "reserved below the cap on the handler": (
        lambda _: {"consumer": a_handler(reserved_concurrent_executions=1)},
        "reserved_concurrent_executions must be a whole number from 5 to 1,000,000, got 1: "
        "below the cap, throttled receives count and healthy messages become dead letters",
    ),
    **{
        f"more environments kept warm than {who} reserves": (
            lambda _, on_handler=on_handler, on_construct=on_construct: {
                "consumer": a_handler(provisioned_concurrent_executions=8, reserved_concurrent_executions=on_handler),
                "reserved_concurrent_executions": on_construct,
            },
            "provisioned_concurrent_executions must be at most reserved_concurrent_executions, 7, got 8: "
            "Lambda keeps no more environments warm than may run: lower it, or reserve more",
        )
        for who, on_handler, on_construct in (("the handler", 7, None), ("the construct", 9, 7))
    },
    "a variable that the pattern sets": (
        lambda _: {"consumer": a_handler(environment={"QUEUE_URL": "x"})},
        "consumer environment['QUEUE_URL'] must have a name of its own, got 'QUEUE_URL': "
        "the pattern sets that variable: choose another name",
    ),
    "a table named like a variable that the pattern sets": (
        lambda stack: {"consumer": a_handler(tables={"TABLES": a_table(stack)})},
        "consumer tables['TABLES'] must have a name of its own, got 'TABLES': "
        "the pattern sets that variable: choose another name",
    ),
    **{
        f"a secret's value in a variable: {way}": (
            lambda stack, value=value: {"consumer": a_handler(environment={"PASSWORD": value(stack)})},
            "consumer environment['PASSWORD'] must be no secret, got a reference to one: "
            "pass secrets={...}: the function gets the ARN and reads the value",
        )
        for way, value in SECRETS_IN_THE_OPEN.items()
    },
    "security groups without a VPC": (
        lambda stack: {
            "consumer": a_handler(security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")])
        },
        "consumer vpc must be given with vpc_subnets or security_groups, got None: "
        "pass vpc to the Handler or to Defaults",
    ),
    "five layers": (
        lambda stack: {"consumer": a_handler(layers=[layer(stack, n) for n in range(5)])},
        "consumer layers must be at most 4, those of Defaults included, got 5: "
        "merge some: the fifth is the patterns' runtime",
    ),
    "a table of claims with another key": (
        lambda stack: {"claims": a_table(stack)},
        "claims must have the partition key 'claim' (HASH, S) and no sort key, got 'order_id' (HASH, S): "
        "define it so, with 'expires_at' as its time to live, or leave claims out",
    ),
    "a table of claims with a sort key": (
        lambda stack: {"claims": dynamodb.TableV2(stack, "Claims", partition_key=key("claim"), sort_key=key("at"))},
        "claims must have the partition key 'claim' (HASH, S) and no sort key, got 'claim' (HASH, S), 'at' (RANGE, S): "
        "define it so, with 'expires_at' as its time to live, or leave claims out",
    ),
    "a standard dead-letter queue for a FIFO queue": (
        lambda stack: {"fifo": True, "dead_letter_queue": sqs.Queue(stack, "Letters", retention_period=DAYS(14))},
        "dead_letter_queue must be a FIFO queue as its source is, got the standard queue Shop/Letters: "
        "SQS moves messages only between queues of one kind",
    ),
    "a dead-letter queue that keeps messages no longer than its source": (
        lambda stack: {"dead_letter_queue": sqs.Queue(stack, "Letters")},
        f"retention_period of Shop/Letters must be more than the 345,600 seconds of its source, got 345,600 {KEEP}",
    ),
    "an existing queue whose dead-letter queue forgets first": (
        lambda stack: {"queue": with_letters(stack, visibility_timeout=SECONDS(180), kept=DAYS(3))},
        f"retention_period of Shop/Letters must be more than the 345,600 seconds of its source, got 259,200 {KEEP}",
    ),
    "an existing queue without a dead-letter queue": (
        lambda stack: {"queue": sqs.Queue(stack, "Existing", visibility_timeout=SECONDS(180))},
        "queue must have a dead-letter queue, got Shop/Existing without one: "
        "give the queue a dead_letter_queue where it is defined, or a failing message comes back until it expires",
    ),
    "an existing queue with another dead-letter queue": (
        lambda stack: {
            "queue": with_letters(stack, visibility_timeout=SECONDS(180)),
            "dead_letter_queue": sqs.Queue(stack, "Others"),
        },
        "dead_letter_queue must be Shop/Letters, got Shop/Others: leave it out: the queue names its own",
    ),
    "an existing queue with a short visibility timeout": (
        lambda stack: {"queue": with_letters(stack)},
        "visibility_timeout of Shop/Existing must be a Duration from 180 to 43,200 seconds, got 30 seconds: "
        "6 x function timeout + batching window is the least that keeps retries apart",
    ),
    "an existing queue whose timeout is said though it can be seen": (
        lambda stack: {
            "queue": with_letters(stack, visibility_timeout=SECONDS(180)),
            "queue_visibility_timeout": SECONDS(180),
        },
        "queue_visibility_timeout must be left out without an imported queue, got a value: "
        "the queue is defined in this app",
    ),
    "an existing queue that forgets a message before its last try": (
        lambda stack: {
            "queue": with_letters(stack, retention_period=Duration.hours(1), visibility_timeout=SECONDS(180)),
            "batch_size": 1,
        },
        "retention_period of Shop/Existing must be at least 4,500 seconds "
        "(max_receive_count 5 x retry_max_delay, 900 seconds), "
        "got 3,600 seconds: lower max_receive_count or retry_max_delay, or raise it: "
        "SQS deletes what is older, without a dead letter",
    ),
    "an imported queue that no retention lets try so often": (
        lambda stack: {
            "queue": sqs.Queue.from_queue_arn(stack, "Imported", ARN),
            "queue_visibility_timeout": Duration.hours(12),
            "dead_letter_queue": sqs.Queue(stack, "Letters"),
            "max_receive_count": 29,
        },
        "longest retention_period of Shop/Imported must be at least 1,252,800 seconds (max_receive_count 29 x "
        "the visibility timeout, 43,200 seconds), got 1,209,600 seconds: "
        "lower max_receive_count or the visibility timeout: "
        "SQS deletes what is older, without a dead letter",
    ),
    "an existing FIFO queue whose own count would dead-letter healthy messages": (
        lambda stack: {
            "queue": with_letters(stack, fifo=True, visibility_timeout=SECONDS(180)),
            "batch_size": 2,
        },
        "max_receive_count of Shop/Existing must be at least 24 with FIFO batches of 2, got 5: set it where the "
        "queue is defined, or use batch_size=1: a failing message takes its group along",
    ),
    **{
        f"{argument} with an existing queue": (
            lambda stack, argument=argument, value=value: {
                "queue": with_letters(stack, visibility_timeout=SECONDS(180)),
                argument: value,
            },
            f"{argument} must be left out with an existing queue, got a value: set it where that queue is defined",
        )
        for argument, value in (
            ("fifo", True),
            ("content_based_deduplication", True),
            ("visibility_timeout", SECONDS(180)),
            ("retention_period", DAYS(4)),
        )
    },
    "an imported queue without its visibility timeout": (
        lambda stack: {
            "queue": sqs.Queue.from_queue_arn(stack, "Imported", ARN),
            "dead_letter_queue": sqs.Queue(stack, "Letters"),
        },
        "queue_visibility_timeout must be given for an imported queue, got None: "
        "say the visibility timeout that the queue has",
    ),
    "an imported queue with a short visibility timeout": (
        lambda stack: {
            "queue": sqs.Queue.from_queue_arn(stack, "Imported", ARN),
            "queue_visibility_timeout": SECONDS(30),
            "dead_letter_queue": sqs.Queue(stack, "Letters"),
        },
        "queue_visibility_timeout must be a Duration from 180 to 43,200 seconds, got 30 seconds: "
        "6 x function timeout + batching window is the least that keeps retries apart",
    ),
    "an imported queue without its dead-letter queue": (
        lambda stack: {
            "queue": sqs.Queue.from_queue_arn(stack, "Imported", ARN),
            "queue_visibility_timeout": SECONDS(180),
        },
        "dead_letter_queue must be given for an imported queue, got None: "
        "say which one the queue has: permanent failures go there",
    ),
    "an imported queue with claims that end before its longest retention": (
        lambda stack: {
            "queue": sqs.Queue.from_queue_arn(stack, "Imported", ARN),
            "queue_visibility_timeout": SECONDS(180),
            "dead_letter_queue": sqs.Queue(stack, "Letters"),
            "claims_retention": DAYS(27),
        },
        "claims_retention must be a Duration from 2,419,200 to 315,360,000 seconds, got 2,332,800 seconds: "
        "a claim must outlive its message: the queue's retention + 14 days in the dead-letter queue",
    ),
    "an imported function without a role": (
        lambda stack: {
            "consumer": lambda_.Function.from_function_arn(stack, "Imported", FUNCTION_ARN),
            "consumer_timeout": SECONDS(30),
            "report_batch_item_failures": True,
        },
        "consumer must have a role, got Shop/Imported without one: import it by "
        "lambda_.Function.from_function_attributes(..., role=...), or it cannot read the queue",
    ),
    "an imported function without its timeout": (
        lambda stack: {"consumer": imported_function(stack), "report_batch_item_failures": True},
        "consumer_timeout must be given for an imported function, got None: say the timeout that the function has",
    ),
    "a function with another timeout than is said": (
        lambda stack: {
            "consumer": a_function(stack, timeout=SECONDS(20)),
            "consumer_timeout": SECONDS(30),
            "report_batch_item_failures": True,
        },
        "consumer_timeout must be the 20 seconds of Shop/Own, got 30 seconds: "
        "leave it out: the function is defined in this app",
    ),
    "a function that does not say how it fails": (
        lambda stack: {"consumer": a_function(stack)},
        "report_batch_item_failures must be given for an IFunction, got None: "
        "True if it answers with batchItemFailures, False if it fails whole batches",
    ),
    **{
        f"{argument} with a function": (
            lambda stack, argument=argument, value=value: {
                "consumer": a_function(stack),
                "report_batch_item_failures": True,
                argument: value,
            },
            f"{argument} must be left out unless the consumer is a Handler, got a value: "
            "an IFunction gets raw events and runs as it was defined",
        )
        for argument, value in (
            ("idempotency_key", "order_id"),
            ("claims_namespace", "orders"),
            ("max_age", DAYS(1)),
            ("reserved_concurrent_executions", 5),
        )
    },
    "a token for a timeout without a visibility timeout": (
        lambda stack: {"consumer": a_handler(timeout=SECONDS(number(stack)))},
        "visibility_timeout must be given when the timeout or the window is a token, got None: "
        "six times a token cannot be computed at synth",
    ),
}


@pytest.mark.parametrize("name", BUILT)
def test_what_does_not_fit_together_is_refused(name: str) -> None:
    stack = new_stack()
    build, message = BUILT[name]
    arguments = build(stack)
    assert refusal(lambda: a_queue(stack, **arguments)) == f"Shop/Fulfilment: {message}"


@pytest.mark.parametrize("existing", [False, True])
def test_variables_above_4096_bytes_are_refused_with_every_name_and_value_that_synth_knows(existing: bool) -> None:
    def define(stack: Stack, long: str) -> None:
        given: dict[str, Any] = {"consumer": a_handler(environment={"LONG": long}), "idempotency_key": "order.id"}
        if existing:
            given["queue"] = sqs.Queue.from_queue_arn(stack, "Imported", ARN)
            given["queue_visibility_timeout"] = SECONDS(180)
            given["dead_letter_queue"] = sqs.Queue.from_queue_arn(stack, "Letters", ARN)
            given["claims"] = dynamodb.Table.from_table_arn(stack, "Claims", TABLE_ARN)
        a_queue(stack, **given)

    stack = new_stack()
    define(stack, "")
    told = the_variables(stack)
    room = 4096 - sum(len(name) + (len(value) if isinstance(value, str) else 0) for name, value in told.items())
    assert (told["CLAIMS_TABLE_NAME"] == "claims") is existing, "a name in clear"
    define(new_stack(), "x" * room)
    assert refusal(lambda: define(new_stack(), "ö" + "x" * (room - 1))) == (
        "Shop/Fulfilment: consumer environment must hold at most 4,096 bytes of names and values, got 4,097: "
        "move long values to parameters or into the code"
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    stack = new_stack()
    assert refusal(lambda: a_queue(stack, max_concurrency=0, batch_size=0, idempotency_key="")) == (
        "Shop/Fulfilment: max_concurrency must be a whole number from 2 to 1,000, got 0: "
        "it is the cap on invocations at once\n"
        "Shop/Fulfilment: batch_size must be a whole number from 1 to 10,000, got 0: leave it out for 10\n"
        "Shop/Fulfilment: idempotency_key must be a dotted path into the body, got '': "
        "write 'order_id' or 'order.id'; leave it out for the message id"
    )


def test_as_many_environments_may_be_warm_as_are_reserved_by_whoever_says_it_last() -> None:
    stack = new_stack()
    handler = a_handler(provisioned_concurrent_executions=8, reserved_concurrent_executions=7)
    a_queue(stack, consumer=handler, reserved_concurrent_executions=8)
    a_queue(stack, "Other", consumer=handler, reserved_concurrent_executions=number(stack))


def test_tries_that_end_just_in_time_pass() -> None:
    a_queue(new_stack(), retention_period=SECONDS(4500))
    a_queue(new_stack(), max_receive_count=26, retry_max_delay=Duration.hours(12), retention_period=DAYS(13))


def test_only_the_visibility_timeout_delays_a_function_of_the_user_s_own() -> None:
    stack = new_stack()
    function = {"consumer": a_function(stack, timeout=SECONDS(10)), "report_batch_item_failures": True}
    a_queue(stack, **function, retention_period=SECONDS(300))
    assert refusal(lambda: a_queue(stack, "Other", **function, retention_period=SECONDS(299))) == (
        "Shop/Other: retention_period must be at least 300 seconds "
        "(max_receive_count 5 x the visibility timeout, 60 seconds), "
        "got 299 seconds: lower max_receive_count or the visibility timeout, or raise it: "
        "SQS deletes what is older, without a dead letter"
    )


def test_a_token_for_the_receives_of_an_existing_queue_passes() -> None:
    stack = new_stack()
    existing = with_letters(stack, visibility_timeout=SECONDS(180), max_receive_count=number(stack))
    a_queue(stack, queue=existing)
    assert the_variables(stack)["MAX_RECEIVE_COUNT"] == {"Ref": "Number"}


def test_a_retention_that_cannot_be_seen_passes() -> None:
    stack = new_stack()
    letters = sqs.Queue(stack, "Letters", retention_period=SECONDS(number(stack)))
    a_queue(stack, dead_letter_queue=letters)
    source = {"queue": sqs.Queue.from_queue_arn(stack, "Imported", ARN), "queue_visibility_timeout": SECONDS(180)}
    a_queue(stack, "Other", **source, dead_letter_queue=sqs.Queue(stack, "Shorter"))


def test_a_function_of_the_user_s_own_has_no_namespace_to_be_wrong() -> None:
    stack = new_stack()
    assert a_queue(stack, "attempts", consumer=a_function(stack), report_batch_item_failures=True).claims is None


def test_a_refused_construct_leaves_nothing_behind() -> None:
    stack = new_stack()
    refusal(lambda: a_queue(stack, max_concurrency=1))
    assert a_queue(stack).node.path == "Shop/Fulfilment"


def test_defaults_count_in_the_checks() -> None:
    stack = new_stack()
    Defaults.of(stack).set(layers=[layer(stack, n) for n in range(3)], environment={"QUEUE_URL": "x"})
    handler = a_handler(layers=[layer(stack, n) for n in (3, 4)])
    assert refusal(lambda: a_queue(stack, consumer=handler)) == (
        "Shop/Fulfilment: environment['QUEUE_URL'] of Defaults must have a name of its own, got 'QUEUE_URL': "
        "choose another name\n"
        "Shop/Fulfilment: consumer layers must be at most 4, those of Defaults included, got 5: "
        "merge some: the fifth is the patterns' runtime"
    )


def test_tokens_pass_every_check() -> None:
    stack = new_stack()
    token = number(stack)
    a_queue(
        stack,
        consumer=a_handler(timeout=SECONDS(token)),
        max_concurrency=token,
        batch_size=token,
        max_batching_window=SECONDS(token),
        max_receive_count=token,
        idempotency_key=CfnParameter(stack, "Path").value_as_string,
        claims_namespace=CfnParameter(stack, "Namespace").value_as_string,
        claims_retention=SECONDS(token),
        max_age=SECONDS(token),
        retention_period=SECONDS(token),
        visibility_timeout=SECONDS(token),
        retry_base_delay=SECONDS(token),
        retry_max_delay=SECONDS(token),
        reserved_concurrent_executions=token,
        max_oldest_age=SECONDS(token),
    )
    told = the_variables(stack)
    reference = {"Ref": "Number"}
    assert the_queue(stack)["VisibilityTimeout"] == the_queue(stack)["MessageRetentionPeriod"] == reference
    assert the_mapping(stack)["ScalingConfig"] == {"MaximumConcurrency": reference}
    assert told["VISIBILITY_TIMEOUT_SECONDS"] == told["RETRY_MAX_SECONDS"] == told["MAX_RECEIVE_COUNT"] == reference
    assert told["CLAIMS_RETENTION_SECONDS"] == told["MAX_AGE_SECONDS"] == reference


def number(stack: Stack) -> Any:
    return CfnParameter(stack, "Number", type="Number").value_as_number


def key(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def layer(stack: Stack, number: int) -> lambda_.ILayerVersion:
    arn = f"arn:aws:lambda:eu-west-1:111122223333:layer:extra:{number + 1}"
    return lambda_.LayerVersion.from_layer_version_arn(stack, f"Layer{number}", arn)
