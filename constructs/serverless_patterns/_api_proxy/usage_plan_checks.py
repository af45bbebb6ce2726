"""What is said of usage plans, checked: against each other, and against the routes that they meter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._checks import Problems, did_you_mean, is_token
from .._shapes import named, several
from ..throttle import Throttle
from ..usage_plan import Quota, UsagePlan
from .names import camel
from .paths import EVERY_METHOD
from .throttling import check_throttle

if TYPE_CHECKING:
    from .routes import Planned

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}")
_MOST_REQUESTS = 2_147_483_647
_PERIODS = ("DAY", "WEEK", "MONTH")
_LIMITS = ("rate", "burst")


def check_usage_plans(
    problems: Problems, usage_plans: Any, routes: Sequence[Planned], throttle: Throttle
) -> list[UsagePlan]:
    """The plans, as far as they are right.

    Args:
        problems: Takes what is wrong.
        usage_plans: What the user gave.
        routes: All of them, whole.
        throttle: Of those without one of their own.
    """
    given = several(problems, "usage_plans", usage_plans)
    for position, plan in enumerate(given):
        if not isinstance(plan, UsagePlan):
            fix = "write UsagePlan('free', keys=[...])"
            problems.add(f"usage_plans[{position}]", "be a UsagePlan", repr(plan), fix)
    plans = [plan for plan in given if isinstance(plan, UsagePlan)]
    metered = {one.route.route: one for one in routes if one.route.api_key_required}
    if len(plans) == len(given) and not problems.have("usage_plans"):
        _check_need(problems, routes, metered, plans)
    _check_names(problems, plans)
    _check_keys(problems, plans)
    allowed = {name: one.route.throttle or throttle for name, one in metered.items()}
    for plan in plans:
        _check_quota(problems, f"{_label(plan)} quota", plan.quota)
        _check_throttle(problems, plan, metered, allowed)
        _check_route_throttles(problems, plan, [one.route.route for one in routes], allowed)
    return plans


def _label(plan: UsagePlan) -> str:
    return f"usage_plans[{plan.name!r}]"


def _check_need(
    problems: Problems, routes: Sequence[Planned], metered: dict[str, Planned], plans: Sequence[UsagePlan]
) -> None:
    for one in routes:
        required: object = one.route.api_key_required
        if type(required) is not bool:
            argument = f"{one.facts.label} api_key_required"
            problems.add(argument, "be True or False", repr(required), "True meters callers by their API keys")
        elif required and not plans:
            fix = "a key counts by its plan: without one everybody gets 403; pass usage_plans=[UsagePlan(...)]"
            problems.add(f"{one.facts.label} api_key_required", "go with a usage plan", "none", fix)
    if plans and not metered:
        fix = "keys are looked at there alone: pass api_key_required=True to Route"
        problems.add("usage_plans", "have a route to meter", "none with api_key_required", fix)


def _check_names(problems: Problems, plans: Sequence[UsagePlan]) -> None:
    seen: dict[str, str] = {}
    for plan in plans:
        if not isinstance(plan.name, str) or not _NAME.fullmatch(plan.name):  # pyright: ignore[reportUnnecessaryIsInstance]
            must = "be named by 1 to 128 letters, digits, spaces, . _ and -"
            problems.add(_label(plan), must, repr(plan.name), "it is part of ids: no token, either")
            continue
        has = seen.setdefault(camel(plan.name), plan.name)
        if has != plan.name or [each.name for each in plans].count(plan.name) > 1:
            fix = "rename one: ids come from letters and digits, and ours begin each word with a capital"
            problems.add(_label(plan), "have a name of its own", f"beside {has!r}", fix)


def _check_keys(problems: Problems, plans: Sequence[UsagePlan]) -> None:
    plan_of: dict[str, str] = {}
    for plan in plans:
        argument = f"{_label(plan)} keys"
        for key in several(problems, argument, plan.keys):
            if not hasattr(key, "key_id"):
                problems.add(argument, "be API keys", repr(key), "for example aws_apigateway.ApiKey")
            elif key.node.path in plan_of:
                got, fix = f"{key.node.path}, which {plan_of[key.node.path]} has", "API Gateway takes it once an API"
                problems.add(argument, "be in one plan, once", got, fix)
            else:
                plan_of[key.node.path] = _label(plan)


def _check_quota(problems: Problems, argument: str, quota: Any) -> None:
    if quota is None:
        return
    if not isinstance(quota, Quota):
        problems.add(argument, "be a Quota", repr(quota), "write Quota(1_000, per='DAY')")
        return
    fix = "requests of one key in that time"
    problems.whole_number(f"{argument} limit", quota.limit, 1, _MOST_REQUESTS, fix)
    problems.one_of(f"{argument} per", quota.per, _PERIODS, "the time after which it begins anew")


def _check_throttle(
    problems: Problems, plan: UsagePlan, metered: dict[str, Planned], allowed: dict[str, Throttle]
) -> None:
    argument = f"{_label(plan)} throttle"
    check_throttle(problems, argument, plan.throttle)
    if plan.throttle is None or not metered or problems.have(argument, *(f"{argument} {limit}" for limit in _LIMITS)):
        return
    for limit in _LIMITS:
        # A stage throttles each method by itself.
        times = {name: len(EVERY_METHOD) if one.path.method == "ANY" else 1 for name, one in metered.items()}
        all_of_it = [(times[name], getattr(throttle, limit)) for name, throttle in allowed.items()]
        if not any(is_token(each) for _, each in all_of_it):
            most = sum(count * each for count, each in all_of_it)
            _check_reachable(problems, f"{argument} {limit}", getattr(plan.throttle, limit), most, "its routes let")


def _check_route_throttles(
    problems: Problems, plan: UsagePlan, routes: Sequence[str], allowed: dict[str, Throttle]
) -> None:
    argument = f"{_label(plan)} route_throttles"
    example = "'POST /orders': Throttle(rate=1, burst=2)"
    for route, throttle in named(problems, argument, plan.route_throttles, example).items():
        if route not in routes:
            got, fix = f"{route!r}{did_you_mean(str(route), routes)}", "write it as in its Route"
            problems.add(argument, "name routes of the API", got, fix)
        elif route not in allowed:
            fix = "keys are looked at there alone: pass api_key_required=True to it"
            problems.add(argument, "name routes with api_key_required", repr(route), fix)
        elif route.startswith("ANY "):
            fix = "API Gateway throttles single methods: give each a route of its own"
            problems.add(argument, "name routes of one method", repr(route), fix)
        else:
            _check_route_throttle(problems, f"{argument}[{route!r}]", throttle, allowed[route])


def _check_route_throttle(problems: Problems, argument: str, throttle: Any, own: Throttle) -> None:
    if throttle is None:
        problems.add(argument, "be a Throttle", "None", "leave the route out")
    check_throttle(problems, argument, throttle)
    if not isinstance(throttle, Throttle):
        return
    for limit in _LIMITS:
        if not problems.have(f"{argument} {limit}"):
            asked, most = getattr(throttle, limit), getattr(own, limit)
            _check_reachable(problems, f"{argument} {limit}", asked, most, "the route lets")


def _check_reachable(problems: Problems, argument: str, asked: Any, most: Any, what: str) -> None:
    """A request meets its plan's limits first, then the stage's, which all callers share."""
    if not is_token(asked) and not is_token(most) and asked > most:
        fix = f"{what} no more through, whoever asks: lower it, or raise the throttle there"
        problems.add(argument, f"be at most {most:,}", f"{asked:,}", fix)
