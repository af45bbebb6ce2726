"""Header fields as HTTP writes them (RFC 9110, 5)."""

import re
from collections.abc import Iterable

__all__ = ["is_name", "listed"]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_name(text: str) -> bool:
    """Whether HTTP can carry it as the name of one."""
    return _NAME.fullmatch(text) is not None


def listed(headers: Iterable[tuple[str, str]], name: str) -> list[str]:
    """What all fields of that name list, in lower case. `name`: in lower case too."""
    return [part.strip().lower() for known, value in headers if known.lower() == name for part in value.split(",")]
