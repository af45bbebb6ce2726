"""A second interpreter of state machines, in this process: moto's, with Python functions in place of Lambda's.

moto would answer every task with a success of its own, so that each test of a saga would pass. Its `States.ALL` takes
all, and what is at `$[0].a` is a list to it.
"""

import json
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.utils import json_path

from serverless_patterns.testing import wait_until

__all__ = ["Interpreted", "Moto", "function_arn"]

ACCOUNT, REGION = "123456789012", "us-east-1"
SETTINGS = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"
NOT_IN_ALL = ("States.DataLimitExceeded", "States.Runtime")
SOON_SECONDS = 1.0
"""Long enough for a function to have been called, also on a busy machine."""

Function = Callable[[Any], Any]


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


@dataclass(frozen=True)
class Interpreted:
    """How it ended."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    history: list[dict[str, Any]]
    waited: list[float]
    """Seconds that it would have waited before each retry, and in each Wait."""
    items: list[dict[str, Any]]
    """In the table, as DynamoDB writes them; the table is empty after that."""


class Moto:
    """An account with one table, as long as its `with` lasts. One execution at a time."""

    def __init__(self, table: str = "claims", key: str = "claim") -> None:
        self._table, self._key = table, key
        self._functions: Mapping[str, Function] = {}
        self._given_up: Callable[[str, int], bool] = lambda _state, _retries: False
        self._waited: list[float] = []
        self._machines = count()
        self._leftovers = ExitStack()

    def __enter__(self) -> "Moto":
        changes = (self._functions_called(), self._no_waiting(), _all_is_not_all(), _one_place_is_no_list())
        for changed in (mock_aws(config=SETTINGS), *changes):
            self._leftovers.enter_context(changed)
        self._states, self._dynamodb = (boto3.client(name, REGION) for name in ("stepfunctions", "dynamodb"))
        self._dynamodb.create_table(
            TableName=self._table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": self._key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": self._key, "AttributeType": "S"}],
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._leftovers.close()

    def interpret(
        self,
        definition: Mapping[str, Any],
        document: Any,
        functions: Mapping[str, Function],
        *,
        name: str = "seven",
        given_up: Callable[[str, int], bool] = lambda _state, _retries: False,
    ) -> Interpreted:
        """Run an execution to its end.

        Args:
            definition: In Amazon States Language; its functions are named by `function_arn`.
            document: The input.
            functions: By name: what a handler is without its context. A class that it raises is an error's name.
            name: Of the execution.
            given_up: Whether a state's attempt is to be given up soon, whatever its time-out. Other attempts have their
                time-out in real time; waits and delays of retries take none.
        """
        self._functions, self._given_up, self._waited = functions, given_up, []
        made = {"name": f"machine-{next(self._machines)}", "definition": json.dumps(definition), "roleArn": ROLE}
        arn = self._states.create_state_machine(**made)["stateMachineArn"]
        start = {"stateMachineArn": arn, "name": name, "input": json.dumps(document)}
        arn = self._states.start_execution(**start)["executionArn"]
        end = wait_until(lambda: self._ended(arn), 60, "the end", interval_seconds=0.02)
        return Interpreted(
            status=end["status"],
            output=json.loads(end["output"]) if end["status"] == "SUCCEEDED" else None,
            error=end.get("error"),
            cause=end.get("cause"),
            history=self._states.get_execution_history(executionArn=arn, maxResults=1000)["events"],
            waited=self._waited,
            items=self._taken_items(),
        )

    def _ended(self, arn: str) -> dict[str, Any] | None:
        described: dict[str, Any] = self._states.describe_execution(executionArn=arn)
        return None if described["status"] == "RUNNING" else described

    def _taken_items(self) -> list[dict[str, Any]]:
        items = self._dynamodb.scan(TableName=self._table)["Items"]
        for item in items:
            self._dynamodb.delete_item(TableName=self._table, Key={self._key: item[self._key]})
        return items

    def _functions_called(self) -> Any:
        def invoke(
            _backend: Any, arn: str, _qualifier: Any, body: Any, _headers: Any, headers: dict[str, str]
        ) -> bytes:
            try:
                made = self._functions[arn.rpartition(":")[2]](json.loads(body))
            except Exception as error:
                headers["x-amz-function-error"] = "Unhandled"
                stack = traceback.format_tb(error.__traceback__)[1:]
                told = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": stack}
                return json.dumps(told).encode()
            return json.dumps(made).encode()

        return patch.object(LambdaSimpleBackend, "invoke", invoke)

    @contextmanager
    def _no_waiting(self) -> Generator[None]:
        def note(seconds: float) -> None:
            self._waited.append(seconds)

        def wait(_function: Any, env: Any, wait_seconds: float) -> None:  # noqa: ARG001, named by those who call it
            note(wait_seconds)

        as_shipped = TimeoutSeconds._eval_seconds

        def time_out(limit: Any, env: Any) -> float:
            state = env.states.context_object.context_object_data["State"]
            return SOON_SECONDS if self._given_up(state["Name"], state["RetryCount"]) else as_shipped(limit, env)

        with (
            patch.object(retrier_decl, "time", SimpleNamespace(sleep=note)),
            patch.object(WaitFunction, "_wait_interval", wait),
            patch.object(TimeoutSeconds, "_eval_seconds", time_out),
        ):
            yield


@contextmanager
def _all_is_not_all() -> Generator[None]:
    as_shipped = ErrorEqualsDecl._eval_body

    def match(self: Any, env: Any) -> None:
        if env.stack[-1].error_name in NOT_IN_ALL:
            env.stack.append(env.stack.pop() in self.error_names)
        else:
            as_shipped(self, env)

    with patch.object(ErrorEqualsDecl, "_eval_body", match):
        yield


def _one_place_is_no_list() -> Any:
    """moto makes a list of what it finds behind an index; Step Functions does so for wildcards and slices."""
    return patch.object(json_path, "Index", type("NoIndex", (), {}))
