"""What is said of a gateway as a whole, checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._api_proxy.alarms import check_alarms
from .._api_proxy.arguments import EVERY_TYPE, check_arguments
from .._api_proxy.domain_checks import check_domain
from .._api_proxy.functions import Told
from .._api_proxy.guards import guard_of
from .._api_proxy.wrong_kinds import check_kinds
from .._checks import Renamed, is_token, seconds
from .._shapes import told as shown
from .known_at_synth import check_length, is_known
from .legacy_checks import check_header_name
from .placing_checks import check_sticky

if TYPE_CHECKING:
    from aws_cdk import Duration
    from constructs import Construct

    from .._checks import Problems
    from ..legacy_backend import LegacyBackend
    from ..migrated_route import MigratedRoute

MOST_CHARACTERS = 64
_NAMESPACE = re.compile(rf"[A-Za-z0-9._-]{{1,{MOST_CHARACTERS}}}")
_MOST_BODY_BYTES = 4_500_000  # of Lambda's 6 MB, as base64, with room for the request's head
LEGACY = "legacy"
BYTES = (EVERY_TYPE,)
_RETENTION_SECONDS = (3_600, 315_360_000)  # as of ApiProxy
_OF_EVERYBODY = (
    *("accept", "accept-encoding", "accept-language", "authorization", "cache-control"),
    *("origin", "range", "referer", "user-agent"),
)


def check_gateway(
    problems: Problems,
    told: Told,
    *,
    auth: Any,
    namespace: Any,
    sticky: Any,
    force_header: Any,
    always_route: Any,
    dashboard: Any,
) -> None:
    """Check what no other construct has."""
    if auth is None:
        fix = "'legacy' lets everybody through to it, as before; an authorizer of ApiProxy asks everybody"
        problems.add("auth", "be 'legacy' or an authorizer", "None", fix)
    elif auth != LEGACY:
        guard_of(Renamed(problems, "auth"), "", auth, False, None)
    if (
        namespace is not None
        and is_known(problems, "namespace", namespace)
        and not _NAMESPACE.fullmatch(str(namespace))
    ):
        fix = "it is data, callers are divided by it: choose a name that will not change"
        problems.add("namespace", "be 1 to 64 of A-Z a-z 0-9 . _ -", shown(namespace), fix)
    check_sticky(problems, "sticky", sticky, authorized=auth != LEGACY)
    if force_header is not None:
        check_header_name(problems, "force_header", force_header)
        if str(force_header).lower() in _OF_EVERYBODY:
            fix = "whoever sends it for something else would be answered 400: choose one of your own, as 'X-Side'"
            problems.add("force_header", "be a header that only testers send", shown(force_header), fix)
    for argument, value in (("always_route", always_route), ("dashboard", dashboard)):
        if not isinstance(value, bool):
            problems.add(argument, "be True or False", shown(value), "leave it out for False")
    fix = "Lambda takes 6 MB, in which bytes are a third longer"
    problems.whole_number("max_body_bytes", told.max_body_bytes, 1, _MOST_BODY_BYTES, fix)
    if is_token(told.max_body_bytes):
        is_known(problems, "max_body_bytes", told.max_body_bytes)


def check_api(
    problems: Problems,
    scope: Construct,
    told: Told,
    *,
    throttle: Any,
    stage_name: Any,
    domain: Any,
    web_acl: Any,
    encryption_key: Any,
    alarms: Any,
    alarm_actions: Any,
    max_latency: Any,
) -> None:
    """Check what an `ApiProxy` is told too, in one go with the rest."""
    if not problems.have("max_body_bytes"):
        check_arguments(problems, told, throttle, BYTES, stage_name)
    check_domain(problems, scope, domain)
    check_kinds(problems, told, web_acl, encryption_key, alarm_actions)
    check_alarms(problems, alarms, max_latency)
    least, most = _RETENTION_SECONDS
    fix = "a caller may repeat a request for that long"
    check_length(problems, "claims_retention", told.once.retention, least, most, fix)  # pins outlive it
    base_path = getattr(domain, "base_path", None)
    if base_path is not None:
        is_known(problems, "domain base_path", base_path)


def check_times(problems: Problems, legacy: LegacyBackend, routes: list[MigratedRoute], whole: Duration) -> None:
    """Refuse a side that may take longer than anybody waits."""
    limit = seconds(whole)
    if limit is None:
        problems.add("integration_timeout", "be known at synth", "a token", "the router keeps to it: write the value")
        return
    sides = {"legacy timeout": legacy.timeout} | {f"routes[{one.route!r}] timeout": one.timeout for one in routes}
    for argument, timeout in sides.items():
        length = seconds(timeout)
        if length is not None and length > limit:
            must = f"be at most integration_timeout, {limit} seconds"
            fix = "the caller has been told 504 by then: lower it"
            problems.add(argument, must, f"{length} seconds", fix)
