"""A 401 says what would be taken, whoever answers it: the gateway, a function, a queue's template."""

import json
from typing import Any

import pytest
from aws_cdk import Stack

from serverless_patterns import Cors, IamAuthorizer, JwtAuthorizer, LambdaAuthorizer, MockResponse, Route
from tests.template.apis import an_api, cognito_authorizer, get, the_routes, token_authorizer
from tests.template.stacks import a_handler, new_stack, refusal, resources

HEADER = "gatewayresponse.header.WWW-Authenticate"


def by_function(**arguments: Any) -> LambdaAuthorizer:
    return LambdaAuthorizer(a_handler("web:identify"), **arguments)


def said(stack: Stack) -> str | None:
    """What the gateway itself says of a 401, without the quotes of a constant."""
    found = [it["Properties"] for it in resources(stack, "ApiGateway::GatewayResponse").values()]
    unauthorized = [one for one in found if one["ResponseType"] == "UNAUTHORIZED"]
    assert len(unauthorized) <= 1
    return unauthorized[0]["ResponseParameters"][HEADER].strip("'") if unauthorized else None


KINDS: dict[str, tuple[Any, str]] = {
    "lambda": (lambda _: by_function(), "Bearer"),
    "lambda, another scheme": (lambda _: by_function(challenge='Basic realm="shop"'), 'Basic realm="shop"'),
    "lambda, another header": (lambda _: by_function(header="X-Token"), 'Header name="X-Token"'),
    "lambda, the header in small letters": (lambda _: by_function(header="authorization"), "Bearer"),
    "cognito": (cognito_authorizer, "Bearer"),
    "token": (token_authorizer, "Bearer"),
}


@pytest.mark.parametrize(("authorizer", "challenge"), KINDS.values(), ids=KINDS)
def test_the_gateway_and_the_function_say_what_the_authorizer_would_take(authorizer: Any, challenge: str) -> None:
    stack = new_stack()
    an_api(stack, authorizer=authorizer(stack))
    assert said(stack) == challenge
    assert the_routes(stack, "ApiWebGet")["GET /orders"].get("challenge") == challenge


def test_a_signature_is_asked_for_by_the_function_alone_because_the_gateway_answers_403() -> None:
    stack = new_stack()
    an_api(stack, authorizer=IamAuthorizer())
    assert said(stack) is None
    assert the_routes(stack, "ApiWebGet")["GET /orders"].get("challenge") == "AWS4-HMAC-SHA256"


def test_a_public_api_asks_for_nothing() -> None:
    stack = new_stack()
    an_api(stack)
    assert said(stack) is None
    assert "challenge" not in the_routes(stack, "ApiWebGet")["GET /orders"]


def test_the_gateway_names_every_kind_once_and_in_one_order() -> None:
    def of(*order: int) -> str | None:
        stack = new_stack()
        routes = [
            Route("GET /a", MockResponse(), authorizer=by_function()),
            Route("GET /b", MockResponse(), authorizer=by_function(header="X-Token")),
            Route("GET /c", MockResponse(), authorizer=cognito_authorizer(stack)),
            Route("GET /d", MockResponse(), authorizer=IamAuthorizer()),
            Route("GET /e", MockResponse(), public=True),
        ]
        an_api(stack, *[routes[position] for position in order], public=False)
        return said(stack)

    assert of(0, 1, 2, 3, 4) == of(4, 2, 1, 3, 0) == 'Bearer, Header name="X-Token"'


def test_tokens_are_asked_for_as_bearers() -> None:
    from serverless_patterns._api_proxy.challenges import challenge_of
    from serverless_patterns._api_proxy.guards import Guard

    authorizer = JwtAuthorizer("https://login.example.com/", ["api"])
    assert challenge_of(Guard("lambda", authorizer)) == "Bearer"


def test_the_gateway_s_401_is_a_problem_that_pages_may_read_as_every_other() -> None:
    stack = new_stack()
    an_api(stack, authorizer=by_function(), cors=Cors(allow_origins=["https://shop.example.com"]))
    found = {it["Properties"]["ResponseType"]: it["Properties"] for it in _responses(stack)}
    unauthorized, other = found["UNAUTHORIZED"], found["DEFAULT_4XX"]
    (text,) = unauthorized["ResponseTemplates"].values()
    problem = json.loads(text.replace("$context.error.messageString", '"said"'))
    assert (problem["status"], problem["title"], problem["detail"]) == (401, "Unauthorized", "said")
    assert unauthorized["ResponseParameters"] == {**other["ResponseParameters"], HEADER: "'Bearer'"}
    assert "StatusCode" not in unauthorized, "it is 401 by itself"


@pytest.mark.parametrize("challenge", ["", " Bearer", "Bearer realm='x'", "a\r\nb", "Basic $x", "Basic #x", "Bäsic", 7])
def test_a_challenge_that_no_header_holds_is_refused(challenge: Any) -> None:
    assert refusal(lambda: an_api(new_stack(), authorizer=by_function(challenge=challenge))) == (
        "Shop/Api: authorizer challenge must be a scheme and its parameters in ASCII, without ', #, $ and \\, "
        f"""got {challenge!r}: write for example 'Basic realm="shop"'"""
    )


def _responses(stack: Stack) -> list[dict[str, Any]]:
    return [*resources(stack, "ApiGateway::GatewayResponse").values()]


# The functions that say who calls


def test_an_authorizer_s_function_is_known_by_its_name() -> None:
    stack = new_stack()
    api = an_api(stack, authorizer=by_function())
    assert {*api.authorizer_functions} == {"web:identify"}
    assert api.authorizer_functions["web:identify"].node.path == "Shop/Api/WebIdentifyAuthorizer"
    api.authorizer_functions["web:identify"].metric_errors()


def test_two_authorizers_of_one_function_are_known_by_what_asks_for_them_too() -> None:
    stack = new_stack()
    api = an_api(
        stack,
        Route("GET /a", get(), authorizer=by_function()),
        Route("GET /b", get(memory_size=128), authorizer=by_function(header="X-Token")),
        public=True,
    )
    assert {*api.authorizer_functions} == {
        "web:identify of routes['GET /a'] authorizer",
        "web:identify of routes['GET /b'] authorizer",
    }


def test_an_api_without_such_functions_has_none() -> None:
    assert an_api(new_stack(), authorizer=IamAuthorizer()).authorizer_functions == {}
