"""The one reading of a path: what gateway, router, legacy and new side could read differently is refused.

What passes is forwarded as it came. Of API Gateway a path comes percent-encoded; an endpoint that decodes it hands over
characters that no client can have sent so, and those are encoded again.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from urllib.parse import quote, unquote_to_bytes

from serverless_patterns_runtime.errors import PermanentError

__all__ = ["canonical", "is_another_s", "parameters"]

_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/")
_NOT_LITERAL = re.compile(r'[ "<>?#^`{}]|[^\x00-\x7f]')
"""What browsers, too, never send as it is (WHATWG URL, path percent-encode set)."""
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")


def canonical(path: str, *, matrix: bool) -> str:
    """`matrix`: whether a segment may have parameters (`;v=1`), whose meaning readers do not agree on.

    Raises PermanentError (400), which does not quote the path.
    """
    if _PLAIN.fullmatch(path):
        return path  # nearly always
    try:
        encoded = _NOT_LITERAL.sub(lambda found: quote(found[0], safe=""), path)
    except UnicodeEncodeError:
        raise _refused("is not UTF-8") from None
    if not encoded.startswith("/") or "%" in _ESCAPE.sub(b"", encoded.encode()).decode():
        raise _refused("is not percent-encoded as it must be")
    segments = encoded[1:].split("/")
    if "" in segments[:-1]:
        raise _refused("has an empty segment")
    for segment in segments:
        _check(segment, matrix)
    return encoded


def is_another_s(path: str, own: str, resources: Iterable[str]) -> bool:
    """Whether a reader may take a canonical path, which the gateway has taken for `own`, for a closer one of these."""
    if not {"%", ";"}.intersection(path):
        return False  # literally: the gateway would have chosen that one
    read = [segment.partition(";")[0] for segment in _decoded(path)]
    return any(_is_closer(resource, own) and _matches(read, resource[1:].split("/")) for resource in resources)


def parameters(resource: str, path: str) -> dict[str, str]:
    """Of a canonical path, still encoded. Raises PermanentError (400) when it is not of this resource."""
    names, values = resource[1:].split("/"), path[1:].split("/")
    if names[-1].endswith("+}"):
        values[len(names) - 1 :] = ["/".join(values[len(names) - 1 :])]
    elif not values[-1]:
        values.pop()
    if len(names) != len(values):
        raise _refused("is not one of the route")
    return {name[1:-1].removesuffix("+"): value for name, value in zip(names, values, strict=True) if name[:1] == "{"}


def _check(segment: str, matrix: bool) -> None:
    if segment.isalnum():
        return
    data = unquote_to_bytes(segment)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _refused("is not UTF-8") from None
    if any(character < " " or character in "\x7f\\/" for character in text):
        raise _refused("has a character that stands for another")
    if _ESCAPE.search(data):
        raise _refused("is encoded twice")
    name, parameter, _ = text.partition(";")
    if parameter and not matrix:
        raise _refused("has a parameter")
    if name in (".", "..") or (parameter and not name):
        raise _refused("has a dot segment")


def _is_closer(resource: str, own: str) -> bool:
    """Whether the gateway would choose it before `own`, for a path that is both."""
    for part, other in zip_longest(resource[1:].split("/"), own[1:].split("/"), fillvalue=""):
        if part != other:
            return part[:1] != "{" or (other.endswith("+}") and not part.endswith("+}"))
    return False


def _decoded(path: str) -> list[str]:
    return [unquote_to_bytes(segment).decode() for segment in path[1:].removesuffix("/").split("/")]


def _matches(read: Sequence[str], resource: Sequence[str]) -> bool:
    if resource[-1].endswith("+}") and len(read) >= len(resource):
        read = read[: len(resource)]
    return len(read) == len(resource) and all(
        name[:1] == "{" or name == value for name, value in zip(resource, read, strict=True)
    )


def _refused(why: str) -> PermanentError:
    return PermanentError(f"the path {why}", status=400)
