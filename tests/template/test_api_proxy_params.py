"""A schema for what stands in a path: declared once, checked by the function, told to clients."""

from collections.abc import Mapping
from typing import Any

import pytest

from serverless_patterns import HttpBackend, Route
from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.api_proxy.mismatch import Mismatch
from tests.template.apis import an_api, asset_of, get, the_routes
from tests.template.stacks import new_stack
from tests.template.test_api_proxy_checks import a_line

ID = {"type": "object", "properties": {"order_id": {"type": "string", "maxLength": 3}}}


def test_the_function_is_given_a_validator_of_the_path_and_clients_its_schema() -> None:
    stack = new_stack()
    api = an_api(stack, Route("GET /orders/{order_id}/{line}", get(), params=ID))
    name = the_routes(stack, "ApiWebGet")["GET /orders/{order_id}/{line}"]["params"]
    module: dict[str, Any] = {}
    exec((asset_of(stack, "ApiWebGet") / f"{contract.SCHEMAS_MODULE}.py").read_text(), module)
    module[name]({"order_id": "abc", "line": "any"})
    with pytest.raises(Mismatch) as raised:
        module[name]({"order_id": "abcd", "line": "any"})
    assert (raised.value.pointer, raised.value.rule) == ("/order_id", "maxLength")
    order_id, line = api.openapi()["paths"]["/orders/{order_id}/{line}"]["get"]["parameters"]
    assert order_id["schema"] == {"type": "string", "minLength": 1, "maxLength": 3}
    assert line["schema"] == {"type": "string", "minLength": 1}


def test_without_a_schema_nothing_is_said() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /orders/{order_id}", get()))
    assert "params" not in the_routes(stack, "ApiWebGet")["GET /orders/{order_id}"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"params": str}, "be a JSON schema of an object, got <class 'str'>: write {'type': 'object'"),
        ({"params": {"type": "string"}}, "be 'object', got 'string': write {'type': 'object'"),
        ({"params": {"type": "object", "properties": {"oder_id": {"type": "string"}}}}, "(did you mean 'order_id'?)"),
        ({"params": {"type": "object", "properties": {"order_id": {"type": "integer"}}}}, "be 'string', got 'integer'"),
        ({"params": {"type": "object", "required": ["line"]}}, "name parameters of the path, got 'line'"),
        ({"params": ID, "target": HttpBackend("https://a.example.com/{order_id}")}, "a target that is no Handler"),
    ],
)
def test_a_schema_that_could_not_hold_is_refused(arguments: Mapping[str, Any], told: str) -> None:
    given = {"target": get(), **arguments}
    line = a_line(lambda: an_api(new_stack(), Route("GET /orders/{order_id}", **given)))
    assert line.startswith("routes['GET /orders/{order_id}'] params")
    assert told in line
