"""Holding a value against the code that was generated from its schema."""

from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.api_proxy.mismatch import Mismatch
from serverless_patterns_runtime.errors import MalformedPayload

__all__ = ["BrokenSchema", "Validator", "check"]

Validator = Callable[[Any], object]
"""Generated; raises Mismatch."""


class BrokenSchema(MalformedPayload):
    """A part of the request does not match its schema."""

    def __init__(self, part: str, pointer: str, rule: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(f"the {part} does not match its schema")
        self.pointer = pointer
        """RFC 6901: which field; empty: the value as a whole."""
        self.rule = rule
        """The schema's keyword."""


def check(part: str, value: Any, validator: Validator) -> None:
    """Raises BrokenSchema."""
    try:
        validator(value)
    except Mismatch as mismatch:
        raise BrokenSchema(part, mismatch.pointer, mismatch.rule) from None
