"""What is wrong with a map's arguments, all of it at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.parallel_map import contract

from .._checks import Problems, is_token, seconds
from .._environment import check_size, variables
from .._payloads import check_payload
from .._running import check_in_pattern, check_provisioned
from ..handler import Handler
from ..s3_items import FORMATS, S3Items
from ..saga_step import Retry
from .functions import VARIABLES, variables_of
from .plan import MODES, Plan

if TYPE_CHECKING:
    from constructs import Construct

    from .._idempotency import Idempotency
    from ..defaults import Settings

_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*)+")
_YEAR_SECONDS = 365 * 86_400
_DAY_SECONDS = 86_400
_MOST_CONCURRENCY = 10_000
_REDRIVE_SECONDS = 14 * 86_400


def check_plan(problems: Problems, plan: Plan) -> None:
    """Check every argument by itself, then what some say together."""
    _check_items(problems, plan)
    for argument, handler in (("handler", plan.handler), ("on_complete", plan.on_complete)):
        if not isinstance(handler, Handler):  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.add(argument, "be a Handler", repr(handler), "write Handler(code, 'module:function')")
    if plan.handler is plan.on_complete:
        fix = "one takes an item, the other all that has become of them: write a second Handler(...)"
        problems.add("on_complete", "be another Handler than handler", "the same", fix)
    if plan.asked_mode is not None:
        problems.one_of("mode", plan.asked_mode, MODES, "leave it out: it follows from items and max_items")
    fix = "each leaves a trace in the map's output: split the list over several executions"
    problems.whole_number("max_items", plan.max_items, 1, contract.MOST_ITEMS, fix)
    if is_token(plan.max_items):
        problems.add("max_items", "be known at synth", "a token", "write its number: the definition is made of it")
    fix = "0 would mean no limit: say how many your function, and what it calls, can bear"
    problems.whole_number("max_concurrency", plan.max_concurrency, 1, _MOST_CONCURRENCY, fix)
    if is_token(plan.max_concurrency):
        problems.add("max_concurrency", "be known at synth", "a token", "write its number")
    _check_percent(problems, plan.tolerated_failure_percent)
    _check_retry(problems, plan.retry)
    fix = "Step Functions ends an execution after a year"
    problems.duration("timeout", plan.timeout, 60, _YEAR_SECONDS, fix)
    if getattr(plan.timeout, "is_unresolved", bool)():
        problems.add("timeout", "be known at synth", "a token", "write its number")
    problems.raise_any()
    _check_together(problems, plan)


def check_functions(
    problems: Problems,
    plan: Plan,
    once: Idempotency,
    max_result_bytes: object,
    id: str,
    scope: Construct,
    settings: Settings,
) -> None:
    """Check both handlers against the pattern."""
    fix = "it is kept beside the item's claim: keep what is larger in a bucket of yours"
    problems.whole_number("max_result_bytes", max_result_bytes, 2, contract.MOST_RESULT_BYTES, fix)
    check_payload(problems, "handler", plan.handler, None, "an item of the list")
    check_payload(problems, "on_complete", plan.on_complete, "Gathered", "a Gathered")
    for label, handler in (("handler", plan.handler), ("on_complete", plan.on_complete)):
        check_in_pattern(problems, label, handler, scope, settings, VARIABLES)
        warm, reserved = handler.provisioned_concurrent_executions, handler.reserved_concurrent_executions
        check_provisioned(problems, f"{label} provisioned_concurrent_executions", warm, reserved)
        told = variables(handler, variables_of(plan, handler, once, None, 0), id, settings.environment)
        check_size(problems, label, told)
    reserved = plan.handler.reserved_concurrent_executions
    if type(reserved) is int and reserved < plan.max_concurrency:
        fix = "else Lambda refuses invocations, and items lose attempts to that: raise it, or leave it out"
        must = f"be at least max_concurrency, {plan.max_concurrency:,}"
        problems.add("handler reserved_concurrent_executions", must, f"{reserved:,}", fix)


def needed_seconds(plan: Plan) -> int:
    """For which claims are needed: an execution, its completion, and whoever redrives it."""
    return (seconds(plan.timeout) or 0) + plan.longest_item_seconds + _REDRIVE_SECONDS


def _check_items(problems: Problems, plan: Plan) -> None:
    items: Any = plan.items
    if isinstance(items, S3Items):
        _check_path(problems, "items key", items.key, "such as '$.manifest': where the input names the object")
        problems.one_of("items format", items.format, FORMATS, "convert other formats to one of these")
        if not hasattr(items.bucket, "bucket_arn"):
            problems.add("items bucket", "be an s3.IBucket", repr(items.bucket), "pass the bucket")
        if plan.asked_mode == "inline":
            fix = "an inline map reads its input alone: leave mode out"
            problems.add("mode", "be 'distributed' for items in S3", "'inline'", fix)
        if not isinstance(items.prefix, str) or "*" in items.prefix or "?" in items.prefix:  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.add(
                "items prefix", "be text without * and ?", repr(items.prefix), "it is the beginning of all keys"
            )
    else:
        _check_path(problems, "items", items, "such as '$.pages', or S3Items(bucket, '$.manifest')")
    if plan.key is not None:
        _check_path(problems, "key", plan.key, "such as '$.id', of an item; leave it out for its position")


def _check_path(problems: Problems, argument: str, path: Any, fix: str) -> None:
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        problems.add(argument, "be a path as '$.a.b'", repr(path), fix)


def _check_percent(problems: Problems, percent: Any) -> None:
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        fix = "0 tolerates no failed item, 100 any number"
        problems.add("tolerated_failure_percent", "be a number from 0 to 100", repr(percent), fix)


def _check_retry(problems: Problems, retry: Any) -> None:
    if not isinstance(retry, Retry):
        problems.add("retry", "be a Retry", repr(retry), "write Retry(attempts)")
        return
    if type(retry.attempts) is not int or not 1 <= retry.attempts <= 100:
        fix = "the first try counts: Retry(1) does not retry"
        problems.add("retry attempts", "be a whole number from 1 to 100", repr(retry.attempts), fix)
    fix = "a day at most: what takes longer needs a person"
    problems.duration("retry longest_delay", retry.longest_delay, 1, _DAY_SECONDS, fix)
    most = seconds(retry.longest_delay) or _DAY_SECONDS
    problems.duration("retry base_delay", retry.base_delay, 1, most, "it grows to longest_delay")


def _check_together(problems: Problems, plan: Plan) -> None:
    if plan.mode == "inline":
        if plan.max_concurrency > contract.MOST_INLINE_CONCURRENCY:
            must = f"be at most {contract.MOST_INLINE_CONCURRENCY} in an inline map"
            problems.add("max_concurrency", must, f"{plan.max_concurrency:,}", "lower it, or say mode='distributed'")
        if plan.most_events > contract.MOST_EVENTS:
            must = f"need at most {contract.MOST_EVENTS:,} events of history in an inline map"
            fix = "at the quota Step Functions ends the execution: retry less, lower it, or say mode='distributed'"
            problems.add("max_items", must, f"{plan.most_events:,} at worst", fix)
    length = seconds(plan.timeout) or 0
    if length < plan.longest_item_seconds:
        fix = "one item with all its attempts takes so long: raise it, or retry less"
        must = f"be at least {plan.longest_item_seconds:,} seconds"
        problems.add("timeout", must, f"{length:,} seconds", fix)
    elif length < plan.shortest_seconds:
        must = f"be at least {plan.shortest_seconds:,} seconds"
        fix = "max_items in turns of max_concurrency take so long, each once at its function's time-out: raise it, or "
        fix += "max_concurrency"
        problems.add("timeout", must, f"{length:,} seconds", fix)
