"""A breaker over AWS, the system's clock and real metrics."""

import random
import time
from typing import Any

from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.reports import Reports, count_as_metric
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.clients import impatient_client

__all__ = ["deployed_breaker"]


def deployed_breaker(name: str, settings: BreakerSettings, logger: Any) -> CircuitBreaker:
    store = Store(impatient_client("dynamodb"), settings["table"], name)
    reports = Reports(name, settings["table"], logger, count_as_metric)
    return CircuitBreaker(settings, store, reports, time.time, random.SystemRandom())
