"""The definition as a picture: Mermaid, for a page or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .conditions import in_words
from .states import COMPENSATION_PARKED, FORWARD_PARKED


def diagram(definition: Mapping[str, Any]) -> str:
    """Of every state and every way between two; a way back has its errors beside it, and a choice its conditions."""
    return "\n".join(["stateDiagram-v2", *_drawn(definition, "    ")]) + "\n"


def _drawn(definition: Mapping[str, Any], indent: str) -> Iterator[str]:
    yield f"{indent}[*] --> {_id(definition['StartAt'])}"
    for name, state in definition["States"].items():
        if _id(name) != name:
            yield f'{indent}state "{name}" as {_id(name)}'
        if state["Type"] == "Parallel":
            yield f"{indent}state {_id(name)} {{"
            for number, branch in enumerate(state["Branches"]):
                if number:
                    yield f"{indent}    --"
                yield from _drawn(branch, f"{indent}    ")
            yield f"{indent}}}"
        for following, why in _ways(state):
            yield f"{indent}{_id(name)} --> {following}{f': {why}' if why else ''}"


def _ways(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield (_id(state.get("Next", "[*]")), "") if state["Type"] != "Choice" else (_id(state["Default"]), "")
    yield from dict.fromkeys((_id(rule["Next"]), _why(rule)) for rule in state.get("Choices", ()))
    for catcher in state.get("Catch", ()):
        errors = catcher["ErrorEquals"]
        if errors == ["States.DataLimitExceeded"] or catcher["Next"] == state.get("Next"):
            continue  # beside States.ALL; and where there is one way, why
        yield _id(catcher["Next"]), "fails" if errors == ["States.ALL"] else ", ".join(errors)


def _why(rule: Mapping[str, Any]) -> str:
    if rule["Next"] in (COMPENSATION_PARKED, FORWARD_PARKED):
        return "parked"
    return re.sub(r"[;:#\s]+", " ", in_words({key: value for key, value in rule.items() if key != "Next"}))


def _id(name: str) -> str:
    return name.replace(" ", "_")
