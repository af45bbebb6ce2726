"""Publishing from a business function: every message is published, or the error says which ones are not.

A message whose answer was lost may be published twice. Both have the same key, so that subscribers take them for one.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from serverless_patterns_runtime.errors import UnusableMessage

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.invocation import Invocation
    from serverless_patterns_runtime.resources import Resources

__all__ = ["Published", "publish"]


class Published(NamedTuple):
    message_id: str
    """SNS's; of a message that was published twice the last one's."""
    key: str
    """The idempotency key that all subscribers see."""


def publish(topic: str, *messages: "Message", invocation: "Invocation | None" = None) -> Sequence[Published]:
    """Publish all of them to the topic that `orders.publisher("ORDER_EVENTS")` names `ORDER_EVENTS`.

    `publish("ORDER_EVENTS", Message(order), invocation=invocation)`; many messages: `*messages`.

    A message's key is what the topic's `idempotency_key` leads to in its body; on a topic without one it is
    `Message(key=...)`, else the key of the invocation, which one message alone can have. Everything is checked before
    anything is published. What SNS does not take is tried again for as long as the invocation has time; on a FIFO topic
    no message overtakes another one of its group.

    Nothing takes a message back: a function that fails afterwards runs again, and must publish the same again.
    In a unit test give `invocation=Invocation.fake()`, and see `testing.published`.

    Raises PermanentError for what can never be published, be it no `Message` at all: nothing is published then.
    PublishFailed when time is up, or SNS refuses for reasons that may pass, such as a missing grant; PublishRefused
    when it refuses a message itself. Both say what is published and what is not.
    """
    _check_kinds(topic, messages)
    resources = _deployed() if invocation is None else invocation.resources
    return resources.topic(topic).publish(messages, invocation)


def _check_kinds(topic: object, messages: Sequence[object]) -> None:
    """Raises UnusableMessage, which is not tried again."""
    from serverless_patterns_runtime.fan_out_topic.message import WRAP, Message  # constructs have no use for it

    if not isinstance(topic, str):
        fix = "write publish('ORDER_EVENTS', Message(...), invocation=invocation)"
        raise UnusableMessage(f"publish takes the topic's name first, got {_kind(topic)}: {fix}")
    for message in messages:
        if isinstance(message, list | tuple):
            fix = "give each as an argument of its own: publish(topic, *messages, invocation=invocation)"
            kind = "a list" if isinstance(message, list) else "a tuple"
            raise UnusableMessage(f"publish takes messages one by one, got {kind}: {fix}")
        if not isinstance(message, Message):
            raise UnusableMessage(f"publish takes Messages, got {_kind(message)}: {WRAP}")


def _kind(value: object) -> str:
    """Without the value: the payload is to be in no log."""
    return f"a value of type {type(value).__name__}"


@cache
def _deployed() -> "Resources":
    # By name: no construct, which imports this package, is to need the SDK.
    return import_module("serverless_patterns_runtime.deployed_resources").DeployedResources({})
