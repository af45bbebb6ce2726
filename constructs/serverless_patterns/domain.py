"""`Domain`: a name of one's own for an API, and mutual TLS."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._interfaces import Bucket, Certificate, HostedZone

__all__ = ["Domain"]


@dataclass(frozen=True, eq=False)
class Domain:
    """The address under which callers know an API. A description: `ApiProxy` checks and defines it.

    ```python
    Domain("api.example.com", certificate, base_path="shop", hosted_zone=zone)
    ```

    With a truststore callers must show a certificate (mutual TLS), and the API's own address is closed.

    Args:
        name: In small letters; no wildcard. It belongs to one API.
        certificate: For that name, of AWS Certificate Manager, in the API's region.
        base_path: In front of every path, without slashes at its ends: `shop`, `shop/v1`. Default: none.
        hosted_zone: Gets alias records for IPv4 and IPv6. Default: point a record at `ApiProxy.domain_name` yourself.
        truststore: Bucket and key of the certificates (PEM) that callers' certificates must be signed by; in the API's
            region. Who deploys must be allowed to read it.
        truststore_version: Of that object. Without it a new object changes nothing until somebody updates the domain.
        ownership_certificate: With a truststore, if ACM did not issue `certificate` itself: a public one that it did.
        default_endpoint: Whether the API's own address stays open beside this one. Default: yes; no with a truststore.
    """

    name: str
    certificate: Certificate
    base_path: str | None = None
    _: KW_ONLY
    hosted_zone: HostedZone | None = None
    truststore: tuple[Bucket, str] | None = None
    truststore_version: str | None = None
    ownership_certificate: Certificate | None = None
    default_endpoint: bool | None = None
