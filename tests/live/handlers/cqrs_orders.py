"""A write model and its views, for the live tests. Rows and totals are those of the simulated shop."""

import os
from decimal import Decimal

from serverless_patterns_runtime import Command, Decision, PermanentError

SHARED = "shared"
"""Customer of the rows that any order may have, one at a time."""


def decide(state: dict | None, command: Command) -> Decision:
    body = command.body or {}
    match command.name:
        case "place" if state is None:
            lines = body.get("lines", {})
            order = {**{name: body[name] for name in ("customer", "has", "broken", "text") if name in body}}
            return Decision({**order, "lines": lines, "by": []}, result={"lines": len(lines)})
        case "change" if state is not None:
            return Decision({**state, **body}, result={"lines": len(body.get("lines", state["lines"]))})
        case "count" if state is not None:
            by = [*state["by"], body["by"]]
            return Decision({**state, "by": by}, result={"counted": len(by)})
        case "withdraw" if state is not None:
            return Decision(None, result="withdrawn")
    raise PermanentError(f"{command.name} is not for an order that is {'there' if state else 'not there'}", status=409)


def by_customer(order: dict) -> list[dict]:
    """A row for each line, and one that others may have later."""
    found = [
        {"customer": order["customer"], "line": f"{order['order_id']}/{line}", "amount": amount}
        for line, amount in order["lines"].items()
    ]
    if order.get("has"):
        found.append({"customer": SHARED, "line": order["has"], "by": order["order_id"]})
    return found


def fragile(order: dict) -> list[dict]:
    """Until it is mended, it does not understand what is broken."""
    if order.get("broken") and "MENDED" not in os.environ:
        raise ValueError("this one I do not understand")
    return [{"customer": order["customer"], "order_id": order["order_id"], "counted": len(order["by"])}]


def revenue(order: dict) -> dict:
    return {line: {"sold": 1, "amount": Decimal(amount) / 4} for line, amount in order["lines"].items()}


def sales(sources) -> dict:
    rows = sorted((row["customer"], row["line"]) for row in sources.rows("ByCustomer"))
    totals = {total["line"]: total["sold"] for total in sources.totals("Revenue") if total["sold"]}
    return {"rows": [list(row) for row in rows], "sold": totals}
