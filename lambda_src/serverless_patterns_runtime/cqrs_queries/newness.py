"""Read your writes: a query that asks for a version shows it, or a later one, or says that it cannot yet.

Nobody marks what a view has got to. The reader projects the aggregate by itself, and compares.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_queries.asking import UnusableQuery
from serverless_patterns_runtime.cqrs_queries.pages import Looked, Query
from serverless_patterns_runtime.cqrs_queries.reading import in_page
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, UnknownSchema, plain
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views.sink import RowKey
from serverless_patterns_runtime.cqrs_views.views import Row, View
from serverless_patterns_runtime.errors import NotNow
from serverless_patterns_runtime.invocation import Invocation

__all__ = ["MinVersion", "Newness", "Patience", "shows"]

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
LAST_SECONDS = 2.0
"""Of an invocation: the answer has to be made."""

RETRY_AFTER_SECONDS = 2
MAX_CHARACTERS = 1_100
_MOST_DIGITS = 20

T = TypeVar("T")


class MinVersion(NamedTuple):
    version: int
    key: str

    @classmethod
    def parse(cls, text: str) -> "MinVersion":
        """`<version>@<key>`, as a command answers it. Raises UnusableQuery."""
        version, at, key = text.partition("@")
        digits = version.isascii() and version.isdigit() and len(version) <= _MOST_DIGITS
        if not (digits and at and key) or len(text) > MAX_CHARACTERS or not _is_text(key):
            raise UnusableQuery("min_version is the token of a command's answer: pass it on unchanged")
        return cls(int(version), key)


class Newness(NamedTuple):
    """What a view is to show of an aggregate."""

    model: WriteModel
    view: View

    def aggregate(self, asked: MinVersion, invocation: Invocation) -> Aggregate | None:
        """As it is now. None: it is gone. Raises UnusableQuery for a version that it has not got to, and NotNow."""
        try:
            found = self.model.read_aggregates([asked.key], remaining=invocation.remaining)[asked.key]
        except UnknownSchema as error:
            raise NotNow(f"the view cannot show it yet: {error}", RETRY_AFTER_SECONDS) from error
        if found is not None and (found.version or 0) < asked.version:
            raise UnusableQuery("min_version is later than all that has happened: pass on a command's token unchanged")
        return found

    def rows(self, aggregate: Aggregate | None, invocation: Invocation) -> Mapping[RowKey, Row]:
        """As the table would have them. Raises NotNow for a state that its function refuses."""
        rows = self._made(lambda: self.view.rows(aggregate), invocation)
        return {key: plain(deserialize_item(serialize_item(row))) for key, row in rows.items()}

    def amounts(self, aggregate: Aggregate | None, invocation: Invocation) -> Mapping[str, Any]:
        """Likewise."""
        return self._made(lambda: self.view.amounts(aggregate), invocation)

    def _made(self, make: Callable[[], T], invocation: Invocation) -> T:
        try:
            return make()
        except Exception as error:
            # The projector has met the same, and has parked the change.
            invocation.logger.error("the view's function refuses a state", extra={"error_type": type(error).__name__})
            raise NotNow("the view cannot show this change: its record is parked", RETRY_AFTER_SECONDS) from error


def shows(looked: Looked, query: Query, asked: MinVersion, expected: Mapping[RowKey, Row]) -> bool:
    """Whether each row of the aggregate on this page is of the version, or of a later one.

    One that has not changed since has an older version, and is what is expected now.
    """
    seen = {row.key: row for row in looked.found.seen}
    for row in seen.values():
        is_old = row.source == asked.key and row.row is not None and row.version < asked.version
        if is_old and expected.get(row.key) != row.row:
            return False
    for key in expected:
        on_page = key.partition == query.partition and in_page(
            key, query.between, looked.after, looked.found, descending=query.descending
        )
        if on_page and not _is_there(seen.get(key), asked):
            return False
    return True


def _is_there(found: Any, asked: MinVersion) -> bool:
    """Or was, and a later version has taken it away."""
    return found is not None and found.source == asked.key and (found.row is not None or found.version >= asked.version)


class Patience(NamedTuple):
    """Looking again until it is there."""

    seconds: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    chance: random.Random

    def until(self, look: Callable[[], T | None], remaining: Callable[[], float]) -> T:
        """The first that is not None. Raises NotNow when it takes too long."""
        ends = self.clock() + min(self.seconds, remaining() - LAST_SECONDS)
        pause = FIRST_PAUSE_SECONDS
        while True:
            if (seen := look()) is not None:
                return seen
            delay = pause * self.chance.uniform(0.5, 1)
            if self.clock() + delay > ends:
                raise NotNow("the view does not show this change yet: ask again with the same min_version", 2)
            self.sleep(delay)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
