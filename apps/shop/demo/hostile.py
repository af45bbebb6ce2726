"""Calls that have to be refused: bodies that no order is, and callers whom nobody knows. None may leave a trace."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from demo.api import Call
from demo.desks import BOTH, Desks
from demo.traffic import Message

JSON = {"Content-Type": "application/json"}
TOO_LARGE = 1_300_000  # bytes; a message holds a mebibyte
LINE = {"product_id": 1, "unit_price": 9.9, "quantity": 2, "discount": 0}
ORDER = {"order_id": "H1", "customer": {"customer_id": "C001"}, "lines": [LINE]}
PAYMENT = {"order_id": "H1", "amount": 19.8, "method": "card"}
CHECKOUT = {"checkout_id": "H1", "customer": {"customer_id": "C001"}, "lines": [LINE]}
APPROVED = {"decision": "approve"}
APPROVALS = "POST /approvals/{id}"
OTHER_ROUTES = (
    "GET /orders/{order_id}",
    "POST /payments",
    "POST /checkout",
    "GET /checkout/{execution}",
    APPROVALS,
    "POST /marketplace/orders",
)
ORDER_BOOK = (
    "POST /order-book",
    "POST /order-book/{order_id}/lines",
    "POST /order-book/{order_id}/pay",
    "POST /order-book/{order_id}/ship",
    "POST /order-book/{order_id}/cancel",
    "GET /order-book/{order_id}",
    "GET /customers/{customer_id}/orders",
    "GET /revenue/{product_id}",
    "GET /sales",
)
"""All have the authorizer of `POST /orders`."""
OTHER_WAYS = ("no token", "an expired token")
"""Where every way has been tried already: each bad token costs a start of the authorizer here."""
UNAUTHORISED, REFUSED = (401,), (401, 403, 404)


def bodies(desks: Desks, hopeless: list[Message]) -> list[Call]:
    """By a desk with a good token: what is wrong is in the request. `hopeless` also go to the queue, past the API."""
    desk = BOTH[0]
    headers = {**JSON, **desks.headers(desk)}
    calls = [
        *[Call("POST /orders", (400,), "no order", body=one.body.encode(), headers=headers) for one in hopeless],
        *_ill_formed(headers),
        *_by_content_type(headers),
        Call("POST /orders", (413,), "too large", body=_padded(ORDER), headers=headers),
        Call("POST /payments", (413,), "too large", body=_padded(PAYMENT), headers=headers | _key("large")),
        *_by_key(headers),
    ]
    return [_by(desk, call) for call in calls]


def strangers(desks: Desks) -> list[Call]:
    """Without a good token, on every route; with one that was issued for something else; and on crooked paths."""
    body = {"POST /orders": ORDER, "POST /payments": PAYMENT, "POST /checkout": CHECKOUT, APPROVALS: APPROVED}
    ways = desks.strangers()
    others = {**dict.fromkeys(OTHER_ROUTES, OTHER_WAYS), **dict.fromkeys(ORDER_BOOK, OTHER_WAYS[:1])}
    tried = {"POST /orders": ways, **others}
    calls = [
        Call(route, UNAUTHORISED, why, _path(route), _json(body.get(route)), {**JSON, **ways[why], **_key("stranger")})
        for route, whys in tried.items()
        for why in whys
    ]
    fair = {**JSON, **desks.headers("fair"), **_key("fair")}
    forbidden = Call("POST /payments", (403,), "not issued for payments", body=_json(PAYMENT), headers=fair)
    till = {**JSON, **desks.till(), **_key("till")}
    elsewhere = Call("POST /orders", (403,), "not issued for orders", body=_json(ORDER), headers=till)
    not_checkout = Call("POST /checkout", (403,), "not issued for checkouts", body=_json(CHECKOUT), headers=fair)
    shopper = {**JSON, **desks.webshop(), **_key("webshop")}
    not_approvals = Call(APPROVALS, (403,), "not issued for approvals", _path(APPROVALS), _json(APPROVED), shopper)
    misdirected = [
        _by("fair", forbidden),
        _by("till", elsewhere),
        _by("fair", not_checkout),
        _by("webshop", not_approvals),
    ]
    return [*calls, *_crooked_paths(), *misdirected]


def _ill_formed(headers: Mapping[str, str]) -> Iterator[Call]:
    """To the function: what only it can tell, after the gateway's check of the schema."""
    texts = {
        "no JSON": b'{"order_id": ',
        "no UTF-8": b'{"order_id": "\xff", "amount": 1, "method": "card"}',
        "a name twice": b'{"order_id": "H1", "order_id": "H2", "amount": 1, "method": "card"}',
        "not a number": b'{"order_id": "H1", "amount": NaN, "method": "card"}',
        "a number of 100,000 digits": b'{"order_id": "H1", "amount": ' + b"1" * 100_000 + b', "method": "card"}',
        "nested 5,000 deep": b'{"order_id": ' + b"[" * 5_000 + b"]" * 5_000 + b', "amount": 1, "method": "card"}',
        "an unknown field": _json(PAYMENT | {"status": "PAID"}),
        "an unknown method": _json(PAYMENT | {"method": "barter"}),
        "nothing at all": b"",
    }
    for number, (why, text) in enumerate(texts.items()):
        yield Call("POST /payments", (400,), why, body=text, headers={**headers, **_key(f"ill{number}")})


def _by_content_type(headers: Mapping[str, str]) -> Iterator[Call]:
    for number, said in enumerate(["text/plain", "application/xml", "application/x-www-form-urlencoded"]):
        wrong = {**headers, "Content-Type": said}
        yield Call("POST /orders", (415,), said, body=_json(ORDER), headers=wrong)
        yield Call("POST /payments", (415,), said, body=_json(PAYMENT), headers=wrong | _key(f"type{number}"))
    utf_16 = {**headers, "Content-Type": "application/json; charset=utf-16", **_key("utf-16")}
    # The gateway may already fail to read it as JSON.
    yield Call("POST /payments", (400, 415), "UTF-16", body=json.dumps(PAYMENT).encode("utf-16"), headers=utf_16)


def _by_key(headers: Mapping[str, str]) -> Iterator[Call]:
    body = _json(PAYMENT)
    yield Call("POST /payments", (400,), "no Idempotency-Key", body=body, headers=headers)
    for why, key in {"an empty key": "", "a key of 256 characters": "k" * 256, "a key beyond ASCII": "clé"}.items():
        yield Call("POST /payments", (400,), why, body=body, headers={**headers, "Idempotency-Key": key})


def _crooked_paths() -> Iterator[Call]:
    """Ways to write a path that one reader may take for a route and another for none."""
    orders = ["/orders/", "//orders", "/ORDERS", "/./orders", "/orders/.", "/x/../orders", "/%6frders", "/orders;x=1"]
    shown = ["/orders/20001/", "//orders/20001", "/orders//20001", "/orders/%32%30001", "/orders/20001%00"]
    for path in orders:
        yield Call("POST /orders", REFUSED, f"the path {path}", path, _json(ORDER), JSON)
    for path in shown:
        yield Call("GET /orders/{order_id}", REFUSED, f"the path {path}", path)


def _by(desk: str, call: Call) -> Call:
    return replace(call, caller=desk)


def _path(route: str) -> str:
    path = route.partition(" ")[2].replace("{order_id}", "20001")
    return re.sub(r"\{\w+\}", "x1", path)


def _key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": f"hostile-{name}"}


def _json(value: object) -> bytes:
    return b"" if value is None else json.dumps(value).encode()


def _padded(value: object) -> bytes:
    """Fits its schema, and is larger than may be."""
    return _json(value) + b" " * TOO_LARGE
