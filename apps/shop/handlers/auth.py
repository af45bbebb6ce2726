"""Who is calling, and what they may do."""

import time

import tokens

from serverless_patterns_runtime import Caller, Invocation, PermanentError, Request


def identify(request: Request, invocation: Invocation) -> Caller | None:
    """The caller whose token the request bears; None, which the gateway answers with 401, without a good one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    claims = tokens.verify(token, invocation.secret("SIGNING_KEY"), time.time())
    return None if claims is None else Caller(claims["sub"], claims={"scope": claims["scope"]})


def identify_seller(request: Request, invocation: Invocation) -> Caller | None:
    """Like `identify`, and a caller whose token was not issued for orders is refused (403).

    For routes with no function of ours behind them that could `require` it.
    """
    return _identified("orders", request, invocation)


def identify_shopper(request: Request, invocation: Invocation) -> Caller | None:
    """Likewise, for checkouts."""
    return _identified("checkout", request, invocation)


def identify_manager(request: Request, invocation: Invocation) -> Caller | None:
    """Likewise, for approvals."""
    return _identified("approvals", request, invocation)


def require(scope: str, request: Request) -> None:
    """Refuse a caller whose token was not issued for this.

    Not the authorizer's business: the gateway keeps its answer for a minute, for every route.
    """
    if request.caller is None or scope not in request.caller.claims["scope"].split():
        raise PermanentError(f"the token was not issued for {scope}", status=403)


def _identified(scope: str, request: Request, invocation: Invocation) -> Caller | None:
    caller = identify(request, invocation)
    if caller is not None and scope not in caller.claims["scope"].split():
        raise PermanentError(f"the token was not issued for {scope}", status=403)
    return caller
