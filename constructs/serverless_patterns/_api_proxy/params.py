"""The schema of a path's parameters: text, checked by the function, since the gateway checks no path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .._checks import Problems, did_you_mean
from .._targets import RouteFacts
from ..handler import Handler
from . import schemas as _schemas
from .schema_check import faults
from .schema_keywords import Schema
from .schema_references import written_out

_SHAPE = "write {'type': 'object', 'properties': {'order_id': {'type': 'string', 'maxLength': 64}}}"


def check_params(problems: Problems, facts: RouteFacts, given: Any, target: object) -> None:
    """Check that it is a schema of an object with text for parameters of the path, and that somebody checks it.

    Args:
        problems: Takes what is wrong.
        facts: Of the route.
        given: What the user gave.
        target: Where the route leads.
    """
    label = f"{facts.label} params"
    if given is None:
        return
    if not isinstance(getattr(target, "handler", target), Handler):
        fix = "API Gateway checks no path: check it where the route leads"
        problems.add(label, "be left out for a target that is no Handler", "a value", fix)
        return
    if not isinstance(given, Mapping):
        problems.add(label, "be a JSON schema of an object", repr(given), _SHAPE)
        return
    _schemas.check(problems, label, given)
    if problems.have(label) or not isinstance(given, dict) or next(faults(given), None):
        return
    schema = written_out(cast(Schema, given))
    if schema.get("type") != "object":
        problems.add(f"{label}/type", "be 'object'", repr(schema.get("type")), _SHAPE)
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    for name in sorted({*properties, *schema.get("required", ())} - {*facts.parameters}):
        fix = f"the path has {', '.join(facts.parameters) or 'none'}{did_you_mean(name, facts.parameters)}"
        problems.add(label, "name parameters of the path", repr(name), fix)
    for name, parameter in properties.items():
        if parameter.get("type") != "string":
            fix = "what a path holds is text: say its 'pattern', for a number '^[0-9]{1,9}$'"
            problems.add(f"{label}/properties/{name}/type", "be 'string'", repr(parameter.get("type")), fix)
