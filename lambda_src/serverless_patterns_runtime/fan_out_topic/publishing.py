"""Publishing from a business function: every message is published, or the error says which ones are not.

A message whose answer was lost may be published twice. Both have the same key, so that subscribers take them for one.
"""

import random
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import PermanentError, PublishFailed, PublishRefused
from serverless_patterns_runtime.fan_out_topic.contract import Publishing
from serverless_patterns_runtime.fan_out_topic.outgoing import Outgoing, outgoing

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.invocation import Invocation
    from serverless_patterns_runtime.resources import Resources

__all__ = ["Published", "SnsTopic", "prepared", "publish"]

TRYING_SECONDS = 10.0
"""For as long as this, where no invocation says how much time there is."""

LONGEST_RESERVE_SECONDS = 2.0
RESERVE_SHARE = 0.1
"""Kept free of the invocation's time for what the function does afterwards: whichever is less."""


_CHANCE = random.SystemRandom()


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


def prepared(
    messages: Sequence["Message"], settings: Publishing, invocation: "Invocation | None"
) -> Sequence[Outgoing]:
    """All of them, checked. Raises PermanentError."""
    own_key = invocation.idempotency_key if invocation is not None and len(messages) == 1 else None
    correlation_id = None if invocation is None else invocation.correlation_id
    sent = [outgoing(message, settings, own_key=own_key, correlation_id=correlation_id) for message in messages]
    digests: dict[str, str] = {}
    for message in sent:
        if digests.setdefault(message.key, message.digest) != message.digest:
            raise PermanentError("two messages with different bodies have the same idempotency key: one event, one key")
    return sent


class SnsTopic(NamedTuple):
    name: str
    settings: Publishing
    client: Callable[[str], Any]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random = _CHANCE

    def publish(self, messages: Sequence["Message"], invocation: "Invocation | None") -> Sequence[Published]:
        """As the function of this name."""
        from serverless_patterns_runtime.fan_out_topic.batches import Batches  # needs botocore

        if not messages:
            return ()
        sent = prepared(messages, self.settings, invocation)
        remaining = self._remaining(invocation)
        self._check_in(messages, sent)
        batches = Batches(self.client("sns"), self.settings["topic_arn"], self.sleep, self.chance)
        ids, reason, refused = batches.publish(sent, remaining)
        if len(ids) < len(sent):
            raise self._error(messages, ids.keys(), reason or "no time left", refused=refused)
        return [Published(ids[at], message.key) for at, message in enumerate(sent)]

    def _check_in(self, messages: Sequence["Message"], sent: Sequence[Outgoing]) -> None:
        """Before anything is published: a subscriber may be quicker than the next request."""
        from botocore.exceptions import BotoCoreError, ClientError

        for message in sent:
            if (checked := message.checked_in) is None:
                continue
            check = checked.check
            try:
                self.client("s3").put_object(
                    Bucket=check["bucket"], Key=check["key"], Body=checked.content, ContentType="application/json"
                )
            except (BotoCoreError, ClientError) as error:
                code = error_code(error) if isinstance(error, ClientError) else type(error).__name__
                raise self._error(messages, (), f"S3 does not keep the payload of a claim check, {code}") from error

    def _remaining(self, invocation: "Invocation | None") -> Callable[[], float]:
        if invocation is None:
            end = self.clock() + TRYING_SECONDS
            return lambda: end - self.clock()
        reserve = min(LONGEST_RESERVE_SECONDS, invocation.remaining() * RESERVE_SHARE)
        return lambda: invocation.remaining() - reserve

    def _error(
        self, messages: Sequence["Message"], published: Any, reason: str, *, refused: bool = False
    ) -> PublishFailed | PublishRefused:
        missing = [at for at in range(len(messages)) if at not in published]
        which = ", ".join(str(at + 1) for at in missing[:10]) + (", ..." if len(missing) > 10 else "")
        kind = PublishRefused if refused else PublishFailed
        return kind(
            f"{len(missing)} of {len(messages)} messages were not published to {self.name}"
            f" (message {which}): {reason}; published: {len(messages) - len(missing)}",
            published=[message for at, message in enumerate(messages) if at in published],
            unpublished=[messages[at] for at in missing],
        )


@cache
def _deployed() -> "Resources":
    from serverless_patterns_runtime.deployed_resources import DeployedResources

    return DeployedResources({})
