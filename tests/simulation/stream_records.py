"""Records of a DynamoDB stream with both images, as Lambda's event has them."""

import base64
from collections.abc import Mapping
from typing import Any

from .attribute_values import Item

__all__ = ["SERVICE", "stream_record"]

SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def stream_record(
    key: Mapping[str, Any], before: Item | None, after: Item | None, number: int, at: float, *, by_time: bool = False
) -> dict[str, Any]:
    """`by_time`: the item was removed by its time to live."""
    assert before is not None or after is not None
    said: dict[str, Any] = {
        "ApproximateCreationDateTime": float(int(at)),
        "Keys": dict(key),
        "SequenceNumber": f"{number:021}",
        "SizeBytes": 26,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if before is not None:
        said["OldImage"] = {name: _said(value) for name, value in before.items()}
    if after is not None:
        said["NewImage"] = {name: _said(value) for name, value in after.items()}
    record = {
        "eventID": f"{number:032x}",
        "eventName": "REMOVE" if after is None else "INSERT" if before is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": said,
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/shop-orders/stream/2026-11-22T00:00:00.000",
    }
    return record | ({"userIdentity": SERVICE} if by_time else {})


def _said(value: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON: binary is Base64."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {"B": base64.b64encode(content).decode()}
        case "BS":
            return {"BS": [base64.b64encode(member).decode() for member in content]}
        case "M":
            return {"M": {name: _said(member) for name, member in content.items()}}
        case "L":
            return {"L": [_said(member) for member in content]}
        case _:
            return {kind: content}
