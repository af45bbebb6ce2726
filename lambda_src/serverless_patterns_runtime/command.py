"""What a `decide` function is given, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from serverless_patterns_runtime.request import Caller

__all__ = ["Command", "Decision"]


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody wants of one aggregate. Its `repr`, and so a log line, holds nothing of what it is about."""

    name: str
    """One of the table's `commands`."""

    key: str = field(repr=False)
    """Of the aggregate."""

    body: Any = field(default=None, repr=False)
    """The JSON value that came with it, in a copy of its own; None: there was none. Its numbers are int and Decimal, as
    those of a state: a sum of both has to work here and deployed."""

    at: int
    """When it is decided, epoch milliseconds."""

    caller: Caller | None = field(default=None, repr=False)
    """Who asks, behind an API with an authorizer."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "body", _exact(self.body))

    @classmethod
    def fake(
        cls,
        name: str = "command-1",
        body: Any = None,
        *,
        key: str = "key-1",
        at: int = 1_700_000_000_000,
        caller: Caller | None = None,
    ) -> "Command":
        """A command for a unit test: `decide(None, Command.fake("place", {"lines": []}, key="o-1"))`."""
        return cls(name=name, key=key, body=body, at=at, caller=caller)


def _exact(value: Any) -> Any:
    """With what was printed as 4.1 as Decimal("4.1")."""
    match value:
        case float():
            return Decimal(repr(value))
        case dict():
            return {name: _exact(member) for name, member in cast("dict[Any, Any]", value).items()}
        case list():
            return [_exact(member) for member in cast("list[Any]", value)]
        case _:
            return value


@dataclass(frozen=True)
class Decision:
    """What becomes of the aggregate: `Decision({**state, "status": "confirmed"}, result={"total": 12})`.

    `state` replaces the one that there was; its key need not be in it. None: the aggregate is deleted. `result` is a
    JSON value for who has sent the command, and for whoever sends it again. Raises ValueError for a state that is no
    mapping.
    """

    state: Mapping[str, Any] | None
    result: Any = None

    def __post_init__(self) -> None:
        if self.state is not None and not isinstance(self.state, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            got = f"got a value of type {type(self.state).__name__}"
            raise ValueError(f"a Decision's state is a dict of attributes, or None to delete the aggregate, {got}")
