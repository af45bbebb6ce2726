"""Conditions as DynamoDB evaluates them: a tree that both of its languages parse into."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from . import attribute_values as values
from .attribute_values import Item, Value
from .paths import Path, value_at
from .tokens import SyntaxFault


class Invalid(Exception):
    """DynamoDB answers ValidationException with this message."""


@dataclass(frozen=True)
class Bindings:
    """What the placeholders of one request stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def name(self, placeholder: str) -> str:
        if placeholder not in self.names:
            raise Invalid(f"An expression attribute name used in the document path is not defined: {placeholder}")
        return self.names[placeholder]

    def value(self, placeholder: str) -> Value:
        if placeholder not in self.values:
            raise Invalid(f"An expression attribute value used in expression is not defined: {placeholder}")
        return self.values[placeholder]


Operand = Callable[[Item, Bindings], Value | None]
"""None: the attribute is not there, or the function has no result."""

Condition = Callable[[Item, Bindings], bool]

PathOperand = Callable[[Bindings], Path]

COMPARATORS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def at(path: PathOperand) -> Operand:
    return lambda item, bindings: value_at(item, path(bindings))


def placeholder(name: str) -> Operand:
    return lambda _, bindings: bindings.value(name)


def literal(value: Value) -> Operand:
    return lambda _, __: value


def size(operand: Operand) -> Operand:
    def evaluate(item: Item, bindings: Bindings) -> Value | None:
        value = operand(item, bindings)
        return None if value is None else values.size(value)

    return evaluate


def comparison(left: Operand, operator: str, right: Operand) -> Condition:
    def evaluate(item: Item, bindings: Bindings) -> bool:
        one, other = left(item, bindings), right(item, bindings)
        if operator in {"=", "<>", "!="}:
            same = one is not None and other is not None and values.equal(one, other)
            return same if operator == "=" else not same
        if one is None or other is None:
            return False
        order = values.compare(one, other)
        return order is not None and COMPARATORS[operator](order)

    return evaluate


def between(operand: Operand, low: Operand, high: Operand) -> Condition:
    above, below = comparison(operand, ">=", low), comparison(operand, "<=", high)
    return all_of([above, below])


def is_in(operand: Operand, options: Sequence[Operand]) -> Condition:
    if not 1 <= len(options) <= 100:
        raise SyntaxFault("IN takes 1 to 100 operands")
    return any_of([comparison(operand, "=", option) for option in options])


def all_of(parts: Sequence[Condition]) -> Condition:
    return lambda item, bindings: all(part(item, bindings) for part in parts)


def any_of(parts: Sequence[Condition]) -> Condition:
    return lambda item, bindings: any(part(item, bindings) for part in parts)


def negation(part: Condition) -> Condition:
    return lambda item, bindings: not part(item, bindings)


def exists(path: PathOperand, wanted: bool = True) -> Condition:
    return lambda item, bindings: (value_at(item, path(bindings)) is not None) is wanted


def function(name: str, arguments: Sequence[Operand]) -> Condition:
    """`begins_with`, `contains` or `attribute_type`, of two operands."""
    if len(arguments) != 2:
        raise SyntaxFault(f"{name} takes two operands")
    left, right = arguments

    def evaluate(item: Item, bindings: Bindings) -> bool:
        one, other = left(item, bindings), right(item, bindings)
        if one is None or other is None:
            return False
        return _FUNCTIONS[name](one, other)

    return evaluate


def _begins_with(value: Value, prefix: Value) -> bool:
    kind = values.kind_of(prefix)
    if kind not in {"S", "B"}:
        raise Invalid("Incorrect operand type for operator or function; operator or function: begins_with")
    return values.kind_of(value) == kind and value[kind].startswith(prefix[kind])


_FUNCTIONS: dict[str, Callable[[Value, Value], bool]] = {
    "begins_with": _begins_with,
    "contains": values.contains,
    "attribute_type": lambda value, kind: values.kind_of(value) == kind.get("S"),
}
