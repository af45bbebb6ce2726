"""What our command function decides: an order that is placed, and then changed."""

from typing import Any

from serverless_patterns_runtime import Command, Decision


def decide(state: dict[str, Any] | None, command: Command) -> Decision:
    total = (state or {"total": 0})["total"] + command.body["amount"]
    return Decision({"total": total}, result={"total": total})
