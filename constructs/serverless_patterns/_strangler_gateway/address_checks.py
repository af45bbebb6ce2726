"""Addresses that requests may be sent to: fixed at synth, by TLS, and nothing that only this network reaches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from serverless_patterns_runtime.strangler_gateway.address_contract import owner_of

from .._checks import is_token
from .._shapes import told

if TYPE_CHECKING:
    from .._checks import Problems

_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")
_LOOPBACK = ("localhost", "127.0.0.1")
_PLAIN_PORTS = (80, 443)
_LEAST_PORT, _MOST_PORT = 1024, 65_535  # API Gateway calls no other ports than these and the two above


def check_address(problems: Problems, argument: str, url: Any, *, private: bool, here: bool, plain: str = "") -> None:
    """Refuse an address that is not one, is not safe, or that API Gateway does not call.

    Args:
        problems: Takes what is wrong.
        argument: What the user knows it as.
        url: What the user gave. A token passes.
        private: Whether private addresses are reached: there is a network of one's own.
        here: Whether functions run on this machine, for a test: then this machine may be called, without TLS.
        plain: What else has to be said for that, as `, with a=b`.
    """
    if is_token(url):
        return
    if not isinstance(url, str) or not _URL.fullmatch(url):
        fix = "write for example 'https://monolith.example.com'; no user, no query string, nothing encoded"
        problems.add(argument, "be an absolute https URL", told(url), fix)
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    if here and host in _LOOPBACK:
        return
    if parts.scheme != "https":
        where = f"this machine, in a test on the embedded cloud{plain}"
        fix = f"use https: cookies and tokens pass here (http is for {where})"
        problems.add(argument, "begin with https://", told(url), fix)
    if {".", ".."} & {*parts.path.split("/")} or "//" in parts.path:
        problems.add(argument, "have a plain path", told(url), "write the path that it leads to")
    _check_port(problems, argument, parts.netloc)
    _check_host(problems, argument, host, private=private)


def _check_port(problems: Problems, argument: str, place: str) -> None:
    port = place.partition(":")[2]
    if port and int(port) not in _PLAIN_PORTS and not _LEAST_PORT <= int(port) <= _MOST_PORT:
        fix = "API Gateway calls no other: let the service listen on one of these"
        problems.add(argument, f"have the port 80, 443, or one from {_LEAST_PORT:,} to {_MOST_PORT:,}", port, fix)


def _check_host(problems: Problems, argument: str, host: str, *, private: bool) -> None:
    if host in _LOOPBACK or host.endswith(".localhost"):
        fix = "this machine is reached from the embedded cloud alone: serverless_patterns.testing deploys there"
        problems.add(argument, "be reached from AWS", repr(host), fix)
        return
    try:
        owner = owner_of(host)
    except ValueError:
        return  # a name: the router looks at what it stands for each time that it connects
    if owner in ("machine", "nobody"):
        fix = "that is a machine's own, or the cloud's: name the host of the service"
        problems.add(argument, "be the address of a service", repr(host), fix)
    elif owner == "private" and not private:
        fix = "pass LegacyBackend(vpc_link=..., vpc=...), or the name of a public address"
        problems.add(argument, "be public without a VPC", repr(host), fix)
