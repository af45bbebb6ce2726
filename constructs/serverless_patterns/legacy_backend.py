"""`LegacyBackend`: the system that a `StranglerGateway` stands in front of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import Duration

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

    from ._interfaces import VpcLink

__all__ = ["LegacyBackend"]

_TIMEOUT = Duration.seconds(25)  # leaves four of API Gateway's 29 for the way there and back


@dataclass(frozen=True, eq=False)
class LegacyBackend:
    """Answers everything that nobody else does. A description: `StranglerGateway` checks it.

    ```python
    LegacyBackend("https://monolith.example.com")
    ```

    It goes on checking who calls, and what: cookies and `Authorization` reach it as they were sent.

    Args:
        url: Where it is, `https`; a path in front of all others if it has one, no query string.
        timeout: How long it may take to answer, 1 second to `integration_timeout` of the gateway.
        vpc_link: To its network load balancer, where it has no public address.
        vpc: Where the router runs, so that it reaches private addresses. Needed with `vpc_link` once there is a router.
        vpc_subnets: Of that. Default: the private ones.
        security_groups: Of the router. Default: one of its own.
        headers: Sent to it with every request, in place of a caller's of that name. No secrets: a template shows them.
    """

    url: str
    _: KW_ONLY
    timeout: Duration = _TIMEOUT
    vpc_link: VpcLink | None = None
    vpc: ec2.IVpc | None = None
    vpc_subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
