"""A record of the write model's stream: how one aggregate changed."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.cqrs_table.aggregate import version_of
from serverless_patterns_runtime.cqrs_table.contract import RemovedBy
from serverless_patterns_runtime.cqrs_table.settings import Image
from serverless_patterns_runtime.cqrs_views.contract import Parked

__all__ = ["Change"]

TIME_TO_LIVE_SERVICE = "dynamodb.amazonaws.com"


class Change(NamedTuple):
    key: str
    old: Image | None
    """As the stream has it, binary as Base64. None: it was not there."""
    new: Image | None
    """None: the item is not there any more."""
    created_at: float
    """Epoch seconds, by DynamoDB's clock; it may be cut to whole ones."""
    removed_by: RemovedBy | None = None
    sequence_number: str = ""
    """Empty: it comes from the bucket."""

    @classmethod
    def from_record(cls, record: Mapping[str, Any], key_attribute: str) -> "Change":
        """Raises KeyError for what is no record of a stream with both images."""
        said = record["dynamodb"]
        removed_by: RemovedBy | None = None
        if "NewImage" not in said:
            by_itself = record.get("userIdentity", {}).get("principalId") == TIME_TO_LIVE_SERVICE
            removed_by = "time_to_live" if by_itself else "user"
        return cls(
            key=said["Keys"][key_attribute]["S"],
            old=said.get("OldImage"),
            new=said.get("NewImage"),
            created_at=float(said["ApproximateCreationDateTime"]),
            removed_by=removed_by,
            sequence_number=said["SequenceNumber"],
        )

    @classmethod
    def from_parked(cls, parked: Parked) -> "Change":
        old, new = cast("Image | None", parked["old"]), cast("Image | None", parked["new"])
        return cls(parked["key"], old, new, parked["created_at"])

    @property
    def version(self) -> int | None:
        """Since when it holds. None: the item has no version, before or after.

        What was removed without us, or lost its version, counts as gone in the next one.
        """
        new = _version(self.new)
        if new is not None:
            return new
        old = _version(self.old)
        return None if old is None else old + 1

    @property
    def is_end(self) -> bool:
        """There is no version after this one."""
        return _version(self.new) is None

    @property
    def behind_our_back(self) -> bool:
        """Somebody has changed the state, and not its version."""
        old, new = _version(self.old), _version(self.new)
        return old is not None and new is not None and new <= old

    @property
    def highest(self) -> int:
        """The later of both versions: who puts back what was there once puts back its version too."""
        return max(_version(self.old) or 0, _version(self.new) or 0)

    @property
    def lost_its_version(self) -> bool:
        """Or never had one."""
        return self.new is not None and _version(self.new) is None

    def images(self) -> tuple[Image | None, Image | None]:
        """As DynamoDB's client has them."""
        return (None if self.old is None else decoded(self.old), None if self.new is None else decoded(self.new))


def decoded(image: Image) -> Image:
    return {name: _decoded(value) for name, value in image.items()}


def _decoded(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {"B": base64.b64decode(content)}
        case "BS":
            return {"BS": [base64.b64decode(member) for member in content]}
        case "M":
            return {"M": {name: _decoded(member) for name, member in content.items()}}
        case "L":
            return {"L": [_decoded(member) for member in content]}
        case _:
            return {kind: content}


def _version(image: Image | None) -> int | None:
    return None if image is None else version_of(image)
