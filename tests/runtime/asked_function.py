"""An account as commands see it that ask one function of a construct: behind it is the shipped function."""

import io
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._commands import commands
from tests.simulation import aws_errors

Run = Callable[..., Result]


class AskedAccount:
    """Lambda, CloudFormation and STS. `functions`: handlers by name; `outputs`: of the stack `Shop`."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self, functions: dict[str, str], outputs: dict[str, str], answer: Callable[..., Any]) -> None:
        self.functions, self.outputs, self._answer = functions, outputs, answer
        self.asked: list[dict[str, Any]] = []
        self.breaks = False

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:
        if FunctionName not in self.functions:
            raise refusal("lambda", "GetFunctionConfiguration", "ResourceNotFoundException")
        return {"Handler": self.functions[FunctionName]}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName in self.functions
        self.asked.append(json.loads(Payload))
        if self.breaks:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "ClientError"}')}
        return {"Payload": io.BytesIO(json.dumps(self._answer(**json.loads(Payload))).encode())}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if StackName != "Shop":
            raise refusal("cloudformation", "DescribeStacks", "ValidationError")
        return {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]}]}

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::111122223333:user/ann"}


def refusal(service: str, operation: str, code: str) -> BaseException:
    return aws_errors.client_error(service, operation, aws_errors.ServiceError(code, "no"))


def typing(monkeypatch: pytest.MonkeyPatch, account: AskedAccount, group: str, module: str) -> Run:
    """Types a command of a group, `saga`; `answer`: what somebody who is there answers. `module`: of its options."""
    for client in ("lambda_", "cloudformation", "sts"):
        monkeypatch.setattr(Place, client, lambda self: account)  # noqa: ARG005

    def typed(*arguments: str, answer: str | None = None) -> Result:
        if answer is not None:
            monkeypatch.setattr(f"serverless_patterns.cli.{module}.somebody_is_there", lambda: True)
        return CliRunner().invoke(commands, [group, *arguments], input=answer)

    return typed


def squeezed(text: str) -> list[list[str]]:
    """Words by line, without the lines that are drawn."""
    return [line.split() for line in text.splitlines() if line.strip() and "─" not in line]


def documented(page: str, heading: str) -> Iterator[tuple[str, str]]:
    """The commands of the first console below a heading, each with its output."""
    block = page.partition(f"\n## {heading}\n")[2].partition("```console\n")[2].partition("\n```")[0]
    for part in block.split("$ ")[1:]:
        line, _, output = part.partition("\n")
        yield line, output
