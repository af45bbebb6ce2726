"""Usage plans: what each API key may use of the stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from .names import camel

if TYPE_CHECKING:
    from ..throttle import Throttle
    from ..usage_plan import UsagePlan

# Ids of keys in plans by their names. An app that switches this off has the first one's by its position.
_FLAG = "@aws-cdk/aws-apigateway:usagePlanKeyOrderInsensitiveId"


def define_usage_plans(
    scope: Construct, stage: apigateway.StageBase, plans: Sequence[UsagePlan], methods: Mapping[str, apigateway.Method]
) -> dict[str, apigateway.UsagePlan]:
    """Define the plans, by their names.

    Args:
        scope: The API's construct.
        stage: What they meter.
        plans: Checked.
        methods: Of the stage, by route.
    """
    if not plans:
        return {}
    within = Construct(scope, "UsagePlans")
    within.node.set_context(_FLAG, True)
    return {plan.name: _define(within, stage, plan, methods) for plan in sorted(plans, key=lambda plan: plan.name)}


def _define(
    within: Construct, stage: apigateway.StageBase, plan: UsagePlan, methods: Mapping[str, apigateway.Method]
) -> apigateway.UsagePlan:
    throttles = [
        apigateway.ThrottlingPerMethod(method=methods[route], throttle=_settings(plan.route_throttles[route]))
        for route in sorted(plan.route_throttles)
    ]
    made = apigateway.UsagePlan(
        within,
        camel(plan.name),
        name=plan.name,
        throttle=None if plan.throttle is None else _settings(plan.throttle),
        quota=None
        if plan.quota is None
        else apigateway.QuotaSettings(limit=plan.quota.limit, period=apigateway.Period[plan.quota.per]),
        api_stages=[apigateway.UsagePlanPerApiStage(stage=cast(apigateway.Stage, stage), throttle=throttles or None)],
    )
    for key in sorted(plan.keys, key=lambda key: key.node.path):
        made.add_api_key(cast(apigateway.IApiKey, key))
    return made


def _settings(throttle: Throttle) -> apigateway.ThrottleSettings:
    return apigateway.ThrottleSettings(rate_limit=throttle.rate, burst_limit=throttle.burst)
