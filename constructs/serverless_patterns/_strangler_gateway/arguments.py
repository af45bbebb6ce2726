"""What is said of a gateway as a whole, checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._api_proxy.alarms import check_alarms
from .._api_proxy.arguments import EVERY_TYPE, check_arguments
from .._api_proxy.domain_checks import check_domain
from .._api_proxy.functions import ToldFunctions
from .._api_proxy.guards import guard_of
from .._api_proxy.wrong_kinds import check_kinds
from .._checks import Renamed, did_you_mean, is_token, seconds
from .._shapes import told as shown
from ..handler import Handler
from .known_at_synth import check_length, is_known
from .placing_checks import check_force_header, check_one_claim, check_own_cookie, check_sticky

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


def check_gateway(
    problems: Problems,
    told: ToldFunctions,
    *,
    legacy: Any,
    routes: Any,
    auth: Any,
    namespace: Any,
    sticky: Any,
    force_header: Any,
    always_route: Any,
    dashboard: Any,
) -> None:
    """Check what no other construct has."""
    if auth is None or (isinstance(auth, str) and auth != LEGACY):
        fix = "'legacy' lets everybody through to it, as before; an authorizer of ApiProxy asks everybody"
        got = "None" if auth is None else f"{auth!r}{did_you_mean(auth.lower(), [LEGACY])}"
        problems.add("auth", "be 'legacy' or an authorizer", got, fix)
    elif auth != LEGACY:
        guard_of(_Auth(problems, "auth"), "", auth, False, None)
    if (
        namespace is not None
        and is_known(problems, "namespace", namespace)
        and not _NAMESPACE.fullmatch(str(namespace))
    ):
        fix = "it is data, callers are divided by it: choose a name that will not change"
        problems.add("namespace", "be 1 to 64 of A-Z a-z 0-9 . _ -", shown(namespace), fix)
    if sticky is not None:
        check_sticky(problems, "sticky", sticky, authorized=auth != LEGACY)
    check_own_cookie(problems, namespace, sticky, routes)
    check_one_claim(problems, sticky, routes)
    if force_header is not None:
        check_force_header(problems, force_header, legacy, auth)
    for argument, value in (("always_route", always_route), ("dashboard", dashboard)):
        if not isinstance(value, bool):
            problems.add(argument, "be True or False", shown(value), "leave it out for False")
    fix = "Lambda takes 6 MB, in which bytes are a third longer"
    problems.whole_number("max_body_bytes", told.max_body_bytes, 1, _MOST_BODY_BYTES, fix)
    if is_token(told.max_body_bytes):
        is_known(problems, "max_body_bytes", told.max_body_bytes)


class _Auth(Renamed):
    """What lets everybody in has another name here."""

    def add(self, argument: str, must: str, got: str, fix: str) -> None:
        super().add(argument, must, got, fix.replace("public=True", "auth='legacy'"))


def check_api(
    problems: Problems,
    scope: Construct,
    told: ToldFunctions,
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
    sides: dict[str, Any] = {"legacy timeout": legacy.timeout}
    sides |= {f"routes[{one.route!r}] timeout": one.timeout for one in routes}
    handlers = {one.route: one.target for one in routes if isinstance(one.target, Handler) and one.stage != LEGACY}
    sides |= {f"routes[{route!r}] target timeout": handler.timeout for route, handler in handlers.items()}
    for argument, timeout in sides.items():
        length = seconds(timeout)
        if length is not None and length > limit:
            must = f"be at most integration_timeout, {limit} seconds"
            fix = "the caller has been told 504 by then: lower it"
            problems.add(argument, must, f"{length} seconds", fix)
