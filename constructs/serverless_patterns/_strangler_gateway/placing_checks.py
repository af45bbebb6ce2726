"""What is said of how callers are told apart, and of copies, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from serverless_patterns_runtime.strangler_gateway.contract import SAFE_METHODS

from .._shapes import several, told
from ..legacy_backend import LegacyBackend
from ..migrated_route import MigratedRoute, Shadow, Sticky
from .known_at_synth import check_percent
from .legacy_checks import NAME, check_header_name

if TYPE_CHECKING:
    from .._checks import Problems

_CLAIM = re.compile(r"[A-Za-z0-9_:./-]{1,128}")
_SENT_ANYWAY = re.compile(
    "accept|accept-.*|access-control-.*|authorization|cache-control|content-.*|date|dnt|from|if-.*|origin|pragma|"
    "priority|range|referer|sec-.*|upgrade-insecure-requests|user-agent|x-api-key|x-correlation-id|x-requested-with"
)
_OWN_COOKIES = "side-"
_FIELD = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_-]*(\[\*\])*)+")


def check_sticky(problems: Problems, label: str, sticky: Any, *, authorized: bool) -> None:
    """Refuse names of nothing, and claims without an authorizer."""
    if not isinstance(sticky, Sticky):
        problems.add(label, "be a Sticky", told(sticky), "write Sticky(claim='sub')")
        return
    if sticky == Sticky():
        fix = "leave it out for the gateway's own cookie"
        problems.add(label, "name a claim, a header or a cookie", "an empty Sticky()", fix)
    if sticky.header is not None:
        check_header_name(problems, f"{label} header", sticky.header)
    if sticky.cookie is not None and not (isinstance(sticky.cookie, str) and NAME.fullmatch(sticky.cookie)):  # pyright: ignore[reportUnnecessaryIsInstance]
        problems.add(f"{label} cookie", "be the name of a cookie", told(sticky.cookie), "for example 'session'")
    if sticky.claim is None:
        return
    if not isinstance(sticky.claim, str) or not _CLAIM.fullmatch(sticky.claim):  # pyright: ignore[reportUnnecessaryIsInstance]
        problems.add(f"{label} claim", "be the name of a claim", told(sticky.claim), "for example 'sub'")
    elif not authorized:
        fix = "claims come from an authorizer of the gateway: pass auth=..., or a cookie or header instead"
        problems.add(f"{label} claim", "be left out with auth='legacy'", told(sticky.claim), fix)


def check_own_cookie(problems: Problems, namespace: Any, sticky: Any, routes: Any) -> None:
    """Refuse the gateway's own cookie as one of legacy's. Its default namespace is not known yet: then all like it."""
    for label, one in _stickies(sticky, routes):
        cookie = one.cookie
        if not isinstance(cookie, str) or not cookie.startswith(_OWN_COOKIES):
            continue
        if namespace is None or cookie == f"{_OWN_COOKIES}{namespace}":
            fix = "the gateway looks at its own first anyway: leave it out, or name one that legacy sets"
            problems.add(f"{label} cookie", "be a cookie of the legacy system", told(cookie), fix)


def check_one_claim(problems: Problems, sticky: Any, routes: Any) -> None:
    """Refuse several claims: the cookie of who logs out would be that of the last route that he has called."""
    named = [(label, one.claim) for label, one in _stickies(sticky, routes) if isinstance(one.claim, str)]
    for label, claim in named[1:]:
        known, first = named[0]
        if claim != first:
            fix = "callers have one cookie, which would hold the one or the other: name the same claim everywhere"
            problems.add(f"{label} claim", f"be {told(first)}, as that of {known} is", told(claim), fix)


def _stickies(sticky: Any, routes: Any) -> Iterator[tuple[str, Sticky]]:
    """The gateway's first, and then those of routes by their names."""
    listed = cast("Sequence[Any]", routes if isinstance(routes, Sequence) else ())
    given: dict[str, Any] = {"sticky": sticky}
    given |= {
        f"routes[{one.route!r}] sticky": one.sticky
        for one in sorted((one for one in listed if isinstance(one, MigratedRoute)), key=lambda one: str(one.route))
    }
    return ((label, one) for label, one in given.items() if isinstance(one, Sticky))


def check_force_header(problems: Problems, name: Any, legacy: Any, auth: Any) -> None:
    """Refuse a header that requests have for another reason: its values are no sides."""
    check_header_name(problems, "force_header", name)
    if problems.have("force_header"):
        return
    headers: Any = legacy.headers if isinstance(legacy, LegacyBackend) else {}
    given = cast("Mapping[Any, Any]", headers if isinstance(headers, Mapping) else {})
    sent = {str(one).lower() for one in given}
    if _SENT_ANYWAY.fullmatch(name.lower()) or name.lower() == str(getattr(auth, "header", "")).lower():
        fix = "whoever sends it for something else would be answered 400: choose one of your own, as 'X-Side'"
        problems.add("force_header", "be a header that only testers send", told(name), fix)
    elif name.lower() in sent:
        fix = "legacy would not be told what the caller chose: choose another name"
        problems.add("force_header", "be none of legacy headers", told(name), fix)


def check_shadow(problems: Problems, label: str, shadow: Any, method: str) -> None:
    """Refuse copies of what changes something, unless that was said; and fields that cannot be found."""
    if not isinstance(shadow, Shadow):
        problems.add(label, "be a Shadow", told(shadow), "write Shadow(compare=['$.name'])")
        return
    check_percent(problems, f"{label} percent", shadow.percent, least=0.01, fix="leave shadow out for none")
    if not isinstance(shadow.declared, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        problems.add(f"{label} declared", "be True or False", told(shadow.declared), "leave it out for safe methods")
    elif method not in (*SAFE_METHODS, "ANY") and not shadow.declared:
        fix = "the new side would do it too: declared=True says that it may"
        problems.add(f"{label} declared", f"be True for {method}", "False", fix)
    for field in several(problems, f"{label} compare", shadow.compare):
        if not isinstance(field, str) or not _FIELD.fullmatch(field):
            fix = "write '$.name' or '$.lines[*].price'"
            problems.add(f"{label} compare", "hold paths into a JSON answer", told(field), fix)
