"""What a `decide` function is given and gives back: values, compared by value."""

from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime import Caller, Command, Decision, PermanentError


def decide(state: dict[str, Any] | None, command: Command) -> Decision:
    """As a user writes it."""
    if command.name == "place" and state is None:
        return Decision(
            {"lines": command.body["lines"], "at": command.at}, result={"lines": len(command.body["lines"])}
        )
    raise PermanentError("no")


def test_a_decision_is_tested_without_aws() -> None:
    command = Command.fake("place", {"lines": [1]}, key="o-1", at=5)
    assert decide(None, command) == Decision({"lines": [1], "at": 5}, result={"lines": 1})
    with pytest.raises(PermanentError):
        decide({}, command)


def test_its_numbers_are_of_the_kinds_that_a_state_has() -> None:
    body = {"price": 4.1, "lines": [{"n": 2, "tax": 0.1, "free": True}], "note": None, "large": 1e22}
    command = Command.fake("place", body)
    assert command.body == {
        "price": Decimal("4.1"),
        "lines": [{"n": 2, "tax": Decimal("0.1"), "free": True}],
        "note": None,
        "large": Decimal("1E+22"),
    }
    assert type(command.body["lines"][0]["n"]) is int
    assert command.body["price"] + Decimal("0.2") == Decimal("4.3")
    command.body["lines"].clear()
    assert len(body["lines"]) == 1, "what a function changes is its own"


def test_commands_are_equal_by_what_they_say() -> None:
    assert Command.fake("place", {"n": 1}) == Command.fake("place", {"n": 1})
    assert Command.fake("place", {"n": 1}) != Command.fake("place", {"n": 2})
    assert Command.fake(caller=Caller("a")) != Command.fake(caller=Caller("b"))


def test_a_log_line_holds_nothing_of_a_command() -> None:
    command = Command.fake("place", {"card": "4111"}, key="jane@example.com", caller=Caller("jane"))
    assert repr(command) == "Command(name='place', at=1700000000000)"


@pytest.mark.parametrize("state", [[], "text", 7, Command.fake()], ids=["list", "text", "number", "command"])
def test_a_state_is_a_mapping(state: Any) -> None:
    with pytest.raises(ValueError, match=f"got a value of type {type(state).__name__}"):
        Decision(state)


@pytest.mark.parametrize("value", [Command.fake(), Decision(None)], ids=["command", "decision"])
def test_neither_can_be_changed(value: Any) -> None:
    with pytest.raises(AttributeError):
        value.state = {}
    with pytest.raises(AttributeError):
        value.body = {}
