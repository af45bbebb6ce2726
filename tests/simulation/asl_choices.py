"""Rules of a Choice: those of which we know what they say. What Step Functions ends an execution for is an error."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from .asl_paths import check_path, present, read, timestamp

__all__ = ["check_rule", "holds"]

COMPARES: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}


def _is_timestamp(value: Any) -> bool:
    try:
        timestamp(value)
    except ValueError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


KINDS: Mapping[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Numeric": _is_number,
    "Boolean": lambda value: isinstance(value, bool),
    "Timestamp": _is_timestamp,
}
VALUES: Mapping[str, Callable[[Any], Any]] = {"Timestamp": timestamp}
OPERATORS = {
    f"{kind}{name}": (kind, compares)
    for kind in KINDS
    for name, compares in COMPARES.items()
    if kind != "Boolean" or name == "Equals"
}
CHECKS = {f"Is{kind}": check for kind, check in KINDS.items()} | {"IsNull": lambda value: value is None}


def check_rule(where: str, rule: Mapping[str, Any]) -> None:
    for word in ("And", "Or", "Not"):
        if word in rule:
            assert rule.keys() == {word}, f"{where}: the interpreter does not know {rule}"
            members = [rule[word]] if word == "Not" else rule[word]
            assert members
            for member in members:
                check_rule(where, member)
            return
    assert "Variable" in rule and len(rule) == 2, f"{where}: the interpreter does not know {rule}"  # noqa: PT018
    check_path(rule["Variable"])
    (name,) = rule.keys() - {"Variable"}
    known = name == "IsPresent" or name in CHECKS or name.removesuffix("Path") in OPERATORS
    assert known, f"{where}: the interpreter does not know {rule}"
    if name.endswith("Path"):
        check_path(rule[name])


def holds(rule: Mapping[str, Any], document: Any) -> bool:
    """Raises NoSuchPath where there is nothing, TypeError where a path leads to a value of another type: both end an
    execution. And, Or stop at the first that decides."""
    if "And" in rule:
        return all(holds(member, document) for member in rule["And"])
    if "Or" in rule:
        return any(holds(member, document) for member in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], document)
    ((name, operand),) = [(key, value) for key, value in rule.items() if key not in ("Variable", "Next")]
    if name == "IsPresent":
        return present(rule["Variable"], document) == operand
    value = read(rule["Variable"], document)
    if name in CHECKS:
        return CHECKS[name](value) == operand
    kind, compares = OPERATORS[name.removesuffix("Path")]
    if name.endswith("Path"):
        operand = read(operand, document)
        if not KINDS[kind](operand):
            raise TypeError(f"{operand!r} is no {kind}")
    if not KINDS[kind](value):
        return False
    convert = VALUES.get(kind, lambda it: it)
    return compares(convert(value), convert(operand))
