"""A topic in a unit test: checks messages as a deployed one, and keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from serverless_patterns_runtime.fan_out_topic import message_attributes
from serverless_patterns_runtime.fan_out_topic.contract import Publishing
from serverless_patterns_runtime.fan_out_topic.message import Message
from serverless_patterns_runtime.fan_out_topic.outgoing import prepared
from serverless_patterns_runtime.fan_out_topic.publishing import Published
from serverless_patterns_runtime.payload import parse

if TYPE_CHECKING:
    from serverless_patterns_runtime.invocation import Invocation

__all__ = ["GivenTopic", "check_given"]

_ANY = Publishing(topic_arn="", fifo=False, key="", attributes={}, claim_check_bucket="", claim_check_keep=[])


@dataclass(frozen=True)
class GivenTopic:
    given: Mapping[str, Any]
    """Of a `Publishing` what matters for the test."""
    published: list[Message]
    """As they were given."""
    sent: list[Message]
    """As subscribers and their filters see them."""

    @property
    def settings(self) -> Publishing:
        paths: Mapping[str, str] = self.given.get("attributes", {})
        bare = {name: path.removeprefix("$.") for name, path in paths.items()}  # FanOutTopic takes both
        return cast("Publishing", {**_ANY, **self.given, "attributes": bare})

    def publish(self, messages: Sequence[Message], invocation: "Invocation | None") -> Sequence[Published]:
        sent = prepared(messages, self.settings, invocation)
        already = len(self.published)
        self.published.extend(messages)
        self.sent.extend(
            Message.arrived(parse(one.text), message_attributes.from_sns(one.attributes), one.group) for one in sent
        )
        return [Published(f"message-{already + at}", message.key) for at, message in enumerate(sent, start=1)]


def check_given(topics: object) -> None:
    """Raises TypeError for settings that would check nothing."""
    if not isinstance(topics, Mapping):
        raise TypeError(f"topics must be a dictionary by name, {_got(topics)}: write topics={{'ORDER_EVENTS': {{}}}}")
    for name, given in cast("Mapping[object, object]", topics).items():
        if not isinstance(given, Mapping):
            fix = "write {'key': 'order_id'}, or {}"
            raise TypeError(f"topics[{name!r}] must be a dictionary of its settings, {_got(given)}: {fix}")
        for word in cast("Mapping[object, object]", given):
            if word not in _ANY:
                has = ", ".join(map(repr, sorted(_ANY)))
                fix = "write 'key'" if word == "idempotency_key" else f"it has {has}"
                raise TypeError(f"topics[{name!r}] has no {word!r}: {fix}")


def _got(value: object) -> str:
    return f"got a value of type {type(value).__name__}"
