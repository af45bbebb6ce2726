"""DynamoDB's typed values: comparing, adding and measuring them. Values are never changed in place."""

import decimal
from decimal import Decimal
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]

_NUMBERS = decimal.Context(prec=38)
_SETS = {"SS", "NS", "BS"}
_ORDERED = {"S", "N", "B"}


class WrongType(Exception):
    """An operand has a type that the operation does not take."""


def kind_of(value: Value) -> str:
    (kind,) = value
    return kind


def number(value: Decimal) -> Value:
    """As DynamoDB writes it: no exponent for common sizes, no trailing zeros."""
    plain = value.normalize(_NUMBERS)
    if plain == plain.to_integral_value() and abs(plain.adjusted()) < 38:
        return {"N": str(plain.quantize(Decimal(1), context=_NUMBERS))}
    return {"N": f"{plain:f}" if abs(plain.adjusted()) < 38 else str(plain)}


def normalized(value: Value) -> Value:
    """What a read gives back after a write of `value`."""
    kind = kind_of(value)
    content = value[kind]
    if kind == "N":
        return number(Decimal(content))
    if kind == "NS":
        return {"NS": [number(Decimal(each))["N"] for each in content]}
    if kind == "L":
        return {"L": [normalized(member) for member in content]}
    if kind == "M":
        return {"M": {name: normalized(member) for name, member in content.items()}}
    return value


def equal(left: Value, right: Value) -> bool:
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind == "N":
        return Decimal(left["N"]) == Decimal(right["N"])
    if kind == "NS":
        return {Decimal(each) for each in left["NS"]} == {Decimal(each) for each in right["NS"]}
    if kind in _SETS:
        return set(left[kind]) == set(right[kind])
    if kind == "L":
        pairs = zip(left["L"], right["L"], strict=False)
        return len(left["L"]) == len(right["L"]) and all(equal(one, other) for one, other in pairs)
    if kind == "M":
        one, other = left["M"], right["M"]
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return left[kind] == right[kind]


def compare(left: Value, right: Value) -> int | None:
    """-1, 0, 1, or None when the two have no order."""
    kind = kind_of(left)
    if kind != kind_of(right) or kind not in _ORDERED:
        return None
    one: Any = left[kind]
    other: Any = right[kind]
    if kind == "N":
        one, other = Decimal(one), Decimal(other)
    elif kind == "S":
        one, other = one.encode(), other.encode()
    return (one > other) - (one < other)


def contains(container: Value, member: Value) -> bool:
    kind = kind_of(container)
    if kind == "S":
        return kind_of(member) == "S" and member["S"] in container["S"]
    if kind in _SETS:
        return any(equal({kind[0]: each}, member) for each in container[kind])
    return kind == "L" and any(equal(each, member) for each in container["L"])


def size(value: Value) -> Value | None:
    """The result of the `size` function; None for types that have none."""
    kind = kind_of(value)
    if kind in {"N", "BOOL", "NULL"}:
        return None
    return {"N": str(len(value[kind]))}


def plus(left: Value, right: Value, sign: int = 1) -> Value:
    if kind_of(left) != "N" or kind_of(right) != "N":
        raise WrongType
    return number(_NUMBERS.add(Decimal(left["N"]), sign * Decimal(right["N"])))


def added(old: Value | None, operand: Value) -> Value:
    """The ADD action: numbers and sets."""
    kind = kind_of(operand)
    if kind != "N" and kind not in _SETS:
        raise WrongType
    if old is None:
        return normalized(operand)
    if kind == "N":
        return plus(old, operand)
    if kind_of(old) != kind:
        raise WrongType
    known = {kind: list(old[kind])}
    known[kind] += [each for each in operand[kind] if not contains(old, {kind[0]: each})]
    return normalized(known)


def without(old: Value | None, operand: Value) -> Value | None:
    """The DELETE action: members leave a set; an empty set is no attribute."""
    kind = kind_of(operand)
    if kind not in _SETS or (old is not None and kind_of(old) != kind):
        raise WrongType
    if old is None:
        return None
    left = [each for each in old[kind] if not contains(operand, {kind[0]: each})]
    return {kind: left} if left else None


def appended(left: Value, right: Value) -> Value:
    if kind_of(left) != "L" or kind_of(right) != "L":
        raise WrongType
    return {"L": [*left["L"], *right["L"]]}


def copied(item: Item) -> Item:
    """Deep enough that the receiver may change what it got."""
    return {name: _copy(value) for name, value in item.items()}


def _copy(value: Value) -> Value:
    kind = kind_of(value)
    content = value[kind]
    if kind == "L":
        return {"L": [_copy(member) for member in content]}
    if kind == "M":
        return {"M": copied(content)}
    return {kind: list(content) if kind in _SETS else content}


def bytes_of(value: Value) -> int:
    """Size as DynamoDB documents it."""
    kind = kind_of(value)
    content = value[kind]
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "N":
        return len(content.replace("-", "").replace(".", "")) // 2 + 2
    if kind in _SETS:
        return sum(bytes_of({kind[0]: each}) for each in content)
    if kind == "L":
        return 3 + sum(1 + bytes_of(member) for member in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + bytes_of(member) for name, member in content.items())
    return 1


def bytes_of_item(item: Item) -> int:
    return sum(len(name.encode()) + bytes_of(value) for name, value in item.items())
