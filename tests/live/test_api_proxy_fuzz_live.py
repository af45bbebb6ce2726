"""Requests that fit the API's own OpenAPI document, and requests that do not: none of them is too much for it."""

from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.live.live_api import LiveApi

BOUNDED = settings(max_examples=12, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
LEFT_OUT = {
    "/doomed": "another test takes its queue away",
}

ANNOUNCED = [status_code_conformance, content_type_conformance, response_schema_conformance]
"""Status, content type and body are those of the document."""

Statuses = Mapping[str, set[int]]


@pytest.fixture(scope="module")
def document(front_door: LiveApi) -> dict[str, Any]:
    document = front_door.stack.api.openapi()
    for path in LEFT_OUT:
        del document["paths"][path]
    return document


@pytest.fixture(scope="module", params=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
def answered(request: pytest.FixtureRequest, front_door: LiveApi, document: dict[str, Any]) -> Statuses:
    """What each operation answered to the generated requests."""
    found = (one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations())
    return {one.label: _statuses(front_door.api.url, one, request.param) for one in found if _can(one, request.param)}


def _can(operation: Any, mode: GenerationMode) -> bool:
    """Nothing about an operation that takes nothing can be wrong."""
    takes = (operation.path_parameters, operation.query, operation.headers, operation.body)
    return mode is GenerationMode.POSITIVE or any(len(some) for some in takes)


def _statuses(url: str, operation: Any, mode: GenerationMode) -> set[int]:
    seen: set[int] = set()

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        answer = case.call(base_url=url, headers={"Authorization": "Bearer ann"})
        case.validate_response(answer, checks=ANNOUNCED)
        seen.add(answer.status_code)

    call()
    return seen


def test_every_answer_is_announced_and_no_request_is_a_server_error(answered: Statuses) -> None:
    assert len(answered) >= 12, "the document has operations"
    assert {label: seen for label, seen in answered.items() if any(status >= 500 for status in seen)} == {}
