"""What a business function in a saga is given: a step's action, or the compensation that undoes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from serverless_patterns_runtime.errors import KeyExpired, UnusableResource

__all__ = ["StepError", "StepInput"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class _Results(dict[str, Any]):
    """By the step's name; says which there are, since a misspelt name has no other trace."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(f"no result of {name!r}: there are those of {', '.join(self) or 'no step'}")


@dataclass(frozen=True)
class StepError:
    """Why a saga is undone. Its `repr` holds the name alone."""

    name: str
    """Of the error's class, or Step Functions' own, such as `States.Timeout`."""

    message: str = field(default="", repr=False)
    """Short: the words of a PermanentError, which are written to be read; of others the place in the code."""


@dataclass(frozen=True, kw_only=True)
class StepInput:
    """The same for every attempt at a step. Its `repr`, and so a log line, holds nothing of what the saga is about."""

    input: Mapping[str, Any] = field(repr=False)
    """Of the execution."""

    results: Mapping[str, Any] = field(repr=False)
    """What the actions of earlier steps have returned, by the step's name."""

    result: Any = field(default=None, repr=False)
    """In a compensation: what the action has returned; None when nobody knows, or it has returned nothing. It may have
    happened all the same."""

    error: StepError | None = None
    """In a compensation: why."""

    action_key: str
    """Of the action, in its compensation too: the `idempotency_key` that the action could pass on. Also the reference
    by which to look up what became of it."""

    key: str | None = field(default=None, repr=False)
    """What `external_key` gives; None where it gives nothing."""

    key_expired: bool = False
    """Whether the provider may have forgotten the external key: then look up what happened, and send nothing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "results", _Results(self.results))

    @property
    def external_key(self) -> str:
        """The key, in the provider's format, of what this function sends: an action's, or its compensation's own.

        Raises KeyExpired when this invocation could outlive it, and UnusableResource for a step without one.
        """
        if self.key_expired:
            raise KeyExpired
        if self.key is None:
            raise UnusableResource("the step has no external key: declare it, SagaStep(external_key=ExternalKey(...))")
        return self.key

    @classmethod
    def fake(
        cls,
        input: Mapping[str, Any] = _NOTHING,
        *,
        results: Mapping[str, Any] = _NOTHING,
        result: Any = None,
        error: StepError | None = None,
        action_key: str = "saga#execution-1#Step",
        external_key: str | None = None,
        key_expired: bool = False,
    ) -> "StepInput":
        """A step for a unit test: `reserve(StepInput.fake({"order_id": "7"}), Invocation.fake())`."""
        return cls(
            input=input,
            results=results,
            result=result,
            error=error,
            action_key=action_key,
            key=None if key_expired else external_key,
            key_expired=key_expired,
        )
