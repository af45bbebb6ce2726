"""Which side answers, and what becomes of a request whose side does not."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from serverless_patterns_runtime.circuit_breaker.permit import Permit
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.strangler_gateway.aws import Invoked

from . import gateway_model
from .gateway_model import Parts
from .raw_server import RawServer, answers, hangs_up
from .router import ROUTE, SAVE, NoBreaker, Router, get, migration, route_settings

PROFILE = "/profile/{id}"
KEY = b"Idempotency-Key: k-1"


def ask(router: Router, *headers: bytes) -> Parts:
    return router.send(get("/profile/5", *headers), PROFILE)


def save(router: Router, *headers: bytes) -> Parts:
    return router.send(get("/profile/5", *headers, method=b"POST", body=b"{}"), PROFILE)


def problem(answer: Parts) -> tuple[int, str]:
    assert answer.all("Content-Type") == ["application/problem+json"]
    said = json.loads(answer.body)
    assert said["status"] == int(answer.start)
    return said["status"], said["detail"]


def test_what_is_not_listed_goes_to_legacy(legacy: RawServer):
    router = Router(legacy)
    router.shares.said = 100
    assert router.send(get("/other")).body == b"ok"
    assert router.functions.events == []


def test_a_method_that_is_not_listed_goes_to_legacy(legacy: RawServer):
    router = Router(legacy)
    router.shares.said = 100
    assert router.send(get("/profile/5", method=b"DELETE"), PROFILE).body == b"ok"


def test_any_stands_for_every_method(legacy: RawServer):
    router = Router(legacy, routes={"ANY /profile/{id}": route_settings()})
    router.shares.said = 100
    assert save(router).body == b"new"


def test_at_0_and_at_100_percent_it_is_one_side_for_all(legacy: RawServer):
    router = Router(legacy)
    assert ask(router).body == b"ok"
    router.shares.said = 100
    assert ask(router).body == b"new"
    assert router.shares.noted == [(ROUTE, False)]


def test_in_between_a_stranger_gets_a_cookie_and_stays_where_he_is(legacy: RawServer):
    router = Router(legacy)
    router.shares.said = 50
    bodies = set()
    for _ in range(20):
        first = ask(router)
        (cookie,) = first.all("Set-Cookie")
        assert cookie.startswith("shop-side=")
        again = ask(router, b"Cookie: " + cookie.partition(";")[0].encode())
        assert (again.body, again.all("Set-Cookie")) == (first.body, [])
        bodies.add(first.body)
    assert bodies == {b"ok", b"new"}


@pytest.mark.parametrize("authorizer", ["lambda", "cognito"])
def test_logged_out_and_in_again_a_caller_is_where_he_was(legacy: RawServer, authorizer: str):
    router = Router(legacy, routes={ROUTE: route_settings(sticky={"claim": "sub"})})
    router.shares.said = 50
    bodies = set()
    for number in range(20):
        claims = {"sub": f"user-{number}@example.com"}
        logged_in = {"authorizer": claims if authorizer == "lambda" else {"claims": claims}}
        first = router.send(get("/profile/5"), PROFILE, **logged_in)
        (cookie,) = first.all("Set-Cookie")
        assert re.fullmatch("shop-side=claim-[0-9]{1,4}; Path=/; Max-Age=31536000; HttpOnly; .*", cookie)
        kept = b"Cookie: " + cookie.partition(";")[0].encode()
        for claimed in ({}, logged_in):
            again = router.send(get("/profile/5", kept), PROFILE, **claimed)
            assert (again.body, again.all("Set-Cookie")) == (first.body, [])
        bodies.add(first.body)
    assert bodies == {b"ok", b"new"}


def test_the_function_has_the_very_event_that_the_gateway_sent(legacy: RawServer):
    router = Router(legacy)
    router.shares.said = 100
    sent = gateway_model.event(get("/profile/5?a=1&a=2", b"X-Forwarded-For: 1.2.3.4", b"X-Name: \xe9"), PROFILE)
    router.give(sent)
    assert router.functions.events == [sent]


FAILURES: dict[str, tuple[Any, int]] = {
    "crashes": (Invoked("Unhandled", b'{"errorMessage": "boom"}'), 502),
    "crashes with what looks like an answer": (Invoked("Unhandled", b'{"statusCode": 200, "body": "new"}'), 502),
    "answers no HTTP": ({"hello": "world"}, 502),
    "answers null": (None, 502),
    "answers a status that is none": ({"statusCode": 99, "body": ""}, 502),
    "answers a body that is no text": ({"statusCode": 200, "body": {"a": 1}}, 502),
    "answers broken base64": ({"statusCode": 200, "body": "a", "isBase64Encoded": True}, 502),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_safe_request_that_the_new_side_fails_is_answered_by_legacy(legacy: RawServer, name: str):
    router = Router(legacy)
    router.shares.said, router.functions.answer = 100, lambda _: FAILURES[name][0]
    answer = ask(router)
    assert (answer.start, answer.body) == ("200", b"ok")
    assert router.shares.noted == [(ROUTE, True)]


@pytest.mark.parametrize("name", FAILURES)
def test_an_unsafe_one_is_sent_to_nobody_else(legacy: RawServer, name: str):
    router = Router(legacy)
    router.shares.said, router.functions.answer = 100, lambda _: FAILURES[name][0]
    assert problem(save(router))[0] == FAILURES[name][1]
    assert legacy.requests == []
    assert len(router.functions.events) == 1
    assert router.shares.noted == [(SAVE, True)]


def test_a_route_for_every_method_falls_back_for_safe_ones_alone(legacy: RawServer):
    router = Router(legacy, routes={"ANY /profile/{id}": route_settings()})
    router.shares.said, router.functions.answer = 100, lambda _: Invoked("Unhandled", b"{}")
    assert problem(save(router))[0] == 502
    assert legacy.requests == []
    assert ask(router).body == b"ok"


def test_without_fallback_a_safe_one_is_not_either(legacy: RawServer):
    router = Router(legacy, routes={ROUTE: route_settings(fallback=False)})
    router.shares.said, router.functions.answer = 100, lambda _: Invoked("Unhandled", b"{}")
    assert problem(ask(router))[0] == 502
    assert legacy.requests == []


def test_a_method_that_a_header_overrides_is_not_safe(legacy: RawServer):
    router = Router(legacy)
    router.shares.said, router.functions.answer = 100, lambda _: Invoked("Unhandled", b"{}")
    assert problem(ask(router, b"X-HTTP-Method-Override: DELETE"))[0] == 502
    assert legacy.requests == []


def test_what_the_new_side_says_of_its_own_failure_is_passed_on(legacy: RawServer):
    router = Router(legacy)
    said = {"statusCode": 503, "headers": {"Retry-After": "7"}, "body": "later"}
    router.shares.said, router.functions.answer = 100, lambda _: said
    answer = save(router)
    assert (answer.start, answer.all("Retry-After"), answer.body) == ("503", ["7"], b"later")
    assert ask(router).body == b"ok"
    assert router.shares.noted == [(SAVE, True), (ROUTE, True)]


def test_a_refusal_of_the_new_side_is_no_failure(legacy: RawServer):
    router = Router(legacy)
    router.shares.said, router.functions.answer = 100, lambda _: {"statusCode": 404, "body": "no"}
    assert ask(router).start == "404"
    assert router.shares.noted == [(ROUTE, False)]


class OpenBreaker(NoBreaker):
    def __init__(self) -> None:
        self.told = 0

    def permit(self, remaining: Any) -> Any:  # noqa: ARG002
        raise CircuitOpen(1e12, 0.0)

    def refused(self, calls: int) -> None:
        self.told += calls


def test_while_the_breaker_is_open_the_new_side_is_left_alone(legacy: RawServer):
    router, breaker = Router(legacy), OpenBreaker()
    router.edge = router.edge._replace(breakers={ROUTE: breaker, SAVE: breaker})
    router.shares.said = 100
    assert ask(router).body == b"ok"
    answer = save(router)
    assert problem(answer)[0] == 503
    assert int(answer.all("Retry-After")[0]) > 0
    assert (router.functions.events, breaker.told, len(legacy.requests)) == ([], 2, 1)
    assert router.shares.noted == [(ROUTE, True), (SAVE, True)]


class Watched(NoBreaker):
    def permit(self, remaining: Callable[[], float]) -> Permit:
        self.left = remaining()
        return super().permit(remaining)


def test_the_time_is_the_gateway_s_which_began_before_a_cold_start(legacy: RawServer):
    router, breaker = Router(legacy, routes={ROUTE: route_settings(timeout_seconds=100)}), Watched()
    router.edge = router.edge._replace(breakers={ROUTE: breaker})
    router.shares.said = 100
    event = gateway_model.event(get("/profile/5"), PROFILE)
    # The whole, and a margin of 1.5 seconds; a clock that is wrong takes half of it at most.
    for ago, left in {0: 27.5, 4: 23.5, -3_600: 27.5, 3_600: 13.0}.items():
        event["requestContext"]["requestTimeEpoch"] = int((router.clock() - ago) * 1000)
        assert router.give(event).body == b"new"
        assert left - 1 < breaker.left <= left


def test_a_function_s_headers_are_read_as_api_gateway_reads_them(legacy: RawServer):
    router = Router(legacy)
    several = {"Set-Cookie": ["a=1", "b=2"], "X-One": ["kept"]}
    single = {"x-one": "dropped", "X-Two": 2, "X-Three": True}
    said = {"statusCode": 201, "multiValueHeaders": several, "headers": single, "body": "/w==", "isBase64Encoded": True}
    router.shares.said, router.functions.answer = 100, lambda _: said
    answer = ask(router)
    assert answer == ("201", [*headers_of(several), ("X-Two", "2"), ("X-Three", "true")], b"\xff")


def headers_of(several: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in several.items() for value in values]


# Keys.


def test_a_key_stays_where_it_was_first_sent_whatever_the_percentage(legacy: RawServer):
    router = Router(legacy)
    assert save(router, KEY).body == b"ok"
    router.shares.said = 100
    assert save(router, KEY).body == b"ok"
    assert save(router, b"Idempotency-Key: k-2").body == b"new"
    router.shares.said = 0
    assert save(router, b"Idempotency-Key: k-2").body == b"new"


def test_a_key_whose_pin_cannot_be_read_is_sent_nowhere(legacy: RawServer):
    router = Router(legacy)
    router.pins.down = True
    answer = save(router, KEY)
    assert (problem(answer)[0], answer.all("Retry-After")) == (503, ["1"])
    assert (legacy.requests, router.functions.events) == ([], [])
    assert save(router).body == b"ok"
    assert ask(router, KEY).body == b"ok", "a safe request needs no pin"


def test_a_key_that_the_breaker_refused_is_nobody_s_and_a_kill_frees_it(legacy: RawServer):
    router, breaker = Router(legacy), OpenBreaker()
    working = router.edge
    router.edge = working._replace(breakers={ROUTE: breaker, SAVE: breaker})
    router.shares.said = 100
    assert problem(save(router, KEY))[0] == 503
    assert router.pins.kept == {}
    router.pins.kept[SAVE, "k-2"] = "legacy"
    assert save(router, b"Idempotency-Key: k-2").body == b"ok"
    assert breaker.told == 1
    router.pins.down = True
    assert problem(save(router, KEY))[1] == "it cannot be told where this request belongs"
    router.pins.down, router.shares.said = False, 0
    assert save(router, KEY).body == b"ok"
    assert router.pins.kept[SAVE, "k-1"] == "legacy"
    assert router.functions.events == []


def test_a_key_that_cannot_be_pinned_is_no_side_s_error(legacy: RawServer, capsys: pytest.CaptureFixture[str]):
    router = Router(legacy)
    router.pins.down, router.shares.said = True, 100
    assert problem(save(router, KEY))[0] == 503
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["RouteStoreUnavailable"] for line in told if "RouteStoreUnavailable" in line] == [1]
    assert [line["RoutedErrors"] for line in told if "RoutedErrors" in line] == [0]
    assert router.shares.noted == []


def test_two_keys_or_one_that_is_too_long_are_sent_nowhere(legacy: RawServer):
    router = Router(legacy)
    assert problem(save(router, KEY, b"Idempotency-Key: k-2"))[0] == 400
    assert problem(save(router, b"Idempotency-Key: " + b"k" * 256))[0] == 400
    assert legacy.requests == []


# A route that is done: the router has its new file before the stage sends it nothing more.


def finished(legacy: RawServer, side: Any = None, **changed: Any) -> Router:
    done = dict.fromkeys((ROUTE, SAVE), side or {"function": "Profile"})
    return Router(legacy, routes={"GET /other": route_settings()}, done=done, **changed)


def test_what_is_done_is_the_new_side_s_while_the_stage_still_asks_the_router(legacy: RawServer):
    router = finished(legacy, force_header="X-Side")
    assert (ask(router).body, save(router).body, ask(router, b"X-Side: legacy").body) == (b"new",) * 3
    assert save(router, KEY).body == b"new"
    assert router.pins.kept == {(SAVE, "k-1"): "new"}
    assert (legacy.requests, router.shares.noted) == ([], [])
    assert ask(router).all("Set-Cookie") == []


def test_a_key_that_legacy_has_had_stays_there_while_the_router_knows_it(legacy: RawServer):
    router = finished(legacy)
    router.pins.kept[SAVE, "k-1"] = "legacy"
    assert save(router, KEY).body == b"ok"
    router.pins.down = True
    assert problem(save(router, KEY))[0] == 503
    assert (len(legacy.requests), router.functions.events) == (1, [])


def test_what_is_done_and_fails_is_nobody_else_s(legacy: RawServer):
    router = finished(legacy)
    router.functions.answer = lambda _: Invoked("Unhandled", b"{}")
    assert problem(ask(router))[0] == 502
    router.functions.answer = lambda _: {"statusCode": 500, "body": "oops"}
    assert ask(router)[::2] == ("500", b"oops")
    assert (legacy.requests, router.shares.noted) == ([], [])


def test_a_service_whose_route_is_done_is_asked_by_its_url(legacy: RawServer):
    router = finished(legacy, {"url": f"{legacy.url}/v2/{{id}}"})
    assert ask(router).body == b"ok"
    assert legacy.requests[0].startswith(b"GET /v2/5 ")


def test_nothing_else_of_its_path_is_done(legacy: RawServer):
    router = finished(legacy)
    assert router.send(get("/profile/5", method=b"DELETE"), PROFILE).body == b"ok"
    assert problem(router.send(get("/%70rofile/5")))[0] == 400, "another spelling of it"


# A tester who chooses the side.


def test_a_tester_chooses_where_that_is_allowed_and_counts_for_no_rollback(legacy: RawServer):
    router = Router(legacy, force_header="X-Side")
    assert ask(router, b"X-Side: new").body == b"new"
    assert router.shares.noted == []
    assert problem(ask(router, b"X-Side: left"))[0] == 400
    assert ask(Router(legacy), b"X-Side: new").body == b"ok"


FAILS = Invoked("Unhandled", b"{}")
BROKEN = {"statusCode": 500, "headers": {"x-side": "new and well"}, "body": "broken"}


@pytest.mark.parametrize(
    ("asked", "answer", "status", "said"),
    [
        (b"new", {"statusCode": 200, "body": "new"}, "200", "new"),
        (b"new", BROKEN, "200", "legacy"),
        (b"new", FAILS, "200", "legacy"),
        (b"legacy", FAILS, "200", "legacy"),
    ],
)
def test_a_tester_is_told_which_side_has_answered(legacy: RawServer, asked: bytes, answer: Any, status: str, said: str):
    legacy.says = answers(b"HTTP/1.1 200 OK\r\nx-side: old\r\nContent-Length: 2\r\n\r\nok")
    router = Router(legacy, force_header="X-Side")
    router.functions.answer = lambda _: answer
    told = ask(router, b"X-Side: " + asked)
    assert (told.start, told.all("X-Side")) == (status, [said])


def test_a_tester_is_told_where_no_other_side_answers_for_the_one_he_chose(legacy: RawServer):
    router = Router(legacy, force_header="X-Side")
    for answer, side in (
        (BROKEN, "new"),
        (FAILS, "neither"),
        ({"statusCode": 200, "body": "x" * 7_000_000}, "neither"),
    ):
        router.functions.answer = lambda _, answer=answer: answer
        told = save(router, b"X-Side: new")
        assert (told.start >= "500", told.all("X-Side")) == (True, [side])


def test_where_both_sides_fail_a_tester_is_told_that_neither_answered(legacy: RawServer):
    legacy.says = hangs_up
    router = Router(legacy, force_header="X-Side")
    router.functions.answer = lambda _: FAILS
    told = ask(router, b"X-Side: new")
    assert (told.start, told.all("X-Side")) == ("502", ["neither"])


def test_nobody_else_is_told_a_side(legacy: RawServer):
    legacy.says = answers(b"HTTP/1.1 200 OK\r\nx-side: old\r\nContent-Length: 2\r\n\r\nok")
    assert ask(Router(legacy, force_header="X-Side")).all("X-Side") == ["old"]
    assert ask(Router(legacy), b"X-Side: new").all("X-Side") == ["old"]


def test_a_forced_side_against_a_pin_is_a_conflict(legacy: RawServer):
    router = Router(legacy, force_header="X-Side")
    assert save(router, KEY).body == b"ok"
    assert problem(save(router, KEY, b"X-Side: new"))[0] == 409
    assert router.functions.events == []


# Legacy.


def test_legacy_s_own_failures_are_passed_on(legacy: RawServer):
    legacy.says = answers(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops")
    assert ask(Router(legacy))[::2] == ("500", b"oops")


def test_without_legacy_it_is_502_and_after_its_time_504(legacy: RawServer):
    router = Router(legacy, legacy_timeout_seconds=0.3)
    legacy.says = hangs_up
    assert problem(save(router))[0] == 502
    assert len(legacy.requests) == 1
    legacy.says = legacy.is_silent
    assert problem(save(router))[0] == 504


def test_the_whole_exchange_ends_before_lambda_does(legacy: RawServer):
    legacy.says = legacy.is_silent
    assert problem(Router(legacy).send(get("/slow"), timeout=0.8))[0] == 504


def test_a_new_side_that_is_a_service_of_its_own(legacy: RawServer):
    url = f"{legacy.url}/v2/people/{{id}}"
    settings = route_settings(url=url)
    del settings["function"]  # type: ignore[typeddict-item]
    router = Router(legacy, routes={ROUTE: settings})
    router.shares.said = 100
    router.send(get("/profile/a%20b?x=1"), PROFILE)
    assert legacy.requests[0].startswith(b"GET /v2/people/a%20b?x=1 HTTP/1.1\r\n")


def test_what_is_no_event_of_api_gateway_is_a_problem_and_no_crash(legacy: RawServer):
    assert problem(Router(legacy).give({"hello": "world"}))[0] == 500
    assert migration()["gateway"] not in str(legacy.requests)


# A closer route hides a wider one: what is not its own, is that one's.

WIDE = "ANY /orders/{proxy+}"


def within(legacy: RawServer, *, elsewhere: Sequence[str] = (), **changed: Any) -> Router:
    left = {
        "ANY /orders/report": WIDE,
        "ANY /orders/report/{proxy+}": WIDE,
        "PUT /orders/report": "",
        "GET /orders/report/{proxy+}": "GET /gone",
    }
    router = Router(legacy, routes={WIDE: route_settings(**changed)}, left=left, elsewhere=[*elsewhere])
    router.shares.said = 100
    return router


def test_what_nobody_has_listed_is_its_owner_s(legacy: RawServer):
    router = within(legacy)
    assert router.send(get("/orders/report", method=b"DELETE"), "/orders/report").body == b"new"
    assert router.send(get("/orders/report/5", method=b"DELETE"), "/orders/report/{proxy+}").body == b"new"
    assert {route for route, _ in router.shares.noted} == {WIDE}
    assert not legacy.requests


def test_a_method_of_legacy_s_own_is_legacy_s_beside_it(legacy: RawServer):
    router = within(legacy)
    router.send(get("/orders/report", method=b"PUT"), "/orders/report")
    router.send(get("/orders/report/5", method=b"GET"), "/orders/report/{proxy+}")
    assert not router.functions.events
    assert len(legacy.requests) == 2


def test_what_is_done_and_no_router_can_ask_is_not_its_neighbours_owner_s(legacy: RawServer):
    router = within(legacy, elsewhere=["GET /orders/report"])
    assert router.send(get("/orders/report"), "/orders/report").body == b"ok", "the stage is not yet as the code"
    assert not router.functions.events


def test_a_service_is_asked_by_its_owner_s_parameters(legacy: RawServer):
    router = within(legacy, url=f"{legacy.url}/v2/{{proxy}}")
    router.send(get("/orders/report/a%20b", method=b"DELETE"), "/orders/report/{proxy+}")
    (request,) = legacy.requests
    assert request.startswith(b"DELETE /v2/report/a%20b HTTP/1.1")
