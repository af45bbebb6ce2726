"""How many requests the stage lets through: all of its routes, and single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_apigateway as apigateway

from .._checks import Problems
from ..throttle import Throttle
from .paths import EVERY_METHOD

if TYPE_CHECKING:
    from .routes import Planned

_MOST = 1_000_000


def check_throttle(problems: Problems, argument: str, throttle: object) -> None:
    """Refuse what is no throttle."""
    if throttle is None:
        return
    if not isinstance(throttle, Throttle):
        problems.add(argument, "be a Throttle", repr(throttle), "write Throttle(rate=100, burst=200)")
        return
    problems.whole_number(f"{argument} rate", throttle.rate, 1, _MOST, "requests a second in the long run")
    problems.whole_number(f"{argument} burst", throttle.burst, 1, _MOST, "requests that may come at once")


def method_options(routes: Sequence[Planned]) -> Mapping[str, apigateway.MethodDeploymentOptions]:
    """Throttles of single routes, as a stage takes them: it knows no ANY."""
    options: dict[str, apigateway.MethodDeploymentOptions] = {}
    for one in routes:
        throttle, path = one.route.throttle, one.path
        for method in EVERY_METHOD if path.method == "ANY" else (path.method,):
            if throttle is not None:
                options[f"{path.path}/{method}"] = apigateway.MethodDeploymentOptions(
                    throttling_rate_limit=throttle.rate, throttling_burst_limit=throttle.burst
                )
    return options
