"""What the generated validators raise: where a value breaks its schema, and never the value."""

from typing import Any

__all__ = ["SchemaViolation"]

MOST_CHARACTERS = 200
"""Of each part: names in the payload, and patterns in the schema, are as long as they like."""


class SchemaViolation(ValueError):
    """Takes what fastjsonschema's generated code passes, in whose place it stands."""

    def __init__(
        self,
        message: str,
        value: Any = None,  # noqa: ARG002
        name: str | None = None,
        definition: Any = None,  # noqa: ARG002
        rule: str | None = None,
    ) -> None:
        path = name or "data"
        self.field = path.removeprefix("data").removeprefix(".")[:MOST_CHARACTERS]
        """Such as `lines[0].quantity`; empty: the value as a whole."""
        said = "must have no other properties" if rule == "additionalProperties" else message.removeprefix(path).strip()
        self.rule = said[:MOST_CHARACTERS]
        """Such as `must be integer`."""
        super().__init__(self.rule)  # the field may name a key of the payload
