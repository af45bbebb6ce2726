"""Relations between routes, methods, functions and permissions, over all routes that are allowed."""

from typing import Any

from aws_cdk import Duration
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns import Cors, HttpBackend, IamAuthorizer, MockResponse, Route, Throttle
from tests.template.apis import ORDER, an_api, functions, get, methods, take, the_routes, the_stage
from tests.template.stacks import new_stack, resources, statements

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
PARTS = ("orders", "lines", "{id}", "a-b.c", "v1")


@st.composite
def paths(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.sampled_from(PARTS), max_size=4, unique=True))
    return "/" + "/".join(parts)


@st.composite
def all_that_is_allowed(draw: st.DrawFn) -> dict[str, Any]:
    """Routes that do not overlap, each to any kind of target, and arguments anywhere in their range."""
    names = draw(st.lists(st.tuples(st.sampled_from(METHODS), paths()), min_size=1, max_size=5, unique=True))
    handlers = [get(), take()]
    routes: list[Route] = []
    for method, path in names:
        kind = draw(st.sampled_from(("handler", "http", "mock")))
        targets = {
            "handler": draw(st.sampled_from(handlers)),
            "http": HttpBackend("https://x.example.com"),
            "mock": MockResponse(),
        }
        keys = draw(st.sampled_from((None, "required", "optional", "off"))) if kind == "handler" else None
        body = ORDER if method not in ("GET", "HEAD") and draw(st.booleans()) else None
        throttle = draw(
            st.none() | st.builds(Throttle, rate=st.integers(1, 1_000_000), burst=st.integers(1, 1_000_000))
        )
        public = draw(st.booleans())
        routes.append(
            Route(f"{method} {path}", targets[kind], idempotency=keys, body=body, throttle=throttle, public=public)
        )
    return {
        "routes": routes,
        "integration_timeout": Duration.millis(draw(st.integers(1000, 300_000))),
        "cors": draw(st.none() | st.just(Cors(allow_origins=["https://shop.example.com"]))),
    }


@settings(max_examples=25)
@given(all_that_is_allowed())
def test_relations_hold_for_everything_that_is_allowed(arguments: dict[str, Any]) -> None:
    stack = new_stack()
    routes: list[Route] = arguments.pop("routes")
    api = an_api(stack, *routes, authorizer=IamAuthorizer(), alarms="none", **arguments)
    found = methods(stack)
    by_name = {route.route: route for route in routes}

    preflights = {name for name in found if name.startswith("OPTIONS ")}
    assert {*found} - preflights == {*by_name}
    if arguments["cors"]:
        assert preflights == {f"OPTIONS {name.split(' ')[1]}" for name in by_name}
    else:
        assert not preflights

    for name, route in by_name.items():
        method = found[name]
        assert (method["AuthorizationType"] == "NONE") == route.public
        assert ("RequestModels" in method) == (route.body is not None)
        assert ("RequestValidatorId" in method) == (route.body is not None)
        if method["Integration"]["Type"] != "MOCK":
            assert method["Integration"]["TimeoutInMillis"] == arguments["integration_timeout"].to_milliseconds()

    limits = {(it["ResourcePath"], it["HttpMethod"]) for it in the_stage(stack)["MethodSettings"]}
    assert len(limits) == 1 + sum(route.throttle is not None for route in routes)

    used = {id(route.target) for route in routes if hasattr(route.target, "function")}
    assert len(functions(stack)) == len(resources(stack, "Lambda::Permission")) == len(used)
    told = {name: one for id in functions(stack) for name, one in the_routes(stack, id).items()}
    assert {*told} == {*api.functions}
    for name, one in told.items():
        assert one["evidence"] == ("none" if by_name[name].public else "iam")
    for function in functions(stack).values():
        assert function["Timeout"] * 1000 <= arguments["integration_timeout"].to_milliseconds()

    keeps_keys = {
        id
        for id, function in functions(stack).items()
        if function["Environment"]["Variables"]["RETURNS_EFFECTS"] == "true"
        or any(one["idempotency"] != "off" for one in the_routes(stack, id).values())
    }
    assert (api.claims is not None) == bool(keeps_keys)
    may_claim = sum(any("ApiClaims" in str(it) for it in each["Resource"]) for each in statements(stack))
    assert may_claim == len(keeps_keys)


@settings(max_examples=10)
@given(st.data())
def test_the_order_of_routes_changes_nothing(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.tuples(st.sampled_from(METHODS), paths()), min_size=2, max_size=5, unique=True))
    order = data.draw(st.permutations(names))
    templates: list[Any] = []
    for one in (names, order):
        stack = new_stack()
        handlers = {name: get(memory_size=128 + 64 * index) for index, name in enumerate(names)}
        an_api(stack, *[Route(" ".join(name), handlers[name]) for name in one])
        templates.append(
            {
                id: it
                for type in ("ApiGateway::Method", "Lambda::Function", "ApiGateway::Deployment", "IAM::Policy")
                for id, it in resources(stack, type).items()
            }
        )
    assert templates[0] == templates[1]
