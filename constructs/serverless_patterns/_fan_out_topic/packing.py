"""Variables that hold all subscribers: known when the last one has been added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import jsii
from aws_cdk import IStringProducer, Lazy
from constructs import Construct

from serverless_patterns_runtime.fan_in.contract import MAX_BRANCHES
from serverless_patterns_runtime.fan_out_topic.contract import Subscriber as Seen
from serverless_patterns_runtime.fan_out_topic.packed import packed

from .._late_errors import refuse_late

if TYPE_CHECKING:
    from .subscriptions import Subscriber


def seen(subscriber: Subscriber) -> Seen:
    """As its filter sees messages."""
    if subscriber.filter is None:
        return {}
    if subscriber.filter_scope == "attributes":
        return {"filter": subscriber.filter}
    return {"filter": subscriber.filter, "scope": subscriber.filter_scope}


@jsii.implements(IStringProducer)
class _Packed:
    def __init__(self, choose: Callable[[], Mapping[str, Seen]]) -> None:
        self._choose = choose
        self._known: tuple[tuple[str, ...], str] | None = None

    def produce(self, context: object) -> str:
        del context
        chosen = self._choose()
        names = tuple(chosen)
        if self._known is None or self._known[0] != names:  # a subscriber never changes
            self._known = (names, packed(chosen))
        return self._known[1]


def packed_late(choose: Callable[[], Mapping[str, Seen]]) -> str:
    """A token that becomes the packed mapping when the template is written."""
    return Lazy.uncached_string(cast(IStringProducer, _Packed(choose)))


def check_number(topic: Construct, subscribers: Mapping[str, Subscriber]) -> None:
    """Refuse, at synth, more branches than an item has room for."""

    def look() -> list[str]:
        count = sum(each.takes_part for each in subscribers.values())
        fix = "more do not fit into one item: let some wait for others, with fan_in=False"
        return [f"fan_in must have at most {MAX_BRANCHES:,} branches, got {count:,}: {fix}"] * (count > MAX_BRANCHES)

    refuse_late(topic, look)
