"""Schemas of routes: what is refused at synth, and that gateway, function and draft 4 itself judge alike."""

import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, assertions
from aws_cdk import aws_apigateway as apigateway
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from interpreters import find_interpreters
from serverless_patterns._api_proxy.patterns import NotPortable, python_pattern
from serverless_patterns._api_proxy.schema_check import faults
from serverless_patterns._api_proxy.schema_references import written_out
from serverless_patterns._api_proxy.schemas import (
    check,
    check_query,
    generated_code,
    model,
    query_parameters,
    query_types,
    schema_name,
)
from serverless_patterns._checks import Problems
from serverless_patterns_runtime.api_proxy.mismatch import Mismatch

LABEL = "routes['POST /orders'] body"
RUNTIME = Path(__file__).parents[2] / "lambda_src"
PACKAGE = Path(__file__).parents[2] / "constructs/serverless_patterns"
SECRET = "4111111111111111"


def problems_of(schema: Any, checked: Callable[[Problems, str, Any], None] = check) -> str:
    problems = Problems("Shop/Api")
    checked(problems, LABEL, schema)
    try:
        problems.raise_any()
    except ValueError as error:
        return str(error)
    return ""


def validator(schema: Any) -> Callable[[Any], None]:
    module = types.ModuleType("generated")
    exec(generated_code({"judge": schema}), module.__dict__)
    return module.judge


def refusal_of(judge: Callable[[Any], None], value: Any) -> Mismatch | None:
    try:
        judge(value)
    except Mismatch as error:
        return error
    return None


def mismatch(schema: Any, value: Any) -> tuple[str, str]:
    with pytest.raises(Mismatch) as caught:
        validator(schema)(value)
    return caught.value.pointer, caught.value.rule


# What is refused


@pytest.mark.parametrize(
    ("schema", "pointer", "words"),
    [
        ({"format": "date"}, "/format", "write a pattern"),
        ({"properties": {"a/b": {"format": "uuid"}}}, "/properties/a~1b/format", "be left out, got 'uuid'"),
        ({"readOnly": True}, "/readOnly", "describe what a request may hold"),
        ({"default": 1}, "/default", "nobody fills it in"),
        ({"minimum": 0, "exclusiveMinimum": True}, "/exclusiveMinimum", "{'not': {'maximum': 0}}"),
        ({"const": 1}, "/const", "enum with one value"),
        ({"nullable": True}, "/nullable", "'type': ['string', 'null']"),
        ({"minlength": 1}, "/minlength", "did you mean 'minLength'?"),
        ({"items": [{"type": "string"}]}, "/items", "be a schema"),
        ({"allOf": [{"if": {}}]}, "/allOf/0/if", "write oneOf"),
        ({"allOf": []}, "/allOf", "at least one"),
        ({"not": {"$ref": "other.json"}}, "/not/$ref", "'#/definitions/Name'"),
        ({"$ref": "https://example.com/schema"}, "/$ref", "'#/definitions/Name'"),
        (
            {"items": {"$ref": "#/definitions/A", "minimum": 1}, "definitions": {"A": {}}},
            "/items/minimum",
            "beside $ref",
        ),
        ({"items": {"definitions": {}}}, "/items/definitions", "be at the top"),
        ({"definitions": {"A": {"format": "date"}}}, "/definitions/A/format", "write a pattern"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "draft 4 only"),
        ({"required": []}, "/required", "at least one"),
        ({"required": ["a", "a"]}, "/required", "none twice"),
        ({"enum": ["A", "A"]}, "/enum", "none twice"),
        ({"enum": [1, 1.0]}, "/enum", "none twice"),
        ({"enum": [float("nan")]}, "/enum", "JSON values"),
        ({"enum": [object()]}, "/enum", "JSON values"),
        ({"type": "date"}, "/type", "array, boolean, integer"),
        ({"type": []}, "/type", "or a list of these"),
        ({"minLength": -1}, "/minLength", "whole number, 0 or more"),
        ({"minLength": True}, "/minLength", "whole number, 0 or more"),
        ({"maximum": float("inf")}, "/maximum", "be a number"),
        ({"pattern": "^(?P<name>x)$"}, "/pattern", "a group that begins with '(?P'"),
        ({"patternProperties": {"(": {}}}, "/patternProperties", "regular expression"),
        ({"type": "number", "multipleOf": 1}, "/multipleOf", "count cents"),
        ({"type": "integer", "multipleOf": 0.5}, "/multipleOf", "whole number, 1 or more"),
        ({"uniqueItems": True}, "/uniqueItems", "maxItems of at most 1,000"),
        ({"uniqueItems": True, "maxItems": 1001}, "/uniqueItems", "quadratic time"),
        ({"dependencies": {"a": []}}, "/dependencies/a", "list of names"),
        ({"properties": {"a": True}}, "/properties/a", "be a JSON schema"),
        ({"properties": []}, "/properties", "dictionary of schemas by name"),
        (
            {"required": ["b"], "properties": {"a": {}}, "additionalProperties": False},
            "/required",
            "nothing could ever",
        ),
        ({"$ref": "#/definitions/A"}, "", "no definition for '#/definitions/A'"),
        (
            {"definitions": {"A": {"items": {"$ref": "#/definitions/A"}}}, "$ref": "#/definitions/A"},
            "",
            "contains itself",
        ),
        ({1: "x"}, "/1", "be left out"),
        ([], "", "be a JSON schema"),
        (True, "", "be a JSON schema"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("/") else "",
)
def test_what_the_gateway_does_not_enforce_is_refused_where_it_stands(schema: Any, pointer: str, words: str) -> None:
    said = problems_of(schema)
    assert said.startswith(f"Shop/Api: {LABEL}{pointer} must "), said
    assert words in said


def test_a_token_has_no_place_in_a_schema() -> None:
    name = Stack(App(), "Stack").region
    assert "be known at synthesis" in problems_of({"enum": [name]})
    assert "be known at synthesis" in problems_of({"properties": {"a": {"pattern": name}}}) + problems_of(
        {"title": name}
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = problems_of({"properties": {"a": {"format": "date"}, "b": {"minLength": "1"}}, "minProperties": 0.5})
    assert len(said.splitlines()) == 1  # what is below a broken schema waits
    said = problems_of({"properties": {"a": {"format": "date"}, "b": {"minLength": "1"}}})
    assert len(said.splitlines()) == 2


def test_a_schema_that_nests_deeper_than_python_does_is_refused_at_synth() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(30):
        schema = {"type": "array", "items": schema}
    assert "be a schema that a validator can be written for" in problems_of(schema)


def test_references_that_would_explode_are_refused() -> None:
    definitions: dict[str, Any] = {"L0": {"type": "string"}}
    for level in range(1, 20):
        below = {"$ref": f"#/definitions/L{level - 1}"}
        definitions[f"L{level}"] = {"properties": {"a": below, "b": below}}
    assert "more than 10,000 schemas" in problems_of({"definitions": definitions, "$ref": "#/definitions/L19"})


def test_a_schema_larger_than_a_model_may_be_is_refused() -> None:
    assert "400,000 bytes" in problems_of({"enum": [f"{number:0400}" for number in range(1000)]})


# Patterns


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^[A-Z$]+$", "A$", True),
        (r"^\d$", "٣", False),
        (r"^\w$", "é", False),
        ("^.$", "\r", False),
        ("^.$", "\u2028", False),
        ("^.$", "é", True),
        (r"^\$5$", "$5", True),
        (r"^[[&|~-]+$", "[&|~-", True),
        (r"^(?:ab|c){2,3}?$", "abc", True),
        (r"^\u0041\x42$", "AB", True),
        (r"x", "axb", True),
    ],
)
def test_a_pattern_means_in_python_what_it_means_at_the_gateway(pattern: str, text: str, matches: bool) -> None:
    assert bool(re.compile(python_pattern(pattern)).search(text)) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<n>x)",
        r"(?<=x)y",
        r"(?i)x",
        r"\A",
        r"\Z",
        r"\p{L}",
        r"(x)\1",
        r"x++",
        r"x{,3}",
        r"x{",
        r"]",
        r"}",
        r"[]",
        r"[^]",
        r"*x",
        r"^*",
        r"😀",
        r"\cA",
        r"[\B]",
        r"(",
        r"[",
        r"x**",
        r"\b+",
        r"[\w-.]",
        r"\08",
        r"x{2}{3}",
        r"x{99999999999}",
    ],
)
def test_a_pattern_that_two_engines_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(NotPortable):
        python_pattern(pattern)


# The validators

NAMES = st.sampled_from(["a", "b.c", "x/y", "é", "a-", 'q"\\', "{n}", "key\n", "Field0End", "data", "fn"])
NUMBERS = st.sampled_from([0, 1, -1, 1.0, 1.5, 2, 3, 10, 1e300, 2**70])
TEXTS = st.sampled_from(["", "a", "ab", "A1", "a\n", "\n", "true", "{data}", 'x"\\', "é", "😀"])
PATTERNS = st.sampled_from(["^a", "^[a-z]+$", r"^\w*$", "x|b", r"^.{2}$", r"\."])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
FLAT = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(NAMES, SCALARS, max_size=3)
VALUES = FLAT | st.lists(FLAT, max_size=3) | st.dictionaries(NAMES, FLAT, max_size=3)
SMALL = st.integers(0, 3)
TYPE = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """Of the subset; few keywords at a time, else nothing would match."""
    below = schemas(depth - 1) if depth else st.just({})
    several = st.lists(below, min_size=1, max_size=3)
    names = st.lists(NAMES, min_size=1, max_size=2, unique=True)
    by_keyword: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPE | st.lists(TYPE, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "minLength": SMALL,
        "maxLength": SMALL,
        "pattern": PATTERNS,
        "minimum": NUMBERS,
        "maximum": NUMBERS,
        "multipleOf": st.integers(1, 3),
        "minItems": SMALL,
        "maxItems": SMALL,
        "uniqueItems": st.booleans(),
        "items": below,
        "minProperties": SMALL,
        "maxProperties": SMALL,
        "required": names,
        "properties": st.dictionaries(NAMES, below, max_size=3),
        "patternProperties": st.dictionaries(PATTERNS, below, max_size=2),
        "additionalProperties": st.booleans() | below,
        "dependencies": st.dictionaries(NAMES, below | names, max_size=2),
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": below,
    }
    keywords = draw(st.lists(st.sampled_from(sorted(by_keyword)), max_size=4, unique=True))
    schema = {keyword: draw(by_keyword[keyword]) for keyword in keywords}
    if "multipleOf" in schema:
        schema["type"] = "integer"
    if schema.get("uniqueItems"):
        schema["maxItems"] = 3
    if schema.get("additionalProperties") is False and "required" in schema:
        schema["properties"] = {**{name: {} for name in schema["required"]}, **schema.get("properties", {})}
    return schema


def by_python(schema: Any) -> Any:
    """For the peer, which takes patterns for Python's."""
    if isinstance(schema, list):
        return [by_python(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    spelled = {key: by_python(value) if key != "enum" else value for key, value in schema.items()}
    if isinstance(spelled.get("pattern"), str):
        spelled["pattern"] = python_pattern(spelled["pattern"])
    if "patternProperties" in spelled:
        spelled["patternProperties"] = {python_pattern(k): v for k, v in spelled["patternProperties"].items()}
    return spelled


@settings(max_examples=400)
@given(schema=schemas(), values=st.lists(VALUES, min_size=1, max_size=8))
def test_a_generated_validator_judges_as_draft_4_does(schema: dict[str, Any], values: list[Any]) -> None:
    assume(not list(faults(schema)))
    judge, peer = validator(schema), Draft4Validator(by_python(schema))
    for value in values:
        accepted = refusal_of(judge, value) is None
        event(f"accepted: {accepted}")
        assert accepted == peer.is_valid(value), value


@settings(max_examples=150)
@given(schema=schemas(), value=VALUES)
def test_a_schema_without_faults_has_a_validator_that_raises_nothing_else(schema: dict[str, Any], value: Any) -> None:
    assume(not list(faults(schema)))
    before = json.dumps(value)
    error = refusal_of(validator(schema), value)
    assert error is None or error.rule in ("required", "additionalProperties") or resolves(value, error.pointer)
    assert json.dumps(value) == before, "a validator changes nothing"


def resolves(value: Any, pointer: str) -> bool:
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, ValueError, TypeError):
            return False
    return True


ORDER = {
    "type": "object",
    "required": ["order_id", "lines"],
    "additionalProperties": False,
    "properties": {
        "order_id": {"type": "string", "maxLength": 8},
        "lines": {"type": "array", "items": {"$ref": "#/definitions/Line"}},
        "a/b~c": {"enum": ["x"]},
    },
    "definitions": {"Line": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, ("", "type")),
        ({"order_id": "1"}, ("/lines", "required")),
        ({"order_id": SECRET, "lines": []}, ("/order_id", "maxLength")),
        ({"order_id": "1", "lines": [{}, {"quantity": 0}]}, ("/lines/1/quantity", "minimum")),
        ({"order_id": "1", "lines": [], "a/b~c": SECRET}, ("/a~1b~0c", "enum")),
        ({"order_id": "1", "lines": [], "card": SECRET}, ("/card", "additionalProperties")),
    ],
)
def test_an_error_names_the_field_and_the_rule_and_nothing_of_the_value(value: Any, expected: tuple[str, str]) -> None:
    assert mismatch(ORDER, value) == expected
    with pytest.raises(Mismatch) as caught:
        validator(ORDER)(value)
    assert SECRET not in repr((caught.value, caught.value.args, vars(caught.value)))
    assert caught.value.message == f"{f'at {expected[0]}' if expected[0] else 'at the top'}: {expected[1]}"


def test_a_pointer_does_not_grow_with_the_names_that_a_caller_makes_up() -> None:
    assert len(mismatch({"additionalProperties": False}, {"x" * 10_000: 1})[0]) == 200


def test_the_generated_code_holds_no_copy_of_the_schema_and_imports_the_runtime_alone() -> None:
    code = generated_code({"judge": ORDER, "other": {"type": "string", "description": "told to nobody"}})
    assert "told to nobody" not in code
    assert "definition" not in code.lower()
    assert re.findall(r"^(?:from|import) (\S+)", code, re.MULTILINE) == [
        "re",
        "serverless_patterns_runtime.api_proxy.mismatch",
    ]


def test_the_generated_code_runs_where_fastjsonschema_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "generated.py").write_text(generated_code({"judge": ORDER}))
    program = (
        "import sys; sys.modules['fastjsonschema'] = None; import generated\n"
        "from serverless_patterns_runtime.api_proxy.mismatch import Mismatch\n"
        "generated.judge({'order_id': '1', 'lines': []})\n"
        "try: generated.judge([])\n"
        "except Mismatch as error: print(error)\n"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{RUNTIME}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "at the top: type\n"


def test_equal_numbers_cannot_be_chosen_to_take_long() -> None:
    schema = {"type": "array", "maxItems": 1000, "uniqueItems": True}
    same_hash = [number * sys.hash_info.modulus for number in range(100_000)]
    looked_at: list[Any] = []

    class Counted(int):
        def __eq__(self, other: object) -> bool:
            looked_at.append(other)
            return int.__eq__(self, other)

        __hash__ = int.__hash__

    assert mismatch(schema, [Counted(number) for number in same_hash]) == ("", "maxItems")
    assert looked_at == []


# Names, models, query strings


def test_a_name_depends_on_content_alone_and_is_made_of_letters_and_digits() -> None:
    one = {"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"type": "string"}}}
    same = {"properties": {"a": {"type": "string"}}, "type": "object"}
    assert schema_name(one) == schema_name(same) == "schemacc45bc467eeb"
    assert schema_name({"type": "object"}) != schema_name(one)
    assert schema_name(one).isalnum()


def test_one_model_stands_for_one_schema_and_holds_it_as_it_is() -> None:
    stack = Stack(App(), "Stack")
    api = apigateway.RestApi(stack, "Api")
    first, again = model(api, api, ORDER), model(api, api, json.loads(json.dumps(ORDER)))
    other = model(api, api, {"type": "string"})
    api.root.add_method("POST", request_models={"application/json": first, "$default": again})
    api.root.add_method("PUT", request_models={"application/json": other})
    models = assertions.Template.from_stack(stack).find_resources("AWS::ApiGateway::Model")
    by_name = {one["Properties"]["Name"]: one["Properties"] for one in models.values()}
    assert set(by_name) == {schema_name(ORDER), schema_name({"type": "string"})}
    held = by_name[schema_name(ORDER)]
    assert held["Schema"] == {"$schema": "http://json-schema.org/draft-04/schema#", **written_out(ORDER)}
    assert "$ref" not in json.dumps(held["Schema"])
    assert held["ContentType"] == "application/json"


def test_another_schema_makes_another_deployment() -> None:
    def deployments(schema: Any) -> set[str]:
        stack = Stack(App(), "Stack")
        api = apigateway.RestApi(stack, "Api")
        api.root.add_method("POST", request_models={"$default": model(api, api, schema)})
        return set(assertions.Template.from_stack(stack).find_resources("AWS::ApiGateway::Deployment"))

    assert deployments({"type": "object"}) == deployments({"type": "object"})
    assert deployments({"type": "object"}) != deployments({"type": "array"})


PAGE = {
    "type": "object",
    "required": ["page"],
    "properties": {
        "page": {"type": "integer", "minimum": 1},
        "tag": {"type": "array", "items": {"type": "string"}},
        "exact": {"type": "boolean"},
    },
}


def test_a_query_schema_says_to_what_each_text_is_turned() -> None:
    assert problems_of(PAGE, check_query) == ""
    assert query_types(PAGE) == {"page": "integer", "tag": ["string"], "exact": "boolean"}
    assert query_parameters(PAGE) == {
        "method.request.querystring.page": True,
        "method.request.querystring.tag": False,
        "method.request.querystring.exact": False,
    }


@pytest.mark.parametrize(
    ("schema", "pointer", "words"),
    [
        ({"type": "array"}, "/type", "be 'object'"),
        ({"type": "object", "properties": {"a": {}}}, "/properties/a/type", "array of one"),
        ({"type": "object", "properties": {"a": {"type": ["string", "null"]}}}, "/properties/a/type", "array of one"),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, "/properties/a/type", "array of one"),
        ({"type": "object", "properties": {"a": {"type": "array"}}}, "/properties/a/type", "array of one"),
        ({"type": "object", "properties": {"a b": {"type": "string"}}}, "/properties/a b", "A-Z a-z 0-9"),
        ({"type": "object", "required": ["a"]}, "/required", "name properties"),
        ({"format": "date"}, "/format", "be left out"),
        ({"$ref": "#/definitions/A"}, "", "no definition"),
        (7, "", "be a JSON schema"),
    ],
)
def test_a_query_schema_that_text_cannot_match_is_refused(schema: Any, pointer: str, words: str) -> None:
    said = problems_of(schema, check_query)
    assert said.startswith(f"Shop/Api: {LABEL}{pointer} must "), said
    assert words in said


def test_every_python_writes_the_same_code() -> None:
    """What it is written by must not show in the asset: another machine would deploy the function anew."""
    odd = {
        "it's": {"enum": ['a"b', "c'd", "é", None, 2.5]},
        "code": {"type": "string", "pattern": "^[a-z\"']+[0-9]$", "minLength": 2},
        "lines": {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 9, "uniqueItems": True},
    }
    schemas = {"order": ORDER, "odd": {"type": "object", "properties": odd, "additionalProperties": False}}
    source = (
        "import json, sys, types\n"
        "package = sys.modules['serverless_patterns'] = types.ModuleType('serverless_patterns')\n"  # without the CDK
        "package.__path__ = [sys.argv[1]]\n"
        "from serverless_patterns._api_proxy.schemas import generated_code\n"
        "sys.stdout.write(generated_code(json.load(sys.stdin)))"
    )
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    written: dict[int, str] = {}
    for one in find_interpreters():
        environment = {"PYTHONPATH": os.pathsep.join([str(RUNTIME), *libraries]), "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(
            [one.executable, "-c", source, str(PACKAGE)],
            input=json.dumps(schemas),
            env=environment,
            capture_output=True,
            text=True,
        )
        assert not ran.returncode, ran.stderr
        written[one.minor] = ran.stdout
    assert sys.version_info.minor in written
    assert {*written.values()} == {generated_code(schemas)}
