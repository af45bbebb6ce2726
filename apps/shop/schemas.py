"""What callers may send: JSON schemas, which the gateway enforces, the functions check again, and OpenAPI shows."""

from typing import Any

# The rules of `handlers/orders.py` need not rely on them: messages also reach the queue without the API.
_AMOUNT = {"type": "number", "minimum": 0, "maximum": 1_000_000}
_TEXT = {"type": ["string", "null"], "maxLength": 200}
_ID = {"type": "string", "pattern": "^[A-Za-z0-9-]{1,40}$"}


def _record(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """An object with these properties and no others: a misspelt one is an error, not nothing."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_LINE = _record(
    ["product_id", "unit_price", "quantity"],
    {
        "product_id": {"type": "integer", "minimum": 1},
        "unit_price": _AMOUNT,
        "quantity": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
        "discount": {"type": "number", "minimum": 0, "not": {"minimum": 1}},
    },
)
_ADDRESS = _record(["country"], dict.fromkeys(["street", "city", "region", "postal_code", "country"], _TEXT))

ORDER = _record(
    ["order_id", "customer", "lines"],
    {
        "order_id": _ID,
        "ordered_on": _TEXT,
        "required_on": _TEXT,
        "customer": _record(["customer_id"], {"customer_id": _ID, "name": _TEXT}),
        "ship_to": _ADDRESS,
        "freight": _AMOUNT,
        "lines": {"type": "array", "minItems": 1, "maxItems": 500, "items": _LINE},
    },
)

MARKETPLACE_ORDER = _record(
    ["order_id", "customer", "country", "cents", "lines"],
    {
        "order_id": _ID,
        "customer": _record(["customer_id"], {"customer_id": _ID, "name": _TEXT}),
        "country": {"type": "string", "minLength": 1, "maxLength": 60},
        "cents": {"type": "integer", "minimum": 0, "maximum": 100_000_000},
        "lines": {"type": "array", "minItems": 1, "maxItems": 50, "items": _LINE},
    },
)

PAYMENT = _record(
    ["order_id", "amount", "method"],
    {"order_id": _ID, "amount": _AMOUNT, "method": {"enum": ["card", "transfer", "cash"]}},
)

CHECKOUT = _record(
    ["checkout_id", "customer", "lines"],
    {
        "checkout_id": _ID,
        "customer": _record(["customer_id"], {"customer_id": _ID, "name": _TEXT}),
        "lines": {"type": "array", "minItems": 1, "maxItems": 50, "items": _LINE},
    },
)

_BOOKED_LINE = _record(
    ["product_id", "cents", "quantity"],
    {
        "product_id": {"type": "integer", "minimum": 1},
        "cents": {"type": "integer", "minimum": 0, "maximum": 100_000_000},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    },
)

PLACED_ORDER = _record(
    ["order_id", "customer_id", "lines"],
    {
        "order_id": _ID,
        "customer_id": _ID,
        "lines": {"type": "array", "minItems": 1, "maxItems": 50, "items": _BOOKED_LINE},
    },
)

ADDED_LINE = _record(["line"], {"line": _BOOKED_LINE})

RECEIVED = _record(["cents"], {"cents": {"type": "integer", "minimum": 0}})
