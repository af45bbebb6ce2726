"""Routes of which the body goes on and nothing else: it becomes a message, or an execution's input."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._checks import Problems
    from ._targets import RouteFacts


def refuse_beside_the_body(problems: Problems, facts: RouteFacts, what: str, because: str) -> None:
    """Refuse what would not reach it. `because`: what the body becomes."""
    if facts.parameters:
        must = f"have no parameters in its path in front of {what}"
        problems.add(facts.label, must, ", ".join(map(repr, facts.parameters)), f"put them into the body: {because}")
    if facts.query is not None:
        must = f"be left out in front of {what}"
        problems.add(f"{facts.label} query", must, "a value", f"put it into the body: {because}")
