"""Every argument that ApiProxy refuses, with the whole text that the user reads."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from serverless_patterns import (
    ApiProxy,
    Cors,
    Defaults,
    Handler,
    HttpBackend,
    IamAuthorizer,
    LambdaAuthorizer,
    MockResponse,
    Route,
    Throttle,
)
from tests.template.apis import ORDER, a_function, an_api, get, methods, take, the_stage, variables_of
from tests.template.stacks import HANDLERS, a_handler, a_queue, a_table, new_stack, refusal, resources, the, warnings

SECONDS = Duration.seconds
ORIGIN = "https://shop.example.com"
ONE = Throttle(rate=1, burst=1)
EXAMPLE = "write for example 'GET /orders/{order_id}'"
ROUTE = "routes['GET /orders']"

# Arguments of the API, and the line that is the whole answer.
API: list[tuple[dict[str, Any], str]] = [
    ({"routes": []}, "routes must hold at least one Route, got none: an API without routes cannot be deployed"),
    ({"routes": None}, "routes must be a list, got None: write routes=[...]"),
    ({"routes": ["GET /orders"]}, "routes[0] must be a Route, got 'GET /orders': write Route('GET /orders', ...)"),
    ({"public": "yes"}, "public must be True or False, got 'yes': True lets everybody in"),
    (
        {"public": True, "authorizer": IamAuthorizer()},
        "public must be left out with an authorizer, got True: choose one of the two",
    ),
    (
        {"public": False, "authorizer": "iam"},
        "authorizer must be an IamAuthorizer, a LambdaAuthorizer or a JwtAuthorizer, got a value of type str: "
        "or another authorizer of aws_apigateway for a REST API; public=True lets everybody in",
    ),
    (
        {"public": False, "authorizer": a_handler("web:identify")},
        "authorizer must be an IamAuthorizer, a LambdaAuthorizer or a JwtAuthorizer, got a value of type Handler: "
        "wrap it: LambdaAuthorizer(Handler(...))",
    ),
    (
        {"public": False, "authorizer": LambdaAuthorizer},
        "authorizer must be an IamAuthorizer, a LambdaAuthorizer or a JwtAuthorizer, got the class LambdaAuthorizer: "
        "write LambdaAuthorizer(...)",
    ),
    *(
        ({"cors": given}, f"cors must be a Cors, got {given!r}: write Cors(allow_origins=['https://shop.example.com'])")
        for given in ("*", {"allow_origins": ["*"]})
    ),
    (
        {"claims": "table"},
        "claims must be a DynamoDB table, got 'table': "
        "pass the construct; one that exists already is imported by dynamodb.Table.from_table_name",
    ),
    ({"web_acl": 5}, "web_acl must be the ARN of a web ACL, got 5: pass web_acl.attr_arn of a CfnWebACL"),
    (
        {"encryption_key": "alias/x"},
        "encryption_key must be a KMS key, got 'alias/x': "
        "pass the construct; one that exists already is imported by kms.Key.from_key_arn",
    ),
    ({"alarm_actions": 5}, "alarm_actions must be a list, got a value of type int: write alarm_actions=[...]"),
    ({"alarm_actions": ["me"]}, "alarm_actions must be actions of CloudWatch, got 'me': write [SnsAction(topic)]"),
    ({"throttle": 100}, "throttle must be a Throttle, got 100: write Throttle(rate=100, burst=200)"),
    (
        {"throttle": None},
        "throttle must be a Throttle, got None: without one, this API may use up what the account has for all",
    ),
    (
        {"throttle": Throttle(rate=0, burst=1)},
        "throttle rate must be a whole number from 1 to 1,000,000, got 0: requests a second in the long run",
    ),
    (
        {"throttle": Throttle(rate=1, burst=1_000_001)},
        "throttle burst must be a whole number from 1 to 1,000,000, got 1000001: requests that may come at once",
    ),
    *(
        (
            {"integration_timeout": Duration.millis(length)},
            f"integration_timeout must be a Duration from 50 milliseconds to 300 seconds, got {got} seconds: "
            "API Gateway waits no longer: for more, use a LoadLeveledQueue",
        )
        for length, got in ((49, "0.049"), (300_001, "300.001"))
    ),
    (
        {"integration_timeout": 29},
        "integration_timeout must be a Duration from 50 milliseconds to 300 seconds, got 29: "
        "write Duration.seconds(29)",
    ),
    *(
        (
            {"max_body_bytes": value},
            f"max_body_bytes must be a whole number from 1 to 6,291,456, got {value!r}: "
            "Lambda takes no more; let clients upload larger ones to S3 by a presigned URL",
        )
        for value in (0, 6_291_457, True, "1000")
    ),
    *(
        (
            {"binary_media_types": [value]},
            f"binary_media_types must be types such as 'image/png', got {value!r}: "
            "name those that are not JSON, or ['*/*'] alone: what is binary reaches neither schema nor queue",
        )
        for value in ("application/json", "png", 1)
    ),
    (
        {"binary_media_types": ["*/*", "image/png"]},
        "binary_media_types must be types such as 'image/png', got '*/*': "
        "name those that are not JSON, or ['*/*'] alone: what is binary reaches neither schema nor queue",
    ),
    (
        {"binary_media_types": ["*/*"], "cors": Cors(allow_origins=[ORIGIN])},
        "binary_media_types must be types such as 'image/png' with cors, got '*/*': "
        "the gateway answers preflights out of text: name the types that are bytes",
    ),
    (
        {"binary_media_types": ["*/*"], "routes": [Route("GET /health", MockResponse())]},
        "routes['GET /health'] target must be a function or a backend with */*, got another: "
        "it is made of text by the gateway: name the types that are bytes, or put it behind another API",
    ),
    (
        {"binary_media_types": "image/png"},
        "binary_media_types must be a list, got a value of type str: write binary_media_types=[...]",
    ),
    *(
        (
            {"stage_name": value},
            f"stage_name must be 1 to 128 letters, digits, - and _, got {value!r}: leave it out for 'live'",
        )
        for value in ("", "$default", "live/v1", "a" * 129)
    ),
    (
        {"alarms": "few"},
        "alarms must be one of 'all', 'critical', 'none', got 'few': 'critical' keeps the rate of errors",
    ),
    (
        {"max_latency": SECONDS(301)},
        "max_latency must be a Duration from 1 to 300 seconds, got 301 seconds: "
        "how long 99 of 100 answers may take before somebody is told",
    ),
    (
        {"cors": Cors(allow_origins=[])},
        f"cors allow_origins must name an origin, got none: write ['{ORIGIN}'], or ['*']",
    ),
    (
        {"cors": Cors(allow_origins=ORIGIN)},
        "cors allow_origins must be a list, got a value of type str: write cors allow_origins=[...]",
    ),
    *(
        (
            {"cors": Cors(allow_origins=[value])},
            f"cors allow_origins must be origins such as '{ORIGIN}', got {value!r}: "
            "scheme, host in lower case, and port if it is unusual; no path, no slash at the end",
        )
        for value in (
            "shop.example.com",
            f"{ORIGIN}/",
            "https://*.example.com",
            "null",
            "https://Shop.example.com",
            "https://a'b",
        )
    ),
    (
        {"cors": Cors(allow_origins=["*", ORIGIN])},
        f"cors allow_origins must be ['*'] alone, or origins, got ['*', '{ORIGIN}']: '*' lets everybody in",
    ),
    (
        {"cors": Cors(allow_origins=["*"], allow_credentials=True)},
        "cors allow_origins must be one origin with allow_credentials=True, got '*': "
        "name the origin: browsers refuse '*' with credentials",
    ),
    (
        {"cors": Cors(allow_origins=[ORIGIN, "https://other.example.com"], allow_credentials=True)},
        "cors allow_origins must be one origin with allow_credentials=True, got 2: "
        "errors that the gateway itself makes can name only one: give each origin an API of its own",
    ),
    (
        {"cors": Cors(allow_origins=["*"], allow_headers=["X-A, X-B"])},
        "cors allow_headers must be names of headers, got 'X-A, X-B': letters, digits and - only",
    ),
    (
        {"cors": Cors(allow_origins=["*"], max_age=Duration.hours(25))},
        "cors max_age must be a Duration from 0 to 86,400 seconds, got 90,000 seconds: "
        "how long browsers may remember it",
    ),
    (
        {"routes": [Route("POST /orders", take())], "claims_retention": Duration.minutes(59)},
        "claims_retention must be a Duration from 3,600 to 315,360,000 seconds, got 3,540 seconds: "
        "a caller may repeat a request for that long",
    ),
    (
        {"routes": [Route("POST /orders", take())], "claims_namespace": "a b"},
        "claims_namespace must be 1 to 128 of A-Z a-z 0-9 . _ -, got 'a b': "
        "it is data: choose a name that will not change",
    ),
]

# One route, and the line that is the whole answer.
ROUTES: list[tuple[Callable[[], Route], str]] = [
    *(
        (lambda text=text: Route(text, get()), f"routes[{text!r}] must be 'METHOD /path', got {text!r}: {EXAMPLE}")
        for text in ("", "/orders", "GET", "GET orders", "GET  /orders", "GET /orders ", None)
    ),
    (
        lambda: Route("get /orders", get()),
        "routes['get /orders'] must begin with one of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, got 'get' "
        f"(did you mean 'GET'?): {EXAMPLE}",
    ),
    (
        lambda: Route("GET /orders/", get()),
        "routes['GET /orders/'] must have no empty part and no slash at the end, got '/orders/': "
        "API Gateway takes /orders and /orders/ for two paths: leave the slash out",
    ),
    (
        lambda: Route("GET /a//b", get()),
        "routes['GET /a//b'] must have no empty part and no slash at the end, got '/a//b': "
        "API Gateway takes /orders and /orders/ for two paths: leave the slash out",
    ),
    *(
        (
            lambda part=part: Route(f"GET /{part}", get()),
            f"routes['GET /{part}'] must be made of letters, digits, . _ : - and {{parameters}}, got {part!r}: "
            f"{EXAMPLE}",
        )
        for part in ("ä", "a b", "a?b=1", "$a", "a%20b", "{a b}", "{a+}b", "{1}", "{}", "*")
    ),
    (
        lambda: Route("GET /{a+}/b", get()),
        "routes['GET /{a+}/b'] must have its {name+} at the end, got '{a+}': it stands for everything below",
    ),
    (
        lambda: Route("GET /{a}/b/{a}", get()),
        "routes['GET /{a}/b/{a}'] must name each parameter once, got 'a': rename one of them",
    ),
    *(
        (
            lambda path=path: Route(f"GET {path}", get()),
            f"routes['GET {path}'] must have a path that API Gateway leaves to you, got '{path}': "
            "use for example /health",
        )
        for path in ("/ping", "/sping")
    ),
    (
        lambda: Route("GET /orders", "https://example.com"),  # pyright: ignore[reportArgumentType]
        f"{ROUTE} target must be a Handler, an IFunction, a LoadLeveledQueue, a FanOutTopic, "
        "a ParallelMap, an HttpBackend, a MockResponse, a saga's start(), status() or decision(), or a CqrsTable's "
        "command(), get() or query(), got 'https://example.com': write HttpBackend('https://example.com')",
    ),
    (
        lambda: Route("GET /orders", MockResponse),  # pyright: ignore[reportArgumentType]
        f"{ROUTE} target must be a Handler, an IFunction, a LoadLeveledQueue, a FanOutTopic, "
        "a ParallelMap, an HttpBackend, a MockResponse, a saga's start(), status() or decision(), or a CqrsTable's "
        f"command(), get() or query(), got {MockResponse!r}: write MockResponse(...)",
    ),
    *(
        (
            lambda part=part: Route(f"GET /users/{part}", get()),
            f"routes['GET /users/{part}'] must have its parameters in braces, got '{part}': write {{id}}",
        )
        for part in (":id", "<id>", "<int:id>", "{id", "${id}", "{{id}}")
    ),
    (
        lambda: Route("GET /orders", get(), query={"max": {"type": "integer"}}),
        f"{ROUTE} query must be a JSON schema, got properties by name: 'max': "
        "write {'type': 'object', 'properties': {...}}",
    ),
    (
        lambda: Route("POST /orders", get(), body={"note_id": {"type": "string"}, "title": {"type": "string"}}),
        "routes['POST /orders'] body must be a JSON schema, got properties by name: 'note_id', 'title': "
        "write {'type': 'object', 'properties': {...}}",
    ),
    (
        lambda: Route("GET /orders", MockResponse(204, {"a": 1})),
        f"{ROUTE} target body must be None with status 204, got a value: leave it out: HTTP has no body there",
    ),
    (
        lambda: Route("GET /orders", HttpBackend(None)),  # pyright: ignore[reportArgumentType]
        f"{ROUTE} target url must be an absolute URL, got None: write 'https://legacy.example.com/{{proxy}}'",
    ),
    (
        lambda: Route("GET /orders", HttpBackend("https://b.example.com/x/../../y")),
        f"{ROUTE} target url must have no '.' and no '..' in its path, got 'https://b.example.com/x/../../y': "
        "write the path that they lead to",
    ),
    (
        lambda: Route("GET /orders", HttpBackend("https://b.example.com:99999/")),
        f"{ROUTE} target url must have a port from 1 to 65,535, got 99999: leave it out for that of https",
    ),
    (
        lambda: Route("GET /orders", get(), authorizer=IamAuthorizer(), public=True),
        f"{ROUTE} public must be left out with an authorizer, got True: choose one of the two",
    ),
    (
        lambda: Route("GET /orders", get(), throttle=5),
        f"{ROUTE} throttle must be a Throttle, got 5: write Throttle(rate=100, burst=200)",
    ),  # pyright: ignore[reportArgumentType]
    *(
        (
            lambda method=method: Route(f"{method} /orders", get(), body=ORDER),
            f"routes['{method} /orders'] body must be left out for {method}, got a value: such a request has no body",
        )
        for method in ("GET", "HEAD", "OPTIONS")
    ),
    (
        lambda: Route("ANY /orders", get(), body=ORDER),
        "routes['ANY /orders'] body must be left out for ANY, got a schema: "
        "GET has no body and would be refused: give each method a route of its own",
    ),
    (
        lambda: Route("POST /orders", take(), body="order"),  # pyright: ignore[reportArgumentType]
        "routes['POST /orders'] body must be a JSON schema, or bytes, got 'order': write {'type': 'object', ...}",
    ),
    (
        lambda: Route("POST /orders", take(), body=bytes),
        "binary_media_types must be given for routes['POST /orders'] body=bytes, got none: "
        "name the types that it takes, or the gateway reads the bytes as text and breaks them",
    ),
    (
        lambda: Route("GET /orders", get(), query=["page"]),  # pyright: ignore[reportArgumentType]
        f"{ROUTE} query must be a JSON schema of an object, got ['page']: write {{'type': "
        f"'object', 'properties': {{...}}}}",
    ),
    (
        lambda: Route("POST /orders", take(), respond={"order_id": "$.order_id"}),
        "routes['POST /orders'] respond must be left out in front of a Handler, got a value: "
        "only a LoadLeveledQueue takes it",
    ),
    (
        lambda: Route("POST /orders", HttpBackend(ORIGIN), message_group="$.order_id"),
        "routes['POST /orders'] message_group must be left out in front of an HttpBackend, got a value: "
        "only a LoadLeveledQueue takes it",
    ),
    (
        lambda: Route("POST /orders", take(), idempotency="always"),  # pyright: ignore[reportArgumentType]
        "routes['POST /orders'] idempotency must be one of 'required', 'optional', 'off', got 'always': "
        "leave it out for what the method asks for",
    ),
    *(
        (
            lambda target=target: Route("POST /orders", target, idempotency="required"),
            f"routes['POST /orders'] idempotency must be 'off' in front of {what}, got 'required': "
            "only a Handler and a LoadLeveledQueue keep keys",
        )
        for target, what in ((HttpBackend(ORIGIN), "an HttpBackend"), (MockResponse(), "a MockResponse"))
    ),
    (
        lambda: Route("GET /orders", get(timeout=SECONDS(30))),
        f"{ROUTE} target timeout must be at most integration_timeout, 29 seconds, got 30 seconds: "
        "the caller gets 504 while the function runs on: lower it, raise the other, or let a queue do the work",
    ),
    (
        lambda: Route("GET /orders", get(environment={"CORS": "x"})),
        f"{ROUTE} target environment['CORS'] must have a name of its own, got 'CORS': "
        "the pattern sets that variable: choose another name",
    ),
    (
        lambda: Route("GET /orders", get(environment={"LONG": "x" * 4000})),
        f"{ROUTE} target environment must hold at most 4,096 bytes of names and values, got 4,193: "
        "move long values to parameters or into the code",
    ),
    (
        lambda: Route("GET /orders", get(reserved_concurrent_executions=1, provisioned_concurrent_executions=2)),
        f"{ROUTE} target provisioned_concurrent_executions must be at most reserved_concurrent_executions, 1, got 2: "
        "Lambda keeps no more environments warm than may run: lower it, or reserve more",
    ),
    (
        lambda: Route("GET /orders", get(vpc_subnets=ec2.SubnetSelection())),
        f"{ROUTE} target vpc must be given with vpc_subnets or security_groups, got None: "
        "pass vpc to the Handler or to Defaults",
    ),
    *(
        (
            lambda url=url: Route("GET /orders", HttpBackend(url)),
            f"{ROUTE} target url must be an absolute URL without query string and fragment, got {url!r}: "
            "write for example 'https://legacy.example.com/{proxy}'; the query string is passed on by itself",
        )
        for url in (
            "legacy.example.com",
            "ftp://legacy.example.com",
            "https://",
            f"{ORIGIN}/?a=1",
            f"{ORIGIN}/#a",
            f"{ORIGIN}/a b",
        )
    ),
    (
        lambda: Route("GET /orders", HttpBackend("http://legacy.example.com")),
        f"{ROUTE} target url must begin with https://, got 'http://legacy.example.com': "
        "use https, or pass allow_plain_http=True where the way there is trusted",
    ),
    (
        lambda: Route("GET /legacy/{proxy+}", HttpBackend(f"{ORIGIN}/{{prox}}")),
        "routes['GET /legacy/{proxy+}'] target url must use parameters of /legacy/{proxy+}, got 'prox' "
        "(did you mean 'proxy'?): name a parameter of the route's path, without +",
    ),
    *(
        (
            lambda status=status: Route("GET /orders", MockResponse(status)),
            f"{ROUTE} target status must be a whole number from 200 to 599, got {status!r}: 200 is OK",
        )
        for status in (199, 600, "200")
    ),
    *(
        (
            lambda body=body: Route("GET /orders", MockResponse(200, body)),
            f"{ROUTE} target body must be a JSON value, got {got}: "
            "build it of dictionaries, lists, strings, numbers, booleans and None",
        )
        for body, got in (
            (float("nan"), "Out of range float values are not JSON compliant"),
            (b"x", "Object of type bytes is not JSON serializable"),
        )
    ),
    (
        lambda: Route("POST /orders", MockResponse(), body=bytes),
        "routes['POST /orders'] body must be left out in front of a MockResponse, got bytes: nobody reads it\n"
        "Shop/Api: binary_media_types must be given for routes['POST /orders'] body=bytes, got none: "
        "name the types that it takes, or the gateway reads the bytes as text and breaks them",
    ),
]

AUTHORIZERS: list[tuple[Callable[[], LambdaAuthorizer], str]] = [
    (
        lambda: LambdaAuthorizer("auth:identify"),  # pyright: ignore[reportArgumentType]
        "authorizer handler must be a Handler, got a value of type str: "
        "wrap it: LambdaAuthorizer(Handler(...)); other functions: aws_apigateway.RequestAuthorizer",
    ),
    (
        lambda: LambdaAuthorizer(a_handler("web:take")),
        "authorizer handler must return a Caller or None, got Handler(web:take) -> Effects: "
        "it says who calls, and its answer is cached: write where the request is handled",
    ),
    (
        lambda: LambdaAuthorizer(a_handler("web:identify"), header="X Token"),
        "authorizer header must be the name of a header, got 'X Token': for example 'X-Token'",
    ),
    (
        lambda: LambdaAuthorizer(a_handler("web:identify"), results_cache_ttl=Duration.minutes(61)),
        "authorizer results_cache_ttl must be a Duration from 0 to 3,600 seconds, got 3,660 seconds: "
        "0 asks for every request",
    ),
    (
        lambda: LambdaAuthorizer(a_handler("web:identify", timeout=SECONDS(30))),
        "authorizer handler timeout must be a Duration from 1 to 29 seconds, got 30 seconds: "
        "API Gateway waits no longer",
    ),
    (
        lambda: LambdaAuthorizer(a_handler("web:identify", environment={"IDENTITY_HEADER": "x"})),
        "authorizer handler environment['IDENTITY_HEADER'] must have a name of its own, got 'IDENTITY_HEADER': "
        "the pattern sets that variable: choose another name",
    ),
]

OVERLAPS: list[tuple[list[tuple[str, bool]], str]] = [
    (
        [("GET /orders", True), ("GET /orders", True)],
        f"{ROUTE} must be there once, got two of it: leave one out",
    ),
    (
        [("GET /orders", True), ("ANY /orders", True)],
        f"{ROUTE} must not stand beside 'ANY /orders', got 'GET /orders': "
        "name the other methods instead of ANY, or leave this one out",
    ),
    (
        [("GET /orders/{order_id}", True), ("DELETE /orders/{id}", True)],
        "routes['GET /orders/{order_id}'] must call its parameter {id} as 'DELETE /orders/{id}' does, got {order_id}: "
        "API Gateway takes one name at one place: use the same in both",
    ),
    (
        [("GET /orders/{order_id}/lines", True), ("GET /orders/{id}/notes", True)],
        "routes['GET /orders/{order_id}/lines'] must call its parameter {id} as 'GET /orders/{id}/notes' does, "
        "got {order_id}: API Gateway takes one name at one place: use the same in both",
    ),
    (
        [("GET /files/{path+}", True), ("GET /files/{path}", True)],
        "routes['GET /files/{path}'] must call its parameter {path+} as 'GET /files/{path+}' does, got {path}: "
        "API Gateway takes one name at one place: use the same in both",
    ),
    (
        [("GET /{proxy+}", True), ("GET /admin", False)],
        "routes['GET /{proxy+}'] must not be public above guarded routes, got 'GET /admin' below it: "
        "guard it too, or move one of them: what the guarded path has no method for would get in there",
    ),
    (
        [("ANY /a/{rest+}", True), ("GET /a/b/{c}/d", False)],
        "routes['ANY /a/{rest+}'] must not be public above guarded routes, got 'GET /a/b/{c}/d' below it: "
        "guard it too, or move one of them: what the guarded path has no method for would get in there",
    ),
]

APART: list[list[tuple[str, bool]]] = [
    [("GET /orders/{order_id}", True), ("GET /orders/today", False), ("POST /orders", False)],
    [("GET /{proxy+}", False), ("GET /health", True)],
    [("GET /{proxy+}", True), ("GET /", False), ("POST /{proxy+}", False)],
    [("GET /static/{path+}", True), ("GET /admin", False), ("GET /statics", False)],
    [("ANY /orders", True), ("GET /orders/{id}", True), ("GET /customers/{customer_id}", True)],
]


def a_line(made: Callable[[], object]) -> str:
    text = refusal(made)
    assert text.startswith("Shop/Api: ")
    return text.removeprefix("Shop/Api: ")


@pytest.mark.parametrize(("arguments", "expected"), API, ids=lambda it: it[:60] if isinstance(it, str) else "")
def test_an_api_refuses(arguments: dict[str, Any], expected: str) -> None:
    routes = arguments.get("routes", [Route("GET /orders", get())])
    given = {"public": True, **arguments} if "authorizer" not in arguments else arguments
    assert a_line(lambda: ApiProxy(new_stack(), "Api", **{**given, "routes": routes})) == expected


@pytest.mark.parametrize(("route", "expected"), ROUTES, ids=lambda it: it[:60] if isinstance(it, str) else "")
def test_a_route_is_refused(route: Callable[[], Route], expected: str) -> None:
    stack = new_stack()
    assert a_line(lambda: an_api(stack, route())) == expected


@pytest.mark.parametrize(("authorizer", "expected"), AUTHORIZERS, ids=lambda it: it[:60] if isinstance(it, str) else "")
def test_an_authorizer_is_refused(authorizer: Callable[[], LambdaAuthorizer], expected: str) -> None:
    assert a_line(lambda: an_api(new_stack(), authorizer=authorizer())) == expected


@pytest.mark.parametrize(("routes", "expected"), OVERLAPS)
def test_routes_in_each_other_s_way_are_refused_in_any_order(routes: list[tuple[str, bool]], expected: str) -> None:
    for order in (routes, routes[::-1]):
        made = [Route(text, MockResponse(), public=public) for text, public in order]
        assert a_line(lambda made=made: an_api(new_stack(), *made, authorizer=IamAuthorizer())) == expected


@pytest.mark.parametrize("routes", APART)
def test_routes_that_api_gateway_tells_apart_are_taken(routes: list[tuple[str, bool]]) -> None:
    stack = new_stack()
    an_api(stack, *[Route(text, MockResponse(), public=public) for text, public in routes], authorizer=IamAuthorizer())
    assert {*methods(stack)} == {text for text, _ in routes}


BACKEND = HttpBackend("https://legacy.example.com/files/{name}")


@pytest.mark.parametrize("target", [lambda _: BACKEND, a_function], ids=["HttpBackend", "IFunction"])
@pytest.mark.parametrize("guarded", ["GET /files/secret", "ANY /files/secret"])
def test_a_public_parameter_in_front_of_foreign_code_is_refused_beside_a_guarded_name(
    target: Any, guarded: str
) -> None:
    stack = new_stack()
    routes = [Route("GET /files/{name}", target(stack), public=True), Route(guarded, get())]
    assert a_line(lambda: an_api(stack, *routes, authorizer=IamAuthorizer())) == (
        "routes['GET /files/{name}'] must not be public beside guarded routes, in front of code that may take two "
        f"spellings for one path, got {guarded!r} beside it: guard it too, or move one of them: another spelling of "
        "the guarded path, /A for /a, gets in there"
    )


@pytest.mark.parametrize(
    "guarded", ["POST /files/secret", "GET /files", "GET /files/{name}/secret", "GET /other/secret"]
)
def test_a_public_parameter_is_taken_where_no_spelling_leads_to_it(guarded: str) -> None:
    open_ = Route("GET /files/{name}", BACKEND, public=True)
    an_api(new_stack(), open_, Route(guarded, get()), authorizer=IamAuthorizer())


def test_a_greedy_route_with_another_authorizer_than_a_route_below_it_is_warned_of() -> None:
    stack, other = new_stack(), LambdaAuthorizer(a_handler("web:identify"))
    same = get()
    routes = [Route(text, same, authorizer=by) for text, by in (("GET /{proxy+}", other), ("GET /admin/x", None))]
    an_api(stack, *routes, Route("GET /open", same, public=True), authorizer=IamAuthorizer(), alarms="none")
    (warning,) = warnings(stack)
    assert "routes['GET /{proxy+}'] asks another authorizer than 'GET /admin/x' below it" in warning
    alike = new_stack()
    an_api(alike, Route("GET /{proxy+}", same), Route("GET /admin", same), authorizer=IamAuthorizer(), alarms="none")
    assert warnings(alike) == []


def test_two_handlers_of_one_function_are_told_apart_and_warned_of() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /a-b", get()), Route("GET /a/b", get(memory_size=1024)), alarms="none")
    (warning,) = warnings(stack)
    assert "'GET /a-b' and 'GET /a/b' have each a Handler of 'web:get' of their own" in warning
    assert len({id for id in resources(stack, "Lambda::Function") if "WebGetGetAB" in id}) == 2


def test_a_route_without_authorizer_in_an_api_without_one_is_refused() -> None:
    assert a_line(lambda: an_api(new_stack(), Route("GET /orders", get()), public=False)) == (
        f"{ROUTE} authorizer must be given, got None: give it or the API one; public=True lets everybody in"
    )


def test_an_authorizer_of_another_kind_of_api_is_refused() -> None:
    stack = new_stack()

    class Other:
        authorizer_id = "1"
        authorization_type = apigateway.AuthorizationType.NONE

    assert (
        "authorizer must be an IamAuthorizer, a LambdaAuthorizer or a JwtAuthorizer, got a value of type Other"
        in a_line(lambda: an_api(stack, authorizer=Other()))
    )


def test_preflights_are_the_gateway_s_with_cors() -> None:
    routes = [Route("OPTIONS /orders", get())]
    assert a_line(lambda: an_api(new_stack(), *routes, cors=Cors(allow_origins=["*"]))) == (
        "routes['OPTIONS /orders'] must be left out with cors, got 'OPTIONS /orders': the gateway answers preflights"
    )


def test_a_function_of_the_user_s_own_that_is_too_slow_is_refused() -> None:
    stack = new_stack()
    own = a_function(stack, timeout=SECONDS(30))
    assert a_line(lambda: an_api(stack, Route("GET /orders", own))) == (
        f"{ROUTE} target timeout must be at most integration_timeout, 29 seconds, got 30 seconds: "
        "the caller gets 504 while the function runs on: lower it, raise the other, or let a queue do the work"
    )


def test_a_function_of_the_user_s_own_keeps_no_keys() -> None:
    stack = new_stack()
    assert a_line(lambda: an_api(stack, Route("POST /orders", a_function(stack), idempotency="optional"))) == (
        "routes['POST /orders'] idempotency must be 'off' in front of an IFunction, got 'optional': "
        "only a Handler and a LoadLeveledQueue keep keys"
    )


def test_an_integration_shorter_than_a_second_suits_no_function() -> None:
    assert a_line(lambda: an_api(new_stack(), integration_timeout=Duration.millis(500))) == (
        f"{ROUTE} target timeout must be at most integration_timeout, 0.5 seconds, got 1 seconds: "
        "the caller gets 504 while the function runs on: lower it, raise the other, or let a queue do the work"
    )


def test_a_file_of_ours_in_the_user_s_code_is_refused(tmp_path: Any) -> None:
    (tmp_path / "web.py").write_text("def get(request): ...")
    (tmp_path / "serverless_patterns_routes.json").write_text("{}")
    handler = Handler(tmp_path, "web:get")
    assert a_line(lambda: an_api(new_stack(), Route("GET /orders", handler))) == (
        f"{ROUTE} target code must hold no serverless_patterns_routes.json, "
        f"got {tmp_path}/serverless_patterns_routes.json: ApiProxy puts a file of that name beside it: rename yours"
    )


def test_more_layers_than_lambda_takes_are_refused() -> None:
    stack = new_stack()
    arn = "arn:aws:lambda:eu-west-1:111122223333:layer:extra:"
    layers = [lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", f"{arn}{n + 1}") for n in range(5)]
    assert a_line(lambda: an_api(stack, Route("GET /orders", get(layers=layers)))) == (
        f"{ROUTE} target layers must be at most 4, those of Defaults included, got 5: "
        "merge some: the fifth is the patterns' runtime"
    )


def test_defaults_count_in_the_checks() -> None:
    stack = new_stack()
    Defaults.of(stack).set(environment={"MAX_BODY_BYTES": "1"})
    assert a_line(lambda: an_api(stack)) == (
        "environment['MAX_BODY_BYTES'] of Defaults must have a name of its own, got 'MAX_BODY_BYTES': "
        "choose another name"
    )


def test_a_namespace_of_another_construct_is_refused() -> None:
    stack = new_stack()
    queue = a_queue(stack, "Fulfilment")
    assert a_line(
        lambda: an_api(stack, Route("POST /orders", take()), claims=queue.claims, claims_namespace="Fulfilment")
    ) == (
        "claims_namespace must be its own in a shared table, got 'Fulfilment', which Shop/Fulfilment has in "
        "Shop/Fulfilment/Claims: pass another claims_namespace: each would take the other's messages for duplicates"
    )


def test_a_table_of_another_shape_is_refused_as_claims() -> None:
    stack = new_stack()
    assert a_line(lambda: an_api(stack, Route("POST /orders", take()), claims=a_table(stack))) == (
        "claims must have the partition key 'claim' (HASH, S) and no sort key, got 'order_id' (HASH, S): "
        "define it so, with 'expires_at' as its time to live, or leave claims out"
    )


def test_everything_wrong_with_the_routes_is_said_at_once() -> None:
    text = refusal(
        lambda: an_api(
            new_stack(),
            Route("GET /a/", get()),
            Route("GET /b", get(timeout=SECONDS(30)), respond={}),
            Route("GET /c", get(), throttle=Throttle(rate=0, burst=0)),
        )
    )
    assert [line.split(" must ")[0] for line in text.splitlines()] == [
        "Shop/Api: routes['GET /a/']",
        "Shop/Api: routes['GET /b'] respond",
        "Shop/Api: routes['GET /b'] target timeout",
        "Shop/Api: routes['GET /c'] throttle rate",
        "Shop/Api: routes['GET /c'] throttle burst",
    ]


def test_a_refused_api_leaves_nothing_behind() -> None:
    stack = new_stack()
    refusal(lambda: an_api(stack, Route("GET /a/", get())))
    assert an_api(stack).node.path == "Shop/Api"


def test_unknown_routes_and_parameters_are_refused_with_the_near_one() -> None:
    api = an_api(new_stack(), Route("GET /orders/{order_id}", get()), Route("GET /health", MockResponse()))
    assert a_line(lambda: api.function_for("GET /order/{order_id}")) == (
        "route must be one of 'GET /orders/{order_id}', got 'GET /order/{order_id}' "
        "(did you mean 'GET /orders/{order_id}'?): write it as in its Route"
    )
    assert a_line(lambda: api.url_for("GET /orders/{order_id}", id=1)) == (
        "url_for() must be given order_id, got id: /orders/{order_id} has these"
    )


def test_tokens_pass_every_check() -> None:
    stack = new_stack()
    number: Any = CfnParameter(stack, "Number", type="Number").value_as_number
    word = CfnParameter(stack, "Word").value_as_string
    an_api(
        stack,
        Route("POST /orders", take(timeout=SECONDS(number))),
        Route("GET /legacy", HttpBackend(word)),
        throttle=Throttle(rate=number, burst=number),
        claims_namespace=word,
        claims_retention=SECONDS(number),
        integration_timeout=Duration.millis(number),
        max_body_bytes=number,
        max_latency=Duration.millis(number),
        web_acl=word,
        cors=Cors(allow_origins=[word], max_age=SECONDS(number)),
    )
    reference = {"Ref": "Number"}
    assert the_stage(stack)["MethodSettings"][0]["ThrottlingRateLimit"] == reference
    told = variables_of(stack, "ApiWebTake")
    assert told["MAX_BODY_BYTES"] == told["CLAIMS_RETENTION_SECONDS"] == reference
    assert {"Ref": "Word"} in told["CORS"]["Fn::Join"][1]
    assert methods(stack)["POST /orders"]["Integration"]["TimeoutInMillis"] == reference


def test_a_token_that_cannot_be_turned_into_milliseconds_is_refused() -> None:
    stack = new_stack()
    length = SECONDS(CfnParameter(stack, "Number", type="Number").value_as_number)
    assert refusal(lambda: an_api(stack, integration_timeout=length, max_latency=length)) == (
        "Shop/Api: integration_timeout must be in milliseconds when it is a token, got seconds: "
        "write Duration.millis(...)\n"
        "Shop/Api: max_latency must be in milliseconds when it is a token, got seconds: write Duration.millis(...)"
    )


def test_cdk_s_own_table_interface_is_enough_for_claims() -> None:
    stack = new_stack()
    table = dynamodb.Table.from_table_name(stack, "Imported", "claims")
    assert an_api(stack, Route("POST /orders", take()), claims=table).claims is table
    assert the(stack, "IAM::Policy", "WebTake")["PolicyDocument"]["Statement"]
    assert HANDLERS.is_dir()


def test_a_queue_of_the_cdk_is_the_wrong_half_of_a_pattern() -> None:
    stack = new_stack()
    queue = a_queue(stack).queue
    route = Route("POST /orders", queue)  # pyright: ignore[reportArgumentType]
    assert "pass the LoadLeveledQueue itself" in a_line(lambda: an_api(stack, route))


def test_an_authorizer_of_the_cdk_belongs_to_one_api() -> None:
    stack = new_stack()
    tokens = apigateway.TokenAuthorizer(stack, "Tokens", handler=a_function(stack))  # pyright: ignore
    an_api(stack, id="One", authorizer=tokens)
    assert refusal(lambda: an_api(stack, id="Two", authorizer=tokens)) == (
        "Shop/Two: routes['GET /orders'] authorizer must belong to one API, got one of another API: "
        "API Gateway has it for one: make another authorizer for this one"
    )


def test_where_no_route_has_a_function_none_is_found() -> None:
    api = an_api(new_stack(), Route("GET /health", MockResponse()))
    assert a_line(lambda: api.function_for("GET /health")).startswith(
        "route must lead to a function, and none does, got 'GET /health'"
    )
