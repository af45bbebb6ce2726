"""API keys meter clients, and never open a route: plans, their limits, and what of them could not work."""

import json
from itertools import permutations
from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk.assertions import Template

from serverless_patterns import Cors, IamAuthorizer, MockResponse, Quota, Route, Throttle, UsagePlan
from tests.template.apis import an_api, methods, the_stage
from tests.template.scanning import PACKS, findings, linted
from tests.template.stacks import new_stack, refusal, resources, the

PLAN = "ApiGateway::UsagePlan"
SLOW = Throttle(rate=1, burst=2)


def a_key(stack: Stack, id: str = "Acme") -> apigateway.ApiKey:
    return apigateway.ApiKey(stack, id)


def metered(route: str = "POST /orders", **arguments: Any) -> Route:
    return Route(route, MockResponse(), api_key_required=True, **arguments)


def plans(stack: Stack) -> dict[str, dict[str, Any]]:
    """By their names."""
    return {it["Properties"]["UsagePlanName"]: it["Properties"] for it in resources(stack, PLAN).values()}


# What is defined


def test_a_route_asks_for_a_key_and_no_other_does() -> None:
    stack = new_stack()
    an_api(stack, metered(), Route("GET /orders", MockResponse()), usage_plans=[UsagePlan("free")])
    assert methods(stack)["POST /orders"]["ApiKeyRequired"] is True
    assert "ApiKeyRequired" not in methods(stack)["GET /orders"]


def test_a_key_changes_nothing_about_who_may_call() -> None:
    stack = new_stack()
    an_api(
        stack, metered(), metered("GET /open", public=True), authorizer=IamAuthorizer(), usage_plans=[UsagePlan("a")]
    )
    found = {name: method["AuthorizationType"] for name, method in methods(stack).items()}
    assert found == {"POST /orders": "AWS_IAM", "GET /open": "NONE"}


def test_preflights_ask_for_no_key() -> None:
    stack = new_stack()
    an_api(stack, metered(), cors=Cors(allow_origins=["*"]), usage_plans=[UsagePlan("free")])
    assert methods(stack)["OPTIONS /orders"].get("ApiKeyRequired") is not True


def test_a_plan_meters_the_stage_by_its_limits() -> None:
    stack = new_stack()
    plan = UsagePlan("free", throttle=SLOW, quota=Quota(1_000, per="WEEK"), route_throttles={"POST /orders": SLOW})
    an_api(stack, metered(), usage_plans=[plan])
    (rest_api,), (stage,) = resources(stack, "ApiGateway::RestApi"), resources(stack, "ApiGateway::Stage")
    assert plans(stack)["free"] == {
        "UsagePlanName": "free",
        "Throttle": {"RateLimit": 1, "BurstLimit": 2},
        "Quota": {"Limit": 1_000, "Period": "WEEK"},
        "ApiStages": [
            {
                "ApiId": {"Ref": rest_api},
                "Stage": {"Ref": stage},
                "Throttle": {"/orders/POST": {"RateLimit": 1, "BurstLimit": 2}},
            }
        ],
    }


def test_a_plan_without_limits_lets_its_keys_in() -> None:
    stack = new_stack()
    an_api(stack, metered(), usage_plans=[UsagePlan("known", keys=[a_key(stack)])])
    assert {*plans(stack)["known"]} == {"UsagePlanName", "ApiStages"}
    (key,), (plan,) = resources(stack, "ApiGateway::ApiKey"), resources(stack, PLAN)
    assert the(stack, "ApiGateway::UsagePlanKey") == {
        "KeyId": {"Ref": key},
        "KeyType": "API_KEY",
        "UsagePlanId": {"Ref": plan},
    }


def test_keys_may_be_made_elsewhere() -> None:
    stack = new_stack()
    key = apigateway.ApiKey.from_api_key_id(stack, "Theirs", "abc123")
    an_api(stack, metered(), usage_plans=[UsagePlan("known", keys=[key])])
    assert the(stack, "ApiGateway::UsagePlanKey")["KeyId"] == "abc123"


def test_plans_are_known_by_their_names() -> None:
    stack = new_stack()
    api = an_api(stack, metered(), usage_plans=[UsagePlan("gold"), UsagePlan("free")])
    assert {*api.usage_plans} == {"free", "gold"}
    api.usage_plans["gold"].add_api_key(a_key(stack))
    assert len(resources(stack, "ApiGateway::UsagePlanKey")) == 1
    assert an_api(new_stack()).usage_plans == {}


def test_the_order_of_plans_and_keys_and_routes_changes_nothing() -> None:
    templates: set[str] = set()
    for order in permutations(range(3)):
        stack = new_stack()
        keys = [a_key(stack, id) for id in ("A", "B", "C")]
        routes = [metered(f"GET /{name}") for name in "abc"]
        throttles = {f"GET /{'abc'[one]}": SLOW for one in order}
        gold = UsagePlan("gold", keys=[keys[one] for one in order if one != 1], route_throttles=throttles)
        given = [gold, UsagePlan("free", keys=[keys[1]]), UsagePlan("none")]
        an_api(stack, *[routes[one] for one in order], usage_plans=[given[one] for one in order])
        templates.add(json.dumps(Template.from_stack(stack).to_json(), sort_keys=True))
    assert len(templates) == 1


def test_another_key_leaves_the_first_one_where_it_is_whatever_the_flags() -> None:
    by_position = {"@aws-cdk/aws-apigateway:usagePlanKeyOrderInsensitiveId": False}
    found: list[dict[str, str]] = []
    for ids in (["B"], ["A", "B"]):
        stack = new_stack(by_position)
        an_api(stack, metered(), usage_plans=[UsagePlan("free", keys=[a_key(stack, id) for id in ids])])
        in_plan = resources(stack, "ApiGateway::UsagePlanKey").items()
        found.append({id: it["Properties"]["KeyId"]["Ref"] for id, it in in_plan})
    assert found[0].items() < found[1].items()


def test_the_document_says_that_a_key_is_asked_for_beside_the_credential() -> None:
    stack = new_stack()
    api = an_api(
        stack,
        metered(),
        metered("GET /open", public=True),
        Route("GET /orders", MockResponse()),
        authorizer=IamAuthorizer(),
        usage_plans=[UsagePlan("free")],
    )
    said = api.openapi()
    assert said["components"]["securitySchemes"]["ApiKey"] == {"type": "apiKey", "in": "header", "name": "x-api-key"}
    assert said["paths"]["/orders"]["post"]["security"] == [{"AwsSignature": [], "ApiKey": []}]
    assert said["paths"]["/open"]["get"]["security"] == [{"ApiKey": []}]
    assert "403" in said["paths"]["/open"]["get"]["responses"]
    assert said["paths"]["/orders"]["get"]["security"] == [{"AwsSignature": []}]


@pytest.mark.parametrize(("type", "seconds"), [("QUOTA_EXCEEDED", "3600"), ("THROTTLED", "1")])
def test_a_limit_is_answered_by_a_problem_that_says_when_to_come_again(type: str, seconds: str) -> None:
    stack = new_stack()
    an_api(stack, metered(), usage_plans=[UsagePlan("free", quota=Quota(1))])
    responses = [it["Properties"] for it in resources(stack, "ApiGateway::GatewayResponse").values()]
    (found,) = [one for one in responses if one["ResponseType"] == type]
    headers = found["ResponseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert headers["gatewayresponse.header.Retry-After"] == f"'{seconds}'"
    assert "StatusCode" not in found, "API Gateway's own is 429"


def test_the_access_log_has_the_id_of_the_key_and_never_the_key() -> None:
    stack = new_stack()
    an_api(stack)
    line = json.loads(the_stage(stack)["AccessLogSetting"]["Format"])
    assert line["api_key_id"] == "$context.identity.apiKeyId"
    assert "$context.identity.apiKey" not in line.values()


# What is refused


def said(routes: list[Route], *usage_plans: Any, **arguments: Any) -> str:
    """The whole answer, without the construct's path."""
    text = refusal(lambda: an_api(new_stack(), *routes, usage_plans=[*usage_plans], **arguments))
    return "\n".join(line.removeprefix("Shop/Api: ") for line in text.splitlines())


def test_a_key_is_no_authorization() -> None:
    assert said([metered()], UsagePlan("free"), public=False) == (
        "routes['POST /orders'] authorizer must be given, got None: "
        "give it or the API one; public=True lets everybody in, and API keys authorise nobody"
    )


def test_a_route_that_asks_for_keys_needs_a_plan() -> None:
    assert said([metered()]) == (
        "routes['POST /orders'] api_key_required must go with a usage plan, got none: "
        "a key counts by its plan: without one everybody gets 403; pass usage_plans=[UsagePlan(...)]"
    )


def test_a_plan_needs_a_route_that_asks_for_keys() -> None:
    assert said([Route("GET /orders", MockResponse())], UsagePlan("free")) == (
        "usage_plans must have a route to meter, got none with api_key_required: "
        "keys are looked at there alone: pass api_key_required=True to Route"
    )


TOO_FAST = (
    "usage_plans['a'] route_throttles['POST /orders'] {} must be at most {}, got {}: "
    "the route lets no more through, whoever asks: lower it, or raise the throttle there"
)
TOO_FAST_IN_ALL = (
    "usage_plans['a'] throttle {} must be at most {}, got {}: "
    "its routes let no more through, whoever asks: lower it, or raise the throttle there"
)
WRONG: dict[str, tuple[Any, str]] = {
    "no plan": ("free", "usage_plans[0] must be a UsagePlan, got 'free': write UsagePlan('free', keys=[...])"),
    **{
        f"name {name!r}": (
            UsagePlan(name),
            f"usage_plans[{name!r}] must be named by 1 to 128 letters, digits, spaces, . _ and -, got {name!r}: "
            "it is part of ids: no token, either",
        )
        for name in ("", " a", "a/b", "ä", "a" * 129, "a\n")
    },
    "keys": (
        UsagePlan("a", keys="abc"),
        "usage_plans['a'] keys must be a list, got a value of type str: write usage_plans['a'] keys=[...]",
    ),
    "key": (
        UsagePlan("a", keys=["abc"]),  # pyright: ignore
        "usage_plans['a'] keys must be API keys, got 'abc': for example aws_apigateway.ApiKey",
    ),
    "throttle": (
        UsagePlan("a", throttle=5),  # pyright: ignore
        "usage_plans['a'] throttle must be a Throttle, got 5: write Throttle(rate=100, burst=200)",
    ),
    "rate": (
        UsagePlan("a", throttle=Throttle(rate=0, burst=1)),
        "usage_plans['a'] throttle rate must be a whole number from 1 to 1,000,000, got 0: "
        "requests a second in the long run",
    ),
    "quota": (
        UsagePlan("a", quota=1_000),  # pyright: ignore
        "usage_plans['a'] quota must be a Quota, got 1000: write Quota(1_000, per='DAY')",
    ),
    "limit": (
        UsagePlan("a", quota=Quota(0)),
        "usage_plans['a'] quota limit must be a whole number from 1 to 2,147,483,647, got 0: "
        "requests of one key in that time",
    ),
    "period": (
        UsagePlan("a", quota=Quota(1, per="YEAR")),  # pyright: ignore
        "usage_plans['a'] quota per must be one of 'DAY', 'WEEK', 'MONTH', got 'YEAR': "
        "the time after which it begins anew",
    ),
    "route throttles": (
        UsagePlan("a", route_throttles=[SLOW]),  # pyright: ignore
        "usage_plans['a'] route_throttles must be a dictionary by name, got a value of type list: "
        "write usage_plans['a'] route_throttles={'POST /orders': Throttle(rate=1, burst=2)}",
    ),
    "unknown route": (
        UsagePlan("a", route_throttles={"POST /order": SLOW}),
        "usage_plans['a'] route_throttles must name routes of the API, "
        "got 'POST /order' (did you mean 'POST /orders'?): write it as in its Route",
    ),
    "route without keys": (
        UsagePlan("a", route_throttles={"GET /orders": SLOW}),
        "usage_plans['a'] route_throttles must name routes with api_key_required, got 'GET /orders': "
        "keys are looked at there alone: pass api_key_required=True to it",
    ),
    "no throttle of a route": (
        UsagePlan("a", route_throttles={"POST /orders": None}),  # pyright: ignore
        "usage_plans['a'] route_throttles['POST /orders'] must be a Throttle, got None: leave the route out",
    ),
    "faster than the route": (
        UsagePlan("a", route_throttles={"POST /orders": Throttle(rate=11, burst=20)}),
        TOO_FAST.format("rate", 10, 11),
    ),
    "more at once than the route": (
        UsagePlan("a", route_throttles={"POST /orders": Throttle(rate=10, burst=21)}),
        TOO_FAST.format("burst", 20, 21),
    ),
    "faster than all routes": (
        UsagePlan("a", throttle=Throttle(rate=11, burst=20)),
        TOO_FAST_IN_ALL.format("rate", 10, 11),
    ),
    "more at once than all routes": (
        UsagePlan("a", throttle=Throttle(rate=10, burst=21)),
        TOO_FAST_IN_ALL.format("burst", 20, 21),
    ),
}


@pytest.mark.parametrize(("plan", "line"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused(plan: Any, line: str) -> None:
    assert said([metered(throttle=Throttle(rate=10, burst=20)), Route("GET /orders", MockResponse())], plan) == line


def test_without_a_throttle_of_its_own_a_route_has_that_of_the_api() -> None:
    plan = UsagePlan("a", route_throttles={"POST /orders": Throttle(rate=6, burst=10)})
    assert said([metered()], plan, throttle=Throttle(rate=5, burst=10)) == TOO_FAST.format("rate", 5, 6)


def test_a_plan_may_let_through_what_its_routes_do_together() -> None:
    stack = new_stack()
    plan = UsagePlan("a", throttle=Throttle(rate=80, burst=80))
    an_api(stack, metered("GET /a"), metered("ANY /b"), throttle=Throttle(rate=10, burst=10), usage_plans=[plan])
    assert plans(stack)["a"]["Throttle"]["RateLimit"] == 80
    plan = UsagePlan("a", throttle=Throttle(rate=81, burst=80))
    routes = [metered("GET /a"), metered("ANY /b")]
    assert said(routes, plan, throttle=Throttle(rate=10, burst=10)) == TOO_FAST_IN_ALL.format("rate", 80, 81)


def test_single_methods_are_throttled_and_no_others() -> None:
    assert said([metered("ANY /orders")], UsagePlan("a", route_throttles={"ANY /orders": SLOW})) == (
        "usage_plans['a'] route_throttles must name routes of one method, got 'ANY /orders': "
        "API Gateway throttles single methods: give each a route of its own"
    )


@pytest.mark.parametrize("second", ["gold", "Gold", "gold-"])
def test_plans_have_names_of_their_own(second: str) -> None:
    text = said([metered()], UsagePlan("gold"), UsagePlan(second))
    assert f"usage_plans[{second!r}] must have a name of its own, got beside 'gold': rename one" in text


def test_a_key_is_in_one_plan_and_once() -> None:
    stack = new_stack()
    key = a_key(stack)
    given = [UsagePlan("gold", keys=[key, key]), UsagePlan("free", keys=[key])]
    text = refusal(lambda: an_api(stack, metered(), usage_plans=given))
    assert text.splitlines() == [
        f"Shop/Api: usage_plans['{plan}'] keys must be in one plan, once, got Shop/Acme, "
        "which usage_plans['gold'] has: API Gateway takes it once an API"
        for plan in ("gold", "free")
    ]


def test_a_switch_is_true_or_false() -> None:
    route = Route("GET /a", MockResponse(), api_key_required="yes")  # pyright: ignore
    assert said([route], UsagePlan("free")) == (
        "routes['GET /a'] api_key_required must be True or False, got 'yes': True meters callers by their API keys"
    )


def test_what_only_cloudformation_knows_passes() -> None:
    stack = new_stack()
    rate = CfnParameter(stack, "Rate", type="Number").value_as_number
    throttle = Throttle(rate=rate, burst=2)  # pyright: ignore
    plan = UsagePlan("a", throttle=throttle, quota=Quota(rate), route_throttles={"POST /orders": throttle})  # pyright: ignore
    an_api(stack, metered(), usage_plans=[plan])
    assert plans(stack)["a"]["Throttle"] == {"RateLimit": {"Ref": "Rate"}, "BurstLimit": 2}
    assert plans(stack)["a"]["Quota"]["Limit"] == {"Ref": "Rate"}


# Scanners


def test_scanners_find_nothing_in_plans() -> None:
    stack = new_stack()
    arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_1"
    pool = cognito.UserPool.from_user_pool_arn(stack, "Pool", arn)
    users = apigateway.CognitoUserPoolsAuthorizer(stack, "Users", cognito_user_pools=[pool])
    acl = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1"
    plan = UsagePlan("free", keys=[a_key(stack)], throttle=SLOW, quota=Quota(5), route_throttles={"GET /a": SLOW})
    an_api(stack, metered("GET /a"), authorizer=users, web_acl=acl, usage_plans=[plan])
    for pack in PACKS:
        assert findings(stack, pack) == []
    assert linted(stack) == []
