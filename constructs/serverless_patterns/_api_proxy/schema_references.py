"""A schema with its references written out: what the gateway, the validators and the document then read needs none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from .schema_check import referenced
from .schema_keywords import ALONE, BY_NAME, IN_LIST, Schema, is_dictionary

_MOST_SCHEMAS = 10_000


class Unresolvable(ValueError):
    """What is wrong with a reference, for people."""


def written_out(schema: Schema) -> dict[str, Any]:
    """The schema without `$ref` and `definitions`; one that `faults` found nothing in.

    Raises Unresolvable when a reference leads nowhere or back to itself, or when the result would be huge.
    """
    definitions: Mapping[str, Schema] = schema.get("definitions", {})
    seen = count(1)

    def write(value: Any, inside: tuple[str, ...]) -> Any:
        if not is_dictionary(value):
            return value
        if next(seen) > _MOST_SCHEMAS:
            raise Unresolvable(f"more than {_MOST_SCHEMAS:,} schemas once the references are written out")
        if "$ref" in value:
            name = referenced(value["$ref"])
            if name is None or name not in definitions:
                raise Unresolvable(f"no definition for {value['$ref']!r}")
            if name in inside:
                raise Unresolvable(f"{value['$ref']!r} contains itself: write out how deep it may go")
            return write(definitions[name], (*inside, name))
        return {keyword: write_below(keyword, below, inside) for keyword, below in value.items()}

    def write_below(keyword: str, below: Any, inside: tuple[str, ...]) -> Any:
        if keyword in BY_NAME:
            return {name: write(one, inside) for name, one in below.items()}
        if keyword in IN_LIST:
            return [write(one, inside) for one in below]
        return write(below, inside) if keyword in ALONE else below

    return write({key: value for key, value in schema.items() if key not in ("definitions", "$schema")}, ())
