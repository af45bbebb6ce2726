"""What an `Idempotency-Key` stands for: this request of this caller to this route, and nothing else."""

import hashlib
from typing import Any

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.payload import digest
from serverless_patterns_runtime.request import Request

__all__ = ["claim_of"]

_HEADER = contract.IDEMPOTENCY_KEY_HEADER


def claim_of(request: Request, mode: contract.KeyMode, namespace: str) -> Claim | None:
    """The claim that the request's key makes; None without one, and where the route has keys switched off.

    Two callers, or two routes, never share one, whatever keys they choose. What is digested is data: changed, it takes
    every retry that is under way for the reuse of its key. Raises PermanentError, status 400, for a key that cannot be
    one, and MalformedPayload.
    """
    if mode == "off":
        return None
    values: list[str] = list(request.headers.all(_HEADER))
    if not values:
        if mode == "optional":
            return None
        raise _refused(f"this request needs an {_HEADER} header: a new one for each new request, the same for a retry")
    if len(values) > 1:
        raise _refused(f"a request has one {_HEADER} header")
    key = _checked(values[0])
    caller = request.caller and [request.caller.kind, request.caller.id]
    # A list: joined by any separator, two different scopes could read the same.
    return Claim(namespace, digest([caller, request.method, request.route, key]), _payload(request))


def _checked(key: str) -> str:
    if not 1 <= len(key) <= contract.MAX_KEY_CHARACTERS or not all("!" <= character <= "~" for character in key):
        most = contract.MAX_KEY_CHARACTERS
        raise _refused(f"an {_HEADER} is 1 to {most} visible ASCII characters, without spaces; a UUID is one")
    return key


def _payload(request: Request) -> str:
    body: Any = request.body
    if isinstance(body, bytes):
        body = {"sha256": hashlib.sha256(body).hexdigest()}
        kind = "bytes"
    else:
        kind = "json"
    query = {name: list(request.query.all(name)) for name in request.query}
    return digest({"params": dict(request.params), "query": query, kind: body})


def _refused(message: str) -> PermanentError:
    return PermanentError(message, status=400)
