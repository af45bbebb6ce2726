"""Whose an IP address is. The construct reads it of what it is told, the router of each name that it looks up."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

__all__ = ["Owner", "owner_of"]

Owner = Literal["public", "private", "machine", "nobody"]
"""Nobody: the cloud's metadata, and what stands for no host at all."""

_METADATA = ip_network("fd00:ec2::/32")
"""AWS's own services on an instance, by IPv6; by IPv4 they are link-local."""
_SHARED = ip_network("100.64.0.0/10")
"""RFC 6598: neither global nor private, and common in VPCs."""
_CARRIES_IPV4 = ip_network("64:ff9b::/96")
"""NAT64 (RFC 6052)."""


def owner_of(address: str) -> Owner:
    """Raises ValueError for a name."""
    known = ip_address(address.partition("%")[0])
    if isinstance(known, IPv6Address):
        known = _inner(known)
    if known.is_loopback:
        return "machine"
    if known.is_link_local or known.is_unspecified or known.is_multicast or known in _METADATA:
        return "nobody"
    if known.is_global:
        return "public"
    return "private" if (known.is_private or known in _SHARED) and not known.is_reserved else "nobody"


def _inner(address: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that is reached by it, if one is."""
    if address in _CARRIES_IPV4:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
