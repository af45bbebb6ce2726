"""Ids from names: what a construct defines for a handler is named by the handler's function, never by a position."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping

_BELOW = ("", "Live", "Logs", "Role")  # what else is defined beside a function
_OURS = ("AccessLogs", "Claims", "RestApi", "Validator")


def ids(named: Mapping[Hashable, tuple[str, str]]) -> dict[Hashable, str]:
    """An id for each key, such as `OrdersGet`.

    Args:
        named: For each key a name such as `orders:get`, and one that nobody else has, which is added where two would
            have the same id.
    """
    short = {key: camel(name) for key, (name, _) in named.items()}
    shared = Counter(id + below for id in short.values() for below in _BELOW)
    clash = {id for id in short.values() if any(shared[id + below] > 1 or id + below in _OURS for below in _BELOW)}
    return {key: id + camel(named[key][1]) if id in clash else id for key, id in short.items()}


def camel(text: str) -> str:
    """`OrdersGet` for `orders:get`, `GetOrdersOrderId` for `GET /orders/{order_id}`."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(word.capitalize() if word.isupper() else word[0].upper() + word[1:] for word in words)
