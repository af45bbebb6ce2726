"""Which branches a message has: those whose filter it matches, or those that it names itself."""

from collections.abc import Mapping
from typing import Any, cast

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.settings import BranchSettings
from serverless_patterns_runtime.fan_out_topic.matching import Filter
from serverless_patterns_runtime.fan_out_topic.message import Message as Published
from serverless_patterns_runtime.load_leveled_queue.dead_letters import original_attributes
from serverless_patterns_runtime.load_leveled_queue.message import Message

__all__ = ["Filters", "UnusableExpectation", "named"]


class UnusableExpectation(PermanentError):
    """What the message says of its branches is no list of names."""


def named(payload: Any, path: str) -> frozenset[str]:
    """Raises UnusableExpectation: quotes nothing of the payload."""
    value = payload
    for part in path.split("."):
        value = cast("dict[str, Any]", value).get(part) if isinstance(value, dict) else None
    names = cast("list[Any]", value) if isinstance(value, list) else []
    if not 1 <= len(names) <= contract.MAX_BRANCHES or not all(isinstance(name, str) and name for name in names):
        raise UnusableExpectation(
            "the body does not say which branches it has:"
            f" {path!r} must be a list of 1 to {contract.MAX_BRANCHES:,} names"
        )
    distinct = frozenset(cast("list[str]", names))
    if len(distinct) != len(names):
        raise UnusableExpectation(f"the body names a branch twice at {path!r}")
    size = sum(len(name.encode()) for name in distinct)
    if size > contract.MAX_NAMES_BYTES:
        raise UnusableExpectation(
            f"the names at {path!r} have {size:,} bytes together, where {contract.MAX_NAMES_BYTES:,} have room"
        )
    return distinct


class Filters:
    """Of the subscribers that take part, as this deployment knows them."""

    def __init__(self, settings: BranchSettings) -> None:
        self._branch = settings.branch
        self._subscribers = settings.subscribers
        self._made: Mapping[str, Filter] | None = None

    def expected(self, message: Message) -> frozenset[str]:
        """This branch has the message, whatever the filters say."""
        filters = self._filters()
        if not filters:
            return frozenset({self._branch, *self._subscribers})
        seen = Published.received({**message.record, "messageAttributes": _attributes(message)})
        refused = {name for name, filter in filters.items() if not filter.matches(seen)}
        return frozenset({self._branch, *(self._subscribers.keys() - refused)})

    def _filters(self) -> Mapping[str, Filter]:
        """Looked at when they are first needed, which is not at every cold start."""
        if self._made is None:
            self._made = {
                name: Filter(subscriber["filter"], subscriber.get("scope", "attributes"))
                for name, subscriber in self._subscribers.items()
                if "filter" in subscriber
            }
        return self._made


def _attributes(message: Message) -> dict[str, dict[str, str]]:
    """The publisher's, in the event's shape: what a redrive has displaced is one of them. No filter sees bytes."""
    return {
        name: {"dataType": attribute["DataType"], "stringValue": attribute["StringValue"]}
        for name, attribute in original_attributes(message).items()
        if "StringValue" in attribute
    }
