"""What a deployed route would answer, without AWS: for unit tests."""

import base64
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.api_proxy.keeping import answer_of_effects
from serverless_patterns_runtime.api_proxy.media_type import is_json
from serverless_patterns_runtime.api_proxy.problems import problem_of
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.effects import Effects
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Request

__all__ = ["Answered", "answer"]


class Answered(NamedTuple):
    status: int
    body: Any
    """The JSON value, text or bytes; None: no body."""
    headers: Mapping[str, tuple[str, ...]]
    error: BaseException | None = None
    """What the function, or a check of its result, raised: the client is told no more than `body` says."""


def answer(function: Callable[..., Any], request: Request, invocation: Invocation | None = None) -> Answered:
    """What the client of a route to this function would get: its result by the deployed checks, or a problem.

    `Effects` are not committed (`commit` does that): their result is what is answered. Without the schemas of the
    route, and without what the gateway does.
    """
    effects = _returns_effects(function)
    takes_invocation = len(inspect.signature(function).parameters) >= 2
    called = BusinessFunction(function, getattr(function, "__name__", "function"), takes_invocation, effects)
    error: BaseException | None = None
    try:
        result = called(request, invocation or Invocation.fake())
        given = answer_of_effects(result) if isinstance(result, Effects) else Answer.of(result)
    except Exception as raised:
        error = raised
        given = problem_of(error, correlation_id=request.correlation_id, now=0)
    return Answered(given.status, _body(given), given.headers, error)


def _returns_effects(function: Callable[..., Any]) -> bool:
    """By its annotation, as at synth."""
    said = inspect.get_annotations(function).get("return")
    return "Effects" in re.findall(
        r"\w+", said if isinstance(said, str) else said.__name__ if isinstance(said, type) else repr(said)
    )


def _body(given: Answer) -> Any:
    if given.base64:
        return base64.b64decode(given.body)
    said = next((values[-1] for name, values in given.headers.items() if name.lower() == "content-type"), None)
    if said is None:
        return None
    return json.loads(given.body) if is_json(said) else given.body
