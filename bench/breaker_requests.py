"""Requests that a closed circuit breaker makes for 1,000 calls within one cache age, counted by a loopback server."""

import json
import os
from collections.abc import Callable

from bench.consumers import consume, ours, quiet_lambda
from bench.fake_aws import FakeAws
from bench.figure import Figure
from bench.lambda_environment import sqs_event
from serverless_patterns_runtime.circuit_breaker.contract import Breakers, BreakerSettings

NAMES = ("breaker_closed_requests_per_1000_calls",)

CACHE_SECONDS = 60
"""Both sides' cache age: on a slow machine too, the calls fit into one."""

OWN = ("GetItem", "UpdateItem")
"""What a breaker asks of DynamoDB, and a consumer of new messages does not."""


def figures() -> list[Figure]:
    with FakeAws() as aws, quiet_lambda(aws.url):
        ours_made, peer_made = _requests(aws, _ours()), _requests(aws, _powertools())
    figure = Figure(
        name=NAMES[0],
        value=ours_made,
        unit="requests",
        peer=peer_made,
        floor=0,  # in memory: each sandbox for itself
        better="lower",
        goal=1,
        measured="100 batches of 10 messages through the consumer; peer: Powertools' decorator, 1,000 calls",
    )
    return [figure]


def _requests(aws: FakeAws, thousand_calls: Callable[[], None]) -> int:
    aws.requests()
    thousand_calls()
    made = aws.requests()
    return sum(made.get(operation, 0) for operation in OWN)


def _ours() -> Callable[[], None]:
    settings = BreakerSettings(
        table="breakers",
        failure_threshold=5,
        window_seconds=60,
        open_seconds=30,
        cache_seconds=CACHE_SECONDS,
        counts=[],
    )
    breakers: Breakers = {"Partner": settings}
    os.environ["CIRCUIT_BREAKERS"] = json.dumps(breakers)
    consumer = ours(effects=False)

    def calls() -> None:
        for _ in range(100):
            consume(consumer, sqs_event(10))

    return calls


def _powertools() -> Callable[[], None]:
    from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, circuit_breaker
    from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerDynamoDBPersistence

    store = CircuitBreakerDynamoDBPersistence(table_name="breakers")
    config = CircuitBreakerConfig(local_cache_max_age=CACHE_SECONDS)

    @circuit_breaker(name="partner", persistence_store=store, config=config)
    def call() -> None: ...

    def calls() -> None:
        for _ in range(1000):
            call()

    return calls
