"""The sweep, every minute."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.fan_in.deployed import deployed_sweep
from serverless_patterns_runtime.fan_in.sweeping import Sweep

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> dict[str, int]:  # noqa: ARG001
    return process(context, _sweep())


def process(context: Any, sweep: Sweep) -> dict[str, int]:
    """The whole handler, over any edge. Raises for Lambda, which tries again; the next minute does so too."""
    sweep.reports.logger.append_keys(function_request_id=context.aws_request_id)
    return {"ended": sweep.sweep(lambda: context.get_remaining_time_in_millis() / 1000)}


@cache
def _sweep() -> Sweep:
    return deployed_sweep()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _sweep()  # at init: what is missing is seen before the first deadline
