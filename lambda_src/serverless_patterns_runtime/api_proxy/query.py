"""The query string: text, unless the route's schema says more."""

from collections.abc import Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.api_proxy.validation import Validator, check
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.payload import parse
from serverless_patterns_runtime.request import Values

__all__ = ["query"]

MOST_CHARACTERS = 40
"""Of a number: the longest double is shorter."""


def query(
    given: Mapping[str, Sequence[str]], types: Mapping[str, str | list[str]], validator: Validator | None
) -> Values:
    """Each parameter as its schema has it. Raises MalformedPayload when one does not match."""
    lists = [name for name, said in types.items() if isinstance(said, list)]
    kinds = {name: said[0] if isinstance(said, list) else said for name, said in types.items()}
    read = {name: [_value(text, kinds.get(name)) for text in texts] for name, texts in given.items()}
    if validator is not None:
        # A name that comes twice is a list, which the schema of a scalar refuses.
        whole = {name: values if name in lists or len(values) != 1 else values[0] for name, values in read.items()}
        check("query string", whole, validator)
    return Values(read, lists=lists)


def _value(text: str, said: str | None) -> Any:
    """Text that is no value of its type stays text: the schema says what is wrong with it."""
    match said:
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "integer" | "number" if len(text) <= MOST_CHARACTERS and text == text.strip():
            try:
                number = parse(text)
            except MalformedPayload:
                return text
            return number if type(number) in (int, float) else text
        case _:
            return text
