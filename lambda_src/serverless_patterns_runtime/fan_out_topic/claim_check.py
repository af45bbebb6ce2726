"""Payloads beyond SNS's limit: kept in S3 under their own digest, and only a claim check goes through the topic.

Hohpe & Woolf, Claim Check. The same payload has the same object and the same check, however often it is published.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_out_topic.contract import CLAIM_CHECK, ClaimCheck
from serverless_patterns_runtime.payload import canonical

__all__ = ["MAX_PAYLOAD_BYTES", "CheckedIn", "checked_in", "object_key"]

MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
"""Of a payload as JSON: as Python objects it takes some ten times as much of a function's memory."""

_PREFIX = "claim-check"


class CheckedIn(NamedTuple):
    """A payload to be kept, and what is published in its place."""

    check: ClaimCheck
    content: bytes
    body: Mapping[str, Any]


def checked_in(payload: Any, *, bucket: str, keep: Sequence[str], key_path: str) -> CheckedIn:
    """The body keeps the members of these names, and what the key's path leads to.

    Raises PermanentError, status 413, for a payload that no consumer would open.
    """
    content = canonical(payload).encode()
    if len(content) > MAX_PAYLOAD_BYTES:
        raise PermanentError(
            f"a message holds at most {MAX_PAYLOAD_BYTES:,} bytes as JSON, also by claim check, got {len(content):,}",
            status=413,
        )
    digest = hashlib.sha256(content).hexdigest()
    check = ClaimCheck(bucket=bucket, key=object_key(digest), sha256=digest, size=len(content))
    members: Mapping[str, Any] = cast("Mapping[str, Any]", payload) if isinstance(payload, dict) else {}
    kept: dict[str, Any] = {name: members[name] for name in keep if name in members}
    if key_path:
        _keep(kept, members, key_path.split("."))
    return CheckedIn(check, content, {**kept, CLAIM_CHECK: check})


def _keep(kept: dict[str, Any], members: Mapping[str, Any], path: Sequence[str]) -> None:
    """The value at the path, in the objects that lead to it. A member that is kept whole has it already."""
    first, *rest = path
    if first in kept or first not in members:
        return
    value = members[first]
    if not rest:
        kept[first] = value
    elif isinstance(value, dict):
        inner: dict[str, Any] = {}
        _keep(inner, cast("Mapping[str, Any]", value), rest)
        kept[first] = inner


def object_key(digest: str) -> str:
    return f"{_PREFIX}/{digest}"
