"""What a consumer has to do that is a branch of a fan-in: ports, which `fan_in` fills where there is one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from serverless_patterns_runtime.load_leveled_queue.message import Message, Request

__all__ = ["Branch", "Part"]


class Part(Protocol):
    """In the fan-in of one message."""

    def keep(self, result: Any) -> str:
        """What `report` takes, now or after any retry, for this result. Raises PermanentError for one without JSON."""
        ...

    def report(self, kept: str, remaining: Callable[[], float]) -> None:
        """Returns when the result is recorded, or refused for good; only then may the message be acknowledged."""
        ...

    def open(self) -> None:
        """Returns when the deadline will come, though there is no result."""
        ...

    def tell(self) -> None:
        """Count and log what has come of it, in the invocation's own thread."""
        ...


class Branch(Protocol):
    def check_key(self, message: "Message") -> None:
        """Raises MalformedPayload for a message whose key would be another in each branch."""
        ...

    def part(self, message: "Message", request: "Request") -> Part:
        """Raises PermanentError for a message that does not say what it has to of its branches."""
        ...
