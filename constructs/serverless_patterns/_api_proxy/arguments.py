"""What is said of an API as a whole, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Validations

from .._checks import Problems
from .._shapes import several
from .._targets import passes_bytes
from .cross_origin import check_cors
from .throttling import check_throttle

if TYPE_CHECKING:
    from constructs import Construct

    from .functions import ToldFunctions
    from .routes import Planned

_MAX_BODY_BYTES = 6_291_456  # Lambda quota on what it is invoked with
_SHORTEST_TIMEOUT_MILLISECONDS, _LONGEST_TIMEOUT_MILLISECONDS = 50, 300_000  # API Gateway quota
_ORDINARY_TIMEOUT_MILLISECONDS = 29_000  # more must be asked of AWS, for the whole account
EVERY_TYPE = "*/*"
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


def check_arguments(
    problems: Problems, told: ToldFunctions, throttle: object, binary_media_types: object, stage_name: Any
) -> None:
    """Check what is said of the API as a whole."""
    check_throttle(problems, "throttle", throttle)
    if throttle is None:
        fix = "without one, this API may use up what the account has for all"
        problems.add("throttle", "be a Throttle", "None", fix)
    check_cors(problems, told.cors)
    _check_timeout(problems, told.timeout)
    fix = "Lambda takes no more; let clients upload larger ones to S3 by a presigned URL"
    problems.whole_number("max_body_bytes", told.max_body_bytes, 1, _MAX_BODY_BYTES, fix)
    names = several(problems, "binary_media_types", binary_media_types)
    for name in () if names == (EVERY_TYPE,) else names:
        if name in (EVERY_TYPE, "application/json") or not isinstance(name, str) or name.count("/") != 1:
            fix = "name those that are not JSON, or ['*/*'] alone: what is binary reaches neither schema nor queue"
            problems.add("binary_media_types", "be types such as 'image/png'", repr(name), fix)
    if names == (EVERY_TYPE,) and told.cors is not None:
        fix = "the gateway answers preflights out of text: name the types that are bytes"
        problems.add("binary_media_types", "be types such as 'image/png' with cors", repr(EVERY_TYPE), fix)
    check_stage_name(problems, stage_name)


def check_stage_name(problems: Problems, stage_name: object) -> None:
    """Refuse what API Gateway refuses."""
    if not _STAGE_NAME.fullmatch(str(stage_name)):  # no token either: of an API of our own it is part of ids
        problems.add("stage_name", "be 1 to 128 letters, digits, - and _", repr(stage_name), "leave it out for 'live'")


def check_binary(problems: Problems, routes: Sequence[Planned], binary_media_types: Sequence[object]) -> None:
    """A body of bytes reaches its function whole only if the gateway knows its type; what reads text gets none."""
    if EVERY_TYPE in binary_media_types:
        for one in (one for one in routes if not passes_bytes(one.target)):
            fix = "it is made of text by the gateway: name the types that are bytes, or put it behind another API"
            problems.add(f"{one.facts.label} target", f"be a function or a backend with {EVERY_TYPE}", "another", fix)
    if not binary_media_types:
        for one in (one for one in routes if one.facts.content == "bytes"):
            fix = "name the types that it takes, or the gateway reads the bytes as text and breaks them"
            problems.add("binary_media_types", f"be given for {one.facts.label} body=bytes", "none", fix)


def check_unit(problems: Problems, argument: str, duration: object) -> None:
    """What API Gateway counts in milliseconds cannot be computed from a token in another unit."""
    if isinstance(duration, Duration) and duration.is_unresolved() and duration.unit_label() != "millis":
        fix = "write Duration.millis(...)"
        problems.add(argument, "be in milliseconds when it is a token", duration.unit_label(), fix)


def _check_timeout(problems: Problems, timeout: object) -> None:
    must = "be a Duration from 50 milliseconds to 300 seconds"
    if not isinstance(timeout, Duration):
        problems.add("integration_timeout", must, repr(timeout), "write Duration.seconds(29)")
        return
    if timeout.is_unresolved():
        check_unit(problems, "integration_timeout", timeout)
        return
    length = timeout.to_milliseconds()
    if not _SHORTEST_TIMEOUT_MILLISECONDS <= length <= _LONGEST_TIMEOUT_MILLISECONDS:
        fix = "API Gateway waits no longer: for more, use a LoadLeveledQueue"
        problems.add("integration_timeout", must, f"{length / 1000:g} seconds", fix)


def warn_of_timeout(scope: Construct, timeout: Duration) -> None:
    """More than AWS gives an account by itself."""
    if not timeout.is_unresolved() and timeout.to_milliseconds() > _ORDINARY_TIMEOUT_MILLISECONDS:
        Validations.of(scope).add_warning(
            "serverless-patterns:integration-timeout",
            f"integration_timeout is {timeout.to_milliseconds() / 1000:g} seconds: above 29 the deployment fails until "
            "AWS has raised the account's quota 'Maximum integration timeout in milliseconds' for regional REST APIs",
        )
