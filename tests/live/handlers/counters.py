"""Counters as aggregates."""

from typing import Any

from serverless_patterns_runtime import Command, Decision, PermanentError


def decide(state: dict[str, Any] | None, command: Command) -> Decision:
    if command.name == "open":
        if state is not None:
            raise PermanentError("it is open")
        return Decision({"n": 0}, result="opened")
    if state is None:
        raise PermanentError("it is not open", status=404)
    return Decision({**state, "n": state["n"] + command.body["by"]}, result={"n": state["n"] + command.body["by"]})
