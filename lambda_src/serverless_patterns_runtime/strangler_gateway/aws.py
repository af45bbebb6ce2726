"""The few AWS operations that routers use, without the SDK: importing it is most of a cold start.

Errors are the SDK's own (`botocore.exceptions`): ClientError for what AWS refuses, a BotoCoreError for what does not
answer. One try each, and no longer than it was told.
"""

from typing import Any, NamedTuple, Protocol

__all__ = ["DynamoDb", "Functions", "Invoked"]


class DynamoDb(Protocol):
    """As the SDK's client: the same arguments and results. Of attribute values no bytes."""

    def get_item(self, **request: Any) -> dict[str, Any]: ...
    def put_item(self, **request: Any) -> dict[str, Any]: ...
    def query(self, **request: Any) -> dict[str, Any]: ...
    def update_item(self, **request: Any) -> dict[str, Any]: ...


class Invoked(NamedTuple):
    error: str
    """`Unhandled` and the like, where the function failed; empty: it answered."""
    payload: bytes


class Functions(Protocol):
    def invoke(self, function: str, payload: bytes, seconds: float) -> Invoked:
        """Waits for the answer, so many seconds in all."""
        ...

    def send(self, function: str, payload: bytes, seconds: float) -> None:
        """Lambda runs it later."""
        ...
