"""Everything outside: AWS, time, chance, logs. One object, so that a simulation can be all of them."""

import os
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker.settings import deployed_breakers
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.load_leveled_queue.commit_threads import COMMIT_THREADS, CommitThreads
from serverless_patterns_runtime.load_leveled_queue.opening import Open, deployed_opening
from serverless_patterns_runtime.load_leveled_queue.settings import Settings
from serverless_patterns_runtime.resources import NO_RESOURCES, Resources
from serverless_patterns_runtime.telemetry import Logger, Metrics

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.permit import Breaker
    from serverless_patterns_runtime.load_leveled_queue.taking_part import Branch

__all__ = ["Edge"]


class Edge(NamedTuple):
    settings: Settings
    business_function: BusinessFunction
    dynamodb: Any
    sqs: Any
    clock: Callable[[], float]
    """Epoch seconds."""
    sleep: Callable[[float], None]
    random: random.Random
    logger: Any
    metrics: Any
    commit_threads: CommitThreads | None = None
    """None: commits are carried out one after the other."""
    resources: Resources = NO_RESOURCES
    """What the business function reads by itself."""
    breaker: "Breaker | None" = None
    """What guards the business function's downstream."""
    open: Open | None = None
    """What payloads stand for; None: for themselves."""
    branch: "Branch | None" = None
    """Of a fan-in, that the consumer is."""

    @classmethod
    def from_environment(cls) -> "Edge":
        settings = Settings.from_environment()
        logger = Logger()
        return cls(
            settings=settings,
            business_function=BusinessFunction.load(
                settings.business_function, returns_effects=settings.returns_effects
            ),
            dynamodb=client("dynamodb"),
            sqs=client("sqs"),
            clock=time.time,
            sleep=time.sleep,
            random=random.SystemRandom(),
            logger=logger,
            metrics=Metrics(),
            commit_threads=CommitThreads(COMMIT_THREADS),
            resources=DeployedResources(settings.tables),
            breaker=next(iter(deployed_breakers(logger).values()), None),  # one at most
            open=deployed_opening(),
            branch=_branch(settings, logger),
        )


def _branch(settings: Settings, logger: Any) -> "Branch | None":
    if "FAN_IN_TABLE_NAME" not in os.environ:
        return None
    # Not at the top: a consumer without a fan-in gets by without it.
    from serverless_patterns_runtime.fan_in.deployed import deployed_branch

    return deployed_branch(settings.idempotency_key, logger)
