"""Executions as callers of an API deal with them: each is started once under its name, looked at, and answered."""

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.payload import digest
from serverless_patterns_runtime.request import Caller
from serverless_patterns_runtime.saga_state_machine.execution import Execution

__all__ = ["CallersExecutions", "StartedWithOtherInput", "Unanswered", "owner"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")

_NOT_NOW = frozenset({"ExecutionLimitExceeded", "ServiceUnavailable", "ThrottlingException"})
"""Nothing was started, and another try may succeed."""

_PAUSES_SECONDS = (0.1, 0.4)
"""An execution is seen some time after it was started: so long a look waits for one that is not there."""


class StartedWithOtherInput(PermanentError):
    """The name belongs to an execution with another input."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("this key has started an execution already, with another input", status=409)


class Unanswered(Exception):
    """Step Functions refuses an answer to a task."""


class CallersExecutions(NamedTuple):
    stepfunctions: Any
    state_machine_arn: str
    sleep: Callable[[float], None]

    @classmethod
    def deployed(cls, state_machine_arn: str) -> "CallersExecutions":
        return cls(client("stepfunctions"), state_machine_arn, time.sleep)

    def start(self, name: str, document: Mapping[str, Any]) -> None:
        """The same name and document may be started any number of times: there is one execution, ended or not.

        Raises StartedWithOtherInput; Contended when Step Functions has no time for this, or cannot tell yet what has
        the name; ClientError and BotoCoreError: then the same may be asked for again.
        """
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        try:
            self.stepfunctions.start_execution(stateMachineArn=self.state_machine_arn, name=name, input=text)
        except ClientError as error:
            if error_code(error) in _NOT_NOW:
                raise Contended("Step Functions starts nothing now") from error
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            found = self.find(name)
            if found is None:
                raise Contended("an execution is there, and not to be seen yet") from error
            if digest(json.loads(found.input)) != digest(document):
                raise StartedWithOtherInput from None

    def find(self, name: str) -> Execution | None:
        """None when there is none of this name, after a while. Raises as `look`."""
        if not _NAME.fullmatch(name):
            return None
        for pause in _PAUSES_SECONDS:
            found = self.look(name)
            if found is not None:
                return found
            self.sleep(pause)
        return self.look(name)

    def look(self, name: str) -> Execution | None:
        """What Step Functions says at this moment of an execution, None when it knows none.

        Raises Contended when it has no time for this, ClientError and BotoCoreError.
        """
        try:
            return Execution.of(self.stepfunctions.describe_execution(executionArn=f"{self._prefix}:{name}"))
        except ClientError as error:
            if error_code(error) in _NOT_NOW:
                raise Contended("Step Functions tells nothing now") from error
            if error_code(error) != "ExecutionDoesNotExist":
                raise
            return None

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """Whether a task waited for this; False when it has ended, or was answered before. Raises as `find`."""
        return self._answer(self.stepfunctions.send_task_success, taskToken=token, output=json.dumps(output))

    def refuse(self, token: str, error: str, words: str) -> bool:
        """As `resume`, by an error of this name."""
        cause = json.dumps({"errorMessage": words, "errorType": error})
        return self._answer(self.stepfunctions.send_task_failure, taskToken=token, error=error, cause=cause)

    def is_ours_to_end(self, name: str) -> bool:
        """Whether an execution runs, or has come to an end of the saga's own: then what was recorded has its way."""
        found = self.find(name)
        return found is not None and not found.is_dead

    def _answer(self, send: Callable[..., object], **request: str) -> bool:
        try:
            send(**request)
        except ClientError as error:
            if error_code(error) in _NOT_NOW:
                raise Contended("Step Functions takes nothing now") from error
            if error_code(error) not in ("InvalidToken", "TaskDoesNotExist", "TaskTimedOut"):
                # Without its text, which may quote the token: the code becomes the error's name.
                raise type(error_code(error) or "Unanswered", (Unanswered,), {})() from None
            return False
        return True

    @property
    def _prefix(self) -> str:
        return self.state_machine_arn.replace(":stateMachine:", ":execution:", 1)


def owner(caller: Caller | None) -> dict[str, str] | None:
    """What executions keep of who started them: what never changes. Claims do, from one token to the next."""
    return None if caller is None else {"id": caller.id, "kind": caller.kind}
