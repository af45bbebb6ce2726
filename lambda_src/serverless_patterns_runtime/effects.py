"""Effects: the DynamoDB writes a business function wants, committed together with the claim on its idempotency key.

Source: exactly-once processing by writing the deduplication mark and the effect in one transaction
(Bernstein & Newcomer, Principles of Transaction Processing, 2009).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime.conditions import Condition
from serverless_patterns_runtime.errors import ConditionNotMet, UncommittableEffects

__all__ = ["Check", "Delete", "Effects", "Put", "Update", "Write"]

MAX_WRITES = 99
"""DynamoDB takes 100 actions in a transaction; the claim is one of them."""

Item = Mapping[str, Any]
"""Attribute names to JSON-like values; also Decimal, bytes and sets. Floats become the decimal that they print as."""


def _no_values() -> Item:
    return {}


@dataclass(frozen=True, kw_only=True)
class _Guarded:
    condition: Condition | None = None
    """What must hold for the item before the write."""

    otherwise: Exception | None = None
    """Raised when the condition does not hold; None: a `PermanentError` that names the write, to API callers a 409."""


@dataclass(frozen=True)
class Put(_Guarded):
    """Write a whole item, replacing one with the same key."""

    table: str
    item: Item


@dataclass(frozen=True)
class Update(_Guarded):
    """Change some attributes of an item; creates it when there is none and no condition forbids it."""

    table: str
    key: Item
    set: Item = field(default_factory=_no_values, kw_only=True)
    """Attributes and their new values; dots in a name lead into maps."""
    add: Item = field(default_factory=_no_values, kw_only=True)
    """Numbers to add (a missing attribute counts as 0), or members to add to sets."""
    remove: Sequence[str] = field(default=(), kw_only=True)
    """Attributes to remove."""

    def __post_init__(self) -> None:
        if isinstance(self.remove, str):
            text = f"got the text {self.remove!r}: write [{self.remove!r}]"
            raise ValueError(f"an Update of {self.table} removes a list of attributes, {text}")
        object.__setattr__(self, "remove", tuple(self.remove))
        if not (self.set or self.add or self.remove):
            raise ValueError(f"an Update of {self.table} needs set, add or remove; to test an item only, use Check")


@dataclass(frozen=True)
class Delete(_Guarded):
    """Delete an item; deleting what is not there succeeds unless a condition forbids it."""

    table: str
    key: Item


@dataclass(frozen=True)
class Check(_Guarded):
    """Write nothing, but let the whole commit depend on an item."""

    table: str
    key: Item

    def __post_init__(self) -> None:
        if self.condition is None:
            raise ValueError(f"a Check of {self.table} needs a condition")


Write = Put | Update | Delete | Check


def check_number_of(writes: Sequence[object]) -> None:
    """Raises UncommittableEffects for more writes than a transaction takes beside the claim."""
    if len(writes) > MAX_WRITES:
        raise UncommittableEffects(f"effects hold at most {MAX_WRITES} writes (DynamoDB's limit), got {len(writes)}")


def unknown_table(write: Write, tables: Iterable[str]) -> UncommittableEffects:
    """What to raise for a write to a table that is not among these."""
    known = ", ".join(sorted(tables)) or "none"
    return UncommittableEffects(
        f"a {type(write).__name__} names the table {write.table!r}, which the handler does not have"
        f" (it has: {known}): add it to Handler(tables=...)"
    )


def refusal_of(write: Write, position: int) -> Exception:
    """What to raise when the condition of the write at this position, from 1, does not hold."""
    return write.otherwise or ConditionNotMet(
        f"write {position} ({type(write).__name__} {write.table}) was refused: its condition does not hold"
    )


@dataclass(frozen=True)
class Effects:
    """All of these writes, or none, and only once per idempotency key. `result` is the answer to who waits for one.

    At most 99 writes, one per item, 4 MB together.
    """

    writes: Sequence[Write] = ()
    result: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.writes, Write) or not isinstance(self.writes, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            got = f"got a value of type {type(self.writes).__name__}"
            raise ValueError(f"Effects take a list of writes, {got}: write Effects([...])")
        object.__setattr__(self, "writes", tuple(self.writes))
        for write in self.writes:
            if not isinstance(write, Write):  # pyright: ignore[reportUnnecessaryIsInstance]
                kind = type(write).__name__
                raise ValueError(f"Effects hold Put, Update, Delete and Check, got a value of type {kind}")
