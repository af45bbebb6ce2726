"""What a handler is given as `grants`: something to call with its function, refused in words where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ._checks import Problems
from ._shapes import told


class _Named(NamedTuple):
    """A construct that gives a function something to ask for, by a name."""

    method: str
    other: str
    """Another method, so that nobody else's construct is taken for it."""
    written: str
    asks: str


_NAMED = (
    _Named("publisher", "grant_publish", "topic.publisher('ORDER_EVENTS')", "publish()"),
    _Named("reader", "grant_query", "by_customer.reader('BY_CUSTOMER')", "read_view()"),
)


def check_grants(grants: Sequence[Any], problems: Problems) -> None:
    """Refuse what cannot be called, and a topic's `publisher` or a view's `reader` that was not."""
    must = "be something to call with the lambda_.Function"
    for index, grant in enumerate(grants):
        method = getattr(grant, "__name__", "")
        named = _named(getattr(grant, "__self__", None))
        if named is not None and method == named.method:
            fix = f"call it, with the name that {named.asks} takes: {named.written}"
            problems.add(f"grants[{index}]", must, f"the method {method} itself", fix)
        elif not callable(grant):
            named = _named(grant)
            fix = "write grants=[bucket.grant_read]"
            if named is not None:
                fix = f"write grants=[{named.written}], with the name that {named.asks} takes"
            problems.add(f"grants[{index}]", must, told(grant), fix)


def _named(value: Any) -> _Named | None:
    return next((one for one in _NAMED if hasattr(value, one.method) and hasattr(value, one.other)), None)
