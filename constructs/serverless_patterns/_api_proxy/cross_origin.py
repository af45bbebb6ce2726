"""CORS: what pages of other origins may do, told by preflights, functions, mapping templates and gateway errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

from serverless_patterns_runtime.api_proxy.contract import CrossOrigin

from .._checks import Problems, is_token
from .._shapes import several
from ..cors import Cors

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_MAX_AGE_SECONDS = 86_400  # no browser remembers it longer


@dataclass(frozen=True)
class CrossOriginAnswers:
    """What an answer from a mapping template needs, so that pages of the listed origins may read it."""

    headers: Mapping[str, str]
    """Quoted constants by header name, such as `'*'` with its quotes: for `response_parameters`."""

    template: str
    """Put in front of every response template; empty when the constants say it all."""


def check_cors(problems: Problems, cors: Cors | None) -> None:
    """Refuse what browsers refuse, and what cannot be told everywhere."""
    if not isinstance(cors, Cors):  # None, or refused already
        return
    origins = several(problems, "cors allow_origins", cors.allow_origins)
    if not origins and not problems.have("cors allow_origins"):
        problems.add("cors allow_origins", "name an origin", "none", "write ['https://shop.example.com'], or ['*']")
    for origin in origins:
        if origin != "*" and not is_token(origin) and not (isinstance(origin, str) and _ORIGIN.fullmatch(origin)):
            fix = "scheme, host in lower case, and port if it is unusual; no path, no slash at the end"
            problems.add("cors allow_origins", "be origins such as 'https://shop.example.com'", repr(origin), fix)
    if "*" in origins and len(origins) > 1:
        problems.add("cors allow_origins", "be ['*'] alone, or origins", repr([*origins]), "'*' lets everybody in")
    if cors.allow_credentials and "*" in origins:
        fix = "name the origin: browsers refuse '*' with credentials"
        problems.add("cors allow_origins", "be one origin with allow_credentials=True", "'*'", fix)
    elif cors.allow_credentials and len(origins) > 1:
        fix = "errors that the gateway itself makes can name only one: give each origin an API of its own"
        problems.add("cors allow_origins", "be one origin with allow_credentials=True", f"{len(origins)}", fix)
    for argument in ("allow_headers", "expose_headers"):
        for name in several(problems, f"cors {argument}", getattr(cors, argument)):
            if not _HEADER.fullmatch(str(name)):
                problems.add(f"cors {argument}", "be names of headers", repr(name), "letters, digits and - only")
    problems.duration("cors max_age", cors.max_age, 0, _MAX_AGE_SECONDS, "how long browsers may remember it")


def told_to_functions(cors: Cors | None) -> str:
    """The variable `CORS`."""
    if cors is None:
        return ""
    told: CrossOrigin = {
        "origins": [*cors.allow_origins],
        "credentials": cors.allow_credentials,
        "expose_headers": [*cors.expose_headers],
    }
    return json.dumps(told, separators=(",", ":"))


def template_answers(cors: Cors | None) -> CrossOriginAnswers | None:
    """What mapping templates say: the first origin, and any other that asks."""
    if cors is None:
        return None
    first, *others = cors.allow_origins
    return CrossOriginAnswers(_constants(cors, first), _choice(others))


def gateway_error_headers(cors: Cors | None) -> Mapping[str, str]:
    """What errors of the gateway say. They know no conditions: of several origins they can name none but all."""
    if cors is None:
        return {}
    return _constants(cors, cors.allow_origins[0] if len(cors.allow_origins) == 1 else "*")


def add_preflight(
    resource: apigateway.IResource, cors: Cors, methods: Sequence[str], needed_headers: Iterable[str]
) -> apigateway.Method:
    """Let browsers ask before they send. The gateway answers, whoever asks: a preflight has no credentials.

    Args:
        resource: The path.
        cors: Who may ask for it.
        methods: What the path has.
        needed_headers: What callers have to send, whatever `cors` allows them.
    """
    allowed = {name.lower(): name for name in (*needed_headers, *cors.allow_headers)}
    return resource.add_cors_preflight(
        allow_origins=[*cors.allow_origins],
        allow_credentials=cors.allow_credentials or None,
        allow_headers=[*allowed.values()],
        allow_methods=[*methods],
        max_age=cors.max_age,
    )


def integration_headers(cors: CrossOriginAnswers | None) -> dict[str, str]:
    """The `response_parameters` of an integration response."""
    return {} if cors is None else {f"method.response.header.{name}": value for name, value in cors.headers.items()}


def method_headers(cors: CrossOriginAnswers | None) -> dict[str, bool]:
    """The `response_parameters` of the method response that goes with it."""
    return dict.fromkeys(integration_headers(cors), True)


def _constants(cors: Cors, origin: str) -> dict[str, str]:
    headers = {"Access-Control-Allow-Origin": f"'{origin}'"}
    if origin != "*":
        headers["Vary"] = "'Origin'"
    if cors.allow_credentials:
        headers["Access-Control-Allow-Credentials"] = "'true'"
    if cors.expose_headers:
        headers["Access-Control-Expose-Headers"] = f"'{','.join(cors.expose_headers)}'"
    return headers


def _choice(others: Sequence[str]) -> str:
    """Names another listed origin when it is the one that asks. Headers may arrive as HTTP/2 writes them."""
    if not others:
        return ""
    asks = '$headers.get("Origin") == "{0}" || $headers.get("origin") == "{0}"'
    allow = '#set($context.responseOverride.header.Access-Control-Allow-Origin = "{0}")'
    one = f"#if({asks}){allow}#end"
    return "#set($headers = $input.params().header)" + "".join(one.format(origin) for origin in others)
