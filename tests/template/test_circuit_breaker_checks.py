"""Every argument that CircuitBreaker refuses, and where it may not be used, with the whole text that the user reads."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from serverless_patterns import CircuitBreaker, HttpBackend, MockResponse, Route
from tests.template.apis import a_function, an_api, get, take, variables_of
from tests.template.stacks import HANDLERS, a_handler, a_queue, a_table, new_stack, refusal, the_variables

SECONDS = Duration.seconds
DATA = "it is data: choose a name that will not change"
ROUTE = "routes['GET /orders']"
CLASSES = "write 'PartnerDown', without its module; leave counts out for every error but PermanentError"

PLAIN: list[tuple[dict[str, Any], str]] = [
    *(
        (
            {"failure_threshold": value},
            f"failure_threshold must be a whole number from 1 to 100, got {value!r}: "
            "leave it out for 5; each keeps the time of a failure in the breaker's item",
        )
        for value in (0, 101, True, 2.5, None)
    ),
    *(
        (
            {"window": SECONDS(value)},
            f"window must be a Duration from 1 to 3,600 seconds, got {value:,} seconds: "
            "failures that are older are forgotten",
        )
        for value in (0, 3601)
    ),
    ({"window": 60}, "window must be a Duration from 1 to 3,600 seconds, got 60: say the unit: Duration.seconds(60)"),
    *(
        (
            {"open_for": SECONDS(value), "cache_age": SECONDS(0)},
            f"open_for must be a Duration from 1 to 900 seconds, got {value:,} seconds: "
            "a probe after that long finds out whether the downstream is back",
        )
        for value in (0, 901)
    ),
    (
        {"cache_age": SECONDS(61), "open_for": SECONDS(61)},
        "cache_age must be a Duration from 0 to 60 seconds, got 61 seconds: "
        "each function looks at the breaker's item once in that time",
    ),
    (
        {"cache_age": SECONDS(11), "open_for": SECONDS(10)},
        "cache_age must be at most open_for, 10 seconds, got 11 seconds: "
        "a function that looks more rarely may never notice an outage: lower it, or raise open_for",
    ),
    ({"counts": "TimeoutError"}, "counts must be a list, got a value of type str: write counts=[...]"),
    (
        {"counts": [TimeoutError]},
        "counts must hold names of exception classes, got the class TimeoutError: "
        "write 'TimeoutError': a handler's code is never imported at synth",
    ),
    *(
        ({"counts": [value]}, f"counts must hold names of exception classes, got {value!r}: {CLASSES}")
        for value in ("partner.PartnerDown", "", 5)
    ),
    *(
        ({"name": value}, f"name must be 1 to 128 of A-Z a-z 0-9 . _ -, got {value!r}: {DATA}")
        for value in ("", "a b", "n" * 129, 7)
    ),
    (
        {"alarms": "some"},
        "alarms must be one of 'all', 'critical', 'none', got 'some': 'critical' keeps it: an open breaker is critical",
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), PLAIN)
def test_a_wrong_argument_is_refused_with_what_is_allowed_and_the_fix(arguments: dict[str, Any], expected: str) -> None:
    assert refusal(lambda: CircuitBreaker(new_stack(), "Partner", **arguments)) == f"Shop/Partner: {expected}"


def with_a_claims_table(stack: Stack) -> object:
    return CircuitBreaker(stack, "Partner", table=a_table(stack))


def with_a_sort_key(stack: Stack) -> object:
    text = dynamodb.AttributeType.STRING
    table = dynamodb.Table(
        stack,
        "Breakers",
        partition_key=dynamodb.Attribute(name="breaker", type=text),
        sort_key=dynamodb.Attribute(name="at", type=text),
    )
    return CircuitBreaker(stack, "Partner", table=table)


def with_a_key_for_another_s_table(stack: Stack) -> object:
    bank = CircuitBreaker(stack, "Bank")
    return CircuitBreaker(stack, "Partner", table=bank.table, encryption_key=kms.Key(stack, "Key"))


def with_a_name_that_is_taken(stack: Stack) -> object:
    bank = CircuitBreaker(stack, "Bank")
    return CircuitBreaker(stack, "Partner", table=bank.table, name="Bank")


def on_a_queue(stack: Stack, value: Any, **arguments: Any) -> object:
    return a_queue(stack, circuit_breaker=value, **arguments)


def on_a_function(stack: Stack) -> object:
    breaker = CircuitBreaker(stack, "Partner")
    return on_a_queue(stack, breaker, consumer=a_function(stack), report_batch_item_failures=True)


def on_a_queue_that_gives_up_early(stack: Stack) -> object:
    redrive = sqs.DeadLetterQueue(
        queue=sqs.Queue(stack, "Letters", retention_period=Duration.days(14)), max_receive_count=5
    )
    existing = sqs.Queue(stack, "Existing", dead_letter_queue=redrive, visibility_timeout=SECONDS(180))
    return on_a_queue(stack, CircuitBreaker(stack, "Partner"), queue=existing)


def on_a_queue_with_its_variable(stack: Stack) -> object:
    consumer = a_handler(environment={"CIRCUIT_BREAKERS": "{}"})
    return on_a_queue(stack, CircuitBreaker(stack, "Partner"), consumer=consumer)


NOT_A_BREAKER = "define one, CircuitBreaker(self, 'Partner'), and pass it to everything that calls the same downstream"
NO_HANDLER = "only a Handler runs our code: wrap what calls the downstream in one (a queue takes the breaker itself)"


def on_a_route(stack: Stack, target: Any = None, **arguments: Any) -> object:
    guard = {"circuit_breaker": CircuitBreaker(stack, "Partner")}
    return an_api(stack, Route("GET /orders", target or get(), **{**guard, **arguments}))


def on_two_routes_with_one_name(stack: Stack) -> object:
    handler = get()
    one, two = CircuitBreaker(stack, "One", name="partner"), CircuitBreaker(stack, "Two", name="partner")
    return an_api(
        stack,
        Route("GET /orders", handler, circuit_breaker=one),
        Route("GET /quotes", handler, circuit_breaker=two),
    )


ELSEWHERE: list[tuple[Callable[[Stack], object], str]] = [
    (
        with_a_claims_table,
        "Shop/Partner: table must have the partition key 'breaker' (HASH, S) and no sort key, "
        "got 'order_id' (HASH, S): define it so, or leave table out",
    ),
    (
        with_a_sort_key,
        "Shop/Partner: table must have the partition key 'breaker' (HASH, S) and no sort key, "
        "got 'breaker' (HASH, S), 'at' (RANGE, S): define it so, or leave table out",
    ),
    (
        with_a_key_for_another_s_table,
        "Shop/Partner: encryption_key must be left out with a table of yours, got a value: "
        "set it where that table is defined",
    ),
    (
        with_a_name_that_is_taken,
        "Shop/Partner: name must be its own in a shared table, got 'Bank', which Shop/Bank has in Shop/Bank/Table: "
        "pass another name; where both stand for one downstream, share one CircuitBreaker",
    ),
    (
        lambda stack: on_a_queue(stack, "partner"),
        f"Shop/Fulfilment: circuit_breaker must be a CircuitBreaker, got 'partner': {NOT_A_BREAKER}",
    ),
    (
        on_a_function,
        "Shop/Fulfilment: circuit_breaker must be left out unless the consumer is a Handler, got a value: "
        "an IFunction gets raw events and runs as it was defined",
    ),
    (
        on_a_queue_that_gives_up_early,
        "Shop/Fulfilment: max_receive_count of Shop/Existing must be at least 448 with a circuit_breaker, got 5: "
        "set it where the queue is defined: each refusal is a receive, and the runtime counts tries itself",
    ),
    (
        on_a_queue_with_its_variable,
        "Shop/Fulfilment: consumer environment['CIRCUIT_BREAKERS'] must have a name of its own, "
        "got 'CIRCUIT_BREAKERS': the pattern sets that variable: choose another name",
    ),
    (
        lambda stack: on_a_route(stack, circuit_breaker=True),
        f"Shop/Api: {ROUTE} circuit_breaker must be a CircuitBreaker, got True: {NOT_A_BREAKER}",
    ),
    *(
        (
            lambda stack, make=make: on_a_route(stack, make(stack)),
            f"Shop/Api: {ROUTE} circuit_breaker must be left out unless the target is a Handler, got a value: "
            f"{NO_HANDLER}",
        )
        for make in (
            a_function,
            lambda _: MockResponse(),
            lambda _: HttpBackend("https://legacy.example.com/"),
        )
    ),
    (
        lambda stack: on_a_route(stack, circuit_breaker=None, fallback="web:last_known"),
        f"Shop/Api: {ROUTE} fallback must be left out without circuit_breaker, got a value: "
        "give the route the breaker too: the fallback answers what it refuses",
    ),
    (
        lambda stack: on_a_route(stack, fallback=get()),
        f"Shop/Api: {ROUTE} fallback must be 'module:function', got Handler(web:get): "
        f"name a function in {HANDLERS}, such as 'orders:last_known'",
    ),
    (
        lambda stack: on_a_route(stack, fallback="last_known"),
        f"Shop/Api: {ROUTE} fallback must be 'module:function', got 'last_known': for example 'orders:fulfil'",
    ),
    (
        lambda stack: on_a_route(stack, fallback="wep:last_known"),
        f"Shop/Api: {ROUTE} fallback must name a module in {HANDLERS}, got 'wep' (did you mean 'web'?): "
        "add wep.py there",
    ),
    (
        lambda stack: on_a_route(stack, fallback="web:last_knwon"),
        f"Shop/Api: {ROUTE} fallback must be a function defined at the top of {HANDLERS / 'web.py'}, "
        "got 'last_knwon' (did you mean 'last_known'?): define it there: "
        "def last_knwon(payload, invocation): ...",
    ),
    (
        lambda stack: on_a_route(stack, take(), fallback="web:take"),
        f"Shop/Api: {ROUTE} fallback must return an answer, got the Effects of web:take: "
        "it answers while the work cannot be done: nothing that it returns is committed, or kept under a key",
    ),
    (
        on_two_routes_with_one_name,
        f"Shop/Api: {ROUTE} target circuit_breaker must have a name of its own among those of its function, "
        "got 'partner' of Shop/One and of Shop/Two: pass name=... to one of them, or share one CircuitBreaker",
    ),
]


@pytest.mark.parametrize(("make", "expected"), ELSEWHERE)
def test_a_wrong_use_is_refused_with_what_is_allowed_and_the_fix(
    make: Callable[[Stack], object], expected: str
) -> None:
    stack = new_stack()
    assert refusal(lambda: make(stack)) == expected


def test_a_fallback_that_takes_too_much_is_refused() -> None:
    text = refusal(lambda: on_a_route(new_stack(), fallback="web:needs_more"))
    assert text.startswith(f"Shop/Api: {ROUTE} fallback must take (payload) or (payload, invocation), got (request, ")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = {"failure_threshold": 0, "window": SECONDS(0), "counts": ["a.b"], "name": "", "alarms": "x"}
    lines = refusal(lambda: CircuitBreaker(new_stack(), "Partner", **wrong)).splitlines()  # pyright: ignore
    assert [line.split()[1] for line in lines] == ["failure_threshold", "window", "counts", "name", "alarms"]


def test_tokens_pass_every_check() -> None:
    stack = new_stack()
    number: Any = CfnParameter(stack, "Number", type="Number").value_as_number
    breaker = CircuitBreaker(
        stack,
        "Partner",
        failure_threshold=number,
        window=SECONDS(number),
        open_for=SECONDS(number),
        cache_age=SECONDS(number),
        name=CfnParameter(stack, "Name").value_as_string,
    )
    a_queue(stack, circuit_breaker=breaker)
    an_api(stack, Route("GET /orders", get(), circuit_breaker=breaker))
    for variables in (the_variables(stack), variables_of(stack, "ApiWebGet")):
        parts = variables["CIRCUIT_BREAKERS"]["Fn::Join"][1]
        assert parts.count({"Ref": "Number"}) == 4
        assert {"Ref": "Name"} in parts


def test_one_breaker_on_two_routes_of_a_function_is_one() -> None:
    stack = new_stack()
    handler, breaker = get(), CircuitBreaker(stack, "Partner")
    routes = [Route(f"GET /{path}", handler, circuit_breaker=breaker) for path in ("orders", "quotes")]
    an_api(stack, *routes)
