"""Conditions on a DynamoDB item, written as Python expressions: `Attr("on_hand") >= 3`.

Boto3 has a builder of its own, but importing it loads boto3 into every business function; these are plain values,
so that two equal conditions are equal and a test can evaluate them without AWS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "AllOf",
    "AnyOf",
    "Attr",
    "BeginsWith",
    "Between",
    "Comparison",
    "Condition",
    "Contains",
    "Exists",
    "IsIn",
    "Not",
    "NotExists",
    "Operand",
    "Operator",
    "Path",
    "Size",
]

Operator = Literal["=", "<>", "<", "<=", ">", ">="]


class Condition:
    """Something an item fulfils or not. Combine with `&`, `|` and `~`."""

    def __and__(self, other: "Condition") -> "Condition":
        return AllOf((self, other)) if _is_condition(other) else NotImplemented

    def __or__(self, other: "Condition") -> "Condition":
        return AnyOf((self, other)) if _is_condition(other) else NotImplemented

    def __invert__(self) -> "Condition":
        return Not(self)

    def __bool__(self) -> bool:
        raise TypeError("a condition has no truth value here: combine conditions with & | ~, not with and, or, not")


@dataclass(frozen=True)
class Path:
    """An attribute by name; dots lead into maps: `address.city`."""

    name: str


@dataclass(frozen=True)
class Size:
    """The length of a string, binary, list, map or set."""

    path: Path


Operand = Path | Size


@dataclass(frozen=True)
class Comparison(Condition):
    left: Operand
    operator: Operator
    right: Any


@dataclass(frozen=True)
class Between(Condition):
    left: Operand
    low: Any
    high: Any


@dataclass(frozen=True)
class IsIn(Condition):
    left: Operand
    options: tuple[Any, ...]


@dataclass(frozen=True)
class Exists(Condition):
    path: Path


@dataclass(frozen=True)
class NotExists(Condition):
    path: Path


@dataclass(frozen=True)
class BeginsWith(Condition):
    path: Path
    prefix: str


@dataclass(frozen=True)
class Contains(Condition):
    path: Path
    value: Any


@dataclass(frozen=True)
class AllOf(Condition):
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf(Condition):
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not(Condition):
    part: Condition


class _Comparable:
    """What can stand on the left of a comparison."""

    __hash__ = None  # type: ignore[assignment]  # == makes a condition, so membership tests would mislead

    def __init__(self, operand: Operand) -> None:
        self._operand = operand

    def _compare(self, operator: Operator, other: object) -> Comparison:
        return Comparison(self._operand, operator, _value_of(other))

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compare("=", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compare("<>", other)

    def __lt__(self, other: object) -> Condition:
        return self._compare("<", other)

    def __le__(self, other: object) -> Condition:
        return self._compare("<=", other)

    def __gt__(self, other: object) -> Condition:
        return self._compare(">", other)

    def __ge__(self, other: object) -> Condition:
        return self._compare(">=", other)

    def between(self, low: Any, high: Any) -> Condition:
        """`low <= value <= high`."""
        return Between(self._operand, _value_of(low), _value_of(high))

    def is_in(self, options: Sequence[Any]) -> Condition:
        """Equal to one of 1 to 100 options."""
        if isinstance(options, str):
            raise ValueError(f"is_in takes a list of options, got the text {options!r}: write [{options!r}]")
        if not 1 <= len(options) <= 100:
            raise ValueError(f"is_in takes 1 to 100 options (DynamoDB's limit), got {len(options)}")
        return IsIn(self._operand, tuple(_value_of(option) for option in options))


class Attr(_Comparable):
    """An attribute of the item that a write is about; dots lead into maps: `Attr("address.city")`."""

    def __init__(self, name: str) -> None:
        if not name or any(not part for part in name.split(".")):
            raise ValueError(f"an attribute needs a name such as 'status' or 'address.city', got {name!r}")
        self._path = Path(name)
        super().__init__(self._path)

    def exists(self) -> Condition:
        return Exists(self._path)

    def not_exists(self) -> Condition:
        return NotExists(self._path)

    def begins_with(self, prefix: str) -> Condition:
        return BeginsWith(self._path, prefix)

    def contains(self, value: Any) -> Condition:
        """A substring of a string, or a member of a list or set."""
        return Contains(self._path, value)

    def size(self) -> _Comparable:
        return _Comparable(Size(self._path))


def _is_condition(other: object) -> bool:
    return isinstance(other, Condition)


def _value_of(operand: object) -> Any:
    return operand._operand if isinstance(operand, _Comparable) else operand  # pyright: ignore[reportPrivateUsage]
