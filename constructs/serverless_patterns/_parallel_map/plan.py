"""A map as asked for: what its definition, its functions and its checks need to know."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.contract import ItemsEnv

from .._checks import seconds, text
from .._consumer import TIMEOUT
from .._saga_state_machine.attempts import EVENTS_OF_AN_ATTEMPT, LEASE_ATTEMPTS, Backoff
from ..s3_items import S3Items

if TYPE_CHECKING:
    from aws_cdk import Duration

    from ..handler import Handler
    from ..saga_step import Retry

Mode = Literal["inline", "distributed"]
MODES: tuple[Mode, ...] = ("inline", "distributed")

GATHER_SECONDS = 300
"""Of one invocation: what it does not finish, the next goes on with."""

_EVENTS_OF_AN_ITEM = 2 + 2 + 2  # the iteration, the task entered and left, and what follows a failure
_EVENTS_BESIDE = 2_000  # of gathering, completion, and everything that is tried again there


@dataclass(frozen=True)
class Plan:
    """Arguments, checked."""

    items: str | S3Items
    key: str | None
    asked_mode: Mode | None
    max_items: int
    max_concurrency: int
    tolerated_failure_percent: float
    handler: Handler
    on_complete: Handler
    retry: Retry
    timeout: Duration

    @property
    def mode(self) -> Mode:
        """The one that was asked for, else the one that fits."""
        if self.asked_mode is not None:
            return self.asked_mode
        few = self.max_items <= contract.MOST_INLINE_CONCURRENCY and not isinstance(self.items, S3Items)
        return "inline" if few else "distributed"

    @property
    def path(self) -> str:
        """Of the list, or of the object's key, in the input."""
        return self.items.key if isinstance(self.items, S3Items) else self.items

    @property
    def backoff(self) -> Backoff:
        """Of an item's attempts."""
        return Backoff.of(self.retry)

    @property
    def item_seconds(self) -> int:
        """That one attempt at an item may take."""
        return function_seconds(self.handler) + contract.STARTING_SECONDS

    @property
    def longest_item_seconds(self) -> int:
        """From an item's first attempt to the end of its last."""
        leases = LEASE_ATTEMPTS * (self.item_seconds + lease_seconds(self.handler))
        return self.item_seconds * self.retry.attempts + self.backoff.delays + leases

    @property
    def shortest_seconds(self) -> int:
        """That all items take, when each is tried once and takes its function's time-out."""
        return math.ceil(self.max_items / self.max_concurrency) * function_seconds(self.handler)

    @property
    def most_events(self) -> int:
        """Of an inline map, in the history."""
        attempts = 1 + self.backoff.again + LEASE_ATTEMPTS + 1  # the last one buries it
        return self.max_items * (_EVENTS_OF_AN_ITEM + EVENTS_OF_AN_ATTEMPT * attempts) + _EVENTS_BESIDE

    def env(self, bucket_name: str) -> dict[str, str]:
        """What all functions are told."""
        return ItemsEnv(
            MAP_ITEMS=self.path,
            MAP_ITEM_KEY=self.key or "",
            MAP_FORMAT=self.items.format if isinstance(self.items, S3Items) else "input",
            MAP_BUCKET=bucket_name,
            MAX_ITEMS=text(self.max_items),
        )._asdict()


def function_seconds(handler: Handler) -> int:
    """Time-out of its function."""
    return seconds(handler.timeout or TIMEOUT) or 0


def lease_seconds(handler: Handler) -> int:
    """Until others may take what a function of it held."""
    return function_seconds(handler) + contract.LEASE_MARGIN_SECONDS
