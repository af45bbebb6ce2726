"""The consumer's side of a claim check: the payload that it stands for, and no other object than that."""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_out_topic.claim_check import MAX_PAYLOAD_BYTES, object_key
from serverless_patterns_runtime.fan_out_topic.contract import CLAIM_CHECK, ClaimCheck, ClaimCheckEnv
from serverless_patterns_runtime.payload import parse

__all__ = ["ClaimCheckMissing", "ClaimChecks", "InvalidClaimCheck"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


class InvalidClaimCheck(PermanentError):
    """A claim check that no publisher of this topic has made, or an object that is not what was checked in."""


class ClaimCheckMissing(Exception):
    """The object is not there: perhaps not yet, perhaps no more."""


class ClaimChecks(NamedTuple):
    """What a consumer opens claim checks with."""

    s3: Callable[[], Any]
    """The client, when it is needed: most messages are no claim checks."""
    bucket: str

    @classmethod
    def deployed(cls) -> "ClaimChecks":
        return cls(lambda: client("s3"), environment.read(ClaimCheckEnv).CLAIM_CHECK_BUCKET)

    def open(self, payload: Any) -> Any:
        """The payload that was checked in; of a message without a claim check its own.

        Only this bucket is read, whatever a message says. Raises InvalidClaimCheck; ClaimCheckMissing, ClientError and
        BotoCoreError when the same may be asked for again.
        """
        if not isinstance(payload, dict) or CLAIM_CHECK not in payload:
            return payload  # pyright: ignore[reportUnknownVariableType]
        body = cast("Mapping[str, Any]", payload)
        check = self._read(body[CLAIM_CHECK])
        opened = parse(self._content(check))
        kept = {name: value for name, value in body.items() if name != CLAIM_CHECK}
        if kept and not _is_part_of(kept, opened):
            raise InvalidClaimCheck("the message and the payload that it is a claim check of do not agree")
        return opened

    def _read(self, said: object) -> ClaimCheck:
        names = cast("dict[str, Any]", said).keys() if isinstance(said, dict) else ()
        if set(names) != set(ClaimCheck.__annotations__):
            raise InvalidClaimCheck(f"{CLAIM_CHECK!r} has exactly: {', '.join(ClaimCheck.__annotations__)}")
        check = cast("ClaimCheck", said)
        if check["bucket"] != self.bucket:
            raise InvalidClaimCheck("the claim check is of another bucket than this topic's")
        digest, size = cast("Any", check["sha256"]), cast("Any", check["size"])
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest) or check["key"] != object_key(digest):
            raise InvalidClaimCheck("the claim check's key is not made of its SHA-256")
        if type(size) is not int or not 0 <= size <= MAX_PAYLOAD_BYTES:
            raise InvalidClaimCheck(f"the claim check's size is not a whole number up to {MAX_PAYLOAD_BYTES:,} bytes")
        return check

    def _content(self, check: ClaimCheck) -> str:
        answer = self._object(check["key"])
        with answer["Body"] as body:
            if answer.get("ContentLength", check["size"]) != check["size"]:  # a proxy need not pass it on
                raise InvalidClaimCheck("the object in S3 has another size than the claim check says")
            content: bytes = body.read(check["size"] + 1)
        if hashlib.sha256(content).hexdigest() != check["sha256"]:
            raise InvalidClaimCheck("the object in S3 has another SHA-256 than the claim check says")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise InvalidClaimCheck("the object in S3 is not text in UTF-8") from None

    def _object(self, key: str) -> Any:
        try:
            return self.s3().get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            # Without the right to list a bucket, S3 says of what is not there that it is forbidden.
            if error_code(error) in ("NoSuchKey", "AccessDenied"):
                raise ClaimCheckMissing(
                    f"the payload is not in S3, or may not be read ({error_code(error)}): {key}"
                ) from error
            raise


def _is_part_of(part: Any, whole: Any) -> bool:
    """Whether what was kept in the body is as in the payload, inside of objects member by member."""
    if isinstance(part, dict) and isinstance(whole, dict):
        members, others = cast("dict[str, Any]", part), cast("dict[str, Any]", whole)
        return all(name in others and _is_part_of(value, others[name]) for name, value in members.items())
    return isinstance(part, type(cast("object", whole))) and part == whole


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and os.environ.get("CLAIM_CHECK_BUCKET"):
    client("s3")  # at init, which Lambda runs with more CPU
