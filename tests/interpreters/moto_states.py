"""A second interpreter of state machines, in this process: moto's, with Python functions in place of Lambda's.

moto would answer every task with a success of its own, so that each test of a saga would pass.
"""

import json
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from serverless_patterns.testing import wait_until

__all__ = ["ACCOUNT", "REGION", "Interpreted", "function_arn", "interpret"]

ACCOUNT, REGION = "123456789012", "us-east-1"
SETTINGS = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Interpreted:
    """How it ended."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    history: list[dict[str, Any]]
    tables: Mapping[str, list[dict[str, Any]]]
    """Items, as DynamoDB writes them."""
    waited: list[float]
    """Seconds that it would have waited before each retry, and in each Wait."""


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def interpret(
    definition: Mapping[str, Any],
    document: Any,
    functions: Mapping[str, Function],
    *,
    name: str = "seven",
    tables: Mapping[str, str] | None = None,
    second: float = 0.0,
    deadline_seconds: float = 30,
) -> Interpreted:
    """Run an execution to its end.

    Args:
        definition: In Amazon States Language; its functions are named by `function_arn`.
        document: The input.
        functions: By name: what a handler is without its context. A class that it raises is an error's name.
        name: Of the execution.
        tables: Names of tables to make, with their partition keys, which are text.
        second: How long one second takes: of a retry's delay, a Wait, and a task's time-out unless it is 0.
        deadline_seconds: How long to wait for the end, in real time.
    """
    waited: list[float] = []
    with mock_aws(config=SETTINGS), _functions(functions), _time(second, waited):
        for table, key in (tables or {}).items():
            _make_table(table, key)
        states = boto3.client("stepfunctions", REGION)
        machine = states.create_state_machine(name="machine", definition=json.dumps(definition), roleArn=ROLE)
        start = {"stateMachineArn": machine["stateMachineArn"], "name": name, "input": json.dumps(document)}
        arn = states.start_execution(**start)["executionArn"]
        end = wait_until(lambda: _ended(states, arn), deadline_seconds, "the end", interval_seconds=0.01)
        return Interpreted(
            status=end["status"],
            output=json.loads(end["output"]) if end["status"] == "SUCCEEDED" else None,
            error=end.get("error"),
            cause=end.get("cause"),
            history=states.get_execution_history(executionArn=arn, maxResults=1000)["events"],
            tables={table: _items(table) for table in tables or {}},
            waited=waited,
        )


def _ended(states: Any, arn: str) -> dict[str, Any] | None:
    described: dict[str, Any] = states.describe_execution(executionArn=arn)
    return None if described["status"] == "RUNNING" else described


@contextmanager
def _functions(functions: Mapping[str, Function]) -> Generator[None]:
    def invoke(_backend: Any, arn: str, _qualifier: Any, body: Any, _headers: Any, headers: dict[str, str]) -> bytes:
        try:
            made = functions[arn.rpartition(":")[2]](json.loads(body))
        except Exception as error:
            headers["x-amz-function-error"] = "Unhandled"
            stack = traceback.format_tb(error.__traceback__)[1:]
            told = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": "", "stackTrace": stack}
            return json.dumps(told).encode()
        return json.dumps(made).encode()

    with patch.object(LambdaSimpleBackend, "invoke", invoke):
        yield


@contextmanager
def _time(second: float, waited: list[float]) -> Generator[None]:
    def sleep(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(seconds * second)

    def wait(_function: Any, env: Any, wait_seconds: float) -> None:
        waited.append(wait_seconds)
        env.program_state_event.wait(wait_seconds * second)

    as_shipped = TimeoutSeconds._eval_seconds

    def time_out(self: Any, env: Any) -> float:
        return as_shipped(self, env) * (second or 1)

    with (
        patch.object(retrier_decl, "time", SimpleNamespace(sleep=sleep)),
        patch.object(WaitFunction, "_wait_interval", wait),
        patch.object(TimeoutSeconds, "_eval_seconds", time_out),
    ):
        yield


def _make_table(name: str, key: str) -> None:
    boto3.client("dynamodb", REGION).create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
    )


def _items(table: str) -> list[dict[str, Any]]:
    return boto3.client("dynamodb", REGION).scan(TableName=table)["Items"]
