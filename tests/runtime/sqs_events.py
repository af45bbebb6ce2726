"""Events as Lambda sends them: the golden envelopes of tests/events, and records shaped like theirs."""

import copy
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "events"

NOW = 1_795_251_600
"""Epoch seconds at which every test starts: a few seconds after the golden messages were sent."""

_numbers = itertools.count(1)


def golden(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text())


_STANDARD = golden("sqs_standard")["Records"][0]
_FIFO = golden("sqs_fifo")["Records"][0]


def record(
    body: Any = None,
    *,
    message_id: str | None = None,
    receives: int = 1,
    sent_at: float = NOW - 5,
    group: str | None = None,
    attributes: dict[str, dict[str, Any]] | None = None,
    **system: str,
) -> dict[str, Any]:
    """One record; `group` makes it a FIFO queue's. A body that is not a string becomes JSON."""
    made = copy.deepcopy(_STANDARD if group is None else _FIFO)
    text = body if isinstance(body, str) else json.dumps(body)
    number = next(_numbers)
    made["messageId"] = message_id or f"message-{number}"
    made["receiptHandle"] = f"receipt-{number}"
    made["body"] = text
    made["md5OfBody"] = hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest()
    made["messageAttributes"] = attributes or {}
    made["attributes"] |= {
        "ApproximateReceiveCount": str(receives),
        "SentTimestamp": str(int(sent_at * 1000)),
        **({"MessageGroupId": group} if group is not None else {}),
        **system,
    }
    return made


def text(value: str, data_type: str = "String") -> dict[str, Any]:
    """A message attribute in the event's shape."""
    return {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": data_type}


def binary(base64_text: str, data_type: str = "Binary") -> dict[str, Any]:
    return {"binaryValue": base64_text, "stringListValues": [], "binaryListValues": [], "dataType": data_type}
