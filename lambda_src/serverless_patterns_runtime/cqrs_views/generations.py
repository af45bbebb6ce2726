"""Which generations of a view there are: its item in the control table, as it is now."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.claims.contention import tries
from serverless_patterns_runtime.cqrs_table.settings import Image, read_batch
from serverless_patterns_runtime.cqrs_views import contract

__all__ = ["NONE", "Generations", "Pointers", "view_item"]


class Generations(NamedTuple):
    """Of one view."""

    live: int | None
    """The one that is read. None: there is no view to read yet."""
    building: int | None
    previous: int | None
    started_at: Mapping[int, int]
    """When each began, epoch milliseconds."""
    store: str = ""
    """`store_of` them all; empty: nobody has said."""

    @classmethod
    def from_item(cls, item: Image) -> "Generations":
        started = item.get(contract.STARTED_AT, {}).get("M", {})
        return cls(
            live=_number(item, contract.LIVE),
            building=_number(item, contract.BUILDING),
            previous=_number(item, contract.PREVIOUS),
            started_at={int(number): int(at["N"]) for number, at in started.items()},
            store=item.get(contract.STORE, {}).get("S", ""),
        )

    def are_of(self, store: str) -> bool:
        """Whether code that keeps its rows in `store` may write to them. Where there are none, nothing is written."""
        return not self.written or self.store in ("", store)

    @property
    def written(self) -> tuple[int, ...]:
        """Those that every change goes to."""
        return tuple(number for number in (self.live, self.building) if number is not None)


NONE = Generations(None, None, None, {})
"""Of a view that was never built."""


class Pointers(NamedTuple):
    """The control table, as the functions that fill views read it."""

    dynamodb: Any
    table_name: str
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random = random.SystemRandom()

    def read(self, views: Iterable[str], *, remaining: Callable[[], float]) -> dict[str, Generations]:
        """As of now, in one request. Raises Contended when DynamoDB takes none for so long, and ClientError."""
        names = {view_item(name): name for name in views}
        keys = [{contract.PARTITION_KEY: {"S": item}} for item in names]
        request = {self.table_name: {"Keys": keys, "ConsistentRead": True}}
        answer = read_batch(self.dynamodb, request, tries(remaining, self.sleep, self.chance))
        found = {names[item[contract.PARTITION_KEY]["S"]]: item for item in answer.get(self.table_name, ())}
        return {name: Generations.from_item(found[name]) if name in found else NONE for name in names.values()}


def view_item(name: str) -> str:
    return f"view/{name}"


def _number(item: Image, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
