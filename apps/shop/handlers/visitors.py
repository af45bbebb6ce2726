"""Who is visiting the site: whoever the old one has logged in, known by its cookie.

The cookie is signed, so it is believed without the old site's database. The price: a logout there ends a session here
only because the browser forgets the cookie.
"""

import hashlib
import hmac

from serverless_patterns_runtime import Invocation, PermanentError, Request

COOKIE = "shop_session"  # session, customer and signature, with dots between them
LONGEST = 300  # characters; a longer one is not ours, and not worth hashing


def customer(request: Request, invocation: Invocation) -> str:
    """The id of who is logged in. Raises PermanentError (401) for everybody else."""
    cookie = request.cookies.get(COOKIE, "")
    told, _, signature = cookie.rpartition(".")
    _, _, customer_id = told.partition(".")
    if customer_id and len(cookie) <= LONGEST and hmac.compare_digest(_signature(told, invocation), signature.encode()):
        return customer_id
    raise PermanentError("log in first", status=401)


def _signature(told: str, invocation: Invocation) -> bytes:
    key = invocation.secret("SESSION_KEY").encode()
    return hmac.new(key, told.encode(), hashlib.sha256).hexdigest().encode()
