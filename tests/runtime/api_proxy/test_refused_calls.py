"""A route whose downstream a circuit breaker guards."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from serverless_patterns_runtime import Effects, Invocation, PermanentError, Put, Request, Response
from serverless_patterns_runtime.api_proxy import edge as edges
from serverless_patterns_runtime.api_proxy.settings import ClaimsSettings
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker import contract

from ..circuit_breaker.fleet import Down, Fleet
from .api import Api, route
from .modelled_dynamodb import ModelledDynamoDB

CLAIMS = ClaimsSettings("claims", "Api", 1000)
EFFECTS = pytest.mark.parametrize("effects", [False, True], ids=["leased", "effects"])


class Quotes(Api):
    """`POST /things`, guarded, with a key if the caller gives one."""

    def __init__(
        self, fleet: Fleet, *, effects: bool = False, claims: bool = True, fallback: Callable[..., Any] | None = None
    ) -> None:
        self.fleet = fleet

        def quote(request: Request, invocation: Invocation) -> Any:  # noqa: ARG001
            said = fleet.downstream()
            answer = Response(201, {"said": said})
            return Effects([Put("THINGS", {"id": request.body["id"]})], result=answer) if effects else answer

        guarded = route(idempotency="optional" if claims else "off", circuit_breaker="Partner")
        if fallback is not None:
            guarded["fallback"] = "things:fallback"
        super().__init__(
            quote,
            routes={"POST /things": guarded, "GET /things": route()},
            returns_effects=effects,
            tables={"THINGS": "things"},
            claims=CLAIMS if claims else None,
        )
        self.clock = fleet.clock
        fallbacks = {}
        if fallback is not None:
            takes_invocation = len(inspect.signature(fallback).parameters) == 2
            fallbacks["POST /things"] = BusinessFunction(fallback, "things:fallback", takes_invocation, False)
        self.edge = self.edge._replace(
            clock=fleet.clock,
            sleep=fleet.clock.sleep,
            dynamodb=ModelledDynamoDB(fleet.clock, "things") if claims else None,
            breakers={"Partner": fleet.breaker(99)},
            fallbacks=fallbacks,
        )

    def ask(self, key: str | None = None, **more: Any) -> Any:
        return self.post({"id": "1"}, key=key, **more)

    def claims(self) -> list[dict[str, Any]]:
        return self.edge.dynamodb.claims()


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@EFFECTS
@pytest.mark.parametrize("key", [None, "k"])
def test_refused_it_is_answered_503_with_the_seconds_until_the_next_call_and_nothing_is_claimed(
    fleet: Fleet, effects: bool, key: str | None
):
    fleet.opened()
    calls = fleet.calls
    made = Quotes(fleet, effects=effects)
    fleet.clock.now += 10.5
    answered = made.ask(key)
    assert answered.status == 503
    assert answered.header("Retry-After") == "20"
    assert answered.problem == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "a service that this needs does not answer at present",
    }
    assert fleet.calls == calls
    assert made.edge.dynamodb.operations == (["GetItem"] if key else []), "looked up, not claimed"
    assert fleet.metrics[contract.METRIC_REFUSED] == 1


def test_to_come_back_at_once_is_never_said(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 29.999
    assert Quotes(fleet).ask().header("Retry-After") == "1"


def test_a_function_that_claims_nothing_is_guarded_as_well(fleet: Fleet):
    made = Quotes(fleet, claims=False)
    assert made.ask().status == 201
    fleet.down = Down()
    assert [made.ask().status for _ in range(4)] == [500, 500, 500, 503]
    fleet.down = None
    fleet.clock.now += 30
    assert made.ask().status == 201


def test_another_route_of_the_function_is_not_guarded(fleet: Fleet):
    fleet.opened()
    made = Quotes(fleet)
    assert made.get().status == 201


@EFFECTS
def test_failures_count_and_what_is_wrong_with_a_request_does_not(fleet: Fleet, effects: bool):
    made = Quotes(fleet, effects=effects)
    fleet.down = PermanentError("no such thing", status=404)
    assert [made.ask().status for _ in range(5)] == [404] * 5
    fleet.down = Down()
    assert [made.ask(str(n)).status for n in range(4)] == [500, 500, 500, 503]
    freed = [] if effects else [{"N": "0"}] * 3  # of unknown fate: their keys keep their bodies
    assert [claim["free_at"] for claim in made.claims()] == freed, "a refused call has none"


@EFFECTS
def test_who_asks_again_with_the_same_key_gets_what_was_answered_though_the_breaker_is_open(
    fleet: Fleet, effects: bool
):
    made = Quotes(fleet, effects=effects)
    assert made.ask("k").status == 201
    fleet.opened()
    fleet.clock.now += 5  # it has seen the breaker closed a moment ago
    again = made.ask("k")
    assert (again.status, again.header("Idempotent-Replayed")) == (201, "true")
    assert made.post({"id": "2"}, key="k").status == 422
    assert made.ask("another").status == 503
    assert fleet.metrics[contract.METRIC_REFUSED] == 1, "the replay was not refused"


def test_without_a_word_from_the_claims_table_it_is_refused_as_it_was_to_be(fleet: Fleet):
    made = Quotes(fleet)
    fleet.opened()

    def lost(_: Any) -> Any:
        raise ConnectionClosedError(endpoint_url="https://dynamodb.invalid")

    made.edge.dynamodb.meets["GetItem"] = lost
    assert made.ask("k").status == 503


def test_a_replay_in_place_of_a_probe_leaves_the_probe_to_others(fleet: Fleet):
    """With a lease. Effects are computed before their key is looked at: there the probe is made."""
    made = Quotes(fleet)
    made.ask("k")
    fleet.opened()
    fleet.clock.now += 30
    calls = fleet.calls
    assert made.ask("k").header("Idempotent-Replayed") == "true"
    assert fleet.calls == calls
    assert "prober" not in fleet.item()
    assert fleet.call(1) == "answered"


def test_a_request_that_is_refused_before_its_call_leaves_the_probe_to_others(fleet: Fleet):
    made = Quotes(fleet)
    fleet.opened()
    fleet.clock.now += 30
    made.ask("k", headers={"Idempotency-Key": ["a", "b"]})
    assert "prober" not in fleet.item()


def test_the_fallback_answers_and_nothing_is_kept_under_the_key(fleet: Fleet):
    def last_known(request: Request) -> Response:
        return Response(200, {"as_of": "yesterday", "id": request.body["id"]})

    made = Quotes(fleet, fallback=last_known)
    fleet.opened()
    answered = made.ask("k")
    assert (answered.status, answered.json) == (200, {"as_of": "yesterday", "id": "1"})
    assert answered.header("Cache-Control") == "no-store"
    assert answered.header("Idempotent-Replayed") is None
    assert made.claims() == []
    assert made.metrics.counts == {"Fallback": 1}
    assert [line["outcome"] for line in made.log] == ["Fallback"]
    assert fleet.metrics[contract.METRIC_REFUSED] == 1
    fleet.clock.now += 30
    assert made.ask("k").status == 201, "the real answer"
    assert made.ask("k").header("Idempotent-Replayed") == "true"


def test_a_fallback_knows_the_key_and_may_answer_any_value(fleet: Fleet):
    made = Quotes(fleet, fallback=lambda request, invocation: [request.method, invocation.attempt])
    fleet.opened()
    assert made.ask().json == ["POST", 1]
    assert Quotes(fleet, claims=False, fallback=lambda _: None).ask().status == 204


@pytest.mark.parametrize(("error", "status"), [(PermanentError("not known", status=404), 404), (ValueError(), 500)])
def test_a_fallback_that_fails_is_answered_as_any_function_is(fleet: Fleet, error: Exception, status: int):
    def fail(request: Request) -> Any:  # noqa: ARG001
        raise error

    made = Quotes(fleet, fallback=fail)
    fleet.opened()
    before = fleet.item()
    assert made.ask().status == status
    assert fleet.item() == before


def test_a_fallback_writes_nothing(fleet: Fleet):
    made = Quotes(fleet, fallback=lambda _: Effects([Put("THINGS", {"id": "1"})]))
    fleet.opened()
    assert made.ask("k").status == 500
    assert made.edge.dynamodb.items("things") == {}


def test_the_fallback_is_not_asked_for_a_call_that_was_made_and_failed(fleet: Fleet):
    made = Quotes(fleet, fallback=lambda _: "fallback")
    fleet.down = Down()
    assert [made.ask().status for _ in range(4)] == [500, 500, 500, 200]


def test_breakers_and_fallbacks_are_made_at_init(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "quoting.py").write_text("def quote(request): ...\ndef known(request, invocation): ...\n")
    routes = {"GET /a": route(circuit_breaker="Partner", fallback="quoting:known"), "GET /b": route()}
    (tmp_path / "serverless_patterns_routes.json").write_text(json.dumps(routes))
    settings = {"table": "t", "failure_threshold": 5, "window_seconds": 60, "open_seconds": 30, "cache_seconds": 5}
    for name, value in {
        "BUSINESS_FUNCTION": "quoting:quote",
        "RETURNS_EFFECTS": "false",
        "TABLES": "",
        "MAX_BODY_BYTES": "1000",
        "BINARY_MEDIA_TYPES": "",
        "CORS": "",
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "CIRCUIT_BREAKERS": json.dumps({"Partner": settings | {"counts": []}}),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = edges.Edge.from_environment()
    assert list(made.breakers) == ["Partner"]
    assert made.fallbacks["GET /a"].takes_invocation
    assert list(made.fallbacks) == ["GET /a"]
    monkeypatch.setenv("CIRCUIT_BREAKERS", "{}")
    with pytest.raises(KeyError):
        edges.Edge.from_environment()
