"""Where a reader goes on: a cursor that only the one who holds the key can make, for one query, for a while."""

import base64
import hmac
import json
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.cqrs_queries import contract
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["Asked", "Cursor", "SortValue", "Tokens", "UnusableCursor"]

SortValue = str | int | Decimal

MAX_CHARACTERS = 9_000
"""A sort key has 1,024 bytes; JSON and base64 make them eight times as long where they are control characters."""

_PURPOSE = "serverless-patterns page 1"
"""What is signed for another purpose with the same key is no cursor."""


class UnusableCursor(PermanentError):
    """Forged, of another query, or too old: who asks is not told which, and what to do is the same."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(
            "the cursor is not one of this query, or it is older than an hour: take it unchanged from the answer"
            " before, with the same parameters, or begin again without a cursor",
            status=400,
        )


class Asked(NamedTuple):
    """What a cursor is good for."""

    view: str
    table: str
    partition: str
    descending: bool
    first: SortValue | None
    last: SortValue | None
    prefix: str | None


class Cursor(NamedTuple):
    generation: int
    after: SortValue | None
    """The sort key to go on behind. None: the view has none."""
    expires: int
    """Epoch seconds."""


class Tokens(NamedTuple):
    keys: Callable[[], Sequence[bytes]]
    """To sign with the first of; signed with any of them is good."""
    more_keys: Callable[[], Sequence[bytes]]
    """Asked when none of `keys` fits: the key may have been changed."""
    clock: Callable[[], float]

    def write(self, cursor: Cursor, asked: Asked) -> str:
        after = None if cursor.after is None else _shown(cursor.after)
        text = json.dumps([cursor.generation, after, cursor.expires], separators=(",", ":"), ensure_ascii=False)
        content = _encoded(text.encode())
        return f"{content}.{_signature(self.keys()[0], content, asked)}"

    def read(self, token: str, asked: Asked) -> Cursor:
        """Raises UnusableCursor.

        What is compared is the text itself: base64 has several texts for the same bytes.
        """
        content, dot, signature = token.partition(".")
        if not dot or len(token) > MAX_CHARACTERS or not token.isascii():
            raise UnusableCursor
        if not any(self._fits(keys(), content, signature, asked) for keys in (self.keys, self.more_keys)):
            raise UnusableCursor
        cursor = _cursor(content)
        if cursor.expires <= self.clock():
            raise UnusableCursor
        return cursor

    def expires(self) -> int:
        """Of a cursor that is made now."""
        return int(self.clock()) + contract.TOKEN_SECONDS

    def _fits(self, keys: Sequence[bytes], content: str, signature: str, asked: Asked) -> bool:
        return any(hmac.compare_digest(_signature(key, content, asked), signature) for key in keys)


def _signature(key: bytes, content: str, asked: Asked) -> str:
    about = [_shown(value) if isinstance(value, SortValue) else value for value in asked]
    # Partitions come from callers: half a surrogate pair in one must not raise here.
    signed = json.dumps([_PURPOSE, *about, content], ensure_ascii=True)
    return _encoded(hmac.digest(key, signed.encode(), "sha256"))


def _shown(value: SortValue) -> dict[str, str] | str | bool:
    """So that 1 and "1" differ, and 1 and 1.0 do not."""
    return value if isinstance(value, str | bool) else {"N": str(Decimal(value).normalize())}


def _cursor(content: str) -> Cursor:
    """Ours: it is signed. Where nothing is secret anybody can sign, so it is checked all the same."""
    try:
        given = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        generation, after, expires = cast("list[Any]", given)
        if isinstance(after, dict):
            after = Decimal(cast("dict[str, Any]", after)["N"])
    except (ValueError, TypeError, KeyError, RecursionError, InvalidOperation):
        raise UnusableCursor from None
    if type(generation) is not int or type(expires) is not int or not isinstance(after, str | Decimal | None):
        raise UnusableCursor
    return Cursor(generation, after, expires)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
