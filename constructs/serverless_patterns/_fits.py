"""Whether all that a function is told fits into Lambda's variables: known at synth, when nothing is added any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from ._checks import Problems
from ._environment import check_size
from ._late_errors import refuse_late
from ._told import asks_by_name, texts_told

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import IConstruct

_GRANTS = "each topic and view that it is given is a variable: give it fewer, or split the function"


def check_grants_fit(function: lambda_.Function) -> None:
    """Refuse, at synth, more topics and views than its variables hold beside what a pattern has counted."""
    seen = cast("lambda_.IFunction", function)
    if asks_by_name(seen):
        check_fits(seen, "grants", _GRANTS)


class _Fitting(Problems):
    def __init__(self, where: str, fix: str) -> None:
        super().__init__(where)
        self._fix = fix
        self.messages: list[str] = []

    def add(self, argument: str, must: str, got: str, fix: str) -> None:
        del fix
        self.messages.append(f"{argument} must {must}, got {got}: {self._fix}")


def check_fits(
    function: lambda_.IFunction, argument: str, fix: str, names: Callable[[], Iterable[IConstruct]] = tuple
) -> None:
    """Refuse, at synth, more variables than Lambda takes.

    Args:
        function: Gets them.
        argument: What the user knows it as.
        fix: What makes them fewer.
        names: Resources whose names are in them, and which CloudFormation names.
    """

    def look() -> list[str]:
        problems = _Fitting(function.node.path, fix)
        check_size(problems, argument, texts_told(function, names()))
        return problems.messages

    refuse_late(function, look)
