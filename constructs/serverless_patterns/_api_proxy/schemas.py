"""Schemas of bodies and query strings: checked, named by their content, and turned into what each reader takes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_apigateway as apigateway

from .._checks import Problems
from .schema_check import DRAFT, faults
from .schema_keywords import Schema
from .schema_references import Unresolvable, written_out
from .validators import Unwritable
from .validators import generated_code as _written

if TYPE_CHECKING:
    from constructs import Construct

_MAX_MODEL_BYTES = 400_000  # API Gateway quota
_SCALARS = ("boolean", "integer", "number", "string")
_PARAMETER = re.compile(r"[A-Za-z0-9._$-]+")  # what API Gateway takes in `method.request.querystring.<name>`


def check(problems: Problems, label: str, schema: Any) -> None:
    """Refuse a schema that the gateway would refuse, would not enforce, or would read in a way of its own.

    Args:
        problems: Takes what is wrong.
        label: What the user knows it as, such as `routes['POST /orders'] body`.
        schema: What the user gave.
    """
    found = list(faults(schema))
    for fault in found:
        problems.add(f"{label}{fault.pointer}", fault.must, fault.got, fault.fix)
    if found:
        return
    try:
        generated_code({"check": schema})
    except Unresolvable as error:
        problems.add(label, "have references that lead somewhere, in no circle", str(error), "mend its 'definitions'")
        return
    except Unwritable as error:
        problems.add(label, "be a schema that a validator can be written for", str(error), "make it simpler")
        return
    size = len(_canonical(schema))
    if size > _MAX_MODEL_BYTES:
        fix = "API Gateway takes no larger model: let the function check the rest"
        problems.add(label, f"be at most {_MAX_MODEL_BYTES:,} bytes, references written out", f"{size:,}", fix)


def check_query(problems: Problems, label: str, schema: Any) -> None:
    """As `check`; and a query string is an object of scalars, or of lists of them."""
    check(problems, label, schema)
    if problems.have(label) or not isinstance(schema, dict) or next(faults(schema), None):
        return
    query = written_out(cast(Schema, schema))
    if query.get("type") != "object":
        fix = "write {'type': 'object', 'properties': {'page': {'type': 'integer'}}}"
        problems.add(f"{label}/type", "be 'object'", repr(query.get("type")), fix)
        return
    properties: Mapping[str, Schema] = query.get("properties", {})
    for name, parameter in properties.items():
        where = f"{label}/properties/{name}"
        if not _PARAMETER.fullmatch(name):
            fix = "API Gateway takes no other names of parameters"
            problems.add(where, "be named by A-Z a-z 0-9 . _ $ -", repr(name), fix)
        kind = parameter.get("type")
        kind = parameter.get("items", {}).get("type") if kind == "array" else kind
        if kind not in _SCALARS:
            fix = "a query string holds text: say to which one type it is turned"
            problems.add(f"{where}/type", f"be one of {', '.join(_SCALARS)}, or an array of one", repr(kind), fix)
    unknown = sorted(set(query.get("required", ())) - set(properties))
    if unknown:
        fix = "nobody could tell its type"
        problems.add(f"{label}/required", "name properties of the schema", ", ".join(map(repr, unknown)), fix)


def schema_name(schema: Schema) -> str:
    """A name that only another content changes: of the model (letters and digits) and of the validator."""
    return f"schema{hashlib.sha256(_canonical(schema).encode()).hexdigest()[:12]}"


def model(scope: Construct, rest_api: apigateway.IRestApi, schema: Schema, *, alone: bool = True) -> apigateway.IModel:
    """The gateway's model of a schema, one for each distinct schema in the scope.

    Give it to a method under `application/json` and `$default`: without the second, the gateway skips the check for
    every other Content-Type. Not `alone` on its API, its name there is the scope's own: others may have the schema too.
    """
    name = schema_name(schema)
    known = scope.node.try_find_child(name)
    if known is not None:
        return cast(apigateway.IModel, known)
    defined = apigateway.Model(
        scope,
        name,
        rest_api=rest_api,
        model_name=name if alone else f"{name}{scope.node.addr[-8:]}",
        content_type="application/json",
        schema=apigateway.JsonSchema(title=name),  # moves the deployment; CDK's type has no room for the rest
    )
    resource = cast(apigateway.CfnModel, defined.node.default_child)
    resource.schema = {"$schema": DRAFT, **written_out(schema)}
    return cast(apigateway.IModel, defined)


def generated_code(schemas: Mapping[str, Schema]) -> str:
    """Source of a module that validates: one function for each schema, under its name."""
    return _written({name: written_out(schema) for name, schema in schemas.items()})


def query_types(schema: Schema) -> dict[str, Any]:
    """By parameter, the JSON type to which its text is turned; in a list for one that may repeat."""
    properties: Mapping[str, Schema] = written_out(schema).get("properties", {})
    return {name: [one["items"]["type"]] if one["type"] == "array" else one["type"] for name, one in properties.items()}


def query_parameters(schema: Schema) -> dict[str, bool]:
    """The same parameters as a method declares them, `True` where the gateway answers 400 without one."""
    query = written_out(schema)
    required = query.get("required", ())
    return {f"method.request.querystring.{name}": name in required for name in query.get("properties", {})}


def properties_at(schema: Any, path: Sequence[str]) -> set[str] | None:
    """The properties of an object inside a schema; `None` when there is a fault in it, or it says nothing of them."""
    if next(faults(schema), None):
        return None
    try:
        inside: Any = written_out(schema)
    except Unresolvable:
        return None
    for name in path:
        inside = inside.get("properties", {}).get(name, {})
    return set(inside["properties"]) if "properties" in inside else None


def _canonical(schema: Schema) -> str:
    return json.dumps({"$schema": DRAFT, **written_out(schema)}, sort_keys=True, separators=(",", ":"))
