"""The route that takes a command: a caller's request is one command, done once, however often he asks for it.

Its id is the request's `Idempotency-Key`, made the caller's and the route's own. The aggregate is named by the path, or
else by the body.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.api_proxy.contract import IDEMPOTENCY_KEY_HEADER
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.deciding import Commands
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response

__all__ = ["execute_request", "executed"]

IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"

_VERSION = re.compile(r'"(0|[1-9][0-9]{0,17})"')
"""As `ETag` has it: a strong one (RFC 9110)."""


def execute_request(request: Request, invocation: Invocation) -> Executed[Response]:
    """200, the answer and its version as `ETag`; a replay says so in a header."""
    return executed(request, invocation, _commands(), _env().COMMAND)


def executed(request: Request, invocation: Invocation, commands: Commands, name: str) -> Executed[Response]:
    """The same over any commands.

    Raises PermanentError with the status that the caller is to see: 400 for what is no command, and as
    `Commands.execute`.
    """
    if IDEMPOTENCY_KEY_HEADER not in request.headers:
        raise _bad(f"this request needs an {IDEMPOTENCY_KEY_HEADER} header: a new one for each command, the same again")
    if isinstance(request.body, bytes):
        raise _bad("the body is JSON")
    key = _key(request, commands.model.key)
    id = invocation.idempotency_key
    asked = commands.asked(id, name, key, request.body, _expected_version(request), request.caller)
    done = commands.execute(asked, replace(invocation, claim=asked.claim))
    version = done.answer["version"]
    return Executed(Response(200, done.answer, headers={"ETag": f'"{version}"'}), replayed=done.replayed)


def _key(request: Request, name: str) -> Any:
    body: Any = request.body
    said: Mapping[str, Any] = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    if name not in request.params:
        return said.get(name)
    if name in said and said[name] != request.params[name]:
        raise _bad(f"the body's {name} is another one than the path's")
    return request.params[name]


def _expected_version(request: Request) -> int | None:
    """None: no header says which."""
    match: list[str] = list(request.headers.all(IF_MATCH))
    none_match: list[str] = list(request.headers.all(IF_NONE_MATCH))
    if len(match) + len(none_match) > 1:
        raise _bad(f"a command has one {IF_MATCH} header, or one {IF_NONE_MATCH}")
    if none_match:
        if none_match[0].strip() != "*":
            raise _bad(f"{IF_NONE_MATCH} of a command is *: that there is no such aggregate yet")
        return 0
    if not match:
        return None
    version = _VERSION.fullmatch(match[0].strip())
    if version is None or version[1] == "0":
        raise _bad(f'{IF_MATCH} of a command is one version as ETag says it: "7"')
    return int(version[1])


def _bad(message: str) -> PermanentError:
    return PermanentError(message, status=400)


@cache
def _env() -> contract.CommandEnv:
    return environment.read(contract.CommandEnv)


@cache
def _commands() -> Commands:
    return Commands.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _commands()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first request
