"""The function that the command line asks, and a schedule once a day.

Who asks is what he says, if he may invoke it: CloudTrail has the proof.
"""

import json
import os
import random
import time
from functools import cache
from pathlib import Path
from typing import Any, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.strangler_gateway.contract import ROUTES_FILE, ControlEnv
from serverless_patterns_runtime.strangler_gateway.control_contract import Command
from serverless_patterns_runtime.strangler_gateway.controlling import Control
from serverless_patterns_runtime.telemetry import Logger, describe

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, *_edge())


def process(event: Any, context: Any, control: Control, logger: Any) -> Any:
    """The whole handler. People get `refused`; raises what AWS refuses."""
    logger.append_keys(function_request_id=context.aws_request_id)
    command = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    asked = {name: command.get(name) for name in ("action", "route", "percent", "by", "reason")}
    try:
        if asked["action"] not in ("list", "set", "kill", "clear", "sweep"):
            raise PermanentError("this is nothing that the control function is asked")
        answer: Any = control.answer(cast("Command", command))
    except PermanentError as error:
        logger.info("refused", extra={**asked, "refused": error.message})
        return {"refused": error.message}
    except Exception as error:
        logger.error("route not changed, as far as is known", extra={**asked, **describe(error, with_message=False)})
        raise
    if asked["action"] == "sweep":
        logger.info("routes swept", extra=answer)
    else:
        logger.info("route", extra={**asked, "changed": answer.get("changed", False)})
    return answer


@cache
def _edge() -> tuple[Control, Any]:
    migration = json.loads(Path(os.environ["LAMBDA_TASK_ROOT"], ROUTES_FILE).read_text(encoding="utf-8"))
    env = environment.read(ControlEnv)
    dynamodb, chance = client("dynamodb"), random.SystemRandom()
    return Control(migration, env.CONTROL_TABLE, env.BREAKER_TABLE, dynamodb, time.time, chance), Logger()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init: what is missing is seen at once
