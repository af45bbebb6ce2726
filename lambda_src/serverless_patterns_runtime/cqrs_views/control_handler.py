"""The function that a schedule asks every minute, and the command line. It has no code of the user's.

Who asks is what he says, if he may invoke it: CloudTrail has the proof.
"""

import json
import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.cqrs_views.contract import ControlEnv, RebuildsTold, ViewTold
from serverless_patterns_runtime.cqrs_views.control_contract import Ask
from serverless_patterns_runtime.cqrs_views.controlling import Control
from serverless_patterns_runtime.cqrs_views.document_contract import DocumentTold
from serverless_patterns_runtime.cqrs_views.documents import Documents
from serverless_patterns_runtime.cqrs_views.executions import Executions
from serverless_patterns_runtime.cqrs_views.parked_objects import ParkedObjects
from serverless_patterns_runtime.cqrs_views.parking import Parking
from serverless_patterns_runtime.cqrs_views.progress import ProgressItems
from serverless_patterns_runtime.cqrs_views.retrying import Retries
from serverless_patterns_runtime.cqrs_views.standings import Standings
from serverless_patterns_runtime.cqrs_views.stores import store_of
from serverless_patterns_runtime.cqrs_views.sweeping import Sweep
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_out_topic.packed import unpacked
from serverless_patterns_runtime.telemetry import Logger, describe

__all__ = ["Controls", "lambda_handler", "process"]


class Controls(NamedTuple):
    control: Control
    retries: Retries
    sweep: Sweep
    logger: Any


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _controls())


def process(event: Any, context: Any, controls: Controls) -> Any:
    """The whole handler. People get `refused`; raises what AWS refuses."""
    controls.logger.append_keys(function_request_id=context.aws_request_id)
    ask = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    asked = {name: ask.get(name) for name in ("request", "view", "by")}
    try:
        answer = _answer(cast("Ask", ask), controls)
    except PermanentError as error:
        controls.logger.info("refused", extra={**asked, "refused": error.message})
        return {"refused": error.message}
    except Exception as error:
        controls.logger.error("not done, as far as is known", extra={**asked, **describe(error, with_message=False)})
        raise
    controls.logger.info("asked", extra=asked)
    return answer


def _answer(ask: Ask, controls: Controls) -> Any:
    match ask.get("request"):
        case "sweep":
            return controls.sweep.sweep()
        case "status":
            return controls.control.status(ask)
        case "rebuild":
            return controls.control.rebuild(ask)
        case "cancel":
            return controls.control.cancel(ask)
        case "parked":
            return controls.retries.objects.listed(_checked(ask, controls))
        case "retry":
            return {"retries": controls.retries.retry(_checked(ask, controls))}
        case _:
            raise PermanentError("this is nothing that the control function is asked")


def _checked(ask: Ask, controls: Controls) -> Ask:
    if "view" in ask:
        controls.control.known(ask)
    return ask


@cache
def _controls() -> Controls:
    env = environment.read(ControlEnv)
    told = cast("list[ViewTold]", unpacked(env.VIEWS)["views"])
    rebuilds = cast("list[RebuildsTold]", json.loads(env.REBUILDS))
    dynamodb, stepfunctions, logger = client("dynamodb"), client("stepfunctions"), Logger()
    machines = {view: one["machine"] for one in rebuilds for view in one["views"]}

    def executions_of(view: str) -> Executions:
        return Executions(stepfunctions, machines[view])

    tables = cast("dict[str, str]", json.loads(env.VIEW_TABLES))
    control = Control(
        views={one["name"]: one["kind"] for one in told},
        dynamodb=dynamodb,
        aggregates=env.AGGREGATES_TABLE_NAME,
        standings=Standings(dynamodb, env.CONTROL_TABLE_NAME),
        progress=ProgressItems(dynamodb, env.CONTROL_TABLE_NAME),
        executions=executions_of,
        clock=time.time,
        stores={one["name"]: _store(one, tables) for one in told},
    )
    objects = ParkedObjects(Parking(client("s3"), env.PARKED_BUCKET_NAME, time.time))
    retries = Retries(objects, rebuilds, stepfunctions, time.time)
    told_of_documents = cast("dict[str, DocumentTold]", json.loads(env.DOCUMENTS))
    documents = Documents(dynamodb, client("sqs"), env.CONTROL_TABLE_NAME, told_of_documents, logger)
    return Controls(control, retries, Sweep(control, retries, documents.sweep), logger)


def _store(told: ViewTold, tables: Mapping[str, str]) -> str:
    return store_of(tables[told["name"]], told["kind"], told["pk"], told.get("sk"))


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _controls()  # at init: what is missing is seen at once
