"""What a generated validator raises: where a value breaks which rule, and nothing of the value."""

from serverless_patterns_runtime.errors import MalformedPayload

__all__ = ["Mismatch"]

MAX_POINTER_CHARACTERS = 200
"""Names of unknown fields are the caller's: an answer must not grow with them."""


class Mismatch(MalformedPayload):
    """A value does not match its schema."""

    pointer: str
    """RFC 6901: which field, as `/lines/0/quantity`; empty for the whole value."""

    rule: str
    """The keyword of the schema, as `minimum`."""

    def __init__(self, rule: str, *path: str | int) -> None:  # pyright: ignore[reportInconsistentConstructor]
        self.rule = rule
        pointer = "".join(["/" + str(step).replace("~", "~0").replace("/", "~1") for step in path])
        self.pointer = pointer[:MAX_POINTER_CHARACTERS]
        super().__init__(f"{f'at {self.pointer}' if path else 'at the top'}: {rule}")
