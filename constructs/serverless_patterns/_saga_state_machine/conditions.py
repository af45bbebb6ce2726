"""Conditions of a choice: which paths they may look at, and what they say where there is nothing at a path.

Step Functions ends an execution whose condition looks at what is not there, and nothing could catch that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from serverless_patterns_runtime.saga_state_machine import contract

_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*|\['[^'\\]+'\]|\[[0-9]+\])+")
_RESULT = re.compile(rf"\$\.{contract.SAGA}\.{contract.RESULTS}\.([A-Za-z0-9_]+)(?![A-Za-z0-9_]).*")
_KINDS = ("String", "Numeric", "Boolean", "Timestamp")

Rule = Mapping[str, Any]


def looks_at(rule: Rule) -> Iterator[str]:
    """The paths in a rendered condition. An empty one stands for what is no condition on paths."""
    members = _members(rule)
    if members is not None:
        for member in members:
            yield from looks_at(member)
    else:
        yield str(rule.get("Variable", ""))
        yield from (str(rule[operator]) for operator in rule if operator.endswith("Path"))


def is_usable(path: str, known: frozenset[str]) -> bool:
    """Whether a path leads to one place, in the input or in a result of these steps."""
    if _PATH.fullmatch(path) is None:
        return False
    result = _RESULT.fullmatch(path)
    if result is not None:
        return result[1] in known
    return re.match(rf"\$(\.{contract.SAGA}\b|\['{contract.SAGA}'\])", path) is None


def leads_to_one_place(path: str) -> bool:
    """Whether a choice can say if there is something at it."""
    return _PATH.fullmatch(path) is not None


def result_without_saga(path: str) -> str | None:
    """The step whose result a path means that begins too high."""
    found = _RESULT.fullmatch(f"$.{contract.SAGA}{path[1:]}")
    return None if found is None else found[1]


def guarded(rule: Rule, document: str) -> Rule:
    """The condition on a document elsewhere than at `$`; false, not an error, where a path leads nowhere."""
    members = _members(rule)
    if members is not None:
        inner = [guarded(member, document) for member in members]
        return {"Not": inner[0]} if "Not" in rule else {next(iter(rule)): inner}
    moved = {
        key: moved_to(document, value) if key == "Variable" or key.endswith("Path") else value
        for key, value in rule.items()
    }
    if "IsPresent" in moved:
        return moved
    there: list[Rule] = [{"Variable": moved["Variable"], "IsPresent": True}]
    for operator, path in moved.items():
        if operator.endswith("Path"):
            kind = next(kind for kind in _KINDS if operator.startswith(kind))
            there += [{"Variable": path, "IsPresent": True}, {"Variable": path, f"Is{kind}": True}]
    return {"And": [*there, moved]}


def is_timestamp(path: str) -> Rule:
    """Whether there is a point in time at a path."""
    return {"And": [{"Variable": path, "IsPresent": True}, {"Variable": path, "IsTimestamp": True}]}


def all_there(paths: Sequence[str]) -> Rule:
    """Whether there is something at each of these; there is one at least."""
    return {"And": [{"Variable": path, "IsPresent": True} for path in paths]}


def moved_to(document: str, path: str) -> str:
    """A path into a document that is somewhere else."""
    return path if path.startswith("$$") else f"{document}{path[1:]}"


def in_words(rule: Rule) -> str:
    """For a picture."""
    if "Not" in rule:
        return f"not {in_words(rule['Not'])}"
    for word in ("And", "Or"):
        if word in rule:
            told = [in_words(member) for member in rule[word] if "IsPresent" not in member]
            return f" {word.lower()} ".join(told or [in_words(member) for member in rule[word]])
    ((operator, value),) = [(key, value) for key, value in rule.items() if key not in ("Variable", "Next")]
    return f"{rule['Variable']} {operator} {value}"


def _members(rule: Rule) -> Sequence[Rule] | None:
    if "Not" in rule:
        return [cast(Rule, rule["Not"])]
    return next((cast("Sequence[Rule]", rule[word]) for word in ("And", "Or") if word in rule), None)
