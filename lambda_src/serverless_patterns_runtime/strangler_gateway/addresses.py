"""Where a name leads, and where it must not: this machine, its metadata, and nobody's networks.

A name is looked up once, and the connection goes to the very address that was checked.
"""

import socket
import threading
from collections.abc import Callable

from serverless_patterns_runtime.strangler_gateway.address_contract import owner_of

__all__ = ["Resolve", "allowed", "resolved"]

Resolve = Callable[[str, int, float], list[str]]
"""Addresses of a host and port, found in so many seconds. Raises OSError."""


def allowed(address: str, *, private: bool, loopback: bool) -> bool:
    owner = owner_of(address)
    return owner == "public" or (private and owner == "private") or (loopback and owner == "machine")


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
