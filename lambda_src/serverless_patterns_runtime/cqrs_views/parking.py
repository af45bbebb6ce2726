"""What was given up, in S3: the record with both its images, so that it can be tried again later."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.contract import Parked, ParkReason
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["NotParked", "Parking", "object_key"]


class NotParked(Exception):
    """S3 does not take it now: nothing may be given up."""


class Parking(NamedTuple):
    s3: Any
    bucket: str
    clock: Callable[[], float]

    def park(self, view: str, change: Change, reason: ParkReason, message: str) -> str:
        """Name of the object: the same for the same record. Raises NotParked."""
        parked = Parked(
            view=view,
            key=change.key,
            version=change.version or 0,
            reason=reason,
            message=message,
            created_at=change.created_at,
            parked_at=self.clock(),
            old=change.old,
            new=change.new,
        )
        name = object_key(view, change)
        try:
            self.put(name, parked)
        except (ClientError, BotoCoreError) as error:
            raise NotParked(type(error).__name__) from error
        return name

    def load(self, name: str) -> dict[str, Any] | None:
        """What is in an object; None: it is not there any more. Raises ClientError and BotoCoreError."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=name)
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise
        with answer["Body"] as body:
            return cast("dict[str, Any]", json.loads(body.read()))

    def put(self, name: str, said: Mapping[str, Any]) -> None:
        """Likewise."""
        text = json.dumps(said).encode()
        self.s3.put_object(Bucket=self.bucket, Key=name, Body=text, ContentType="application/json")

    def remove(self, name: str) -> None:
        """Raises ClientError and BotoCoreError."""
        self.s3.delete_object(Bucket=self.bucket, Key=name)


def object_key(view: str, change: Change) -> str:
    """Two records of one version, of which one was made behind our back, are two objects.

    Likewise what a rebuild has seen of a version, which knows nothing of the one before.
    """
    which = f"{change.version}-{digest(change)}" if change.behind_our_back else str(change.version)
    which += "-first" if change.old is None else ""
    return f"{contract.PARKED_PREFIX}{view}/{hashlib.sha256(change.key.encode()).hexdigest()}/{which}.json"


def digest(change: Change) -> str:
    images = json.dumps([change.old, change.new], sort_keys=True)
    return hashlib.sha256(images.encode()).hexdigest()[:16]
