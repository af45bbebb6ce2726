"""Variables that hold all subscribers: known when the last one has been added, and small enough for Lambda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import jsii
from aws_cdk import IStableStringProducer, Lazy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import IValidation

from serverless_patterns_runtime.fan_out_topic.contract import Subscriber as Seen
from serverless_patterns_runtime.fan_out_topic.packed import packed

from .._checks import Problems
from .._environment import check_size

if TYPE_CHECKING:
    from .subscriptions import Subscriber


def seen(subscriber: Subscriber) -> Seen:
    """As its filter sees messages."""
    if subscriber.filter is None:
        return {}
    if subscriber.filter_scope == "attributes":
        return {"filter": subscriber.filter}
    return {"filter": subscriber.filter, "scope": subscriber.filter_scope}


@jsii.implements(IStableStringProducer)
class _Packed:
    def __init__(self, choose: Callable[[], Mapping[str, Seen]]) -> None:
        self._choose = choose
        self._known: tuple[tuple[str, ...], str] | None = None

    def produce(self) -> str:
        chosen = self._choose()
        names = tuple(chosen)
        if self._known is None or self._known[0] != names:  # a subscriber never changes
            self._known = (names, packed(chosen))
        return self._known[1]


def packed_late(choose: Callable[[], Mapping[str, Seen]]) -> str:
    """A token that becomes the packed mapping when the template is written."""
    return Lazy.string(cast(IStableStringProducer, _Packed(choose)))


@jsii.implements(IValidation)
class _Fits:
    def __init__(self, function: lambda_.IFunction, argument: str, fix: str) -> None:
        self._function, self._argument, self._fix = function, argument, fix

    def validate(self) -> list[str]:
        resource = cast(lambda_.CfnFunction, self._function.node.default_child)
        told = cast("Mapping[str, Any]", Stack.of(self._function).resolve(resource.environment) or {})
        problems = _Fitting(self._function.node.path, self._fix)
        check_size(problems, self._argument, {name: _text(value) for name, value in told.get("variables", {}).items()})
        return problems.messages


class _Fitting(Problems):
    def __init__(self, where: str, fix: str) -> None:
        super().__init__(where)
        self._fix = fix
        self.messages: list[str] = []

    def add(self, argument: str, must: str, got: str, fix: str) -> None:
        del fix
        self.messages.append(f"{argument} must {must}, got {got}: {self._fix}")


def _text(value: object) -> str:
    """What the deployment fills in counts as empty."""
    return value if isinstance(value, str) else ""


def check_fits(function: lambda_.IFunction, argument: str, fix: str) -> None:
    """Refuse, at synth, more variables than Lambda takes.

    Args:
        function: Gets them.
        argument: What the user knows it as.
        fix: What makes them fewer.
    """
    function.node.add_validation(cast(IValidation, _Fits(function, argument, fix)))
