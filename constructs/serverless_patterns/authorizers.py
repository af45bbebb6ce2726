"""`IamAuthorizer`, `LambdaAuthorizer`: who may call a route. CDK's own authorizers go the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

if TYPE_CHECKING:
    from .handler import Handler

__all__ = ["IamAuthorizer", "LambdaAuthorizer"]

_RESULTS_CACHE_TTL = Duration.seconds(60)


@dataclass(frozen=True)
class IamAuthorizer:
    """Callers sign with AWS credentials, and `ApiProxy.grant_invoke` says whose."""


@dataclass(frozen=True, eq=False)
class LambdaAuthorizer:
    """A business function says who calls: `def identify(request: Request) -> Caller | None`.

    ```python
    LambdaAuthorizer(Handler(code, "auth:identify", secrets={"SIGNING_KEY": key}))
    ```

    `None` is 401, `PermanentError(..., status=403)` is 403, whose words go to the log and not to the caller.
    The same object on several routes is one function.

    The gateway remembers the answer for the header alone, for every route. So the function says who calls, and each
    route's own function says what the caller may do: `request.route`, `.path`, `.params`, `.query` and `.method` raise.
    With `results_cache_ttl=Duration.seconds(0)` they do not, and the function may decide by them.

    Args:
        handler: The function. Its timeout is 5 seconds unless it says another.
        header: Holds the caller's credential. Without it the gateway answers 401 and does not ask.
        results_cache_ttl: How long the answer for one value of the header holds, on every route: to an hour. 0: the
            function is asked for every request.
        challenge: What a 401 says in `WWW-Authenticate`, such as `Basic realm="shop"`. Default: `Bearer`; for another
            header than `Authorization` that header's name.
    """

    handler: Handler
    header: str = "Authorization"
    results_cache_ttl: Duration = _RESULTS_CACHE_TTL
    challenge: str | None = None
