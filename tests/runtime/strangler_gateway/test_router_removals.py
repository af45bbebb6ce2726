"""Without any one of these safeguards of the router a test fails: each has been seen to."""

import re
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import pytest

from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.strangler_gateway import (
    arrival,
    arriving,
    aws,
    breakers,
    canonical_path,
    connection,
    handler,
    headers,
    proxy_answer,
    query,
    routing,
    upstream,
    wire,
)
from serverless_patterns_runtime.strangler_gateway.connection import Connection
from serverless_patterns_runtime.strangler_gateway.contract import Migration
from serverless_patterns_runtime.strangler_gateway.pins import PinsUnavailable
from serverless_patterns_runtime.strangler_gateway.wire import Stream

from . import test_addresses as addresses
from . import test_aws as services
from . import test_hostile_answers as answers
from . import test_hostile_requests as requests
from . import test_round_trips as trips
from . import test_routing as sides
from . import test_tls as tls
from . import test_under_traffic as traffic
from .raw_server import Connected, RawServer
from .router import Router, get
from .test_tls import trusted as trusted

Patch = pytest.MonkeyPatch
Story = Callable[[RawServer, Patch], object]
Given = Mapping[str, Iterable[str]]


def setting(place: object, name: str, value: Any) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(place, name, value)


def of_what_migrates(envelope: Envelope, migration: Migration) -> str:
    return route if (route := f"{envelope.method} {envelope.resource}") in migration["routes"] else ""


def headers_unseen(*names: str) -> Callable[[Patch], None]:
    """The check does not look at these."""

    def take_out(patch: Patch) -> None:
        original = headers.checked

        def checked(given: Given) -> Any:
            return original({name: values for name, values in given.items() if name.lower() not in names})

        patch.setattr(arriving, "checked", checked)

    return take_out


def any_header(patch: Patch) -> None:
    patch.setattr(arriving, "checked", lambda given: [(name, value) for name in given for value in given[name]])


def another_lookup(patch: Patch) -> None:
    """Between the check and the connection."""
    original = Connection._reached

    def reached(self: Connection, _: list[str], deadline: float) -> Any:
        place = self._place
        return original(self, self._resolve(place.host, place.port, 1.0), deadline)

    patch.setattr(Connection, "_reached", reached)


def any_certificate(patch: Patch) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    patch.setattr(connection, "_tls", cache(lambda: context))


def a_time_for_each_piece(patch: Patch) -> None:
    patch.setattr(Stream, "_wait", lambda self: self._socket.settimeout(0.5))


def what_came_is_all(patch: Patch) -> None:
    original = Stream.exactly

    def exactly(self: Stream, count: int) -> bytes:
        here = self._rest()
        try:
            return original(self, count)
        except ConnectionResetError:
            return here

    patch.setattr(Stream, "exactly", exactly)


def one_token(name: str, kept: slice) -> Callable[[Patch], None]:
    def take_out(patch: Patch) -> None:
        original = wire.listed
        patch.setattr(
            wire, "listed", lambda given, asked: original(given, asked)[kept if asked == name else slice(None)]
        )

    return take_out


def everything_again(patch: Patch) -> None:
    original = Connection.exchange

    def exchange(self: Connection, *given: Any, again: bool) -> Any:
        del again
        return original(self, *given, again=True)

    patch.setattr(Connection, "exchange", exchange)


def additions_again(patch: Patch) -> None:
    patch.setattr(aws.LightDynamoDb, "update_item", lambda self, **request: self._asked("UpdateItem", request))


def guessed_pins(patch: Patch) -> None:
    original = routing._pinned

    def pinned(edge: Any, arrived: Any, placement: Any) -> Any:
        try:
            return original(edge, arrived, placement)
        except PinsUnavailable:
            return placement.side

    patch.setattr(routing, "_pinned", pinned)


def guarded_testers(patch: Patch) -> None:
    original = routing._by_new_side

    def by_new_side(edge: Any, arrived: Any, route: Any, placement: Any, deadline: float) -> Any:
        return original(edge, arrived, route, placement._replace(forced=False), deadline)

    patch.setattr(routing, "_by_new_side", by_new_side)


def keys_pinned_at_once(patch: Patch) -> None:
    original = routing._by_new_side

    def by_new_side(edge: Any, arrived: Any, route: Any, placement: Any, deadline: float) -> Any:
        routing._pinned(edge, arrived, placement)
        return original(edge, arrived, route, placement, deadline)

    patch.setattr(routing, "_by_new_side", by_new_side)


def slow_but_steady(legacy: RawServer, _: Patch) -> None:
    """Twenty bytes, each of them in time."""

    def say(connected: Connected, _: bytes) -> None:
        connected.say(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
        for _byte in range(20):
            if legacy.silent.wait(0.05):
                return
            connected.say(b"x")

    legacy.says = say
    began = time.monotonic()
    assert Router(legacy, legacy_timeout_seconds=0.5).send(get("/page")).start == "504"
    assert time.monotonic() - began < 5


class OnceOnly:
    """A pattern that does not look at what is decoded."""

    pattern = canonical_path._ESCAPE

    def sub(self, *given: Any) -> Any:
        return self.pattern.sub(*given)

    def search(self, _: bytes) -> None: ...


def refused_path(path: str) -> Story:
    return lambda legacy, _: requests.test_such_a_path_is_400_and_never_forwarded(legacy, path, "/{proxy+}")


def refused_header(name: str) -> Story:
    return lambda legacy, _: requests.test_such_a_header_is_refused_and_never_forwarded(legacy, name)


def ends_here(header: bytes) -> Story:
    story = requests.test_a_header_that_is_of_one_hop_or_not_the_caller_s_to_say_ends_here
    return lambda legacy, _: story(legacy, header)


def bad_answer(name: str) -> Story:
    return lambda legacy, _: answers.test_what_can_be_read_in_two_ways_or_not_at_all_is_502(legacy, name)


def on_legacy(story: Callable[[RawServer], object]) -> Story:
    return lambda legacy, _: story(legacy)


def on_aws(legacy: RawServer, patch: Patch) -> None:
    for name, value in {"URL": legacy.url}.items():
        patch.setenv(f"AWS_ENDPOINT_{name}", value)
    patch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    story = services.test_over_a_dead_connection_only_an_addition_is_not_sent_again
    story(legacy, patch, "update_item", {"UpdateExpression": "ADD a :a"}, False)


CASES: dict[str, tuple[Callable[[Patch], None], Story]] = {
    "a path is read in one way": (
        setting(arriving, "canonical", lambda path, **_: path),
        refused_path("/a/../b"),
    ),
    "a second layer of encoding": (
        setting(canonical_path, "_ESCAPE", OnceOnly()),
        refused_path("/a%252Fb"),
    ),
    "no other spelling of a route that migrates": (
        setting(arriving, "is_another_s", lambda *_: False),
        lambda legacy, _: requests.test_another_spelling_of_a_route_that_migrates_does_not_get_around_it(
            legacy, "/%70rofile/5"
        ),
    ),
    "methods that are known": (
        setting(arriving, "_METHODS", frozenset(["GET /evil HTTP/1.1\r\nX:"])),
        lambda legacy, _: requests.test_such_a_method_is_refused(legacy, "GET /evil HTTP/1.1\r\nX:"),
    ),
    "a header ends where its line ends": (any_header, refused_header("a line in a value")),
    "a request has one length": (
        headers_unseen("content-length", "transfer-encoding"),
        refused_header("a length and a coding"),
    ),
    "no change of protocol": (headers_unseen("upgrade"), refused_header("an upgrade to HTTP/2")),
    "headers of one hop": (setting(headers, "_ONE_HOP", frozenset()), ends_here(b"TE: trailers")),
    "headers that Connection names": (
        setting(headers, "one_hop", lambda _: headers._ONE_HOP),
        on_legacy(requests.test_what_connection_names_ends_here),
    ),
    "what callers must not say of themselves": (
        setting(arriving, "end_to_end", lambda given: given),
        ends_here(b"X-Forwarded-For: 6.6.6.6"),
    ),
    "headers that name another path": (
        setting(headers, "_REBUILT", frozenset(["host", "content-length"])),
        ends_here(b"X-Original-URL: /admin"),
    ),
    "headers of legacy's own, and not the caller's": (
        lambda patch: patch.setattr(upstream, "frozenset", lambda _: (), raising=False),
        on_legacy(requests.test_what_only_the_first_reader_knows_is_said_anew),
    ),
    "a query string that is encoded": (
        setting(query, "_encoded", str),
        on_legacy(requests.test_a_query_string_cannot_end_the_line),
    ),
    "a limit on bodies": (
        lambda patch: patch.setattr(arriving, "len", lambda _: 0, raising=False),
        lambda legacy, _: requests.test_a_body_over_the_limit_is_413(legacy, 101, True),
    ),
    "addresses that nobody may ask": (
        setting(upstream, "allowed", lambda *_, **__: True),
        lambda legacy, _: addresses.test_a_name_that_leads_there_is_not_asked(legacy, "127.0.0.1", "legacy.example"),
    ),
    "the address that was checked": (
        another_lookup,
        on_legacy(addresses.test_the_name_is_looked_up_once_and_the_address_that_was_checked_is_asked),
    ),
    "a deadline for the whole exchange": (a_time_for_each_piece, slow_but_steady),
    "an answer that is whole": (what_came_is_all, bad_answer("a length beyond what came")),
    "an answer has one length": (one_token("content-length", slice(1)), bad_answer("two lengths")),
    "an answer has a length or pieces": (
        one_token("content-length", slice(0)),
        bad_answer("a length and pieces"),
    ),
    "an answer's pieces are read strictly": (
        setting(wire, "_CHUNK", re.compile(rb"([^;]+)()")),
        bad_answer("a piece with an underscore"),
    ),
    "an answer's head has a limit": (setting(wire, "MOST_HEAD_BYTES", 1 << 30), bad_answer("headers without end")),
    "streams are refused at once": (
        setting(wire, "_is_stream", lambda _: False),
        lambda legacy, _: answers.test_what_never_ends_is_refused_at_once_and_not_after_all_the_time(
            legacy, "events that are streamed"
        ),
    ),
    "an answer that Lambda can carry": (
        setting(proxy_answer, "MAX_BYTES", 1 << 30),
        lambda legacy, _: trips.test_a_large_binary_answer_arrives_whole_or_is_refused_with_lambda_s_limit(
            legacy, 5_000_000, "502"
        ),
    ),
    "headers that the gateway can carry": (
        setting(proxy_answer, "MAX_HEADER_BYTES", 1 << 30),
        bad_answer("headers beyond the gateway's limit"),
    ),
    "a connection is used again only after a whole answer": (
        setting(Stream, "empty", True),
        lambda legacy, _: answers.test_after_an_answer_like_this_the_connection_is_not_used_again(
            legacy, "with more behind it"
        ),
    ),
    "nothing came before it was asked for": (
        setting(connection, "_readable", lambda _: False),
        on_legacy(answers.test_what_a_server_says_unasked_is_the_answer_to_nothing),
    ),
    "an unsafe request is not sent again": (
        everything_again,
        lambda legacy, patch: answers.test_one_that_dies_in_use_is_tried_again_for_what_may_be_sent_twice(
            legacy, patch, b"POST", "502", 2
        ),
    ),
    "an unsafe request needs a fresh connection": (
        setting(connection, "IDLE_SECONDS_ONCE", 1e9),
        answers.test_what_must_not_be_sent_twice_goes_over_no_connection_that_was_idle_for_long,
    ),
    "an addition is not sent again": (additions_again, on_aws),
    "only a safe request falls back": (
        setting(arrival.Arrival, "safe", True),
        on_legacy(sides.test_a_route_for_every_method_falls_back_for_safe_ones_alone),
    ),
    "a header may make a method unsafe": (
        setting(arrival.Arrival, "safe", property(lambda self: self.method == "GET")),
        on_legacy(sides.test_a_method_that_a_header_overrides_is_not_safe),
    ),
    "a key stays on its side": (
        setting(routing, "_pinned", lambda *given: given[-1].side),
        on_legacy(sides.test_a_key_stays_where_it_was_first_sent_whatever_the_percentage),
    ),
    "no side is guessed for a key": (
        guessed_pins,
        on_legacy(sides.test_a_key_whose_pin_cannot_be_read_is_sent_nowhere),
    ),
    "a tester does not move a key": (
        setting(routing, "_pinned", lambda *given: given[-1].side),
        on_legacy(sides.test_a_forced_side_against_a_pin_is_a_conflict),
    ),
    "testers count for no rollback": (
        setting(routing, "_note", lambda edge, one, _, **how: edge.shares.note(one.route, how["failed"])),
        on_legacy(sides.test_a_tester_chooses_where_that_is_allowed_and_counts_for_no_rollback),
    ),
    "what is done is not legacy's again": (
        setting(arriving, "_route", of_what_migrates),
        on_legacy(sides.test_what_is_done_is_the_new_side_s_while_the_stage_still_asks_the_router),
    ),
    "a key of legacy's, whose route is done": (
        setting(routing, "_pinned", lambda *given: given[-1].side),
        on_legacy(sides.test_a_key_that_legacy_has_had_stays_there_while_the_router_knows_it),
    ),
    "the breaker": (
        setting(routing, "_guarded", lambda *given: routing.ask_new_side(*given)),
        on_legacy(sides.test_while_the_breaker_is_open_the_new_side_is_left_alone),
    ),
    "a key that the breaker refused is not pinned": (
        keys_pinned_at_once,
        on_legacy(sides.test_a_key_that_the_breaker_refused_is_nobody_s_and_a_kill_frees_it),
    ),
    "the gateway's time begins before the router's": (
        setting(handler, "_waited", lambda *_: 0.0),
        on_legacy(sides.test_the_time_is_the_gateway_s_which_began_before_a_cold_start),
    ),
    "failures one by one open no breaker": (
        setting(breakers, "FAILURES_IN_A_ROW", 1),
        lambda *_: traffic.stays(0.5, "GET /profile/{id}", 60),
    ),
    "a tester is told who answered in the place of whom he chose": (
        setting(handler, "_told", lambda _, done: done.answer),
        on_legacy(sides.test_where_both_sides_fail_a_tester_is_told_that_neither_answered),
    ),
    "testers open no breaker": (
        guarded_testers,
        lambda *_: traffic.test_testers_of_a_side_that_fails_open_no_breaker_and_wait_for_none(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_without_it_something_fails(name: str, legacy: RawServer, monkeypatch: Patch) -> None:
    take_out, story = CASES[name]
    take_out(monkeypatch)
    with pytest.raises(AssertionError):
        story(legacy, monkeypatch)


def test_without_a_certificate_s_name_somebody_else_is_asked(trusted: ssl.SSLContext, monkeypatch: Patch) -> None:
    any_certificate(monkeypatch)
    with pytest.raises(AssertionError):
        tls.test_a_certificate_of_another_name(trusted)


def test_with_it_what_is_slow_but_steady_is_left_at_the_deadline(legacy: RawServer, monkeypatch: Patch) -> None:
    slow_but_steady(legacy, monkeypatch)
