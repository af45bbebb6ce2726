"""`FanIn`: what happens once all branches of a message are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

if TYPE_CHECKING:
    from .handler import Handler

__all__ = ["FanIn"]

_DEADLINE = Duration.minutes(10)
_RETENTION = Duration.days(60)


@dataclass(frozen=True, kw_only=True)
class FanIn:
    """Hands the results of a message's branches over once: all of them, or at the deadline what is there by then.

    ```python
    FanIn(on_complete=Handler(code, "orders:ready", tables={"ORDERS": orders}), deadline=Duration.minutes(10))
    ```

    Args:
        on_complete: Gets a `Completion`: key, outcome, results by subscriber, names of what is missing, the message.
        deadline: Of a message's results, from when it came into the queue of the branch that is tried first: 1 second
            to less than `retention`. It is looked at every minute.
        expected: Dotted path into the body, to a list with the names of the branches. Default: the subscribers that
            take part and whose filter the message matches.
        max_concurrency: 2 to 1,000 completions at once.
        retention: How long a message's end is remembered: 60 days or more, as long as its branches know the message.
    """

    on_complete: Handler
    deadline: Duration = _DEADLINE
    expected: str | None = None
    max_concurrency: int = 5
    retention: Duration = _RETENTION
