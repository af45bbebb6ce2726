"""AWS's Signature Version 4 of a request: what the SDK would do, without it. The tests compare the two."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

__all__ = ["Credentials", "signed"]

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    key_id: str
    secret: str
    token: str
    """Empty: they are no role's."""


def signed(
    path: str, headers: Mapping[str, str], body: bytes, credentials: Credentials, service: str, region: str, now: float
) -> dict[str, str]:
    """The headers of a POST without a query string, and those that sign it.

    `path`: percent-encoded, as it is sent. `headers`: at least `host`, names in lower case; all are signed.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    said = {**headers, "x-amz-date": stamp}
    if credentials.token:
        said["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(said))
    canonical = "\n".join(
        [
            "POST",
            quote(path, safe="/-_.~"),
            "",
            *(f"{name}:{' '.join(said[name].split())}" for name in sorted(said)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_key(credentials.secret, stamp[:8], region, service), text.encode(), "sha256").hex()
    said["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return said


@lru_cache(8)
def _key(secret: str, *parts: str) -> bytes:
    """The same for a whole day."""
    key = f"AWS4{secret}".encode()
    for part in (*parts, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
