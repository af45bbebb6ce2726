"""Tasks of the rebuild's state machine."""

import json
import os
import random
import time
from functools import cache
from typing import Any, NoReturn, cast

from serverless_patterns_runtime.clients import client, unreachable
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.documents import Documents
from serverless_patterns_runtime.cqrs_views.giving_up import GivenUp
from serverless_patterns_runtime.cqrs_views.parking import Parking
from serverless_patterns_runtime.cqrs_views.progress import ProgressItems
from serverless_patterns_runtime.cqrs_views.rebuilding import Rebuild, Segment
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.scanning import Scan
from serverless_patterns_runtime.cqrs_views.settings import ViewSettings
from serverless_patterns_runtime.cqrs_views.sink import SinkUnavailable
from serverless_patterns_runtime.cqrs_views.standings import Standings
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.errors import MalformedPayload, PermanentError
from serverless_patterns_runtime.telemetry import Logger, describe

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, *_edge())


def process(event: Any, context: Any, rebuild: Rebuild, logger: Any) -> Any:
    """The whole handler. Raises for the state machine: what no retry helps, under the one name that it knows."""
    logger.append_keys(function_request_id=context.aws_request_id)
    given = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    fields = {name: given.get(name) for name in ("task", "view", "generation", "segment", "execution")}
    try:
        answer = _answer(given, rebuild._replace(remaining=lambda: context.get_remaining_time_in_millis() / 1000))
    except PermanentError as error:
        logger.error("view not rebuilt", extra={**fields, "reason": error.message})
        _fail(error)
    except Exception as error:
        hint = unreachable(error)
        said = describe(error, with_message=isinstance(error, SinkUnavailable)) | ({"hint": hint} if hint else {})
        logger.error("task failed", extra={**fields, **said})
        raise
    logger.info("task", extra={**fields, **answer})
    return answer


def _answer(event: dict[str, Any], rebuild: Rebuild) -> dict[str, Any]:
    of = _segment(event)
    if of.view not in rebuild.views:
        raise PermanentError(f"there is no view {of.view!r} in this code")
    match event["task"]:
        case "start":
            rebuild.start(of, str(event.get("by", "")), tolerant=event.get("tolerant") is True)
        case "scan":
            return {"done": rebuild.scan(of)}
        case "verify":
            return {"done": rebuild.verify(of)}
        case "flip":
            rebuild.flip(of)
        case "drop":
            return {"done": rebuild.drop(of)}
        case "finish":
            rebuild.finish(of)
        case "fail":
            return {"reason": rebuild.fail(of, _reason(event.get("error")))}
        case _:
            raise MalformedPayload("this is no task of a rebuild")
    return {"done": True}


def _segment(event: dict[str, Any]) -> Segment:
    match event:
        case {"task": str(), "view": str(view), "generation": int(generation), "execution": str(execution)}:
            return Segment(view, generation, execution, event.get("segment", 0), event.get("segments", 1))
        case _:
            raise MalformedPayload("this is no event of a rebuild's state machine")


def _reason(caught: Any) -> str:
    """Of what a Catch has written: an error of ours has words, another one its name."""
    told: dict[str, Any] = caught if isinstance(caught, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    name, cause = str(told.get("Error", "")), str(told.get("Cause", ""))
    if name not in (contract.NO_RETRY, contract.SINK_UNAVAILABLE):
        return name
    try:
        return str(json.loads(cause).get("errorMessage", name))
    except (ValueError, AttributeError):
        return cause or name


def _fail(error: PermanentError) -> NoReturn:
    error.__traceback__ = None
    raise type(contract.NO_RETRY, (Exception,), {})(f"{type(error).__name__}: {error.message}"[:4_000]) from None


@cache
def _edge() -> tuple[Rebuild, Any]:
    dynamodb, together = client("dynamodb"), Together()
    settings = ViewSettings.from_environment(dynamodb, together)
    parking = Parking(client("s3"), settings.bucket, time.time)

    def park(view: str, change: Change, error: GivenUp) -> None:
        parking.park(view, change, error.reason, str(error))

    logger = Logger()
    documents = Documents(dynamodb, client("sqs"), settings.control_table_name, settings.documents, logger)
    rebuild = Rebuild(
        views=settings.views,
        standings=Standings(dynamodb, settings.control_table_name),
        progress=ProgressItems(dynamodb, settings.control_table_name),
        scan_of=Scan(WriteModel.from_environment(), time.time),
        park=park,
        mark=documents.mark,
        clock=time.time,
        sleep=time.sleep,
        ahead=Together(most=2),
        together=together,
        random=random.SystemRandom(),
    )
    return rebuild, logger


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init: what is missing is seen before the first rebuild
