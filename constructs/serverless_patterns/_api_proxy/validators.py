"""Validators in Python, written by fastjsonschema before deployment and cut down to what runs in Lambda.

Its code quotes schema and payload in every error and needs the library where it runs. Here an error holds the JSON
pointer of the field and the rule alone, and the exception is the runtime's own.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import fastjsonschema

from .patterns import python_pattern
from .schema_check import DRAFT
from .schema_keywords import ALONE, BY_NAME, IN_LIST, Schema, is_dictionary, is_list

_HEAD = '''"""Validators of requests, written from the schemas of the routes. Do not edit."""

import re

from serverless_patterns_runtime.api_proxy.mismatch import Mismatch

NoneType = type(None)
'''
_ERRORS = ("JsonSchemaValueException", "JsonSchemaValuesException")
_STEP = re.compile(r"\.\{(?P<key>\w+)\}|\[\{(?P<position>\w+)\}\]|\.(?P<token>\w+)")
# Holds the names of fields that are missing, or that are too many: the error names the first of them.
_FIELDS = {"required": "__missing_keys", "additionalProperties": "_keys"}


class Unwritable(ValueError):
    """No validator for the schema; the text says why."""


def generated_code(schemas: Mapping[str, Schema]) -> str:
    """A module with one validator for each schema, under its name: returns, or raises the runtime's `Mismatch`.

    The schemas are without faults and without references. Raises Unwritable.
    """
    functions = [_function(name, schemas[name]) for name in sorted(schemas)]
    return "\n\n".join([_HEAD, *functions]) + "\n"


def _function(name: str, schema: Schema) -> str:
    tokens = _Tokens(schema)
    try:
        code = fastjsonschema.compile_to_code({"$schema": DRAFT, **tokens.put_into(schema)}, use_default=False)
        module = ast.parse(code)
    except (fastjsonschema.JsonSchemaDefinitionException, SyntaxError, RecursionError) as error:
        raise Unwritable(f"{type(error).__name__}: {error}") from None
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    if [function.name for function in functions] != ["validate"]:
        raise Unwritable("fastjsonschema wrote something else than one function")
    patterns = [node for node in module.body if isinstance(node, ast.Assign) and "REGEX" in ast.dump(node.targets[0])]
    rewrite = _Rewrite(name, tokens)
    parts = [ast.unparse(ast.fix_missing_locations(rewrite.visit(node))) for node in (*patterns, *functions)]
    written = "\n\n".join(parts)
    left = [word for word in (*_ERRORS, "name_prefix", "definition=") if word in written]
    left += [str(one.value) for one in _constants(ast.parse(written)) if tokens.marker in str(one.value)]
    if left:
        raise Unwritable(f"fastjsonschema wrote {left[0]!r} where it was not expected")
    try:
        compile(written, name, "exec")
    except (SyntaxError, RecursionError) as error:  # Python nests twenty loops, and no more
        raise Unwritable(f"too deep for one function: {error}") from None
    return written


class _Tokens:
    """Stand-ins for names of fields, which fastjsonschema puts into code and paths as they come, dots and all."""

    def __init__(self, schema: Schema) -> None:
        text = json.dumps(schema)
        self.marker = "Field"
        while self.marker in text:
            self.marker += "d"
        self._token = re.compile(rf"{self.marker}(\d+)End")
        self._names: list[str] = []

    def name(self, text: str) -> str | None:
        """What a token stands for; `None` when the text is none."""
        token = self._token.fullmatch(text)
        return self._names[int(token[1])] if token else None

    def put_into(self, value: Any) -> Any:
        """The schema with tokens for names, and with patterns as Python spells them."""
        if not is_dictionary(value):
            return value
        result = {keyword: self._put_below(keyword, below) for keyword, below in value.items()}
        if "required" in result:
            # Apart from additionalProperties, beside which fastjsonschema compares it with patterns of names.
            result["allOf"] = [*result.get("allOf", ()), {"required": result.pop("required")}]
        return result

    def _put_below(self, keyword: str, below: Any) -> Any:
        if keyword in BY_NAME:
            spell: Callable[[str], str] = python_pattern if keyword == "patternProperties" else self._token_of
            return {spell(name): self._put_one(one) for name, one in below.items()}
        if keyword in IN_LIST:
            return [self.put_into(one) for one in below]
        if keyword == "required":
            return [self._token_of(name) for name in below]
        if keyword == "pattern":
            return python_pattern(below)
        return self.put_into(below) if keyword in ALONE else below

    def _put_one(self, below: Any) -> Any:
        return [self._token_of(name) for name in below] if is_list(below) else self.put_into(below)

    def _token_of(self, name: str) -> str:
        if name not in self._names:
            self._names.append(name)
        return f"{self.marker}{self._names.index(name)}End"


class _Rewrite(ast.NodeTransformer):
    """From fastjsonschema's code to ours."""

    def __init__(self, name: str, tokens: _Tokens) -> None:
        self._name, self._patterns, self._tokens = name, f"{name}_patterns", tokens

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name == "validate":
            node.name = self._name
            node.args = ast.arguments(
                posonlyargs=[], args=[ast.arg("data")], kwonlyargs=[], kw_defaults=[], defaults=[]
            )
            node.body = [one for one in node.body if not isinstance(one, ast.Return)] or [ast.Pass()]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._patterns, node.ctx) if node.id == "REGEX_PATTERNS" else node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """JSON numbers are never decimals here, and a `list` is never a `tuple`."""
        node.elts = [one for one in node.elts if not (isinstance(one, ast.Name) and one.id in ("Decimal", "tuple"))]
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.type = ast.Name("Mismatch", ast.Load())
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        name = self._tokens.name(node.value) if isinstance(node.value, str) else None
        return node if name is None else ast.Constant(name)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if not (isinstance(node.func, ast.Name) and node.func.id in _ERRORS):
            return self.generic_visit(node)
        said = {keyword.arg: keyword.value for keyword in node.keywords}
        rule = ast.literal_eval(said["rule"])
        path = self._path(said["name"])
        if rule in _FIELDS:
            fields = (one.id for one in ast.walk(node.args[0]) if isinstance(one, ast.Name))
            name = next(field for field in fields if field.endswith(_FIELDS[rule]))
            path.append(ast.Call(ast.Name("min", ast.Load()), [ast.Name(name, ast.Load())], []))
        return ast.Call(ast.Name("Mismatch", ast.Load()), [ast.Constant(rule), *path], [])

    def _path(self, name: ast.expr) -> list[ast.expr]:
        """The steps to a field, from the expression that puts its name together."""
        text = "".join(str(one.value) for one in _constants(name) if one.value != "data")
        steps: list[ast.expr] = []
        for step in _STEP.finditer(text):
            variable = step["key"] or step["position"]
            field = self._tokens.name(step["token"] or "")
            if not variable and field is None:
                raise Unwritable(f"fastjsonschema wrote the path {text!r}")
            steps.append(ast.Name(variable, ast.Load()) if variable else ast.Constant(field))
        return steps


def _constants(tree: ast.AST) -> list[ast.Constant]:
    """As they stand in the text."""
    constants = [one for one in ast.walk(tree) if isinstance(one, ast.Constant)]
    return sorted(constants, key=lambda one: (one.lineno, one.col_offset))
