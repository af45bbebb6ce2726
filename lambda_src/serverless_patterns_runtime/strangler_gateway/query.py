"""The query string: the gateway has decoded it, so it is encoded anew. Names and their values keep their order."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from serverless_patterns_runtime.errors import PermanentError

__all__ = ["encoded_query"]

_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")


def encoded_query(given: Mapping[str, Sequence[str]]) -> str:
    """A name without a value gets an equals sign. Raises PermanentError (400) for what cannot have been sent so."""
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, values in given.items() for value in values)


def _encoded(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    try:
        # A space as %20, which every reader takes for a space.
        encoded = quote(text, safe="")
    except UnicodeEncodeError:
        raise PermanentError("the query string is not UTF-8", status=400) from None
    if "\ufffd" in text:  # what a gateway makes of bytes that are not UTF-8
        raise PermanentError("the query string is not UTF-8", status=400)
    return encoded
