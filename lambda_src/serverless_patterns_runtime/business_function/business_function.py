"""Finding and calling the user's plain function."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from serverless_patterns_runtime.effects import Effects
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.invocation import Invocation

__all__ = ["BusinessFunction", "UnusableResult", "check_has_run", "imported", "positional_parameters"]


class UnusableResult(PermanentError):
    """The function has to be written differently. Its text holds nothing of the payload."""


@dataclass(frozen=True)
class BusinessFunction:
    call: Callable[..., Any]
    name: str
    takes_invocation: bool
    returns_effects: bool

    @classmethod
    def load(cls, name: str, *, returns_effects: bool) -> "BusinessFunction":
        """Import `module:function`. Done at init, so that a broken import shows before the first message."""
        function = imported(name)
        return cls(function, name, positional_parameters(function) >= 2, returns_effects)

    def __call__(self, payload: Any, invocation: Invocation) -> Any:
        """What the function returns. Raises UnusableResult when that is not what its annotation promised at synth."""
        result = self.call(payload, invocation) if self.takes_invocation else self.call(payload)
        check_has_run(result, self.name)
        if self.returns_effects and result is None:
            return Effects()
        if isinstance(result, Effects) != self.returns_effects:
            if self.returns_effects:
                wrong = f"{self.name} is annotated '-> Effects' and returned {type(result).__name__}: return Effects"
            else:
                wrong = f"{self.name} returned Effects without saying so: annotate it '-> Effects'"
            raise UnusableResult(f"{wrong}, and deploy again")
        return result


def imported(name: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module_name, _, function_name = name.partition(":")
    return getattr(importlib.import_module(module_name), function_name)


def check_has_run(result: Any, name: str) -> None:
    """Raises UnusableResult for what a function gives that is not an ordinary one."""
    if inspect.iscoroutine(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        kind = type(cast(object, result)).__name__
        if not inspect.isasyncgen(result):
            result.close()  # else Python warns, later and elsewhere, that it was never awaited
        raise UnusableResult(f"{name} returned a {kind}, which has not run: write an ordinary function")


def positional_parameters(function: Callable[..., Any]) -> int:
    parameters = inspect.signature(function).parameters.values()
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
