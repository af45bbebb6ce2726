"""The route by which somebody decides: once, and told the same for as long as they ask."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response
from serverless_patterns_runtime.saga_state_machine import approval_contract as contract
from serverless_patterns_runtime.saga_state_machine.approval import Decision, TooLate
from serverless_patterns_runtime.saga_state_machine.approvals import Approvals
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions

__all__ = ["decide", "decided"]

_MOST_CHARACTERS = 1_000
"""Of a comment."""

_FIELDS = {"decision", "comment"}


def decide(request: Request) -> Response:
    """200 and what was decided, by whom and when; 404 for an unknown id, 410 when it does not count any more."""
    return decided(request, _approvals(), _executions(), _env().APPROVAL_STEP, time.time)


def decided(
    request: Request, approvals: Approvals, executions: CallersExecutions, step: str, clock: Callable[[], float]
) -> Response:
    """The same over any table and any executions.

    Raises PermanentError, and Contended, ClientError and BotoCoreError: then the same may be asked for again.
    """
    if request.caller is None:  # a deployment can lose an authorizer: then nobody decides
        raise PermanentError("the request is not authenticated", status=401)
    approve, comment = _said(request.body)
    at = datetime.fromtimestamp(int(clock()), UTC).isoformat().replace("+00:00", "Z")
    id = request.params[contract.APPROVAL_PARAMETER]
    decision = approvals.decide(id, step, approve=approve, caller=request.caller, comment=comment, at=at)
    if not _tell(decision, executions) and not executions.is_ours_to_end(decision.execution):
        raise TooLate
    return Response(200, decision.told)


def _tell(decision: Decision, executions: CallersExecutions) -> bool:
    """Whether the task was still waiting. Else what is recorded counts all the same: whoever closes the approval
    finds it there."""
    token = decision.token or ""
    if decision.approve:
        return executions.resume(token, decision.told)
    return executions.refuse(token, contract.REJECTED, contract.words_of_rejection(decision.comment))


def _said(body: Any) -> tuple[bool, str | None]:
    given = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    said, comment = given.get("decision"), given.get("comment")
    if said not in (contract.APPROVE, contract.REJECT) or given.keys() - _FIELDS:
        allowed = f'{{"decision": "{contract.APPROVE}" or "{contract.REJECT}", "comment": "..."}}'
        raise PermanentError(f"the body is {allowed}, where the comment may be left out", status=400)
    if comment is not None and not (isinstance(comment, str) and len(comment) <= _MOST_CHARACTERS):
        raise PermanentError(f"a comment is a text of at most {_MOST_CHARACTERS:,} characters", status=400)
    return said == contract.APPROVE, comment


@cache
def _env() -> contract.DecisionEnv:
    return environment.read(contract.DecisionEnv)


@cache
def _executions() -> CallersExecutions:
    return CallersExecutions.deployed(_env().STATE_MACHINE_ARN)


@cache
def _approvals() -> Approvals:
    env = _env()
    return Approvals(client("dynamodb"), env.APPROVALS_TABLE_NAME, env.APPROVALS_NAMESPACE, 0, time.time)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # at init, which Lambda runs with more CPU
    _approvals()
    _executions()
