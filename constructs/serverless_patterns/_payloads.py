"""What a function is handed, held against what its source says that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._business_function import payload_class

if TYPE_CHECKING:
    from ._checks import Problems
    from .handler import Handler

_TAKEN_BY: Mapping[str, str] = {
    "ApprovalRequest": "the notify of a SagaApproval",
    "Completion": "the on_complete of a FanIn",
    "Gathered": "the on_complete of a ParallelMap",
    "Request": "a function behind an API",
    "StepInput": "a step of a saga",
}


def check_payload(problems: Problems, argument: str, handler: Handler, gets: str | None, what: str) -> None:
    """Refuse a function whose annotation names another payload of ours than it gets.

    Args:
        problems: Takes what is wrong.
        argument: What the user knows the handler as.
        handler: The description.
        gets: Name of the class that it gets; `None`: what the JSON says.
        what: The same in words.
    """
    found = payload_class(handler.code, handler.function)
    if found is not None and found in _TAKEN_BY and found != gets:
        fix = f"a {found} is what {_TAKEN_BY[found]} takes: mend the annotation, or name another function"
        problems.add(argument, f"take {what}", f"{handler.function} annotated {found}", fix)
