"""Alarms on an API: what its callers notice first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration

from .._alarms import METRIC_PERIOD, AlarmOn
from .._checks import Problems
from ..defaults import ALARMS
from .arguments import check_unit

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway

_ERROR_RATE = 0.05
_LONGEST_LATENCY_SECONDS = 300


def check_alarms(problems: Problems, which: object, max_latency: object) -> None:
    """Check what the user says of alarms."""
    if which is not None:
        problems.one_of("alarms", which, ALARMS, "'critical' keeps the rate of errors")
    fix = "how long 99 of 100 answers may take before somebody is told"
    problems.duration("max_latency", max_latency, 1, _LONGEST_LATENCY_SECONDS, fix)
    check_unit(problems, "max_latency", max_latency)


def api_alarms(stage: apigateway.StageBase, max_latency: Duration) -> list[AlarmOn]:
    """Every alarm of an API. The rate of errors is critical: callers are turned away."""
    return [
        AlarmOn(
            "ServerErrors",
            stage.metric_server_error(period=METRIC_PERIOD, statistic="Average"),
            _ERROR_RATE,
            "One request in 20 or more was answered with 5xx: read the access logs by error_type, then the functions'",
            critical=True,
        ),
        AlarmOn(
            "Latency",
            stage.metric_latency(period=METRIC_PERIOD, statistic="p99"),
            max_latency.to_milliseconds(),
            "One answer in 100 takes longer than max_latency: a function or a backend is slow, or starts cold",
            critical=False,
        ),
    ]
