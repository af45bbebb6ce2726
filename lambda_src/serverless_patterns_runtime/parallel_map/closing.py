"""Closing an item that was not processed: from now on it never will be, and it is a dead letter.

In this order: the tombstone on its claim, so that nothing of it can still come; the dead letter; the record that there
is one. Whoever does it again finds the tombstone, and at worst sends the letter a second time.
"""

import json
from typing import Any

from serverless_patterns_runtime.load_leveled_queue.contract import DEAD_LETTER_ATTRIBUTE, MAX_MESSAGE_BYTES, DeadLetter
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.edge import Gathering
from serverless_patterns_runtime.parallel_map.items import Item

__all__ = ["closed"]

TOO_LARGE = "too-large"
"""Body of a dead letter whose item has no room in one: where it is, and its size. In S3 an item may have any."""

_BESIDE_BYTES = 1_024  # names and types of the attribute


def closed(gathering: Gathering, item: Item, error_type: str, reason: str, *, attempts: int) -> bool:
    """Whether the item is a dead letter now; False: it was processed.

    Raises RunningElsewhere while an attempt may be at work, Contended, ClientError and BotoCoreError: then do it again.
    """
    edge = gathering.edge
    if item.key is not None:
        claim = item.claim(edge.claims_namespace)
        tombstone = edge.claims().tombstone(claim)
        if not tombstone.forestall():
            return False
    _send(gathering, item, error_type, reason, attempts)
    _record(gathering, item, error_type, reason)
    return True


def _send(gathering: Gathering, item: Item, error_type: str, reason: str, attempts: int) -> None:
    letter = DeadLetter(
        reason=reason,
        error_type=error_type,
        receive_count=attempts,
        correlation_id=item.execution,
        idempotency_key=item.shown_key,
    )
    attribute: dict[str, Any] = {"DataType": "String", "StringValue": json.dumps(letter)}
    body = json.dumps(item.value, separators=(",", ":"))
    if len(body) + len(attribute["StringValue"]) > MAX_MESSAGE_BYTES - _BESIDE_BYTES:
        body = json.dumps({TOO_LARGE: {"index": item.index, "bytes": len(body)}})
    gathering.sqs.send_message(
        QueueUrl=gathering.dead_letter_queue_url,
        MessageBody=body,
        MessageAttributes={DEAD_LETTER_ATTRIBUTE: attribute},
    )


def _record(gathering: Gathering, item: Item, error_type: str, reason: str) -> None:
    edge = gathering.edge
    key = contract.failed_key(edge.claims_namespace, item.execution, item.index)
    edge.write_once(key, {contract.ERROR_TYPE: {"S": error_type}, contract.REASON: {"S": reason}})
