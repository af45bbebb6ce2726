"""What is said of the legacy system, checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .._checks import is_token
from .._code import runs_here
from .._shapes import named, several, told
from ..domain import Domain
from ..legacy_backend import LegacyBackend
from .address_checks import check_address
from .known_at_synth import check_length, is_known

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct

    from .._checks import Problems

_LONGEST_SECONDS = 300
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x26\x28-\x7e]*")  # no ' : API Gateway quotes constants with it
# Written by whoever sends a request, or by the router itself.
_WORDS = (
    "connection content-length content-type cookie expect forwarded host idempotency-key keep-alive proxy-authenticate "
    "proxy-authorization proxy-connection te trailer transfer-encoding upgrade via"
)
OURS = frozenset(_WORDS.split())
OUR_BEGINNINGS = ("x-amz-", "x-amzn-", "x-forwarded-")


def check_legacy(problems: Problems, scope: Construct, legacy: Any) -> bool:
    """Check it alone. Returns whether it is one at all."""
    if not isinstance(legacy, LegacyBackend):
        fix = "write LegacyBackend('https://monolith.example.com')"
        problems.add("legacy", "be a LegacyBackend", told(legacy), fix)
        return False
    private = legacy.vpc_link is not None or legacy.vpc is not None
    check_address(problems, "legacy url", legacy.url, private=private, here=runs_here(scope))
    fix = "the gateway waits 29 seconds in all"
    check_length(problems, "legacy timeout", legacy.timeout, 1, _LONGEST_SECONDS, fix)
    if legacy.vpc_link is not None and not hasattr(legacy.vpc_link, "vpc_link_id"):
        fix = "an aws_apigateway.VpcLink, to a network load balancer"
        problems.add("legacy vpc_link", "be a VpcLink", told(legacy.vpc_link), fix)
    groups = several(problems, "legacy security_groups", legacy.security_groups)
    if legacy.vpc is None and (groups or legacy.vpc_subnets is not None):
        problems.add("legacy vpc", "be given with vpc_subnets or security_groups", "None", "pass the VPC that has them")
    _check_headers(problems, legacy.headers)
    return True


def check_no_circle(problems: Problems, legacy: LegacyBackend, domain: Any) -> None:
    """Refuse a gateway that would call itself."""
    if problems.have("legacy url") or not isinstance(domain, Domain):
        return
    if any(is_token(one) for one in (legacy.url, domain.name, domain.base_path)):
        return
    name, address = str(domain.name), urlsplit(str(legacy.url))
    base = f"/{domain.base_path}/" if domain.base_path else "/"
    if address.hostname == name.lower() and f"{address.path}/".startswith(base):
        fix = "that name leads to the gateway: give the legacy system another one, and a certificate for it"
        problems.add("legacy url", "have another host than domain", repr(name), fix)


def check_router_network(problems: Problems, legacy: LegacyBackend, inherited: ec2.IVpc | None) -> None:
    """Behind a VPC link the router needs a way of its own: Lambda uses none."""
    if legacy.vpc_link is not None and legacy.vpc is None and inherited is None:
        fix = "a router cannot use the link: let it run where the load balancer is reached"
        problems.add("legacy vpc", "be given with vpc_link once a route is migrating", "None", fix)


def check_header_name(problems: Problems, argument: str, name: Any) -> None:
    """Refuse what is no name of a header, or has a meaning of its own on the way."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.add(argument, "be the name of a header", told(name), "for example 'X-Side'")
    elif name.lower() in OURS or name.lower().startswith(OUR_BEGINNINGS):
        problems.add(argument, "be a header that the gateway passes on", told(name), "choose another name")


def _check_headers(problems: Problems, headers: Any) -> None:
    seen: set[str] = set()
    for name, value in named(problems, "legacy headers", headers, "'X-Tenant': 'shop'").items():
        argument = f"legacy headers[{name!r}]"
        check_header_name(problems, argument, name)
        if str(name).lower() == "authorization":
            fix = "every caller would be this one, and whoever may see the API would see it: leave it out"
            problems.add(argument, "be sent by callers", "one for all of them", fix)
        if str(name).lower() in seen:
            problems.add(argument, "be there once", "two of it", "names of headers have no case: leave one out")
        seen.add(str(name).lower())
        if is_known(problems, argument, value) and not (isinstance(value, str) and _VALUE.fullmatch(value)):
            problems.add(argument, "be printable ASCII without '", told(value), "API Gateway takes nothing else")
        elif isinstance(value, str) and "{{resolve:" in value:
            fix = "everybody who may see the API would see it: let the router's role be what legacy trusts"
            problems.add(argument, "be no secret", "a reference to one", fix)
