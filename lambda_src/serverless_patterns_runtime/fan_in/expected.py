"""Which branches a message has: those whose filter it matches, or those that it names itself."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.settings import BranchSettings
from serverless_patterns_runtime.fan_out_topic.contract import Subscriber
from serverless_patterns_runtime.load_leveled_queue.dead_letters import original_attributes
from serverless_patterns_runtime.load_leveled_queue.message import Message

__all__ = ["UnusableExpectation", "by_filters", "named"]


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


def by_filters(settings: BranchSettings, message: Message, payload: Any) -> frozenset[str]:
    """This branch has the message, whatever the filters that this deployment knows say."""
    filtered = {name: subscriber for name, subscriber in settings.subscribers.items() if "filter" in subscriber}
    unfiltered = settings.subscribers.keys() - filtered.keys()
    return frozenset({settings.branch, *unfiltered, *_matching(filtered, message, payload)})


def _matching(filtered: Mapping[str, Subscriber], message: Message, payload: Any) -> Iterator[str]:
    if not filtered:
        return
    outgoing = importlib.import_module("serverless_patterns_runtime.fan_out_topic.message")
    matching = importlib.import_module("serverless_patterns_runtime.fan_out_topic.matching")
    attributes = importlib.import_module("serverless_patterns_runtime.fan_out_topic.message_attributes")
    seen = outgoing.Message.arrived(payload, attributes.from_sns(original_attributes(message)))
    for name, subscriber in filtered.items():
        if matching.matches(subscriber.get("filter"), seen, scope=subscriber.get("scope", "attributes")):
            yield name
