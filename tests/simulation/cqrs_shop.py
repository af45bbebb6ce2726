"""What the simulated account's aggregates are, and the views that users' functions make of them."""

from decimal import Decimal
from typing import Any

from .dynamodb_model import Table

__all__ = ["AGGREGATES", "BUCKET", "CONTROL", "KEY", "ROWS", "SHARED", "TOTALS", "rows", "tables", "totals"]

AGGREGATES, CONTROL, BUCKET = "orders", "control", "parked"
ROWS, TOTALS = "ByCustomer", "Revenue"
"""Views, and their tables."""
KEY = "order_id"
SHARED = "shared"
"""Customer of the rows that any order may have, one at a time."""


def tables() -> dict[str, Table]:
    return {
        AGGREGATES: Table({KEY: "S"}),
        ROWS: Table({"pk": "S", "sk": "S"}, time_to_live="expires_at"),
        TOTALS: Table({"pk": "S", "sk": "N"}, time_to_live="expires_at"),
        CONTROL: Table({"item": "S"}),
    }


def rows(order: dict[str, Any], *, fixed: bool) -> list[dict[str, Any]]:
    """A row for each line, and one that others may have later."""
    if order.get("bad") and not fixed:
        raise ValueError("this one I do not understand")
    found = [
        {"customer": order["customer"], "line": f"{order[KEY]}/{line}", "amount": amount}
        for line, amount in order["lines"].items()
    ]
    if order.get("has"):
        found.append({"customer": SHARED, "line": order["has"], "by": order[KEY]})
    return found


def totals(order: dict[str, Any], *, fixed: bool) -> dict[str, dict[str, int | Decimal]]:
    if order.get("bad") and not fixed:
        raise ValueError("this one I do not understand")
    return {line: {"sold": 1, "amount": Decimal(amount) / 4} for line, amount in order["lines"].items()}
