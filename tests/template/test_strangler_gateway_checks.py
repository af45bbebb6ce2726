"""Every argument that StranglerGateway refuses, with the whole text that the user reads."""

from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, SecretValue, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from serverless_patterns import (
    Defaults,
    Domain,
    Handler,
    HttpBackend,
    LambdaAuthorizer,
    LegacyBackend,
    MigratedRoute,
    MockResponse,
    Rollback,
    Shadow,
    Sticky,
)
from tests.template.apis import ORDER, a_function, get, take
from tests.template.gateways import URL, a_gateway, a_route, legacy
from tests.template.stacks import a_handler, a_queue, new_stack, refusal

SECONDS = Duration.seconds
ROUTE = "routes['GET /profile/{id}']"
POST = "routes['POST /basket']"
PUBLIC = "write for example 'https://monolith.example.com'; no user, no query string, nothing encoded"
KNOWN = "the router reads it from a file, which CloudFormation does not fill in: write the value"
OWN = ("must be a cookie of the legacy system, got 'side-shop': the gateway looks at its own first anyway: "
    "leave it out, or name one that legacy sets")  # fmt: skip
AS_TEXT = "it takes text, and every body is bytes here: put a Handler in front, or give it an ApiProxy of its own"
TESTERS = "whoever sends it for something else would be answered 400: choose one of your own, as 'X-Side'"
LESS = "the caller has been told 504 by then: lower it"

GATEWAY: list[tuple[dict[str, Any], str]] = [
    ({"auth": None}, "auth must be 'legacy' or an authorizer, got None: 'legacy' lets everybody through to it, as "
        "before; an authorizer of ApiProxy asks everybody"),
    *(({"auth": auth}, f"auth must be 'legacy' or an authorizer, got {got}: 'legacy' lets everybody through to it, as "
        "before; an authorizer of ApiProxy asks everybody")
        for auth, got in (("iam", "'iam'"), ("public", "'public'"), ("Legacy", "'Legacy' (did you mean 'legacy'?)"))),
    ({"auth": True}, "auth must be an IamAuthorizer, a LambdaAuthorizer or a JwtAuthorizer, got a value of type bool: "
        "or another authorizer of aws_apigateway for a REST API; auth='legacy' lets everybody in"),
    ({"legacy": URL}, f"legacy must be a LegacyBackend, got {URL!r}: write LegacyBackend('{URL}')"),
    ({"routes": None}, "routes must be a list, got None: write routes=[...]"),
    ({"routes": ["GET /a"]}, "routes[0] must be a MigratedRoute, got 'GET /a': "
        "write MigratedRoute('GET /profile/{id}', ..., stage='legacy')"),
    ({"namespace": "a b"}, "namespace must be 1 to 64 of A-Z a-z 0-9 . _ -, got 'a b': "
        "it is data, callers are divided by it: choose a name that will not change"),
    ({"sticky": "session"}, "sticky must be a Sticky, got 'session': write Sticky(claim='sub')"),
    ({"sticky": Sticky(claim="sub")}, "sticky claim must be left out with auth='legacy', got 'sub': "
        "claims come from an authorizer of the gateway: pass auth=..., or a cookie or header instead"),
    ({"sticky": Sticky(header="X Device")}, "sticky header must be the name of a header, got 'X Device': "
        "for example 'X-Side'"),
    ({"sticky": Sticky(header="X-Forwarded-For")}, "sticky header must be a header that the gateway passes on, "
        "got 'X-Forwarded-For': choose another name"),
    ({"sticky": Sticky(cookie="a=b")}, "sticky cookie must be the name of a cookie, got 'a=b': for example 'session'"),
    ({"force_header": "Host"}, "force_header must be a header that the gateway passes on, got 'Host': "
        "choose another name"),
    *(({"force_header": name}, "force_header must be a header that only testers send, "
        f"got {name!r}: {TESTERS}")
        for name in ("Authorization", "accept-language", "User-Agent", "If-None-Match", "Sec-Fetch-Site")),
    *(({"force_header": name}, f"force_header must be a header that the gateway passes on, got {name!r}: "
        "choose another name") for name in ("Cookie", "Idempotency-Key", "Content-Type")),
    ({"force_header": "X-Token", "auth": LambdaAuthorizer(get(), header="x-token")},
        f"force_header must be a header that only testers send, got 'X-Token': {TESTERS}"),
    ({"force_header": "x-side", "legacy": legacy(headers={"X-Side": "both"})}, "force_header must be none of legacy "
        "headers, got 'x-side': legacy would not be told what the caller chose: choose another name"),
    ({"sticky": Sticky(cookie="side-shop"), "namespace": "shop"}, f"sticky cookie {OWN}"),
    ({"sticky": Sticky(cookie="side-shop")}, f"sticky cookie {OWN}"),
    ({"routes": [a_route(sticky=Sticky(cookie="side-shop"))], "namespace": "shop"}, f"{ROUTE} sticky cookie {OWN}"),
    ({"sticky": Sticky(claim="sub"), "routes": [a_route(sticky=Sticky(claim="tenant"))],
        "auth": LambdaAuthorizer(get())},
        f"{ROUTE} sticky claim must be 'sub', as that of sticky is, got 'tenant': callers have one cookie, which would "
        "hold the one or the other: name the same claim everywhere"),
    ({"always_route": "yes"}, "always_route must be True or False, got 'yes': leave it out for False"),
    ({"dashboard": 1}, "dashboard must be True or False, got 1: leave it out for False"),
    ({"max_body_bytes": 6_000_000}, "max_body_bytes must be a whole number from 1 to 4,500,000, got 6000000: "
        "Lambda takes 6 MB, in which bytes are a third longer"),
    ({"throttle": None}, "throttle must be a Throttle, got None: "
        "without one, this API may use up what the account has for all"),
    ({"stage_name": "a b"}, "stage_name must be 1 to 128 letters, digits, - and _, got 'a b': leave it out for 'live'"),
    ({"alarms": "some"}, "alarms must be one of 'all', 'critical', 'none', got 'some': "
        "'critical' keeps the rate of errors"),
    ({"web_acl": 1}, "web_acl must be the ARN of a web ACL, got 1: pass web_acl.attr_arn of a CfnWebACL"),
    ({"integration_timeout": SECONDS(10)}, "legacy timeout must be at most integration_timeout, 10 seconds, "
        f"got 25 seconds: {LESS}"),
    ({"claims_retention": SECONDS(1), "routes": [a_route("POST /basket", take())]},
        "claims_retention must be a Duration from 3,600 to 315,360,000 seconds, got 1 seconds: "
        "a caller may repeat a request for that long"),
]  # fmt: skip

LEGACY: list[tuple[dict[str, Any], str]] = [
    *(({"url": url}, f"legacy url must be an absolute https URL, got {url!r}: {PUBLIC}") for url in
        ("monolith", "ftp://a.example", f"{URL}?a=b", "https://user@a.example", f"{URL}/%2e%2e", f"{URL}/{{a}}", None)),
    ({"url": "http://monolith.example.com"}, "legacy url must begin with https://, got 'http://monolith.example.com': "
        "use https: cookies and tokens pass here (http is for this machine, in a test on the embedded cloud)"),
    ({"url": f"{URL}/a/../b"}, f"legacy url must have a plain path, got '{URL}/a/../b': "
        "write the path that it leads to"),
    ({"url": f"{URL}:25"}, "legacy url must have the port 80, 443, or one from 1,024 to 65,535, got 25: "
        "API Gateway calls no other: let the service listen on one of these"),
    ({"url": "https://localhost"}, "legacy url must be reached from AWS, got 'localhost': "
        "this machine is reached from the embedded cloud alone: serverless_patterns.testing deploys there"),
    ({"url": "https://169.254.169.254"}, "legacy url must be the address of a service, got '169.254.169.254': "
        "that is a machine's own, or the cloud's: name the host of the service"),
    ({"url": "https://100.64.1.1"}, "legacy url must be public without a VPC, got '100.64.1.1': "
        "pass LegacyBackend(vpc_link=..., vpc=...), or the name of a public address"),
    ({"url": "https://10.0.0.1"}, "legacy url must be public without a VPC, got '10.0.0.1': "
        "pass LegacyBackend(vpc_link=..., vpc=...), or the name of a public address"),
    ({"timeout": SECONDS(0)}, "legacy timeout must be a Duration from 1 to 300 seconds, got 0 seconds: "
        "the gateway waits 29 seconds in all"),
    ({"timeout": 5}, "legacy timeout must be a Duration from 1 to 300 seconds, got 5: say the unit: "
        "Duration.seconds(5)"),
    ({"vpc_link": "link-1"}, "legacy vpc_link must be a VpcLink, got 'link-1': "
        "an aws_apigateway.VpcLink, to a network load balancer"),
    ({"vpc_subnets": ec2.SubnetSelection(subnet_group_name="a")}, "legacy vpc must be given with vpc_subnets or "
        "security_groups, got None: pass the VPC that has them"),
    ({"headers": {"Host": "a"}}, "legacy headers['Host'] must be a header that the gateway passes on, got 'Host': "
        "choose another name"),
    ({"headers": {"Authorization": "Basic c2hvcDpzaG9w"}}, "legacy headers['Authorization'] must be sent by callers, "
        "got one for all of them: every caller would be this one, and whoever may see the API would see it: "
        "leave it out"),
    ({"headers": {"X-A": "it's"}}, "legacy headers['X-A'] must be printable ASCII without ', got \"it's\": "
        "API Gateway takes nothing else"),
    ({"headers": {"X-A": "{{resolve:ssm-secure:/a}}"}}, "legacy headers['X-A'] must be no secret, got a reference to "
        "one: everybody who may see the API would see it: let the router's role be what legacy trusts"),
    ({"headers": {"X-A": "1", "x-a": "2"}}, "legacy headers['x-a'] must be there once, got two of it: "
        "names of headers have no case: leave one out"),
    ({"headers": ["X-A"]}, "legacy headers must be a dictionary by name, got a value of type list: "
        "write legacy headers={'X-Tenant': 'shop'}"),
]  # fmt: skip

ROUTES: list[tuple[dict[str, Any], str]] = [
    ({"stage": "moving"}, f"{ROUTE} stage must be one of 'legacy', 'migrating', 'done', got 'moving': "
        "a route begins as 'legacy'; 'migrating' takes percentages; 'done' has left it"),
    *(({"initial_percent": value}, f"{ROUTE} initial_percent must be a number from 0 to 100, with two decimals at "
        f"most, got {value!r}: what callers get before anybody has said otherwise: serverless-patterns route set")
        for value in (-1, 100.5, 0.001, True, "5", float("nan"))),
    ({"generation": 0}, f"{ROUTE} generation must be a whole number from 1 to 1,000,000,000, got 0: "
        "raise it by one to make what was set and killed void"),
    ({"timeout": SECONDS(0)}, f"{ROUTE} timeout must be a Duration from 1 to 299 seconds, got 0 seconds: "
        "legacy answers after it, and the gateway waits 29 seconds in all"),
    ({"timeout": SECONDS(30)}, f"{ROUTE} timeout must be at most integration_timeout, 29 seconds, got 30 seconds: "
        f"{LESS}"),
    ({"fallback": "yes"}, f"{ROUTE} fallback must be True or False, got 'yes': leave it out for safe methods"),
    ({"sticky": Sticky(claim="sub")}, f"{ROUTE} sticky claim must be left out with auth='legacy', got 'sub': "
        "claims come from an authorizer of the gateway: pass auth=..., or a cookie or header instead"),
    ({"shadow": True}, f"{ROUTE} shadow must be a Shadow, got True: write Shadow(compare=['$.name'])"),
    ({"shadow": Shadow(percent=0)}, f"{ROUTE} shadow percent must be a number from 0.01 to 100, with two decimals at "
        "most, got 0: leave shadow out for none"),
    ({"shadow": Shadow(compare=["name"])}, f"{ROUTE} shadow compare must hold paths into a JSON answer, got 'name': "
        "write '$.name' or '$.lines[*].price'"),
    ({"shadow": Shadow(compare="$.a")}, f"{ROUTE} shadow compare must be a list, got a value of type str: "
        f"write {ROUTE} shadow compare=[...]"),
    ({"rollback": 2}, f"{ROUTE} rollback must be a Rollback or None, got 2: write Rollback(max_error_percent=2)"),
    ({"rollback": Rollback(max_error_percent=0)}, f"{ROUTE} rollback max_error_percent must be a number from 0.01 to "
        "100, with two decimals at most, got 0: more errors than that, and legacy answers; None for never"),
    ({"rollback": Rollback(min_requests=0)}, f"{ROUTE} rollback min_requests must be a whole number from 1 to "
        "1,000,000, got 0: fewer requests say nothing about their rate"),
    ({"rollback": Rollback(window=SECONDS(1))}, f"{ROUTE} rollback window must be a Duration from 10 to 3,600 seconds, "
        "got 1 seconds: within it errors are counted"),
    ({"target": "web:get"}, f"{ROUTE} target must be a Handler, an IFunction or an HttpBackend, got 'web:get': "
        "write Handler(code, 'web:get')"),
    ({"target": "https://a.example"}, f"{ROUTE} target must be a Handler, an IFunction or an HttpBackend, "
        "got 'https://a.example': write HttpBackend('https://a.example')"),
    ({"target": HttpBackend}, f"{ROUTE} target must be a Handler, an IFunction or an HttpBackend, "
        f"got {HttpBackend!r}: write HttpBackend(...)"),
    ({"target": 5}, f"{ROUTE} target must be a Handler, an IFunction or an HttpBackend, got 5: "
        "wrap your Python function in a Handler"),
    *(({"stage": stage, "target": MockResponse()}, f"{ROUTE} target must be a Handler, an IFunction or an HttpBackend, "
        f"got {MockResponse()!r}: {AS_TEXT}") for stage in ("legacy", "migrating", "done")),
    ({"stage": "done", "initial_percent": 50}, f"{ROUTE} initial_percent must be left out with stage='done', got 50: "
        "all requests go to the new side: it is for stage='migrating'"),
    ({"stage": "legacy", "initial_percent": 5}, f"{ROUTE} initial_percent must be left out with stage='legacy', got 5: "
        "all requests go to legacy: it is for stage='migrating'"),
    ({"stage": "done", "shadow": Shadow()}, f"{ROUTE} shadow must be left out with stage='done', got one: "
        "all requests go to the new side: it is for stage='migrating'"),
    ({"target": get(timeout=SECONDS(60))}, f"{ROUTE} target timeout must be at most integration_timeout, 29 seconds, "
        f"got 60 seconds: {LESS}"),
    ({"target": HttpBackend("http://a.example")}, f"{ROUTE} target url must begin with https://, "
        "got 'http://a.example': use https: cookies and tokens pass here (http is for this machine, in a test on the "
        "embedded cloud, with allow_plain_http=True)"),
    ({"target": HttpBackend("https://a.example/{other}")}, f"{ROUTE} target url must use parameters of "
        "/profile/{id}, got 'other': name a parameter of the route's path, without +"),
    ({"body": ORDER}, f"{ROUTE} body must be left out for GET, got a value: such a request has no body"),
    ({"idempotency": "always"}, f"{ROUTE} idempotency must be one of 'required', 'optional', 'off', got 'always': "
        "leave it out for what the method asks for"),
    ({"route": "/profile"}, "routes['/profile'] must be 'METHOD /path', got '/profile': "
        "write for example 'GET /orders/{order_id}'"),
    ({"route": "POST /basket", "fallback": True}, f"{POST} fallback must be left out for POST, got True: "
        "the new side may have done it before it failed: leave fallback out"),
    ({"route": "POST /basket", "shadow": Shadow()}, f"{POST} shadow declared must be True for POST, got False: "
        "the new side would do it too: declared=True says that it may"),
]  # fmt: skip


def the_line(text: str) -> str:
    assert text.startswith("Shop/Gateway: ")
    return text.removeprefix("Shop/Gateway: ")


def named(it: object) -> str:
    return it[:70] if isinstance(it, str) else ""


@pytest.mark.parametrize(("arguments", "expected"), GATEWAY, ids=named)
def test_a_gateway_refuses(arguments: dict[str, Any], expected: str) -> None:
    assert the_line(refusal(lambda: a_gateway(new_stack(), **arguments))) == expected


@pytest.mark.parametrize(("arguments", "expected"), LEGACY, ids=named)
def test_legacy_refuses(arguments: dict[str, Any], expected: str) -> None:
    assert the_line(refusal(lambda: a_gateway(new_stack(), legacy=legacy(**arguments)))) == expected


@pytest.mark.parametrize(("arguments", "expected"), ROUTES, ids=named)
def test_a_route_refuses(arguments: dict[str, Any], expected: str) -> None:
    assert the_line(refusal(lambda: a_gateway(new_stack(), a_route(**arguments)))) == expected


def test_everything_that_is_wrong_is_said_at_once() -> None:
    routes = [a_route(initial_percent=-1, generation=0), a_route("POST /basket", fallback=True)]
    text = refusal(lambda: a_gateway(new_stack(), *routes, legacy=legacy(url="http://a.example"), namespace=""))
    assert [line.split(" must ")[0].removeprefix("Shop/Gateway: ") for line in text.splitlines()] == [
        "namespace",
        "legacy url",
        f"{ROUTE} initial_percent",
        f"{ROUTE} generation",
        f"{POST} fallback",
    ]


def test_a_route_is_listed_once_in_whatever_stages() -> None:
    routes = [a_route(), a_route(stage="legacy")]
    text = refusal(lambda: a_gateway(new_stack(), *routes))
    assert the_line(text) == f"{ROUTE} must be there once, got two of it: leave one out"


def test_a_function_that_is_behind_a_queue_has_no_side_of_legacy_s() -> None:
    stack = new_stack()
    text = refusal(lambda: a_gateway(stack, a_route("POST /orders", a_queue(stack))))
    assert text.endswith(f"got a value of type LoadLeveledQueue: {AS_TEXT}")


@pytest.mark.parametrize("stages", [("migrating", "migrating"), ("migrating", "legacy")])
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("GET /notes/{user}", "PUT /notes/{name}", "routes['PUT /notes/{name}'] must have {user} there, as "
            "'GET /notes/{user}' has, got {name}: API Gateway takes one name at one place: use the same in both"),
        ("GET /notes/{user}", "GET /notes/{proxy+}", "routes['GET /notes/{user}'] must have {proxy+} there, as "
            "'GET /notes/{proxy+}' has, got {user}: API Gateway takes one parameter at one place: write "
            "'GET /notes/{user}/{proxy+}' for what is below"),
    ],
)  # fmt: skip
def test_two_parameters_at_one_place_are_told_by_the_user_s_own_routes(
    one: str, other: str, expected: str, stages: tuple[Any, Any]
) -> None:
    routes = [a_route(one, stage=stages[0]), a_route(other, stage=stages[1])]
    assert the_line(refusal(lambda: a_gateway(new_stack(), *routes))) == expected


@pytest.mark.parametrize("whose", ["sticky", f"{ROUTE} sticky"])
def test_a_sticky_that_names_nothing_is_refused(whose: str) -> None:
    given = {"sticky": Sticky()}
    of_route, of_gateway = ({}, given) if whose == "sticky" else (given, {})
    assert the_line(refusal(lambda: a_gateway(new_stack(), a_route(**of_route), **of_gateway))) == (
        f"{whose} must name a claim, a header or a cookie, got an empty Sticky(): "
        "leave it out for the gateway's own cookie"
    )


def test_routes_are_a_list() -> None:
    text = refusal(lambda: a_gateway(new_stack(), routes=None))
    assert the_line(text) == "routes must be a list, got None: write routes=[...]"


def test_a_greedy_parameter_leaves_nothing_to_another_route() -> None:
    """It would need a second one there."""
    routes = [a_route("POST /notes/{rest+}"), a_route("GET /{user}/{note}", stage="legacy")]
    assert the_line(refusal(lambda: a_gateway(new_stack(), *routes))) == (
        "routes['POST /notes/{rest+}'] must leave nothing there to 'GET /{user}/{note}', got POST alone: "
        "API Gateway takes one parameter at one place: write 'ANY /notes/{rest+}', which stands for all of it"
    )
    a_gateway(new_stack(), a_route("ANY /notes/{rest+}"), routes[1])


@pytest.mark.parametrize("stage", ["migrating", "done"])
def test_a_function_that_knows_no_other_resource_is_asked_for_none(stage: Any) -> None:
    stack = new_stack()
    routes = [a_route("ANY /orders/{proxy+}", a_function(stack), stage=stage), a_route("GET /orders/report")]
    assert the_line(refusal(lambda: a_gateway(stack, *routes))) == (
        "routes['ANY /orders/{proxy+}'] target must be a Handler or an HttpBackend beside 'GET /orders/report', got an "
        "IFunction: API Gateway would ask it for 'ANY /orders/report', which it does not know: put a Handler there"
    )


def test_what_the_router_reads_from_a_file_is_no_token() -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    word = CfnParameter(stack, "Word").value_as_string
    routes = [
        a_route("GET /a", initial_percent=number, generation=number, timeout=Duration.seconds(number)),
        a_route("GET /b", HttpBackend(word)),
    ]
    given = {"namespace": word, "max_body_bytes": number, "legacy": legacy(headers={"X-A": word})}
    text = refusal(lambda: a_gateway(stack, *routes, **given))
    assert [line.removeprefix("Shop/Gateway: ") for line in text.splitlines()] == [
        f"{argument} must be known at synth, got a token: {KNOWN}"
        for argument in (
            "namespace",
            "max_body_bytes",
            "legacy headers['X-A']",
            "routes['GET /a'] initial_percent",
            "routes['GET /a'] generation",
            "routes['GET /a'] timeout",
            "routes['GET /b'] target url",
        )
    ]


def test_the_whole_time_is_known_at_synth() -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    text = refusal(lambda: a_gateway(stack, integration_timeout=Duration.millis(number)))
    assert the_line(text) == (
        "integration_timeout must be known at synth, got a token: the router keeps to it: write the value"
    )


def test_a_secret_is_no_header() -> None:
    secret = SecretValue.secrets_manager("a").unsafe_unwrap()
    text = refusal(lambda: a_gateway(new_stack(), legacy=legacy(headers={"X-A": secret})))
    assert the_line(text) == f"legacy headers['X-A'] must be known at synth, got a token: {KNOWN}"


def test_defaults_that_the_router_cannot_have_are_refused() -> None:
    stack = new_stack()
    layers = [a_layer(stack, number) for number in range(5)]
    Defaults.of(stack).set(environment={"TARGETS": "mine"}, layers=layers)
    text = refusal(lambda: a_gateway(stack, a_route(target=HttpBackend("https://a.example/{id}"))))
    assert [line.removeprefix("Shop/Gateway: ") for line in text.splitlines()] == [
        "environment['TARGETS'] of Defaults must have a name of its own, got 'TARGETS': choose another name",
        "router layers must be at most 4, those of Defaults included, got 5: merge some: the fifth is the patterns' "
        "runtime",
    ]


def a_layer(stack: Stack, number: int) -> lambda_.ILayerVersion:
    arn = f"arn:aws:lambda:eu-west-1:111122223333:layer:libraries:{number + 1}"
    return lambda_.LayerVersion.from_layer_version_arn(stack, f"Layer{number}", arn)


def test_behind_a_vpc_link_a_router_needs_a_vpc() -> None:
    stack = new_stack()
    link = apigateway.VpcLink.from_vpc_link_id(stack, "Link", "link-1")
    backend = LegacyBackend("https://10.0.0.1", vpc_link=link)
    text = refusal(lambda: a_gateway(stack, legacy=backend))
    assert the_line(text) == (
        "legacy vpc must be given with vpc_link once a route is migrating, got None: "
        "a router cannot use the link: let it run where the load balancer is reached"
    )
    a_gateway(stack, a_route(stage="done"), legacy=backend)


def test_this_machine_may_be_legacy_in_a_test_alone() -> None:
    backend = legacy(url="http://localhost:8080")
    a_gateway(new_stack({"serverless-patterns:local": "true"}), legacy=backend)
    assert "must begin with https://" in refusal(lambda: a_gateway(new_stack(), legacy=backend))


@pytest.mark.parametrize(
    ("url", "base_path", "itself"),
    [
        ("https://Shop.example.com", None, True),
        ("https://shop.example.com:443/old", None, True),
        ("https://shop.example.com/new/old", "new", True),
        ("https://shop.example.com/newer", "new", False),
        ("https://monolith.example.com", None, False),
    ],
)
def test_a_gateway_does_not_stand_in_front_of_itself(url: str, base_path: str | None, *, itself: bool) -> None:
    from aws_cdk import aws_certificatemanager as acm

    stack = new_stack()
    domain = Domain("shop.example.com", acm.Certificate(stack, "Certificate", domain_name="a.example"), base_path)
    if not itself:
        a_gateway(stack, legacy=legacy(url=url), domain=domain)
        return
    text = refusal(lambda: a_gateway(stack, legacy=legacy(url=url), domain=domain))
    assert the_line(text) == (
        "legacy url must have another host than domain, got 'shop.example.com': that name leads to the gateway: "
        "give the legacy system another one, and a certificate for it"
    )


def test_a_domain_s_path_is_known_at_synth() -> None:
    from aws_cdk import aws_certificatemanager as acm

    stack = new_stack()
    certificate = acm.Certificate(stack, "Certificate", domain_name="api.example.com")
    word = CfnParameter(stack, "Word").value_as_string
    text = refusal(lambda: a_gateway(stack, domain=Domain("api.example.com", certificate, word)))
    assert the_line(text) == f"domain base_path must be known at synth, got a token: {KNOWN}"


def test_how_long_keys_are_remembered_is_known_at_synth() -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    text = refusal(lambda: a_gateway(stack, claims_retention=Duration.millis(number)))
    assert the_line(text) == f"claims_retention must be known at synth, got a token: {KNOWN}"


def test_how_long_keys_are_kept_is_a_duration_whatever_the_routes() -> None:
    text = refusal(lambda: a_gateway(new_stack(), claims_retention=5))
    assert the_line(text) == (
        "claims_retention must be a Duration from 3,600 to 315,360,000 seconds, got 5: say the unit: Duration.hours(5)"
    )


def many(count: int, path: str, target: Handler) -> list[MigratedRoute]:
    return [a_route(f"GET {path.format(number)}", target) for number in range(count)]


def test_api_gateway_has_no_room_for_more_than_300_resources() -> None:
    text = refusal(lambda: a_gateway(new_stack(), *many(150, "/a{}", get())))
    assert (
        "routes must make 300 resources of API Gateway at most, got 301: move routes together, as "
        "'ANY /orders/{proxy+}', or give a part of the paths a gateway of its own"
    ) in text


def test_a_stack_has_no_room_for_more_than_500() -> None:
    text = refusal(lambda: a_gateway(new_stack(), *many(97, "/a{}", get())))
    assert the_line(text) == (
        "routes must fit into the 500 resources of a stack, got 505 or more: move routes together, as "
        "'ANY /orders/{proxy+}', share a Handler, or split the gateway in two stacks"
    )


def test_a_variable_has_no_room_for_any_number_of_functions() -> None:
    stack = new_stack()
    routes = [a_route(f"GET /a/{number}", a_handler("web:get", memory_size=128 + number)) for number in range(40)]
    text = refusal(lambda: a_gateway(stack, *routes))
    assert the_line(text) == (
        "routes must lead to fewer functions while any is migrating, got 40 functions: the router finds those of "
        "routes that are migrating or done by a variable, and Lambda's hold 4 KB: share a Handler, or give a part of "
        "the paths a gateway of its own"
    )


def test_functions_of_routes_that_are_done_are_counted_while_there_is_a_router() -> None:
    def routes(first: Any) -> list[MigratedRoute]:
        stages = [first, *["done"] * 39]
        return [
            a_route(f"GET /a/{number}", a_handler("web:get", memory_size=128 + number), stage=stage)
            for number, stage in enumerate(stages)
        ]

    assert "got 40 functions" in refusal(lambda: a_gateway(new_stack(), *routes("migrating")))
    a_gateway(new_stack(), *routes("done"))
