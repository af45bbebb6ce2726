"""Schemas of draft 4, as OpenAPI 3.1 writes them."""

from __future__ import annotations

from typing import Any

from .schema_keywords import ALONE, BY_NAME, IN_LIST, Schema, is_dictionary, is_list


def of_2020(schema: Any) -> Any:
    """The same in JSON schema 2020-12, which OpenAPI 3.1 speaks."""
    if not is_dictionary(schema):
        return schema
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "dependencies":
            result |= _dependencies(value)
        elif keyword in BY_NAME:
            result[keyword] = {name: of_2020(one) for name, one in value.items()}
        elif keyword in IN_LIST:
            result[keyword] = [of_2020(one) for one in value]
        else:
            result[keyword] = of_2020(value) if keyword in ALONE else value
    return result


def _dependencies(value: Schema) -> dict[str, Any]:
    names = {name: one for name, one in value.items() if is_list(one)}
    below = {name: of_2020(one) for name, one in value.items() if not is_list(one)}
    return {"dependentRequired": names, "dependentSchemas": below}
