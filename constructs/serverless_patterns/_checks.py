"""Range checks on arguments: they know about tokens, and report everything that is wrong in one error."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeGuard

from aws_cdk import Duration, Token
from constructs import IConstruct


class Problems:
    """Collects what is wrong with one construct's arguments; `raise_any` reports it all at once."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._found: list[tuple[str, str]] = []

    def add(self, argument: str, must: str, got: str, fix: str) -> None:
        """Record one wrong argument: `<where>: <argument> must be <must>, got <got>: <fix>`."""
        self._found.append((argument, f"{self.where}: {argument} must {must}, got {got}: {fix}"))

    def whole_number(self, argument: str, value: object, low: int, high: int, fix: str) -> None:
        """Refuse anything but an `int` from `low` to `high`, both included. Tokens pass."""
        if is_token(value):
            return
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.add(argument, f"be a whole number from {low:,} to {high:,}", repr(value), fix)

    def duration(self, argument: str, value: object, low: int, high: int, fix: str) -> None:
        """Refuse anything but a `Duration` of `low` to `high` seconds, both included. Tokens pass."""
        must = f"be a Duration from {low:,} to {high:,} seconds"
        if not isinstance(value, Duration):
            unit = _unit(value, low, high)
            self.add(argument, must, repr(value), f"say the unit: Duration.{unit}({value})" if unit else fix)
            return
        length = seconds(value)
        if length is not None and not low <= length <= high:
            self.add(argument, must, f"{length:,} seconds", fix)

    def one_of(self, argument: str, value: object, allowed: Sequence[str], fix: str) -> None:
        """Refuse anything but one of the `allowed` words."""
        if value not in allowed:
            self.add(argument, f"be one of {', '.join(map(repr, allowed))}", repr(value), fix)

    def have(self, *arguments: str) -> bool:
        """Whether one of these is wrong already: what depends on it is not told too."""
        return any(argument in arguments for argument, _ in self._found)

    def raise_any(self) -> None:
        """Raise one `ValueError` with a line for each problem; do nothing when there is none."""
        if self._found:
            raise ValueError("\n".join(message for _, message in self._found))


def _unit(value: object, low: int, high: int) -> str | None:
    """The smallest one with which a number would do."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
    return next((unit for unit, length in units.items() if low <= value * length <= high), None)


class Renamed(Problems):
    """Passes on everything that is wrong as being wrong with one argument: what the user knows it as."""

    def __init__(self, problems: Problems, argument: str) -> None:
        super().__init__(problems.where)
        self._problems, self._argument = problems, argument

    def add(self, argument: str, must: str, got: str, fix: str) -> None:
        """Record it under the user's name for it."""
        del argument
        self._problems.add(self._argument, must, got, fix)


def is_token(value: object) -> TypeGuard[Any]:
    """Whether the value is known only to CloudFormation: ask before any comparison, a numeric token is a number too."""
    if isinstance(value, str):
        return "Token[" in value and Token.is_unresolved(value)  # the first look spares a call into the CDK's process
    return isinstance(value, float) and value < 0 and Token.is_unresolved(value)


def seconds(duration: object) -> int | None:
    """The length in whole seconds, rounded down; `None` when it is a token, or no `Duration` at all."""
    return _seconds(duration) if isinstance(duration, Duration) else None


@lru_cache(maxsize=256)
def _seconds(duration: Duration) -> int | None:  # each answer is two calls into the CDK's process
    return None if duration.is_unresolved() else int(duration.to_milliseconds() // 1000)


def text(value: int | Duration) -> str:
    """A number, or a `Duration` in seconds, as an environment variable holds it. A token stays one."""
    if isinstance(value, Duration):
        length = seconds(value)
        return Token.as_string(value.to_seconds()) if length is None else str(length)
    return Token.as_string(value) if is_token(value) else str(int(value))


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """` (did you mean 'x'?)` when one of the names is near, else nothing."""
    near = get_close_matches(name, sorted(names), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def path_of(scope: IConstruct, id: str) -> str:
    """The path that a construct will have."""
    return f"{scope.node.path}/{id}".lstrip("/")
