"""The route that says how an execution is: to who started it, and no more than is meant for callers."""

import json
import os
import time
from collections.abc import Callable, Collection
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response
from serverless_patterns_runtime.saga_recovery.contract import RECOVERY_FAILED
from serverless_patterns_runtime.saga_recovery.recoveries import recoveries_of
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.execution import Execution
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions, owner

if TYPE_CHECKING:
    from serverless_patterns_runtime.saga_state_machine.approvals import Approvals

__all__ = ["Known", "Shown", "shown", "status"]


class Shown(NamedTuple):
    """What callers may see."""

    results: Collection[str]
    """Of these steps."""
    errors: Collection[str]
    """The names that somebody has declared, and so meant to be read."""
    any_caller: bool
    approvals: Collection[str] = ()
    """That it may wait for."""


class NoSuchExecution(PermanentError):
    """None, or another caller's: who asks is not told which."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("there is no such execution", status=404)


class Known(NamedTuple):
    """Where executions are looked up."""

    executions: CallersExecutions
    recoveries: CallersExecutions
    """Of the recovery state machine: callers are told of them, and never by their names."""


def status(request: Request) -> Response:
    """200 and the execution's status; 404 for another caller's."""
    return shown(request, _known(), _shown(), _approvals)


def shown(request: Request, known: Known, seen: Shown, approvals: "Callable[[], Approvals] | None" = None) -> Response:
    """The same over any executions. Raises NoSuchExecution, as `CallersExecutions.find`, and as `Approvals.waits`."""
    found = known.executions.find(request.params[contract.EXECUTION_PARAMETER])
    if found is None or not (seen.any_caller or _is_of(found, request)):
        raise NoSuchExecution
    said = _of(found, known.recoveries, seen)
    if said["status"] == contract.RUNNING and approvals is not None:
        said |= _waiting(found, seen, approvals)
    return Response(200, said)


def _waiting(found: Execution, seen: Shown, approvals: "Callable[[], Approvals]") -> dict[str, str]:
    for name in seen.approvals:
        if approvals().waits(found.name, found.started, name):
            return {"waiting_for": name}
    return {}


def _is_of(found: Execution, request: Request) -> bool:
    document = json.loads(found.input)
    # Absent: it was not started by an API, and belongs to no caller of one.
    return contract.CALLER in document and document[contract.CALLER] == owner(request.caller)


def _of(execution: Execution, recoveries: CallersExecutions, seen: Shown) -> dict[str, Any]:
    """How it is by now: what a recovery has made of it counts, and nothing is asked of those that went well."""
    begun = [*recoveries_of(execution, recoveries.look)] if execution.has_ended_badly else []
    *_, latest = execution, *begun
    match latest.outcome:
        case contract.RUNNING:
            return {"status": contract.RECOVERING if begun else contract.RUNNING}
        case contract.SUCCEEDED:
            results = {name: result for name, result in latest.told[contract.RESULTS].items() if name in seen.results}
            return {"status": contract.SUCCEEDED, **({"results": results} if seen.results else {})}
        case contract.COMPENSATED:
            name = (latest.undone_for or {}).get("Error")
            return {"status": contract.COMPENSATED, **({"error": name} if name in seen.errors else {})}
        case contract.COMPENSATION_PARKED | contract.FORWARD_PARKED as parked:
            return {"status": parked}
        case _:
            return {"status": RECOVERY_FAILED if begun else contract.ABORTED}


@cache
def _env() -> contract.StatusEnv:
    return environment.read(contract.StatusEnv)


@cache
def _shown() -> Shown:
    env = _env()
    asked = [name for name in env.APPROVALS.split(",") if name]
    return Shown(_names(env.SHOWN_RESULTS), _names(env.SHOWN_ERRORS), env.ANY_CALLER == "true", asked)


@cache
def _known() -> Known:
    env = _env()
    return Known(*map(CallersExecutions.deployed, (env.STATE_MACHINE_ARN, env.RECOVERY_STATE_MACHINE_ARN)))


@cache
def _approvals() -> "Approvals":
    # Not at the top: few sagas ask anybody.
    from serverless_patterns_runtime.saga_state_machine.approvals import Approvals

    env = _env()
    return Approvals(client("dynamodb"), env.APPROVALS_TABLE_NAME, env.APPROVALS_NAMESPACE, 0, time.time)


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in text.split(",") if name)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # at init, which Lambda runs with more CPU
    _known()
    if _env().APPROVALS:
        _approvals()
