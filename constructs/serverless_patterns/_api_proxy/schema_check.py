"""Whether a schema is one that API Gateway enforces as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._checks import did_you_mean, is_token
from .schema_keywords import (
    ALONE,
    BY_NAME,
    IN_LIST,
    KEYWORDS,
    MAX_UNIQUE_ITEMS,
    REFUSED,
    Schema,
    is_dictionary,
    is_list,
    names,
)

DRAFT = "http://json-schema.org/draft-04/schema#"
MAX_DEPTH = 64
"""Levels of schemas: what the runtime parses is no deeper."""

_REFERENCE = "#/definitions/"


class Fault(NamedTuple):
    """One thing that is wrong: where in the schema, and the parts of a message."""

    pointer: str
    must: str
    got: str
    fix: str


def faults(schema: Any) -> Iterator[Fault]:
    """Everything that is wrong with the schema, references apart that lead nowhere."""
    if not is_dictionary(schema):
        yield _no_schema("", schema)
        return
    top = dict(schema)
    draft = top.pop("$schema", DRAFT)
    if str(draft).rstrip("#") != DRAFT.rstrip("#"):
        yield Fault("/$schema", f"be {DRAFT!r}", _short(draft), "schemas are of draft 4 only: leave it out")
    definitions = top.pop("definitions", {})
    if must := KEYWORDS["definitions"](definitions):
        yield Fault("/definitions", must, _short(definitions), "write 'definitions': {'Name': {...}}")
    else:
        for name, below in definitions.items():
            yield from _faults(f"/definitions/{step(name)}", below, 1)
    yield from _faults("", top, 0)


def step(name: object) -> str:
    """A name as one step of a JSON pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def referenced(reference: object) -> str | None:
    """The name in `#/definitions/Name`; `None` when it is another kind of reference."""
    if not isinstance(reference, str) or not reference.startswith(_REFERENCE):
        return None
    name = reference.removeprefix(_REFERENCE)
    return None if not name or "/" in name or "%" in name else name.replace("~1", "/").replace("~0", "~")


def below(schema: Schema) -> Iterator[tuple[str, str | int | None, Any]]:
    """The schemas right below one: the keyword, and the name or position in it where it holds several."""
    for keyword in BY_NAME:
        for name, value in schema.get(keyword, {}).items():
            yield keyword, name, value
    for keyword in IN_LIST:
        for position, value in enumerate(schema.get(keyword, [])):
            yield keyword, position, value
    for keyword in ALONE:
        if not isinstance(schema.get(keyword, False), bool):
            yield keyword, None, schema[keyword]


def _faults(pointer: str, schema: Any, depth: int) -> Iterator[Fault]:
    if not is_dictionary(schema):
        yield _no_schema(pointer, schema)
        return
    if depth > MAX_DEPTH:
        yield Fault(pointer, f"be at most {MAX_DEPTH} levels deep", "more", "payloads are no deeper")
        return
    if "$ref" in schema:
        yield from _reference_faults(pointer, schema)
        return
    if _is_flat(schema):
        fix = "write {'type': 'object', 'properties': {...}}"
        yield Fault(pointer, "be a JSON schema", f"properties by name: {', '.join(map(repr, schema))}", fix)
        return
    found = [fault for keyword in schema for fault in _keyword_faults(pointer, keyword, schema[keyword])]
    yield from found
    if found:
        return
    yield from _relation_faults(pointer, schema)
    for keyword, name, value in below(schema):
        where = f"{pointer}/{keyword}" if name is None else f"{pointer}/{keyword}/{step(name)}"
        if keyword != "dependencies" or not is_list(value):
            yield from _faults(where, value, depth + 1)
        elif must := names(value):
            yield Fault(where, must, _short(value), "write the names of the fields that must be there too")


def _keyword_faults(pointer: str, keyword: object, value: Any) -> Iterator[Fault]:
    where = f"{pointer}/{step(keyword)}"
    if not isinstance(keyword, str) or keyword not in KEYWORDS:
        words = did_you_mean(str(keyword), KEYWORDS)
        fix = REFUSED.get(str(keyword)) or f"API Gateway enforces no such keyword{words}"
        yield Fault(where, "be left out", _short(value), fix)
    elif keyword == "definitions":
        yield Fault(where, "be at the top", "one further down", "references lead to the definitions at the top only")
    elif must := KEYWORDS[keyword](value):
        yield Fault(where, must, _short(value), "schemas are JSON schema, draft 4")
    elif is_token(str(value)) if "Token[" in str(value) else is_token(value):
        fix = "the validators are written before CloudFormation knows the value"
        yield Fault(where, "be known at synthesis", "a token", fix)


def _relation_faults(pointer: str, schema: Schema) -> Iterator[Fault]:
    types = schema.get("type", [])
    if "multipleOf" in schema and ("number" in types or "integer" not in types):
        fix = "multiples of fractions are a matter of rounding: count cents, not euros"
        yield Fault(f"{pointer}/multipleOf", "stand beside 'type': 'integer'", repr(types), fix)
    if schema.get("uniqueItems") and schema.get("maxItems", MAX_UNIQUE_ITEMS + 1) > MAX_UNIQUE_ITEMS:
        fix = "a caller can choose numbers that take quadratic time to compare"
        must = f"stand beside a maxItems of at most {MAX_UNIQUE_ITEMS:,}"
        yield Fault(f"{pointer}/uniqueItems", must, repr(schema.get("maxItems")), fix)
    if schema.get("additionalProperties") is False and "patternProperties" not in schema:
        for name in sorted(set(schema.get("required", [])) - set(schema.get("properties", {}))):
            fix = "additionalProperties is False, so nothing could ever match"
            yield Fault(f"{pointer}/required", "name properties of the object only", repr(name), fix)


def _reference_faults(pointer: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
    if referenced(schema["$ref"]) is None:
        fix = "put the schema under 'definitions' at the top"
        yield Fault(f"{pointer}/$ref", "be '#/definitions/Name'", _short(schema["$ref"]), fix)
    for keyword in schema.keys() - {"$ref", "title", "description"}:
        fix = "draft 4 ignores it there: write {'allOf': [{'$ref': ...}, {...}]}"
        yield Fault(f"{pointer}/{step(keyword)}", "be left out beside $ref", _short(schema[keyword]), fix)


def _is_flat(schema: Mapping[Any, Any]) -> bool:
    """What belongs into `properties`: the commonest slip, of which each name would be said to be no keyword."""
    strange = any(name not in KEYWORDS and name not in REFUSED for name in schema)
    return strange and "properties" not in schema and all(is_dictionary(value) for value in schema.values())


def _no_schema(pointer: str, value: object) -> Fault:
    fix = "write {'type': 'object', 'properties': {...}}"
    return Fault(pointer, "be a JSON schema, which is a dictionary", _short(value), fix)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
