"""Publishing from a business function: every message is published, or the error says which ones are not.

A message whose answer was lost may be published twice. Both have the same key, so that subscribers take them for one.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

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

    A message's key is what the topic's `idempotency_key` leads to in its body; on a topic without one it is
    `Message(key=...)`, else the key of the invocation, which one message alone can have. Everything is checked before
    anything is published. What SNS does not take is tried again for as long as the invocation has time; on a FIFO topic
    no message overtakes another one of its group.

    Nothing takes a message back: a function that fails afterwards runs again, and must publish the same again.
    In a unit test give `invocation=Invocation.fake()`, and see `testing.published`.

    Raises PermanentError for a message that can never be published: nothing is published then. PublishFailed when time
    is up, or SNS refuses for reasons that may pass, such as a missing grant; PublishRefused when it refuses a message
    itself. Both say what is published and what is not.
    """
    resources = _deployed() if invocation is None else invocation.resources
    return resources.topic(topic).publish(messages, invocation)


@cache
def _deployed() -> "Resources":
    # By name: no construct, which imports this package, is to need the SDK.
    return import_module("serverless_patterns_runtime.deployed_resources").DeployedResources({})
