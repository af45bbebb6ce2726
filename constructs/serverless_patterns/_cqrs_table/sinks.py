"""What a view needs of a store that is not DynamoDB: `SqlSink`, `DataApiSink` and `OpenSearchSink` have it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Protocol

from .._shapes import told

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from .._checks import Problems
    from ..handler import Handler


class ViewSink(Protocol):
    """A description of the store."""

    @property
    def services(self) -> tuple[str, ...]:
        """Services of AWS that the functions must reach because of it."""
        ...

    def placed(self, handler: Handler) -> Handler:
        """The handler, where its functions can reach the store."""
        ...

    def check(self, problems: Problems, handler: Handler) -> None:
        """Tell what the handler lacks."""
        ...

    def warn(self, view: Construct) -> None:
        """Tell at synth what may be missing, and is not known."""
        ...

    def allow(self, function: lambda_.Function) -> None:
        """Give a function all that it needs to read and write there."""
        ...

    @property
    def place(self) -> str:
        """What tells this store from others: when it is another one, the view is filled anew."""
        ...

    def described(self, stack: Stack) -> str:
        """The text of the functions' variable: JSON, with a `kind`."""
        ...


def variable_of(view: str) -> str:
    """The name of the variable that describes a view's store."""
    return f"SINK_{view}"


def check_sink(problems: Problems, sink: Any, handler: Handler) -> None:
    """Refuse what is no sink, and a handler that does not fit it."""
    if all(hasattr(sink, name) for name in ("placed", "check", "warn", "allow", "described", "place", "services")):
        sink.check(problems, handler)
    else:
        fix = "write SqlSink(...), DataApiSink(...) or OpenSearchSink(...), or leave it out: rows are in DynamoDB"
        problems.add("sink", "be a SqlSink, a DataApiSink or an OpenSearchSink", told(sink), fix)


def placed(sink: Any, handler: Handler) -> Handler:
    """The handler where the sink's `vpc`, `vpc_subnets` and `security_groups` say, unless one of them says nothing, or
    has said it."""
    if sink.vpc is None or handler.vpc is not None:
        return handler
    made = copy.copy(handler)
    vars(made).update({name: getattr(sink, name) for name in ("vpc", "vpc_subnets", "security_groups")})
    return made


def check_placed(problems: Problems, sink: Any, handler: Handler) -> None:
    """Refuse two places for the functions: the sink's would be left out without a word."""
    if handler.vpc is None or sink.vpc is None:
        return
    if handler.vpc is not sink.vpc:
        problems.add("project vpc", "be the sink's", handler.vpc.node.path, "say it once: in the sink")
    for argument in ("vpc_subnets", "security_groups"):
        if getattr(sink, argument):
            fix = f"take vpc out of the Handler, whose {argument} would be taken"
            problems.add(f"sink {argument}", "be left out beside project vpc", told(getattr(sink, argument)), fix)


def same_place(sink: Any, other: Any) -> str | None:
    """What two sinks have in common that each needs for itself, if anything."""
    for what in (("schema", "table"), ("index",)):
        if all(hasattr(one, what[-1]) for one in (sink, other)):
            mine, theirs = ([getattr(one, name) for name in what] for one in (sink, other))
            return what[-1] if mine == theirs else None
    return None
