"""Where a name leads, and where it must not: this machine, its metadata, and nobody's networks.

A name is looked up once, and the connection goes to the very address that was checked.
"""

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

__all__ = ["Resolve", "allowed", "resolved"]

Resolve = Callable[[str, int, float], list[str]]
"""Addresses of a host and port, found in so many seconds. Raises OSError."""

_METADATA = ip_network("fd00:ec2::/32")
"""AWS's own services on an instance, by IPv6; by IPv4 they are link-local."""
_SHARED = ip_network("100.64.0.0/10")
"""RFC 6598: neither global nor private, and common in VPCs."""
_CARRIES_IPV4 = ip_network("64:ff9b::/96")
"""NAT64 (RFC 6052)."""


def allowed(address: str, *, private: bool, loopback: bool) -> bool:
    known = ip_address(address.partition("%")[0])
    if isinstance(known, IPv6Address):
        known = _inner(known)
    if known.is_loopback:
        return loopback
    if known.is_link_local or known.is_unspecified or known.is_multicast or known in _METADATA:
        return False
    return known.is_global or (private and (known.is_private or known in _SHARED) and not known.is_reserved)


def resolved(host: str, port: int, seconds: float) -> list[str]:
    """As the system says. That may take long, whatever its caller wants: so it is left alone after a while."""
    found: list[list[str]] = []
    failed: list[OSError] = []

    def look() -> None:
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.append([str(address[0]) for *_, address in known])
        except OSError as error:
            failed.append(error)
        except UnicodeError:
            failed.append(OSError("no name of a host"))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    raise failed[0] if failed else TimeoutError("a name was not found in time")


def _inner(address: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that is reached by it, if one is."""
    if address in _CARRIES_IPV4:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
