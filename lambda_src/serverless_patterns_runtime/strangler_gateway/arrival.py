"""A request as the router has it: what is forwarded has passed every check, and both sides are sent the same."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.strangler_gateway.contract import SAFE_METHODS

__all__ = ["Arrival"]


class Arrival(NamedTuple):
    method: str
    resource: str
    """Of its route, or of the gateway's method that took it: `/profile/{id}`."""
    route: str
    """`GET /profile/{id}`, if it is migrating; else empty: legacy alone can answer."""
    path: str
    """Percent-encoded, without the stage and the domain's base path: exactly what is forwarded."""
    query: str
    """Percent-encoded, without its question mark."""
    headers: list[tuple[str, str]]
    """To forward, in order; of the caller's those that go further than one hop, and our own."""
    body: bytes
    event: dict[str, Any]
    """API Gateway's, as it came: what the new side's function is invoked with."""
    source_ip: str
    cookies: Mapping[str, str]
    claims: Mapping[str, Any]
    """What the authorizer says about the caller; empty without one."""
    idempotency_key: str | None
    """On an unsafe request."""
    request_id: str
    """Unique for each request; the gateway's."""
    correlation_id: str

    @property
    def safe(self) -> bool:
        """Whether it may be sent twice. Some servers take a header's word for the method's."""
        return self.method in SAFE_METHODS and not self.all("X-HTTP-Method-Override")

    def all(self, name: str) -> list[str]:
        """The values of a header that is forwarded, whatever the name's case."""
        return [value for known, value in self.headers if known.lower() == name.lower()]
