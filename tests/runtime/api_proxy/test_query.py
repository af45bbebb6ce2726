import json
import time
from typing import Any

import pytest

from serverless_patterns_runtime.api_proxy.mismatch import Mismatch
from serverless_patterns_runtime.request import Values

from ..rest_api_events import event
from .api import Answered, Api, route

CANARY = "canary-4111-1111"

TYPES = {"page": "integer", "price": "number", "paid": "boolean", "q": "string", "tag": ["string"], "id": ["integer"]}

KINDS = {"integer": int, "number": (int, float), "boolean": bool, "string": str}


def validate(query: Any) -> None:
    """As code that was generated from such a schema would."""
    for name, value in query.items():
        kind = TYPES.get(name)
        if kind is None:
            raise Mismatch("additionalProperties", name)
        if isinstance(kind, list) != isinstance(value, list):
            raise Mismatch("type", name)
        for one in value if isinstance(value, list) else [value]:
            expected: Any = KINDS[kind[0] if isinstance(kind, list) else kind]
            if not isinstance(one, expected) or (isinstance(one, bool) and expected is not bool):
                raise Mismatch("type", name)


class Seen(list[Values]):
    def __call__(self, request: Any) -> None:
        self.append(request.query)


def ask(query: dict[str, Any], *, schema: bool = True) -> tuple[Answered, Seen, Api]:
    settings = {"query": "schema_1", "query_types": TYPES} if schema else {}
    seen = Seen()
    api = Api(seen, routes={"GET /things": route(**settings)}, validators={"schema_1": validate})
    return api.send(event("GET /things", query=query)), seen, api


def test_with_a_schema_every_parameter_has_its_type():
    query = {"page": "2", "price": "-1.5e2", "paid": "true", "q": "2", "tag": ["a", "b"], "id": "7"}
    _, (seen,), _ = ask(query)
    assert dict(seen) == {"page": 2, "price": -150.0, "paid": True, "q": "2", "tag": ["a", "b"], "id": [7]}
    assert seen.all("id") == (7,)


def test_without_a_schema_every_parameter_is_text():
    _, (seen,), _ = ask({"page": "2", "paid": "true", "tag": ["a", "b"]}, schema=False)
    assert dict(seen) == {"page": "2", "paid": "true", "tag": "b"}
    assert seen.all("tag") == ("a", "b")


WRONG = {
    "page": [
        "", "two", "2.5", "true", "null", "[2]", '"2"', " 2", "2 ", "+2", "02", "0x2", "2_0", "٢", "NaN", CANARY,
        "9" * 41, "9" * 100_000, "1e" + "9" * 100_000, ["1", "2"], ["1", "1"],
    ],
    "price": ["Infinity", "-NaN", "1,5", ".5", "1.", "1e999", "false", ["1", "2"]],
    "paid": ["1", "True", "yes", "", "null", ["true", "true"]],
    "q": [["a", "b"]],
    "id": [["1", "x"], "x"],
    "unknown": ["a"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_what_breaks_the_schema_is_a_400_that_names_the_parameter_and_not_its_value(name: str, value: Any):
    started = time.process_time()
    answered, seen, api = ask({name: value})
    assert time.process_time() - started < 1
    said = answered.problem
    assert (said["status"], said["detail"]) == (400, "the query string does not match its schema")
    assert said["errors"][0]["pointer"] == f"/{name}"
    assert seen == []
    assert CANARY not in json.dumps(answered.result) + api.log_text


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-7", -7), ("1e3", 1000.0), ("9" * 40, int("9" * 40))])
def test_numbers_are_as_json_writes_them(text: str, value: float):
    _, (seen,), _ = ask({"price": text})
    assert seen["price"] == value


def test_without_parameters_the_schema_sees_none():
    answered, (seen,), _ = ask({})
    assert answered.status == 204
    assert len(seen) == 0


@pytest.mark.parametrize("text", ["true", "null", '"2"', "[2]", "{}"])
def test_json_that_is_no_number_stays_text_whatever_the_schema_lets_pass(text: str):
    seen = Seen()
    routes = {"GET /things": route(query="schema_1", query_types={"page": "integer"})}
    api = Api(seen, routes=routes, validators={"schema_1": lambda _: None})
    assert api.send(event("GET /things", query={"page": text})).status == 204
    assert seen[0]["page"] == text
