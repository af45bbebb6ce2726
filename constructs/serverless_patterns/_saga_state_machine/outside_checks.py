"""What can be wrong with a step whose effect is outside: its key, its waits, its breaker."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract, outside

from .._checks import Problems, is_token, seconds
from .._protection import protection_of
from ..handler import Handler
from ..saga_step import ExternalKey, SagaStep
from .lengths import in_words
from .plan import Planned

_LONGEST_EXECUTION_NAME = 80  # Step Functions quota
_LONGEST_SECONDS = 366 * 86_400  # of an execution
_MOST_CHARACTERS = 1_024
_SEPARATED = re.compile(r"\{(execution|step)\}(.*)\{(execution|step)\}")
_ANY_PLACEHOLDER = re.compile(r"\{[^}]*\}?|\}")


def check_outside(problems: Problems, step: SagaStep, namespace: str) -> None:
    """Check what a step says of what is outside; not whether its tries fit, which takes a plan."""
    protection_of(problems, f"{step.name!r} circuit_breaker", step.circuit_breaker)
    if step.settles_within is not None:
        argument, fix = (
            f"{step.name!r} settles_within",
            "how long an outcome may stay unknown before the saga is undone",
        )
        problems.duration(argument, step.settles_within, 5, _LONGEST_SECONDS, fix)
        _check_known(problems, argument, step.settles_within)
    key: Any = step.external_key
    if key is None:
        return
    argument = f"{step.name!r} external_key"
    if not isinstance(key, ExternalKey):
        problems.add(argument, "be an ExternalKey", repr(key), "write ExternalKey('{digest}', Duration.hours(24))")
        return
    fix = "for as long as the provider's pages say that it remembers a key"
    problems.duration(f"{argument} lifetime", key.lifetime, 1, _LONGEST_SECONDS, fix)
    _check_known(problems, f"{argument} lifetime", key.lifetime)
    fix = "of what the provider takes as a key"
    problems.whole_number(f"{argument} max_length", key.max_length, 1, _MOST_CHARACTERS, fix)
    action: Any = step.action
    if isinstance(action, Handler) and action.returns_effects:
        fix = "an action with Effects takes no lease, which would keep when the key was first used: call the provider "
        fix += "in a step of its own, which returns a result"
        problems.add(argument, "be left out with Effects", "a value", fix)
    if not problems.have(f"{argument} max_length"):
        _check_format(problems, f"{argument} format", key, step, namespace)


def check_lifetimes(problems: Problems, steps: Iterable[Planned]) -> None:
    """Refuse a key that its own tries outlive."""
    for one in steps:
        key = one.step.external_key
        if key is None:
            continue
        lifetime = seconds(key.lifetime) or 0
        for what, attempts in (("action", one.action), ("compensation", one.compensation)):
            least = 0 if attempts is None else attempts.longest + contract.LEASE_MARGIN_SECONDS
            if least > lifetime:
                fix = f"all tries of the {what} take as long, and a try without a key can only look up: retry less, or "
                fix += "lower settles_within"
                must = f"be at least {least:,} seconds ({in_words(least)})"
                problems.add(f"{one.name!r} external_key lifetime", must, f"{lifetime:,} seconds", fix)


def check_suffixes(problems: Problems, steps: Iterable[SagaStep]) -> None:
    """Refuse a step whose key could be that of another one's compensation."""
    names = {step.name for step in steps if step.external_key is not None}
    for name in sorted(names):
        if f"{name}{outside.UNDO_SUFFIX}" in names:
            fix = f"the compensation of {name} is known by that name to the provider: rename the step"
            problems.add("steps", f"have none named {name}{outside.UNDO_SUFFIX} beside {name}", "both", fix)


def _check_format(problems: Problems, argument: str, key: ExternalKey, step: SagaStep, namespace: str) -> None:
    given: Any = key.format
    if not isinstance(given, str) or _ANY_PLACEHOLDER.search(outside.PLACEHOLDER.sub("", given)):
        fix = "its placeholders are {namespace}, {execution}, {step} and {digest}"
        problems.add(argument, "be text with placeholders", repr(given), fix)
        return
    separated = _SEPARATED.search(given)
    apart = (
        separated is not None and separated[1] != separated[3] and re.search(r"[^A-Za-z0-9_{}]", _text(separated[2]))
    )
    if "{digest}" not in given and not apart:
        must = "hold {digest}, or {execution} and {step} with a character between that is no letter, digit or _"
        problems.add(argument, must, repr(given), "no two steps may share a key: '{digest}', or '{execution}-{step}'")
    longest = _longest(given, step, namespace)
    if longest > key.max_length:
        must = f"come to at most {key.max_length:,} characters"
        fix = f"an execution's name has up to {_LONGEST_EXECUTION_NAME}: '{{digest}}' has {outside.DIGEST_CHARACTERS}"
        problems.add(argument, must, f"{longest:,} at most with {given!r}", fix)


def _longest(given: str, step: SagaStep, namespace: str) -> int:
    suffix = outside.UNDO_SUFFIX if step.compensation is not None else ""
    parts = {"execution": "e" * _LONGEST_EXECUTION_NAME, "step": f"{step.name}{suffix}"}
    known = "" if is_token(namespace) else namespace
    return len(outside.key_of(given, namespace=known, claim="", payload="", **parts))


def _text(between: str) -> str:
    return outside.PLACEHOLDER.sub("", between)


def _check_known(problems: Problems, argument: str, value: Any) -> None:
    if getattr(value, "is_unresolved", bool)():
        problems.add(argument, "be known at synth", "a token", "write its number")
