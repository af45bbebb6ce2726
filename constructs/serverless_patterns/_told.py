"""What our functions are told: CDK's own object does not show it, and a pattern on top of another adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from ._checks import is_token
from ._physical_names import stand_in

if TYPE_CHECKING:
    from typing import Any

# By identity of the function, which is kept: jsii holds its Python object weakly, and another would forget.
_TOLD: dict[int, tuple[lambda_.IFunction, dict[str, str]]] = {}

Asked = Literal["topic", "view"]
"""What a function asks for by a name."""

_ASKED: dict[int, tuple[lambda_.IFunction, set[tuple[Asked, str]]]] = {}


def remember(function: lambda_.Function, told: Mapping[str, str]) -> None:
    """What it is defined with."""
    seen = cast(lambda_.IFunction, function)
    _TOLD[id(function)] = (seen, dict(told))


def tell(function: lambda_.IFunction, more: Mapping[str, str]) -> None:
    """Add variables to a function of ours that another construct has defined."""
    for name, value in more.items():
        cast(lambda_.Function, function).add_environment(name, value)
    _TOLD[id(function)][1].update(more)


def names_told(function: lambda_.IFunction) -> frozenset[str]:
    """Names of what it is told by now."""
    return frozenset(_TOLD[id(function)][1])


def number_told(function: lambda_.IFunction, name: str) -> int | None:
    """A whole number that it is told by now; `None` when CloudFormation alone knows it."""
    value = _TOLD[id(function)][1][name]
    return None if is_token(value) else int(value)


def texts_told(function: lambda_.IFunction, known: Mapping[str, int] = MappingProxyType({})) -> dict[str, str]:
    """What it is told, at the end of synth; what only CloudFormation knows is as long as `known` says, or empty."""
    told = cast("Mapping[str, Any]", Stack.of(function).resolve(_TOLD[id(function)][1]))
    return {name: stand_in(value, known) for name, value in told.items()}


def tell_asked(function: lambda_.Function, kind: Asked, name: str, told: str) -> None:
    """Tell any function of a topic or a view, by the name that it asks for."""
    function.add_environment(name, told)
    seen = cast(lambda_.IFunction, function)
    _ASKED.setdefault(id(seen), (seen, set()))[1].add((kind, name))


def names_asked_by(function: lambda_.IFunction, kind: Asked) -> frozenset[str]:
    """Names of the topics, or views, that it was told of by now."""
    return frozenset(name for of, name in _ASKED.get(id(function), (function, ()))[1] if of == kind)
