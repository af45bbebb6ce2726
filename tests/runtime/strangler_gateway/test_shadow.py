"""The new side is asked what legacy was asked, while nobody waits; of the two only differences are told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from serverless_patterns_runtime.strangler_gateway import shadow_handler
from serverless_patterns_runtime.strangler_gateway.aws import Invoked
from serverless_patterns_runtime.strangler_gateway.shadow import MOST_BYTES, MOST_READ_BYTES, SECONDS

from ..consumer import Context
from .raw_server import RawServer, answers, raw_server
from .router import ROUTE, SAVE, Router, get, route_settings

COMPARE = ["$.name", "$.lines[*].price"]
BODY = {"name": "ann smith", "lines": [{"price": 1}, {"price": 2}], "at": 1}
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server() as made:
        yield made


class Shadowed:
    """A router, the copies that it has handed over, and the shadow that takes them."""

    def __init__(self, legacy: RawServer, capsys: Capture, **shadow: Any) -> None:
        given = {"percent": 100.0, "compare": COMPARE, "declared": False, **shadow}
        routes = {
            ROUTE: route_settings(shadow=given),
            SAVE: route_settings(shadow=given, fallback=False),
        }
        legacy.forget()
        self.answers = legacy
        self.says(BODY)
        self.router = Router(legacy, routes=routes)
        self.copies: list[bytes] = []
        self.router.functions.send = self._send  # type: ignore[method-assign]
        settings = self.router.edge.settings._replace(shadow_function="shadow-fn")
        self.router.edge = self.router.edge._replace(settings=settings)
        self.shadow = shadow_handler.Shadow(self.router.edge, {})
        self._capsys = capsys

    def says(self, body: Any, status: int = 200) -> None:
        text = json.dumps(body).encode()
        head = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(text))
        self.answers.says = answers(head + text)

    def new_side_says(self, body: Any, status: int = 200) -> None:
        self.router.functions.answer = lambda _: {"statusCode": status, "body": json.dumps(body)}

    def _send(self, function: str, payload: bytes, seconds: float) -> None:
        assert (function, seconds) == ("shadow-fn", SECONDS)
        self.copies.append(payload)

    def sent(self, *headers: bytes, method: bytes = b"GET", body: bytes = b"") -> Any:
        return self.router.send(get("/profile/5", *headers, method=method, body=body), "/profile/{id}")

    def compares(self) -> list[dict[str, Any]]:
        """What the shadow writes down of all copies."""
        self._capsys.readouterr()
        for copy in self.copies:
            shadow_handler.process(json.loads(copy), Context(self.router.clock), self.shadow)
        return self.lines()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines() if line.startswith("{")]


@pytest.fixture
def shadowed(server: RawServer, capsys: Capture) -> Shadowed:
    return Shadowed(server, capsys)


def counted(lines: list[dict[str, Any]]) -> list[str]:
    return [name for line in lines for name in line if name.startswith("Shadow")]


def test_the_same_answer_is_counted_and_no_more(shadowed: Shadowed) -> None:
    shadowed.new_side_says({**BODY, "at": 2})
    assert shadowed.sent().start == "200"
    assert shadowed.router.functions.events == []
    lines = shadowed.compares()
    assert counted(lines) == ["ShadowCompared"]
    assert (lines[0]["gateway"], lines[0]["route"]) == ("Shop", ROUTE)
    (event,) = shadowed.router.functions.events
    assert (event["path"], event["httpMethod"]) == ("/profile/5", "GET")


def test_a_difference_is_told_without_the_values(shadowed: Shadowed) -> None:
    shadowed.new_side_says({"name": "ann", "lines": [{"price": 1}, {"price": "2"}]}, status=201)
    shadowed.sent()
    lines = shadowed.compares()
    assert counted(lines) == ["ShadowCompared", "ShadowDifferent"]
    assert lines[1]["different"] == {
        "status": "200, 201",
        "$.name": "string of 9, string of 3",
        "$.lines[*].price": "array of 2, array of 2",
    }
    assert "ann" not in json.dumps(lines)


def test_all_differences_are_counted_and_few_are_told(shadowed: Shadowed) -> None:
    shadowed.new_side_says({})
    for _ in range(5):
        shadowed.sent()
    lines = shadowed.compares()
    assert counted(lines).count("ShadowDifferent") == 5
    assert sum("different" in line for line in lines) == 1
    shadowed.router.clock.now += shadow_handler.SAMPLE_SECONDS
    assert sum("different" in line for line in shadowed.compares()) == 1


@pytest.mark.parametrize(
    ("answer", "status"), [({"statusCode": 500, "body": "{}"}, 500), (Invoked("Unhandled", b"{}"), 502)]
)
def test_a_new_side_that_fails_differs(shadowed: Shadowed, answer: Any, status: int) -> None:
    shadowed.router.functions.answer = lambda _: answer
    shadowed.sent()
    lines = shadowed.compares()
    assert lines[1]["different"] == {"status": f"200, {status}"}


def test_only_what_legacy_was_chosen_for_and_has_answered_is_copied(shadowed: Shadowed) -> None:
    shadowed.router.shares.said = 100
    shadowed.sent()
    shadowed.router.functions.answer = lambda _: Invoked("Unhandled", b"{}")
    assert shadowed.sent().body == json.dumps(BODY).encode(), "fallen back"
    shadowed.router.shares.said = 0
    shadowed.answers.says = lambda connection, _: connection.close()
    assert shadowed.sent().start == "502"
    assert shadowed.copies == []


def test_of_a_route_that_is_killed_nothing_is_copied(server: RawServer, capsys: Capture) -> None:
    shadowed = Shadowed(server, capsys, declared=True)
    shadowed.router.shares.kills.add(ROUTE)
    shadowed.sent()
    shadowed.sent(method=b"POST")
    assert [json.loads(copy)["route"] for copy in shadowed.copies] == [SAVE]


def test_what_is_not_safe_is_copied_only_where_that_is_declared(server: RawServer, capsys: Capture) -> None:
    plain = Shadowed(server, capsys)
    plain.sent(method=b"POST", body=b"{}")
    assert plain.copies == []
    declared = Shadowed(server, capsys, declared=True)
    declared.sent(method=b"POST", body=b"{}")
    assert len(declared.copies) == 1


def test_a_copy_never_has_the_caller_s_key_and_every_copy_has_the_same(server: RawServer, capsys: Capture) -> None:
    shadowed = Shadowed(server, capsys, declared=True)
    for _ in range(2):
        shadowed.sent(b"idempotency-Key: abc-123", method=b"POST", body=b"{}")
    shadowed.sent(b"idempotency-Key: abc-124", method=b"POST", body=b"{}")
    assert b"abc-123" not in b"".join(shadowed.copies)
    keys = [json.loads(copy)["event"]["headers"]["idempotency-Key"] for copy in shadowed.copies]
    several = [json.loads(copy)["event"]["multiValueHeaders"]["idempotency-Key"] for copy in shadowed.copies]
    assert keys[0] == keys[1] != keys[2]
    assert [[key] for key in keys] == several
    assert keys[0].startswith("shadow-")


@pytest.mark.parametrize(("percent", "least", "most"), [(0.0, 0, 0), (100.0, 200, 200), (20.0, 12, 74)])
def test_so_many_percent_are_copied(server: RawServer, capsys: Capture, percent: float, least: int, most: int) -> None:
    shadowed = Shadowed(server, capsys, percent=percent)
    for _ in range(200):
        shadowed.sent()
    assert least <= len(shadowed.copies) <= most


def test_what_cannot_be_handed_over_is_counted_and_not_the_caller_s_trouble(shadowed: Shadowed) -> None:
    def refuse(*_: Any) -> None:
        raise TimeoutError

    shadowed.router.functions.send = refuse  # type: ignore[method-assign]
    assert shadowed.sent().start == "200"
    shadowed.says({"name": "x" * MOST_BYTES})
    assert shadowed.sent().start == "200"
    skipped = [line for line in shadowed.lines() if "ShadowSkipped" in line]
    assert [line["reason"] for line in skipped] == ["TimeoutError", "TooLarge"]
    assert shadowed.copies == []


def test_an_answer_that_takes_long_to_read_is_not_compared(shadowed: Shadowed) -> None:
    shadowed.says({"name": "Alice", "more": "x" * MOST_READ_BYTES})
    assert shadowed.sent().start == "200"
    assert [line["reason"] for line in shadowed.lines() if "ShadowSkipped" in line] == ["TooLarge"]
    assert shadowed.copies == []


@pytest.mark.parametrize("copy", [{}, {"route": "GET /gone"}, {"route": ROUTE}, {"route": ROUTE, "event": {}}])
def test_the_shadow_never_raises_for_lambda_would_ask_again(shadowed: Shadowed, copy: Any, capsys: Capture) -> None:
    shadow_handler.process(copy, Context(shadowed.router.clock), shadowed.shadow)
    assert counted([json.loads(line) for line in capsys.readouterr().out.splitlines()]) == ["ShadowSkipped"]
