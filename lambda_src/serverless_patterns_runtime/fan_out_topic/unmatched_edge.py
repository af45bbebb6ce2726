"""Everything outside of the matcher of unmatched messages: AWS, logs, and what it was told at deployment."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.fan_out_topic import contract
from serverless_patterns_runtime.fan_out_topic.contract import Subscriber, UnmatchedEnv
from serverless_patterns_runtime.fan_out_topic.matching import Filter
from serverless_patterns_runtime.fan_out_topic.packed import unpacked
from serverless_patterns_runtime.telemetry import Logger, count

__all__ = ["UnmatchedEdge", "filters"]


class UnmatchedEdge(NamedTuple):
    sqs: Any
    """None when nothing is kept."""
    queue_url: str
    """Empty: unmatched messages are only counted."""
    filters: tuple[Filter, ...]
    """One for each subscriber."""
    logger: Any
    counted: Callable[[int], None]
    """Messages that nobody wanted."""

    @classmethod
    def from_environment(cls) -> "UnmatchedEdge":
        env = environment.read(UnmatchedEnv)
        return cls(
            sqs=client("sqs") if env.UNMATCHED_QUEUE_URL else None,
            queue_url=env.UNMATCHED_QUEUE_URL,
            filters=filters(cast("Mapping[str, Subscriber]", unpacked(env.SUBSCRIBERS))),
            logger=Logger(),
            counted=partial(_count, env.TOPIC_NAME),
        )


def filters(subscribers: Mapping[str, Subscriber]) -> tuple[Filter, ...]:
    """What each subscriber lets through."""
    return tuple(Filter(each.get("filter"), each.get("scope", "attributes")) for each in subscribers.values())


def _count(topic: str, messages: int) -> None:
    dimensions = {contract.TOPIC_DIMENSION: topic}
    count(contract.METRIC_UNMATCHED, messages, namespace=contract.METRICS_NAMESPACE, dimensions=dimensions)
