"""What our functions are told: CDK's own object does not show it, and a pattern on top of another adds to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, cast

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from ._checks import is_token
from ._physical_names import lengths, stand_in

if TYPE_CHECKING:
    from typing import Any

    from constructs import IConstruct

# By identity of the function, which is kept: jsii holds its Python object weakly, and another would forget.
_TOLD: dict[int, tuple[lambda_.IFunction, dict[str, str]]] = {}

Asked = Literal["topic", "view"]
"""What a function asks for by a name."""

_ASKED: dict[int, tuple[lambda_.IFunction, dict[tuple[Asked, str], tuple[str, list[IConstruct]]]]] = {}
"""With what it is told of each, and the resources whose names are in that."""


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


def texts_told(function: lambda_.IFunction, named: Iterable[IConstruct] = ()) -> dict[str, str]:
    """What it is told, at the end of synth; names that only CloudFormation knows are as long as they can be.

    Args:
        function: One of ours.
        named: Resources whose names are in it; of any other a name is empty.
    """
    asked = _ASKED[id(function)][1] if id(function) in _ASKED else {}
    known = lengths([*named, *(each for _, more in asked.values() for each in more)])
    texts = {**_TOLD[id(function)][1], **{name: text for (_, name), (text, _) in asked.items()}}
    told = cast("Mapping[str, Any]", Stack.of(function).resolve(texts))
    return {name: stand_in(value, known) for name, value in told.items()}


def tell_asked(function: lambda_.Function, kind: Asked, name: str, told: str, named: Iterable[IConstruct] = ()) -> None:
    """Tell any function of a topic or a view, by the name that it asks for; `named`: as of `texts_told`."""
    function.add_environment(name, told)
    seen = cast(lambda_.IFunction, function)
    _ASKED.setdefault(id(seen), (seen, {}))[1][kind, name] = told, [*named]


def asks_by_name(function: lambda_.IFunction) -> bool:
    """Whether it was told of a topic or a view by now."""
    return id(function) in _ASKED


def names_asked_by(function: lambda_.IFunction, kind: Asked) -> frozenset[str]:
    """Names of the topics, or views, that it was told of by now."""
    return frozenset(name for of, name in _ASKED.get(id(function), (function, {}))[1] if of == kind)
