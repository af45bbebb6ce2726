"""Executions of one state machine, as Step Functions tells of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.saga_state_machine import contract as saga
from serverless_patterns_runtime.saga_state_machine.execution import Execution

__all__ = ["Listed", "MachineExecutions", "Steps", "name_of"]


class Listed(NamedTuple):
    """One in a list."""

    name: str
    started: int
    """Epoch seconds."""


class Steps(NamedTuple):
    """Of the definition that an execution runs by."""

    actions: list[str]
    """Those whose actions are functions."""
    unclaimed: list[str]
    """Those that it undoes though their actions lay no claim."""
    behind: list[str]
    """Those behind its pivot, of all kinds."""


@dataclass(frozen=True)
class MachineExecutions:
    stepfunctions: Any
    state_machine_arn: str

    def find(self, name: str) -> Execution | None:
        """None when there is none of this name. Step Functions may not know the latest yet."""
        try:
            told = self.stepfunctions.describe_execution(executionArn=self.arn(name))
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return None
            raise
        return Execution.of(told)

    def start(self, name: str, given: Mapping[str, Any]) -> bool:
        """False when there is one of this name, with whatever input, running or ended."""
        try:
            self.stepfunctions.start_execution(
                stateMachineArn=self.state_machine_arn, name=name, input=json.dumps(given, separators=(",", ":"))
            )
        except ClientError as error:
            if error_code(error) == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def ended(self, status: str, since: float) -> Iterator[Listed]:
        """Those that began after `since` and ended so, the latest first. The newest may not be among them yet."""
        token: dict[str, str] = {}
        while True:
            page = self.stepfunctions.list_executions(
                stateMachineArn=self.state_machine_arn, statusFilter=status, **token
            )
            for one in page["executions"]:
                if one["startDate"].timestamp() < since:
                    return
                yield Listed(one["name"], int(one["startDate"].timestamp()))
            if "nextToken" not in page:
                return
            token = {"nextToken": page["nextToken"]}

    def steps_of(self, name: str) -> Steps:
        """Names of the steps in the definition that this execution runs by: those it may have begun."""
        told = self.stepfunctions.describe_state_machine_for_execution(executionArn=self.arn(name))
        states = list(_states(json.loads(told["definition"])))
        return Steps(
            [str(state["Parameters"]["step"]) for state in states if _is_action(state)],
            _commented(states, saga.UNCLAIMED),
            _commented(states, saga.BEHIND_THE_PIVOT),
        )

    def arn(self, name: str) -> str:
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def name_of(execution_arn: str) -> str:
    """The name in an execution's ARN."""
    return execution_arn.rsplit(":", 1)[-1]


def _states(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """In the order of the text, branches included."""
    for state in cast("Mapping[str, Mapping[str, Any]]", machine["States"]).values():
        yield state
        for branch in state.get("Branches", ()):
            yield from _states(branch)


def _commented(states: Iterable[Mapping[str, Any]], how: str) -> list[str]:
    """Names of the steps whose states have a comment that begins so."""
    comments = [str(state.get("Comment", "")) for state in states]
    return [comment.removeprefix(how) for comment in comments if comment.startswith(how)]


def _is_action(state: Mapping[str, Any]) -> bool:
    given = state.get("Parameters")
    return isinstance(given, dict) and cast("dict[str, Any]", given).get("kind") == "action"
