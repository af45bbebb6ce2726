"""What an `on_complete` function is given: how a message's branches have ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["Completion"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Completion:
    """The end of one message's fan-in. Its `repr`, and so a log line, holds nothing of what the message is about."""

    key: str
    """The message's idempotency key."""

    outcome: Literal["complete", "deadline"] = "complete"
    """`deadline`: it came before the results of the branches in `missing`."""

    results: Mapping[str, Any] = field(repr=False)
    """What the branches have returned, by the subscriber's name; of `Effects` their `result`."""

    missing: Sequence[str] = ()
    """Names of the branches that had no result at the deadline, sorted. Theirs may still come, and is refused then."""

    message: Any = field(default=None, repr=False)
    """The message's body."""

    @classmethod
    def fake(
        cls,
        results: Mapping[str, Any] = _NOTHING,
        *,
        key: str = "key-1",
        missing: Sequence[str] = (),
        message: Any = None,
    ) -> "Completion":
        """An end for a unit test: `ready(Completion.fake({"Inventory": {"reserved": 2}}, key="o-1"))`.

        With `missing` it is that of a deadline. Raises TypeError for one name as text, ValueError for a branch that
        has a result and is missing.
        """
        if isinstance(missing, str):
            raise TypeError(f"missing is a list of names, got a text: write missing=[{missing!r}]")
        if both := sorted({*missing} & {*results}):
            raise ValueError(f"a branch has a result or is missing, got both for {both[0]!r}")
        outcome: Literal["complete", "deadline"] = "deadline" if missing else "complete"
        return cls(key=key, outcome=outcome, results=results, missing=tuple(sorted(missing)), message=message)
