"""The projector: a batch of the write model's stream in, the first record that is to come again out."""

import os
import random
import time
from functools import cache
from typing import Any

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views.documents import Documents
from serverless_patterns_runtime.cqrs_views.generations import Pointers
from serverless_patterns_runtime.cqrs_views.parking import Parking
from serverless_patterns_runtime.cqrs_views.projection import Projection
from serverless_patterns_runtime.cqrs_views.projector import Projector
from serverless_patterns_runtime.cqrs_views.projector_contract import ProjectorEnv
from serverless_patterns_runtime.cqrs_views.settings import ViewSettings
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.telemetry import Logger, Metrics

__all__ = ["deployed_projector", "lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _projection())


def process(event: Any, context: Any, projection: Projection) -> Any:
    """The whole handler, over any edge. Raises for an event that is neither: nothing of it counts as done."""

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    projection.logger.append_keys(function_request_id=context.aws_request_id)
    if "retry" in event:
        return projection.retry(event["retry"], remaining)
    return projection.project(event["Records"], remaining)


def deployed_projector(logger: Logger) -> Projector:
    """From the environment; functions of the views are loaded. Raises KeyError and ImportError."""
    dynamodb, together = client("dynamodb"), Together()
    settings = ViewSettings.from_environment(dynamodb, together)
    return Projector(
        views=settings.views,
        write_model=WriteModel.from_environment(),
        pointers=Pointers(dynamodb, settings.control_table_name),
        parking=Parking(client("s3"), settings.bucket, time.time),
        together=together,
        clock=time.time,
        sleep=time.sleep,
        random=random.SystemRandom(),
        logger=logger,
    )


@cache
def _projection() -> Projection:
    logger = Logger()
    counts = environment.read(ProjectorEnv).COUNTS == "yes"
    return Projection(deployed_projector(logger), Documents.deployed(logger).mark, logger, Metrics(), counts)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _projection()  # at init, where a broken import is seen before the first change
