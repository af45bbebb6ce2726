"""What can go wrong on the wire between a deployed function and AWS."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns.testing._operations import check_operation

__all__ = ["Fault"]

THROTTLES: Mapping[str, str] = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "lambda": "TooManyRequestsException",
    "sqs": "RequestThrottled",
}
"""How a service says that it is asked too often; others say ThrottlingException."""

YEAR_2100 = 4_102_444_800
_serial = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to some calls of one operation; made by the class methods.

    All take `service` as boto3 names it ("dynamodb"), `operation` as the service names it ("TransactWriteItems"), and

    - `times`: how many calls meet it, 1 or more; default: all while it is in force. An SDK repeats a failed call by
      itself (boto3: 5 attempts, or what `retries` says): with fewer `times` than attempts the function notices nothing.
    - `resource`: only calls whose table, queue or bucket has this text in its name.
    - `body`: only calls for whose request this JMESPath is true: "length(TransactItems) > `2`".
    """

    service: str
    operation: str
    effect: Mapping[str, Any] = field(hash=False)
    times: int | None = None
    resource: str | None = None
    body: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for an operation that the service does not have."""
        check_operation(self.service, self.operation)

    @classmethod
    def lost_answer(
        cls,
        service: str,
        operation: str,
        *,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The call takes effect, and the connection breaks before the answer."""
        effect = {"response": {"abort_bytes": 0}}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    @classmethod
    def refused(
        cls,
        service: str,
        operation: str,
        *,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The connection breaks before the call arrives: it takes no effect."""
        effect = {"reset": True}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    @classmethod
    def throttled(
        cls,
        service: str,
        operation: str,
        *,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The service answers that it is asked too often: the call takes no effect."""
        code = THROTTLES.get(service, "ThrottlingException")
        return cls.error(service, operation, code, times=times, resource=resource, body=body)

    @classmethod
    def error(
        cls,
        service: str,
        operation: str,
        code: str,
        *,
        message: str | None = None,
        members: Mapping[str, Any] | None = None,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The service answers with an error: the call takes no effect.

        Args:
            service: See the class.
            operation: See the class.
            code: The error as the service names it: "TransactionCanceledException".
            message: Its message; default: the code.
            members: What else the error carries: `{"CancellationReasons": [{"Code": "TransactionConflict"}]}`.
            times: See the class.
            resource: See the class.
            body: See the class.
        """
        parts = {"code": code, "message": message, "fields": dict(members) if members else None}
        effect = {"error": {name: value for name, value in parts.items() if value is not None}}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    @classmethod
    def slow(
        cls,
        service: str,
        operation: str,
        *,
        seconds: float,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The call is held back for so many seconds, then made: it takes effect, late."""
        effect = {"latency": seconds * 1000}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    def __str__(self) -> str:
        return f"{self.service} {self.operation} {json.dumps(self.effect)}" + (f" x{self.times}" if self.times else "")

    def rule(self) -> dict[str, Any]:
        """The fault in the proxy's words, told apart from all others by when it ends."""
        narrow = {"times": self.times, "resource": self.resource, "body": self.body}
        given = {name: value for name, value in narrow.items() if value is not None}
        end = float(YEAR_2100 + next(_serial))
        return {"service": self.service, "operation": self.operation, **self.effect, **given, "until": end}
