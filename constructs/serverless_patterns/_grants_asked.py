"""What a handler is given as `grants`: something to call with its function, refused in words where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._checks import Problems
from ._shapes import told

_PUBLISHER = "publisher"


def check_grants(grants: Sequence[Any], problems: Problems) -> None:
    """Refuse what cannot be called, and a topic's `publisher` that was not."""
    must = "be something to call with the lambda_.Function"
    for index, grant in enumerate(grants):
        of = getattr(grant, "__self__", None)
        if of is not None and getattr(grant, "__name__", "") == _PUBLISHER and _publishes(of):
            fix = "call it, with the name that publish() takes: topic.publisher('ORDER_EVENTS')"
            problems.add(f"grants[{index}]", must, "the method publisher itself", fix)
        elif not callable(grant):
            fix = "write grants=[bucket.grant_read]"
            if _publishes(grant):
                fix = "write grants=[topic.publisher('ORDER_EVENTS')], with the name that publish() takes"
            problems.add(f"grants[{index}]", must, told(grant), fix)


def _publishes(value: Any) -> bool:
    return hasattr(value, _PUBLISHER) and hasattr(value, "grant_publish")
