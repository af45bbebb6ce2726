"""One SQL statement with named parameters, as each driver wants them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

__all__ = ["Connection", "Run", "Scalar", "Statement", "Work", "placed"]

Scalar = str | int | bool | None
Result = TypeVar("Result")
_NAMED = re.compile(r":([a-z_]+)\b")


class Statement(NamedTuple):
    """`:name` is a parameter. There are no other colons and no percent signs: so casts are written CAST(...)."""

    text: str
    parameters: Mapping[str, Scalar]


class Run(Protocol):
    def __call__(self, statement: Statement) -> Sequence[Sequence[Scalar]]:
        """Its rows, if it has any."""
        ...


Work = Callable[[Run], Result]


class Connection(Protocol):
    """To one database. What it is asked may have happened when it raises, and is asked for again: all of it may be."""

    def run(self, statement: Statement) -> Sequence[Sequence[Scalar]]:
        """In a transaction of its own. Raises SinkUnavailable and Unstorable."""
        ...

    def transact(self, work: Work[Result]) -> Result:
        """All of it or nothing. `work` may be called twice. Raises likewise, and what `work` raises."""
        ...


def placed(statement: Statement, style: str) -> tuple[str, Any]:
    """The text and the parameters for a driver of this `paramstyle`."""
    order: list[str] = []

    def place(found: re.Match[str]) -> str:
        name = found[1]
        match style:
            case "named":
                return f":{name}"
            case "pyformat":
                return f"%({name})s"
            case "numeric":
                if name not in order:
                    order.append(name)
                return f":{order.index(name) + 1}"
            case _:
                order.append(name)
                return "?" if style == "qmark" else "%s"

    text = _NAMED.sub(place, statement.text)
    if style in ("named", "pyformat"):
        return text, dict(statement.parameters)
    return text, tuple(statement.parameters[name] for name in order)
