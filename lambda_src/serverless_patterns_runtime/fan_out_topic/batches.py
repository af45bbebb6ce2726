"""PublishBatch until everything is published: what failed is tried again, in an order that keeps each group's."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.claims.contention import NOT_NOW, tries
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.fan_out_topic.contract import MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES
from serverless_patterns_runtime.fan_out_topic.outgoing import Outgoing

__all__ = ["Batches", "Delivered"]

_THROTTLED = NOT_NOW | {
    "InternalError",
    "KMSThrottling",
    "KMSThrottlingException",
    "ServiceUnavailable",
    "Throttled",
    "ThrottledException",
    "Throttling",
}
"""Whose fault SNS says it is does not matter here: throttling is said to be the sender's."""

_REFUSED = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"})
"""Of the message itself: it would be refused every time."""


class Delivered(NamedTuple):
    ids: Mapping[int, str]
    """SNS's ids of what is published, by position."""
    reason: str | None
    """Code of an error, why not all is."""
    refused: bool
    """Whether that would happen every time."""


class _Answer(NamedTuple):
    ids: Mapping[int, str]
    final: str | None = None
    """Code of an error after which no other try can help."""
    passing: str | None = None
    """Code of an error that may not come again."""


class Batches(NamedTuple):
    sns: Any
    topic_arn: str
    sleep: Callable[[float], None]
    random: random.Random

    def publish(self, messages: Sequence[Outgoing], remaining: Callable[[], float]) -> Delivered:
        """Nothing is raised for what SNS, or the way to it, may do."""
        ids: dict[int, str] = {}
        reason: str | None = None
        waiting = list(range(len(messages)))
        try:
            for _ in tries(remaining, self.sleep, self.random):
                while waiting:
                    batch = next_batch(messages, waiting)
                    answer = self._send(messages, batch)
                    ids |= answer.ids
                    if answer.final is not None:
                        return Delivered(ids, answer.final, answer.final in _REFUSED)
                    waiting = _behind([at for at in batch if at not in ids], waiting, messages, ids)
                    if answer.passing is not None:
                        reason = answer.passing
                        break
                else:
                    return Delivered(ids, None, False)
        except Contended:
            pass
        return Delivered(ids, reason, False)

    def _send(self, messages: Sequence[Outgoing], batch: Sequence[int]) -> _Answer:
        entries = [messages[at].entry(str(at)) for at in batch]
        try:
            answer = self.sns.publish_batch(TopicArn=self.topic_arn, PublishBatchRequestEntries=entries)
        except (NoConnection, HTTPClientError) as error:
            return _Answer({}, passing=type(error).__name__)
        except BotoCoreError as error:
            return _Answer({}, final=type(error).__name__)
        except ClientError as error:
            code = error_code(error) or "ClientError"
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
            return _Answer({}, passing=code) if status >= 500 or code in _THROTTLED else _Answer({}, final=code)
        return _read(answer, batch)


def next_batch(messages: Sequence[Outgoing], waiting: Sequence[int]) -> list[int]:
    """As many as one request takes, the first ones first; of each group the first alone.

    SNS publishes a batch's messages in their order, but each may fail by itself: the next one of its group would be
    published before it, and nothing could take that back.
    """
    batch: list[int] = []
    groups: set[str] = set()
    room = MAX_MESSAGE_BYTES
    for at in waiting:
        message = messages[at]
        if message.group in groups:
            continue
        if message.group is not None:
            groups.add(message.group)
        if message.size <= room:
            batch.append(at)
            room -= message.size
            if len(batch) == MAX_BATCH_ENTRIES:
                break
    return batch


def _behind(
    failed: Sequence[int], waiting: Sequence[int], messages: Sequence[Outgoing], ids: Mapping[int, str]
) -> list[int]:
    """What waits still: what failed after all others, with its whole group, so that it keeps nobody else waiting."""
    late = {messages[at].group or at for at in failed}
    return sorted((at for at in waiting if at not in ids), key=lambda at: (messages[at].group or at) in late)


def _read(answer: Mapping[str, Any], batch: Sequence[int]) -> _Answer:
    """What SNS does not say to be published is not, whatever else it says or leaves out."""
    sent = set(batch)
    ids = {at: entry["MessageId"] for entry in answer.get("Successful", ()) if (at := _position(entry)) in sent}
    failed = [entry for entry in answer.get("Failed", ()) if _position(entry) in sent]
    for entry in failed:
        if entry.get("SenderFault") and entry.get("Code") not in _THROTTLED:
            return _Answer(ids, final=entry.get("Code") or "SenderFault")
    if len(ids) == len(sent):
        return _Answer(ids)
    return _Answer(ids, passing=next((code for entry in failed if (code := entry.get("Code"))), "Unanswered"))


def _position(entry: Mapping[str, Any]) -> int:
    id = str(entry.get("Id", ""))
    return int(id) if id.isdecimal() else -1
