"""A request whose answer the gateway remembers: for one value of one header, and for every route of the API.

An authorizer that decided by anything else of this request would decide for all others too: who may see one thing could
see everything for a minute, who may not see one thing could see nothing.
"""

from typing import Any

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.request import Request

__all__ = ["NotOfTheAnswer", "RememberedRequest"]

_OF_ONE_REQUEST = frozenset({"method", "route", "path", "params", "query"})


class NotOfTheAnswer(PermanentError):
    """The function reads what its answer must not depend on."""

    def __init__(self, name: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(
            f"an authorizer whose answer is remembered for every route cannot read request.{name}: decide in the"
            " route's own function, or pass LambdaAuthorizer(..., results_cache_ttl=Duration.seconds(0))"
        )


class RememberedRequest(Request):
    """Raises NotOfTheAnswer for whatever differs between two requests with one credential."""

    def __getattribute__(self, name: str) -> Any:
        if name in _OF_ONE_REQUEST:
            raise NotOfTheAnswer(name)
        return super().__getattribute__(name)

    def __repr__(self) -> str:
        return f"RememberedRequest(correlation_id={self.correlation_id!r})"
