"""The definition as a picture: Mermaid, for a page or a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def diagram(definition: Mapping[str, Any]) -> str:
    """Of every state and every way between two; a way back has its errors beside it."""
    lines = ["stateDiagram-v2", f"    [*] --> {_id(definition['StartAt'])}"]
    for name, state in definition["States"].items():
        if _id(name) != name:
            lines.append(f'    state "{name}" as {_id(name)}')
        for following, why in _ways(state):
            lines.append(f"    {_id(name)} --> {following}{f': {why}' if why else ''}")
    return "\n".join(lines) + "\n"


def _ways(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield (_id(state.get("Next", "[*]")), "") if state["Type"] != "Choice" else (_id(state["Default"]), "")
    for rule in state.get("Choices", ()):
        yield _id(rule["Next"]), "parked"
    for catcher in state.get("Catch", ()):
        errors = catcher["ErrorEquals"]
        if errors == ["States.DataLimitExceeded"] or catcher["Next"] == state.get("Next"):
            continue  # beside States.ALL; and where there is one way, why
        yield _id(catcher["Next"]), "fails" if errors == ["States.ALL"] else ", ".join(errors)


def _id(name: str) -> str:
    return name.replace(" ", "_")
