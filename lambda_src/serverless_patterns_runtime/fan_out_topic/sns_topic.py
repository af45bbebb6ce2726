"""A topic as a deployed function publishes to it."""

import random
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import PublishFailed, PublishRefused
from serverless_patterns_runtime.fan_out_topic.batches import Batches
from serverless_patterns_runtime.fan_out_topic.contract import Publishing
from serverless_patterns_runtime.fan_out_topic.outgoing import Outgoing, prepared
from serverless_patterns_runtime.fan_out_topic.publishing import Published

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.invocation import Invocation

__all__ = ["SnsTopic"]

TRYING_SECONDS = 10.0
"""For as long as this, where no invocation says how much time there is."""

LONGEST_RESERVE_SECONDS = 2.0
RESERVE_SHARE = 0.1
"""Kept free of the invocation's time for what the function does afterwards: whichever is less."""

_CHANCE = random.SystemRandom()


class SnsTopic(NamedTuple):
    name: str
    settings: Publishing
    client: Callable[[str], Any]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random = _CHANCE

    def publish(self, messages: Sequence["Message"], invocation: "Invocation | None") -> Sequence[Published]:
        """As `publish`."""
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
        self, messages: Sequence["Message"], published: Collection[int], reason: str, *, refused: bool = False
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
