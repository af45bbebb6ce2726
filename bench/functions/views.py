"""A table's functions, as small as they can be."""

from serverless_patterns_runtime import Command, Decision


def decide(state: dict | None, command: Command) -> Decision:
    return Decision({**(state or {}), **command.body})


def by_customer(order: dict) -> list[dict]:
    return [{"customer_id": order["customer_id"], "order_id": order["order_id"]}]
