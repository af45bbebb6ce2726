"""The router as its environment makes it, over AWS's own protocols; and with a breaker over a modelled table."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.reports import Reports
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.strangler_gateway import handler
from serverless_patterns_runtime.strangler_gateway.aws import Invoked
from serverless_patterns_runtime.strangler_gateway.contract import ROUTES_FILE
from serverless_patterns_runtime.strangler_gateway.edge import Edge

from ...simulation.dynamodb_model import Table
from ..api_proxy.modelled_dynamodb import ModelledDynamoDB
from ..consumer import Clock, Context
from . import gateway_model
from .gateway_model import Parts, parts
from .raw_server import Connected, RawServer, raw_server
from .router import ROUTE, SAVE, Router, get, migration, route_settings
from .test_in_lambda import variables

PROFILE = "/profile/{id}"


class Aws:
    """Tables that say nothing was ever set, and one function."""

    def __init__(self, server: RawServer) -> None:
        self.server = server
        self.function: tuple[int, str, Any] = (200, "", {"statusCode": 200, "body": "new"})
        """Status, a header, and what it answers."""
        self.tables: int = 200
        server.says = self.say

    def say(self, connected: Connected, request: bytes) -> None:
        if "/invocations" not in parts(request).start:
            return self.answer(connected, self.tables, "", {"Items": []} if b".Query" in request else {})
        if self.function[0] == 0:
            return self.server.is_silent(connected, request)
        return self.answer(connected, *self.function)

    def answer(self, connected: Connected, status: int, header: str, body: Any) -> None:
        text = json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} Some", *([header] if header else []), f"Content-Length: {len(text)}", "", ""]
        connected.say("\r\n".join(lines).encode() + text)

    def made(self) -> list[str]:
        targets = [parts(request).all("X-Amz-Target") for request in self.server.requests]
        return [target[0].partition(".")[2] if target else "Invoke" for target in targets]


@pytest.fixture
def aws() -> Iterator[Aws]:
    with raw_server() as server:
        yield Aws(server)


@pytest.fixture
def edge(legacy: RawServer, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edge:
    routes = {
        ROUTE: route_settings(initial_percent=100, timeout_seconds=0.4),
        SAVE: route_settings(initial_percent=100, timeout_seconds=0.4, fallback=False),
    }
    (tmp_path / ROUTES_FILE).write_text(json.dumps(migration(routes=routes)))
    for name, value in (variables(tmp_path, legacy.url) | {"AWS_ENDPOINT_URL": aws.server.url}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    return Edge.from_environment()


def ask(edge: Edge, method: bytes = b"GET", *headers: bytes) -> Parts:
    event = gateway_model.event(get("/profile/5", *headers, method=method), PROFILE)
    return gateway_model.answer(handler.process(event, Context(Clock()), edge))


def test_a_function_is_invoked_and_the_tables_are_asked_once(edge: Edge, aws: Aws, legacy: RawServer):
    assert [ask(edge).body for _ in range(3)] == [b"new"] * 3
    assert sorted(aws.made()) == ["GetItem", "Invoke", "Invoke", "Invoke", "Query"]
    assert legacy.requests == []


FAILURES: dict[str, tuple[tuple[int, str, Any], str]] = {
    "crashes": ((200, "X-Amz-Function-Error: Unhandled", {"errorMessage": "boom"}), "502"),
    "is throttled": ((429, "x-amzn-ErrorType: TooManyRequestsException", {"message": "Rate Exceeded."}), "503"),
    "is gone": ((404, "x-amzn-ErrorType: ResourceNotFoundException", {"Message": "no such function"}), "502"),
    "is slow": ((0, "", None), "504"),
    "is wrong": ((200, "", ["no", "answer"]), "502"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_a_new_side_that_fails_costs_callers(edge: Edge, aws: Aws, legacy: RawServer, name: str):
    aws.function, status = FAILURES[name]
    began = time.monotonic()
    assert ask(edge).body == b"ok"
    answer = ask(edge, b"POST")
    assert (answer.start, answer.all("Content-Type")) == (status, ["application/problem+json"])
    assert answer.all("Retry-After") == (["1"] if status == "503" else [])
    assert time.monotonic() - began < 3
    assert aws.made().count("Invoke") == 2
    assert len(legacy.requests) == 1


def test_a_table_of_breakers_that_cannot_be_read_leaves_calls_unguarded(edge: Edge, aws: Aws):
    assert ask(edge).body == b"new"
    aws.tables = 500
    assert [ask(edge, b"POST").body for _ in range(2)] == [b"new", b"new"]


def test_a_key_whose_pin_cannot_be_written_is_sent_nowhere(edge: Edge, aws: Aws, legacy: RawServer):
    assert ask(edge).body == b"new"
    aws.tables = 500
    assert ask(edge, b"POST", b"Idempotency-Key: k-1").start == "503"
    assert (aws.made().count("Invoke"), legacy.requests) == (1, [])


def test_an_unknown_target_is_a_failure_of_the_new_side(edge: Edge):
    edge = edge._replace(settings=edge.settings._replace(targets={}))
    assert ask(edge).body == b"ok"
    assert ask(edge, b"POST").start == "502"


# A breaker.


def guarded(legacy: RawServer) -> Router:
    router = Router(legacy)
    table = ModelledDynamoDB(router.clock)
    table.service.tables["breakers"] = Table({"breaker": "S"})
    settings = BreakerSettings(
        table="breakers", failure_threshold=3, window_seconds=60, open_seconds=30, cache_seconds=5, counts=[]
    )
    reports = Reports(ROUTE, "breakers", router.edge.logger, lambda *_: None)
    breaker = CircuitBreaker(settings, Store(table, "breakers", ROUTE), reports, router.clock, random.Random(1))
    router.edge = router.edge._replace(breakers={ROUTE: breaker})
    router.shares.said = 100
    return router


def test_the_breaker_opens_probes_and_closes(legacy: RawServer):
    router = guarded(legacy)
    healthy, router.functions.answer = router.functions.answer, lambda _: Invoked("Unhandled", b"{}")

    def bodies(number: int) -> list[bytes]:
        return [router.send(get("/profile/5"), PROFILE).body for _ in range(number)]

    assert bodies(10) == [b"ok"] * 10
    assert len(router.functions.events) == 3
    router.clock.now += 31
    assert bodies(5) == [b"ok"] * 5
    assert len(router.functions.events) == 4
    router.functions.answer = healthy
    router.clock.now += 31
    assert bodies(5) == [b"new"] * 5
    assert router.shares.noted == [(ROUTE, True)] * 15 + [(ROUTE, False)] * 5
