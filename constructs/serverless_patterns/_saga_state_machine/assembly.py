"""What becomes of states: a state machine or a branch, and one result of several branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .states import States


def joined(paths: Sequence[str]) -> str:
    """An expression for one object of all members of several; of one name the last has the say."""
    *before, last = paths
    for path in reversed(before):
        last = f"States.JsonMerge({path}, {last}, false)"
    return last


def machine(start: str, states: States) -> dict[str, Any]:
    """A state machine, or a branch, of those states to which something leads: the others are what nobody needs here."""
    known, open_ = set[str](), [start]
    while open_:
        name = open_.pop()
        if name in known:
            continue
        known.add(name)
        state = states[name]
        open_ += [state[way] for way in ("Next", "Default") if way in state]
        open_ += [each["Next"] for part in ("Catch", "Choices") for each in state.get(part, ())]
    return {"StartAt": start, "States": {name: state for name, state in states.items() if name in known}}
