"""Which generation of a view is read."""

from collections.abc import Callable
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_queries import contract
from serverless_patterns_runtime.cqrs_views import contract as views
from serverless_patterns_runtime.errors import NotNow

__all__ = ["Generations", "Pointer"]

_FIRST_BUILD_SECONDS = 10


class Generations(NamedTuple):
    live: int
    previous: int | None
    """While it is not dropped."""


class Pointer:
    """Remembered for a moment: what was live is still whole for an hour after it is not, and a little behind.

    The clock is the wall's: others stand still while a function is frozen, for hours.
    """

    def __init__(self, dynamodb: Any, table_name: str, view: str, store: str, clock: Callable[[], float]) -> None:
        """`store`: as `store_of` says of the view. `clock`: epoch seconds."""
        self._dynamodb = dynamodb
        self._table_name = table_name
        self._view, self._store = view, store
        self._clock = clock
        self._kept: Generations | None = None
        self._read_at = float("-inf")

    def read(self, *, fresh: bool = False) -> Generations:
        """`fresh`: as of now. Raises NotNow before the view's first build is done: there is nothing to read yet."""
        now = self._clock()
        if self._kept is None or fresh or not 0 <= now - self._read_at < contract.POINTER_SECONDS:
            self._kept, self._read_at = self._read(), now
        return self._kept

    def _read(self) -> Generations:
        key = {views.PARTITION_KEY: {"S": f"view/{self._view}"}}
        answer = self._dynamodb.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)
        item = answer.get("Item", {})
        in_this_store = item.get(views.STORE, {}).get("S", self._store) == self._store
        if views.LIVE not in item or not in_this_store:  # a table that was made anew is empty
            raise NotNow("the view is being built for the first time", retry_after=_FIRST_BUILD_SECONDS)
        previous = item.get(views.PREVIOUS)
        return Generations(int(item[views.LIVE]["N"]), None if previous is None else int(previous["N"]))
