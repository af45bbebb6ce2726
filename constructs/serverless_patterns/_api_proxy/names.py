"""Ids from names: what a construct defines for a handler is named by the handler's function, never by a position."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

_BESIDE = ("Live", "Logs", "Permission", "Request", "Role")  # what is defined beside a function, by the end of its id
_OURS = ("AccessLogs", "Claims", "Domain", "RestApi", "UsagePlans", "Validator", "WebAcl")
_Key = TypeVar("_Key", bound=Hashable)


def ids(named: Mapping[_Key, tuple[str, str]]) -> dict[_Key, str]:
    """An id for each key, such as `OrdersGet`.

    Args:
        named: For each key a name such as `orders:get`, and one that nobody else has, which is added where two would
            have the same id.
    """
    short = {key: camel(name) for key, (name, _) in named.items()}
    times = Counter(short.values())
    taken = {f"{id}{end}" for id in times for end in _BESIDE} | {*_OURS}
    longer = {key: f"{id}{camel(named[key][1])}" if times[id] > 1 or id in taken else id for key, id in short.items()}
    return distinct(longer, {key: name for key, (_, name) in named.items()})


def distinct(ids: Mapping[_Key, str], own: Mapping[_Key, str], taken: Collection[str] = ()) -> dict[_Key, str]:
    """The ids, with a hash of what each key has to itself behind all that are equal, or taken."""
    times = Counter(ids.values())
    return {key: f"{id}{_hash(own[key])}" if times[id] > 1 or id in taken else id for key, id in ids.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def camel(text: str) -> str:
    """`OrdersGet` for `orders:get`, `GetOrdersOrderId` for `GET /orders/{order_id}`."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(word.capitalize() if word.isupper() else word[0].upper() + word[1:] for word in words)
