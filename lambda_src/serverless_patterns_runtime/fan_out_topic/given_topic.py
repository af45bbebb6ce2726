"""A topic in a unit test: checks messages as a deployed one, and keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from serverless_patterns_runtime.fan_out_topic.contract import Publishing
from serverless_patterns_runtime.fan_out_topic.outgoing import prepared
from serverless_patterns_runtime.fan_out_topic.publishing import Published

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.invocation import Invocation

__all__ = ["GivenTopic"]

_ANY = Publishing(topic_arn="", fifo=False, key="", attributes={}, claim_check_bucket="", claim_check_keep=[])


@dataclass(frozen=True)
class GivenTopic:
    given: Mapping[str, Any]
    """Of a `Publishing` what matters for the test."""
    published: "list[Message]"

    @property
    def settings(self) -> Publishing:
        return cast("Publishing", {**_ANY, **self.given})

    def publish(self, messages: "Sequence[Message]", invocation: "Invocation | None") -> Sequence[Published]:
        sent = prepared(messages, self.settings, invocation)
        already = len(self.published)
        self.published.extend(messages)
        return [Published(f"message-{already + at}", message.key) for at, message in enumerate(sent, start=1)]
