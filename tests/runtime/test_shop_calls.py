"""The demo's calls: orders that fit, strangers whom nobody knows, bodies that no order is, payments asked for often."""

import json
import threading
from collections import Counter
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from demo import burst, hostile, stock, traffic, wholesale
from demo.api import Answer, Api, Call
from demo.api_figures import ROUTES, by_route, percentile, refusals
from demo.desks import BOTH, SCOPES, Desks
from demo.till import AT_ONCE, SHARED_KEY, Till
from handlers import tokens
from jsonschema import Draft4Validator
from schemas import ORDER, PAYMENT

NOON = 1_790_000_000
DESKS = Desks("a key", NOON)
ORDERS = wholesale.generate(120)
PLANNED = traffic.plan(ORDERS, stock.opening_stock(ORDERS))
SENT = burst.calls(PLANNED, DESKS)


def claims_of(call: Call) -> object:
    token = call.headers.get("Authorization", "").removeprefix("Bearer ")
    return tokens.verify(token, "a key", NOON)


def test_every_order_is_sent_in_the_order_of_the_plan() -> None:
    assert [call.message for call in SENT if call.message] == PLANNED.for_the_api
    assert {message.kind for message in PLANNED.past_the_api} == {"refused", "malformed"}


def test_an_order_that_is_sent_again_has_the_same_caller_and_its_own_correlation_id() -> None:
    orders = [call for call in SENT if call.message]
    by_work: dict[str, set[str]] = {}
    for call in orders:
        assert call.message is not None
        by_work.setdefault(call.message.work, set()).add(call.caller)
        assert not call.key, "the key that counts is the order's own id"
    assert all(len(callers) == 1 for callers in by_work.values())
    assert len({call.correlation_id for call in orders}) == len(orders) > len(by_work)


def test_what_is_accepted_is_what_was_answered_with_202() -> None:
    answers = [Answer(call, status, {}, b"", NOON, 0.1) for call, status in zip(SENT, [202, 503] * 999, strict=False)]
    taken = [answer.call for answer in answers if answer.status == 202 and answer.call.message]
    assert [one.correlation_id for one in burst.accepted(answers)] == [call.correlation_id for call in taken]


def test_calls_bear_a_good_token_exactly_where_they_say_so() -> None:
    for call in SENT:
        claims = claims_of(call)
        assert bool(claims) == bool(call.caller), call.why
        if claims:
            assert claims["sub"] == call.caller  # pyright: ignore[reportIndexIssue]


def test_nobody_without_a_good_token_is_expected_to_get_anything() -> None:
    strangers = [call for call in SENT if not call.caller]
    assert len(strangers) > 25
    assert {status for call in strangers for status in call.expected} == {401, 403, 404}
    assert {call.route for call in strangers} == {*ROUTES}


def test_every_call_that_has_to_be_refused_says_what_is_wrong_with_it() -> None:
    assert all(bool(call.why) == (min(call.expected) >= 400) for call in SENT)


@pytest.mark.parametrize("call", [call for call in SENT if call.expected == (400,)], ids=lambda call: call.why)
def test_what_is_to_be_answered_with_400_fits_no_schema_or_comes_without_a_good_key(call: Call) -> None:
    schema = ORDER if call.route == "POST /orders" else PAYMENT
    try:
        body = json.loads(call.body.decode())
    except (ValueError, RecursionError):
        return
    duplicate_or_long = call.why in ("a name twice", "not a number")
    bad_key = call.route == "POST /payments" and not (0 < len(call.key) < 256 and call.key.isascii())
    assert duplicate_or_long or bad_key or not Draft4Validator(schema).is_valid(body)


@pytest.mark.parametrize(
    "call", [call for call in SENT if call.expected in ((413,), (415,))], ids=lambda call: call.why
)
def test_what_is_to_be_answered_with_413_or_415_is_fine_otherwise(call: Call) -> None:
    assert Draft4Validator(ORDER if call.route == "POST /orders" else PAYMENT).is_valid(json.loads(call.body))
    assert (len(call.body) > 1_048_576) == (call.expected == (413,))
    assert (call.headers["Content-Type"] == "application/json") == (call.expected == (413,))


def rows() -> dict[str, dict[str, object]]:
    return {str(number): {"order_id": str(number), "total": Decimal(f"{number}.50")} for number in range(20, 120)}


def test_each_payment_is_asked_for_several_times_at_once_and_once_again() -> None:
    till = Till.among(rows(), DESKS, [])
    counts = Counter((call.caller, call.key) for call in till.payments())
    assert set(counts.values()) == {AT_ONCE}
    assert counts.keys() == {(call.caller, call.key) for call in till.again()}
    assert len({call.body for call in till.payments()}) == len(counts) == len(till.paid)


def test_a_key_is_shared_by_two_desks_for_two_orders() -> None:
    shared = {(call.caller, call.body) for call in Till.among(rows(), DESKS, []).again() if call.key == SHARED_KEY}
    assert {caller for caller, _ in shared} == set(BOTH)
    assert len({body for _, body in shared}) == 2


def test_payments_fit_their_schema_and_keep_every_cent() -> None:
    till = Till.among(rows(), DESKS, [])
    for call in [*till.payments(), *till.lost(), *till.mistakes()]:
        body = json.loads(call.body)
        assert Draft4Validator(PAYMENT).is_valid(body)
        assert "payments" in SCOPES[call.caller]
    assert [Decimal(str(json.loads(call.body)["amount"])) for call in till.again()] == [
        row["total"] for row in till.paid
    ]


def test_no_order_is_paid_whose_commit_a_fault_still_waits_for() -> None:
    till = Till.among(rows(), DESKS, ["20", "21"])
    assert not {"20", "21"} & {row["order_id"] for row in [*till.paid, *till.unpaid, till.loses_answer]}


def test_what_is_looked_at_is_not_what_loses_its_answer() -> None:
    till = Till.among(rows(), DESKS, [])
    ids = [row["order_id"] for row in [*till.paid, *till.unpaid]]
    assert till.loses_answer["order_id"] not in ids
    assert len(set(ids)) == len(ids)


def test_strangers_come_in_every_way_there_is() -> None:
    ways = DESKS.strangers()
    assert len(ways) >= 9
    assert [why for why, headers in ways.items() if claims_of(Call("GET /", (401,), headers=headers))] == []


def test_hostile_calls_are_the_same_in_every_run() -> None:
    assert hostile.strangers(DESKS) == hostile.strangers(DESKS)


def answer(
    status: int, seconds: float = 0.1, why: str = "", route: str = "POST /orders", replayed: bool = False
) -> Answer:
    headers = {"idempotent-replayed": "true"} if replayed else {}
    return Answer(Call(route, (status,), why), status, headers, b"", NOON, seconds)


def test_figures_are_by_route_and_times_of_what_was_not_refused() -> None:
    answers = [answer(202, n / 1000) for n in range(1, 101)] + [
        answer(400, 9, "no order"),
        answer(202, 0.001, replayed=True),
    ]
    orders, *others = by_route(answers)
    assert (orders.route, orders.calls, orders.statuses, orders.replays) == ("POST /orders", 102, {202: 101, 400: 1}, 1)
    assert (orders.p50, orders.p95, orders.p99) == (50, 95, 99)
    assert [(other.calls, other.p99) for other in others] == [(0, 0)] * (len(ROUTES) - 1)


def test_refusals_are_counted_by_status_and_by_what_was_wrong() -> None:
    answers = [answer(401, why="no token"), answer(400, why="no order"), answer(401, why="no token"), answer(202)]
    assert refusals(answers) == {400: {"no order": 1}, 401: {"no token": 2}}


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (75, 3), (95, 4), (99, 4), (100, 4), (1, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], percent) == expected


def test_the_client_sends_what_the_call_says_and_keeps_what_came() -> None:
    seen: list[tuple[str, str, str | None, bytes]] = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.command, self.path, self.headers["Idempotency-Key"], body))
            self.send_response(201)
            self.send_header("Idempotent-Replayed", "true")
            self.end_headers()
            self.wfile.write(b'{"total": 12.30}')

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = Api(f"http://127.0.0.1:{server.server_port}/restapis/a/live/_user_request_")
        call = Call("POST /payments", (201,), path="//payments/%2e", body=b"{}", headers={"Idempotency-Key": "k"})
        (came,) = api.call_all([call], 3)
    finally:
        server.shutdown()
        server.server_close()
    assert seen == [("POST", "/restapis/a/live/_user_request_//payments/%2e", "k", b"{}")]
    assert (came.status, came.is_replay, came.json, came.ok) == (201, True, {"total": Decimal("12.30")}, True)
    assert came.seconds > 0
