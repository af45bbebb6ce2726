"""What all commands have in common: where the target is, and errors as lines."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import reduce
from typing import Any

import click

from serverless_patterns.cli._asked_function import Unanswered, region_of_function
from serverless_patterns.cli._aws import AWS_ERRORS, Place, explain
from serverless_patterns.cli._outputs import TargetError
from serverless_patterns.cli._queues import region_of

__all__ = ["at_a_place", "somebody_is_there", "who"]

_PLACE = (
    click.argument("target"),
    click.option("--region", help="AWS region. Default: the target's, else that of the profile or the environment."),
    click.option("--profile", help="Profile of the AWS configuration."),
    click.option("--endpoint-url", help="Another endpoint than AWS's, such as an embedded cloud's."),
)


def at_a_place(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say where the target is, and hands them on as one `place`."""

    def with_place(target: str, region: str | None, profile: str | None, endpoint_url: str | None, **rest: Any) -> None:
        with _errors_as_lines():
            found = region or region_of(target) or region_of_function(target)
            command(target, Place(found, profile, endpoint_url), **rest)

    with_place.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    return reduce(lambda wrapped, option: option(wrapped), reversed(_PLACE), with_place)


def somebody_is_there() -> bool:
    return sys.stdin.isatty()


def who(place: Place) -> str:
    """Who gives the command, as AWS knows him; where it does not say, as this machine does."""
    try:
        return place.sts().get_caller_identity()["Arn"]
    except AWS_ERRORS:
        return getpass.getuser()


@contextmanager
def _errors_as_lines() -> Generator[None]:
    try:
        yield
    except TargetError as error:
        raise _Failed(str(error), 2) from error
    except Unanswered as error:
        raise _Failed(str(error), 1) from error
    except AWS_ERRORS as error:
        raise _Failed(explain(error), 1) from error


class _Failed(click.ClickException):
    """One line on stderr."""

    def __init__(self, line: str, exit_code: int) -> None:
        super().__init__(line)
        self._exit_code = exit_code

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        return self._exit_code
