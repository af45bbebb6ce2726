"""Whatever comes in, a proxy result goes out that API Gateway takes; and no 2xx without the evidence."""

import copy
import json
import time
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Request, Response

from ..rest_api_events import EVIDENCE, event, golden
from .api import Api, route

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

ROUTES = {
    "GET /health": route(),
    "GET /orders": route(evidence="lambda", query_types={"limit": "integer"}),
    "POST /orders/{order_id}/lines": route(evidence="cognito"),
    "PUT /files/{name+}": route(evidence="iam", content="bytes"),
    "ANY /things": route(),
}


def echo(request: Request) -> Any:
    """Gives back all that it was given, where it was given."""
    return Response(
        body=[request.body.hex() if isinstance(request.body, bytes) else request.body, dict(request.query)],
        headers={"X-Path": request.path, "X-All": list(request.headers.all("X-Tag"))},
        cookies=[f"{name}={value}" for name, value in request.cookies.items()],
    )


def api() -> Api:
    return Api(echo, routes=ROUTES)


@given(JSON)
@example({})
@example([])
@example(None)
@example({"httpMethod": "GET", "resource": "/health", "requestContext": None})
@example({"httpMethod": "GET", "resource": "/health", "requestContext": {"requestId": None}})
@example({"httpMethod": "GET", "resource": "/health", "requestContext": {"requestId": "r"}, "multiValueHeaders": 5})
@example({"httpMethod": "GET", "resource": "/health", "requestContext": {"requestId": "\r\n"}, "path": "/"})
def test_what_is_no_event_of_api_gateway_is_an_error_of_ours(sent: Any):
    answered = api().send(sent)
    assert answered.status in (500, 404)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *[path for name, child in children for path in paths(child, (*at, name))]]


GOLDEN = [golden(name) for name in EVIDENCE.values()]
PATHS = [(which, path) for which, envelope in enumerate(GOLDEN) for path in paths(envelope) if path]


# The second change finds a list where the first one has put it.
@example(
    [((1, ("requestContext", "identity")), [], False), ((1, ("requestContext", "identity", "accessKey")), None, False)]
)
@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON, st.booleans()), min_size=1, max_size=3))
@settings(max_examples=300)
def test_an_event_with_anything_anywhere_has_an_answer(changes: list[tuple[tuple[int, tuple[Any, ...]], Any, bool]]):
    which = changes[0][0][0]
    sent = copy.deepcopy(GOLDEN[which])
    for (other, path), value, remove in changes:
        if other == which:
            change(sent, path, value, remove=remove)
    answered = api().send(sent)
    if answered.status < 300:
        assert any(evidence_of(kind, sent["requestContext"]) for kind in EVIDENCE if kind == needed(sent))


def change(sent: Any, path: tuple[Any, ...], value: Any, *, remove: bool) -> None:
    *parents, last = path
    for name in parents:
        try:
            sent = sent[name]
        except (KeyError, IndexError, TypeError):
            return  # an earlier change took it away
    if isinstance(sent, dict) and remove:
        sent.pop(last, None)
    elif isinstance(sent, dict) or (isinstance(sent, list) and isinstance(last, int) and last < len(sent)):
        sent[last] = value


def needed(sent: dict[str, Any]) -> str:
    name = f"{sent['httpMethod']} {sent['resource']}"
    return ROUTES[name if name in ROUTES else f"ANY {sent['resource']}"]["evidence"]


def evidence_of(kind: str, context: dict[str, Any]) -> Any:
    match kind:
        case "none":
            return True
        case "iam":
            return context["identity"]["userArn"]
        case "cognito":
            return context["authorizer"]["claims"]["sub"]
        case _:
            return context["authorizer"]["principalId"]


@given(
    st.text() | st.binary(),
    st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=8), min_size=1, max_size=3), max_size=3),
    st.dictionaries(
        st.sampled_from(["X-Tag", "Cookie", "Content-Type", "Origin", "X-Correlation-Id", "ä", ""]), st.text()
    ),
    st.text(),
)
def test_a_request_with_anything_in_it_has_an_answer(body: Any, query: Any, headers: Any, path: str):
    answered = api().send(event("PATCH /things", body, query=query, headers=headers, path=path))
    assert answered.status in (200, 400, 415, 500)


@given(JSON)
def test_every_json_body_comes_back_as_it_was(body: Any):
    text = json.dumps(body)
    answered = Api(lambda request: [request.body]).post(text)
    if "NaN" in text or "Infinity" in text or "\\ud" in text:
        assert answered.status in (200, 400)
    else:
        assert answered.json == [json.loads(text)]


def test_a_request_is_read_in_bounded_time():
    """In headers, query and cookies too, within what API Gateway lets through."""
    many = {f"h{i}": "x" * 10 for i in range(1_000)}
    sent = event(
        body="[" + "1," * 500_000 + "1]",
        headers={**many, "Cookie": ";" * 5_000 + "a=b" * 5_000, "Content-Type": "application/json" + ";" * 5_000},
        query={f"q{i}": "9" * 1_000 for i in range(100)},
    )
    started = time.process_time()
    assert Api(lambda _: None).send(sent).status == 204
    assert time.process_time() - started < 3
