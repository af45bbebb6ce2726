"""Whether an item fulfils a condition, decided in Python by DynamoDB's rules: for tests without AWS."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from serverless_patterns_runtime import conditions as c
from serverless_patterns_runtime.attribute_values import AttributeValue, serialize

__all__ = ["holds"]


def holds(condition: c.Condition, item: Mapping[str, Any]) -> bool:
    """What is missing or of another type equals nothing: `<>` holds for it, every other comparison does not."""
    match condition:
        case c.Comparison():
            return _compare(_value(condition.left, item), condition.operator, _value(condition.right, item))
        case c.Between():
            value = _value(condition.left, item)
            return _compare(_value(condition.low, item), "<=", value) and _compare(
                value, "<=", _value(condition.high, item)
            )
        case c.IsIn():
            value = _value(condition.left, item)
            return any(_compare(value, "=", _value(option, item)) for option in condition.options)
        case c.Exists():
            return _value(condition.path, item) is not _MISSING
        case c.NotExists():
            return _value(condition.path, item) is _MISSING
        case c.BeginsWith():
            value = _value(condition.path, item)
            return isinstance(value, type(condition.prefix)) and value.startswith(condition.prefix)
        case c.Contains():
            return _contains(_value(condition.path, item), condition.value)
        case c.AllOf():
            return all(holds(part, item) for part in condition.parts)
        case c.AnyOf():
            return any(holds(part, item) for part in condition.parts)
        case c.Not():
            return not holds(condition.part, item)
        case _:
            raise TypeError(f"not a condition: {type(condition).__name__}")


_MISSING = object()


def _value(operand: Any, item: Mapping[str, Any]) -> Any:
    match operand:
        case c.Path():
            value: Any = item
            for part in operand.name.split("."):
                value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            return value  # pyright: ignore[reportUnknownVariableType]
        case c.Size():
            value = _value(operand.path, item)
            return (
                len(value.encode()) if isinstance(value, str) else len(value) if hasattr(value, "__len__") else _MISSING
            )
        case _:
            return operand


def _compare(left: Any, operator: c.Operator, right: Any) -> bool:
    if operator == "<>":
        return not _compare(left, "=", right)
    if left is _MISSING or right is _MISSING:
        return False
    kind, one = _typed(serialize(left))
    other_kind, other = _typed(serialize(right))
    if kind != other_kind:
        return False
    if operator == "=":
        return one == other
    if kind not in ("S", "N", "B"):
        return False
    return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]


def _typed(value: AttributeValue) -> tuple[str, Any]:
    """Type and content, the latter as DynamoDB compares it: numbers by value, text by its bytes, 1 unlike true."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return kind, content.encode()
        case "N":
            return kind, Decimal(content)
        case "NS":
            return kind, set(map(Decimal, content))
        case "SS" | "BS":
            return kind, set(content)
        case "L":
            return kind, [_typed(member) for member in content]
        case "M":
            return kind, {name: _typed(member) for name, member in content.items()}
        case _:
            return kind, content


def _contains(container: Any, value: Any) -> bool:
    if isinstance(container, str):
        return isinstance(value, str) and value in container
    if isinstance(container, list | tuple | set | frozenset):
        return any(_compare(member, "=", value) for member in container)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return False
