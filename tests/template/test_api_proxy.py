"""What ApiProxy tells CloudFormation, and the relations it keeps."""

import ast
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from serverless_patterns import (
    Defaults,
    Handler,
    HttpBackend,
    IamAuthorizer,
    LambdaAuthorizer,
    MockResponse,
    Route,
    Throttle,
    UsagePlan,
)
from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.lambda_authorizer import contract as lambda_authorizer
from tests.template.apis import (
    ORDER,
    PAGE,
    a_function,
    an_api,
    asset_of,
    functions,
    get,
    methods,
    take,
    the_routes,
    the_stage,
    variables_of,
)
from tests.template.stacks import a_handler, a_table, new_stack, resources, the, warnings

SECONDS = Duration.seconds
SHARED = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


def test_each_route_is_a_method_of_its_path() -> None:
    stack = new_stack()
    an_api(
        stack,
        Route("GET /orders/{order_id}", get()),
        Route("DELETE /orders/{order_id}", get()),
        Route("ANY /", get()),
        Route("GET /files/{path+}", get()),
    )
    assert {*methods(stack)} == {
        "ANY /",
        "DELETE /orders/{order_id}",
        "GET /files/{path+}",
        "GET /orders/{order_id}",
    }
    assert len(resources(stack, "ApiGateway::Resource")) == 4


def test_a_handler_gets_every_request_as_an_event_within_the_integration_s_timeout() -> None:
    stack = new_stack()
    an_api(stack, Route("POST /orders", take()), integration_timeout=SECONDS(27))
    integration = methods(stack)["POST /orders"]["Integration"]
    assert (integration["Type"], integration["IntegrationHttpMethod"]) == ("AWS_PROXY", "POST")
    assert integration["TimeoutInMillis"] == 27_000
    (function,) = resources(stack, "Lambda::Function")
    assert {"Fn::GetAtt": [function, "Arn"]} in integration["Uri"]["Fn::Join"][1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [({}, 25), ({"integration_timeout": SECONDS(9)}, 9), ({"integration_timeout": SECONDS(40)}, 25)],
)
def test_a_function_ends_before_the_gateway_stops_waiting(arguments: dict[str, Any], expected: int) -> None:
    stack = new_stack()
    an_api(stack, **arguments)
    assert functions(stack)["ApiWebGet"]["Timeout"] == expected


def test_a_handler_s_own_timeout_holds() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /orders", get(timeout=SECONDS(3))))
    assert functions(stack)["ApiWebGet"]["Timeout"] == 3


def test_one_handler_is_one_function_with_one_permission_however_many_routes_lead_to_it() -> None:
    stack = new_stack()
    handler = get()
    an_api(stack, *[Route(f"GET /{number}/{{id}}", handler) for number in range(9)])
    assert len(resources(stack, "Lambda::Function")) == len(resources(stack, "Lambda::Permission")) == 1
    assert len(the_routes(stack, "ApiWebGet")) == 9


def test_functions_are_named_by_their_function_and_by_their_route_where_that_says_too_little() -> None:
    stack = new_stack()
    api = an_api(
        stack,
        Route("GET /orders", get()),
        Route("POST /orders", take(memory_size=128)),
        Route("POST /payments/{payment_id}", take()),
    )
    assert {*functions(stack)} == {"ApiWebGet", "ApiWebTakePostOrders", "ApiWebTakePostPaymentsPaymentId"}
    assert api.function_for("POST /orders").node.id == "WebTakePostOrders"


def test_a_function_whose_name_ends_like_something_of_another_s_gets_its_route_too(tmp_path: Path) -> None:
    (tmp_path / "web.py").write_text("def get(request): ...\ndef get_role(request): ...")
    stack = new_stack()
    an_api(
        stack,
        Route("GET /a", Handler(tmp_path, "web:get")),
        Route("GET /b", Handler(tmp_path, "web:get_role")),
    )
    assert {*functions(stack)} == {"ApiWebGet", "ApiWebGetRoleGetB"}


def test_functions_are_exposed_by_route() -> None:
    stack = new_stack()
    own = a_function(stack)
    api = an_api(stack, Route("GET /a", get()), Route("GET /b", own), Route("GET /c", MockResponse()))
    assert {*api.functions} == {"GET /a", "GET /b"}
    assert api.function_for("GET /b") is own
    assert api.function_for("GET /a").node.path == "Shop/Api/WebGet"


def test_the_entry_points_are_functions_that_exist() -> None:
    stack = new_stack()
    an_api(stack, authorizer=LambdaAuthorizer(a_handler("web:identify")))
    for function in functions(stack).values():
        module, _, name = function["Handler"].rpartition(".")
        found = importlib.util.find_spec(module)
        assert found is not None
        assert found.origin is not None
        assert name in {getattr(node, "name", None) for node in ast.parse(Path(found.origin).read_text()).body}


def test_a_function_s_variables_are_those_of_the_contracts_and_the_user_s() -> None:
    stack = new_stack()
    an_api(
        stack,
        Route("POST /orders", take(tables={"ORDERS": a_table(stack)}, environment={"MODE": "fast"})),
        max_body_bytes=1000,
        binary_media_types=["image/png", "application/pdf"],
    )
    fields = {*business_function.Env._fields, *claims.Env._fields, *contract.Env._fields}
    told = variables_of(stack, "ApiWebTake")
    assert {*told} == fields | SHARED | {"ORDERS", "MODE"}
    literal = {name: value for name, value in told.items() if isinstance(value, str)}
    assert literal == {
        "BINARY_MEDIA_TYPES": "image/png,application/pdf",
        "BUSINESS_FUNCTION": "web:take",
        "CLAIMS_NAMESPACE": "Api",
        "CLAIMS_RETENTION_SECONDS": "604800",
        "CORS": "",
        "MAX_BODY_BYTES": "1000",
        "MODE": "fast",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
        "POWERTOOLS_SERVICE_NAME": "Api",
        "RETURNS_EFFECTS": "true",
        "TABLES": "ORDERS",
    }


def test_a_function_that_keeps_no_keys_hears_of_no_claims() -> None:
    stack = new_stack()
    api = an_api(stack)
    assert {*variables_of(stack, "ApiWebGet")} == {*business_function.Env._fields, *contract.Env._fields} | SHARED
    assert api.claims is None
    assert resources(stack, "DynamoDB::Table") == {}


def test_each_route_s_settings_travel_beside_the_code() -> None:
    stack = new_stack()
    handler = get()
    an_api(
        stack,
        Route("GET /orders", handler, query=PAGE),
        Route("PUT /orders/{order_id}", handler, body=ORDER, idempotency="required"),
        Route("PUT /pictures/{name}", handler, body=bytes, public=True),
        authorizer=IamAuthorizer(),
        binary_media_types=["image/png"],
    )
    told = the_routes(stack, "ApiWebGet")
    query, body = told["GET /orders"].pop("query"), told["PUT /orders/{order_id}"].pop("body")  # pyright: ignore
    assert told == {
        "GET /orders": {
            "evidence": "iam",
            "idempotency": "off",
            "content": "json",
            "challenge": "AWS4-HMAC-SHA256",
            "query_types": {"page": "integer"},
        },
        "PUT /orders/{order_id}": {
            "evidence": "iam",
            "idempotency": "required",
            "content": "json",
            "challenge": "AWS4-HMAC-SHA256",
        },
        "PUT /pictures/{name}": {"evidence": "none", "idempotency": "optional", "content": "bytes"},
    }
    code = (asset_of(stack, "ApiWebGet") / f"{contract.SCHEMAS_MODULE}.py").read_text()
    assert {query, body} <= {node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)}


def test_the_code_asset_holds_the_user_s_files_and_those_two() -> None:
    stack = new_stack()
    an_api(stack, Route("POST /orders", take(), body=ORDER))
    names = {path.name for path in asset_of(stack, "ApiWebTake").iterdir()}
    own = {path.name for path in (Path(__file__).parent / "handlers").iterdir()} - {"__pycache__"}
    assert names == own | {contract.ROUTES_FILE, f"{contract.SCHEMAS_MODULE}.py"}


def test_a_changed_route_is_a_changed_asset() -> None:
    keys: set[str] = set()
    for arguments in ({}, {"idempotency": "off"}, {"body": ORDER}, {"body": {**ORDER, "maxProperties": 2}}):
        stack = new_stack()
        an_api(stack, Route("POST /orders", get(), **arguments))
        keys.add(functions(stack)["ApiWebGet"]["Code"]["S3Key"])
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("PATCH", "required"),
        ("POST", "required"),
        ("DELETE", "optional"),
        ("PUT", "optional"),
        ("GET", "off"),
        ("HEAD", "off"),
        ("OPTIONS", "off"),
    ],
)
def test_keys_are_required_where_a_repeated_request_would_do_its_work_twice_and_count_where_it_writes(
    method: str, expected: str
) -> None:
    stack = new_stack()
    an_api(stack, Route(f"{method} /orders", get()))
    assert the_routes(stack, "ApiWebGet")[f"{method} /orders"]["idempotency"] == expected


def test_any_method_keeps_keys_as_its_own_route_would() -> None:
    stack = new_stack()
    methods = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
    alike = take()
    an_api(stack, Route("ANY /any", get()), *(Route(f"{method} /orders", alike) for method in methods))
    alone = {method: the_routes(stack, "ApiWebTake")[f"{method} /orders"]["idempotency"] for method in methods}
    assert the_routes(stack, "ApiWebGet")["ANY /any"]["idempotency"] == alone
    assert "CLAIMS_TABLE_NAME" in variables_of(stack, "ApiWebGet")


@pytest.mark.parametrize("asked", ["required", "optional", "off"])
def test_what_is_said_of_any_method_holds_for_each(asked: Any) -> None:
    stack = new_stack()
    api = an_api(stack, Route("ANY /any", get(), idempotency=asked))
    assert {*the_routes(stack, "ApiWebGet")["ANY /any"]["idempotency"].values()} == {asked}  # pyright: ignore
    assert (api.claims is None) == (asked == "off")


@pytest.mark.parametrize(
    ("route", "needed"),
    [
        (lambda: Route("GET /orders", get()), False),
        (lambda: Route("GET /orders", take()), True),
        (lambda: Route("POST /orders", get()), True),
        (lambda: Route("POST /orders", get(), idempotency="off"), False),
        (lambda: Route("POST /orders", take(), idempotency="off"), True),
        (lambda: Route("PUT /orders", get()), True),
        (lambda: Route("PUT /orders", get(), idempotency="off"), False),
    ],
)
def test_there_is_a_table_of_claims_where_a_route_may_need_one(route: Any, needed: bool) -> None:
    stack = new_stack()
    assert (an_api(stack, route()).claims is not None) == needed
    assert len(resources(stack, "DynamoDB::Table")) == needed


def test_claims_are_kept_unless_the_app_says_otherwise() -> None:
    stack = new_stack()
    an_api(stack, Route("POST /orders", take()))
    (table,) = resources(stack, "DynamoDB::Table").values()
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    loose = new_stack()
    Defaults.of(loose).set(removal_policy=RemovalPolicy.DESTROY)
    an_api(loose, Route("POST /orders", take()))
    (table,) = resources(loose, "DynamoDB::Table").values()
    assert table["DeletionPolicy"] == "Delete"


def test_a_schema_is_one_model_that_holds_whatever_a_request_says_its_type_is() -> None:
    stack = new_stack()
    an_api(stack, Route("POST /orders", take(), body=ORDER), Route("PUT /orders", get(), body=dict(ORDER)))
    (model,) = resources(stack, "ApiGateway::Model")
    (validator,) = resources(stack, "ApiGateway::RequestValidator")
    for name in ("POST /orders", "PUT /orders"):
        assert methods(stack)[name]["RequestModels"] == {"application/json": {"Ref": model}, "$default": {"Ref": model}}
        assert methods(stack)[name]["RequestValidatorId"] == {"Ref": validator}
    assert the(stack, "ApiGateway::RequestValidator")["ValidateRequestBody"] is True
    assert the(stack, "ApiGateway::RequestValidator")["ValidateRequestParameters"] is True


def test_a_query_is_declared_and_what_is_required_is_asked_for_by_the_gateway() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /a", get(), query=PAGE), Route("GET /b", get(), query={**PAGE, "required": ["page"]}))
    parameter = "method.request.querystring.page"
    assert methods(stack)["GET /a"]["RequestParameters"] == {parameter: False}
    assert methods(stack)["GET /b"]["RequestParameters"] == {parameter: True}
    assert "RequestValidatorId" in methods(stack)["GET /b"]


def test_an_imported_function_gets_raw_events() -> None:
    stack = new_stack()
    own = a_function(stack, timeout=SECONDS(20))
    an_api(stack, Route("GET /a", own), Route("GET /b", own))
    integration = methods(stack)["GET /a"]["Integration"]
    assert integration == methods(stack)["GET /b"]["Integration"]
    assert {"Fn::GetAtt": [stack.get_logical_id(own.node.default_child), "Arn"]} in integration["Uri"]["Fn::Join"][1]  # pyright: ignore
    assert the(stack, "Lambda::Permission")["FunctionName"] == stack.resolve(own.function_arn)


def test_an_http_backend_gets_the_method_and_the_parameters_of_the_path() -> None:
    stack = new_stack()
    an_api(stack, Route("ANY /legacy/{proxy+}", HttpBackend("https://legacy.example.com/old/{proxy}")))
    method = methods(stack)["ANY /legacy/{proxy+}"]
    assert method["Integration"] == {
        "IntegrationHttpMethod": "ANY",
        "RequestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
        "TimeoutInMillis": 29_000,
        "Type": "HTTP_PROXY",
        "Uri": "https://legacy.example.com/old/{proxy}",
    }
    assert method["RequestParameters"] == {"method.request.path.proxy": True}
    assert "RequestValidatorId" not in method


def test_a_mock_response_is_answered_by_the_gateway_word_for_word() -> None:
    stack = new_stack()
    body = {"status": "ok", "price": "$5", "#if": [1, None]}
    an_api(stack, Route("GET /health", MockResponse(203, body)), Route("GET /nothing", MockResponse(204)))
    integration = methods(stack)["GET /health"]["Integration"]
    (response,) = integration["IntegrationResponses"]
    text = response["ResponseTemplates"]["application/json"]
    assert (response["StatusCode"], json.loads(text)) == ("203", body)
    assert not {"$", "#"} & {*text}, "a mapping template would take them for its own"
    assert json.loads(integration["RequestTemplates"]["application/json"]) == {"statusCode": 203}
    assert integration["PassthroughBehavior"] == "NEVER"
    (response,) = methods(stack)["GET /nothing"]["Integration"]["IntegrationResponses"]
    assert response["ResponseTemplates"] == {"application/json": ""}


def test_the_stage_has_one_throttle_and_routes_may_have_their_own() -> None:
    stack = new_stack()
    own = Throttle(rate=5, burst=6)
    an_api(
        stack,
        Route("GET /", get()),
        Route("POST /payments/{payment_id}", take(), throttle=own),
        Route("ANY /any", get(), throttle=own),
        throttle=Throttle(rate=7, burst=8),
    )
    settings = {(one["ResourcePath"], one["HttpMethod"]): one for one in the_stage(stack)["MethodSettings"]}
    limits = {key: (one["ThrottlingRateLimit"], one["ThrottlingBurstLimit"]) for key, one in settings.items()}
    every = {("/~1any", method): (5, 6) for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")}
    assert limits == {("/*", "*"): (7, 8), ("/~1payments~1{payment_id}", "POST"): (5, 6), **every}


def test_there_is_a_throttle_when_nobody_says_one() -> None:
    stack = new_stack()
    an_api(stack)
    (one,) = the_stage(stack)["MethodSettings"]
    assert (one["ThrottlingRateLimit"], one["ThrottlingBurstLimit"]) == (100, 200)


def test_access_logs_are_json_end_after_a_month_and_repeat_nothing_that_a_caller_sent() -> None:
    stack = new_stack()
    api = an_api(stack)
    setting = the_stage(stack)["AccessLogSetting"]
    assert api.access_log_group is not None
    assert setting["DestinationArn"]["Fn::Join"][1][-1] == stack.resolve(api.access_log_group.log_group_name)
    assert the(stack, "Logs::LogGroup", "AccessLogs")["RetentionInDays"] == 30
    fields = set(json.loads(setting["Format"]).values())
    assert "$context.requestId" in fields
    said_by_callers = ("header", "path", "queryString", "userAgent", "authorizer.principalId", "claims", "apiKey")
    assert [
        field
        for field in fields
        for said in said_by_callers
        if field.lower().endswith(said.lower()) and field != "$context.resourcePath"
    ] == []


def test_access_logs_can_be_switched_off() -> None:
    stack = new_stack()
    assert an_api(stack, access_logs=False).access_log_group is None
    assert "AccessLogSetting" not in the_stage(stack)
    assert [id for id in resources(stack, "Logs::LogGroup") if "Access" in id] == []


def test_the_api_is_regional_takes_tls_1_2_or_later_and_is_traced() -> None:
    stack = new_stack()
    an_api(stack)
    api = the(stack, "ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2_")
    assert api["EndpointAccessMode"] == "BASIC"
    assert the_stage(stack)["TracingEnabled"] is True
    assert the_stage(stack)["StageName"] == "live"


def test_names_in_metrics_differ_between_stacks_and_apis() -> None:
    stack = new_stack()
    an_api(stack, id="One")
    an_api(stack, id="Two")
    names = {api["Properties"]["Name"] for api in resources(stack, "ApiGateway::RestApi").values()}
    assert len(names) == 2
    assert all(name.startswith("Shop-") for name in names)


STATUSES = {
    "ACCESS_DENIED": (403, "Forbidden"),
    "BAD_REQUEST_BODY": (400, "Bad Request"),
    "BAD_REQUEST_PARAMETERS": (400, "Bad Request"),
    "INTEGRATION_FAILURE": (504, "Gateway Timeout"),
    "INTEGRATION_TIMEOUT": (504, "Gateway Timeout"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Forbidden"),
    "QUOTA_EXCEEDED": (429, "Too Many Requests"),
    "THROTTLED": (429, "Too Many Requests"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type"),
}


def test_every_error_of_the_gateway_is_a_problem_with_a_correlation_id() -> None:
    stack = new_stack()
    an_api(stack)
    found = {
        it["Properties"]["ResponseType"]: it["Properties"]
        for it in resources(stack, "ApiGateway::GatewayResponse").values()
    }
    assert {*found} == {"DEFAULT_4XX", "DEFAULT_5XX", *STATUSES}
    for type, response in found.items():
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert headers["gatewayresponse.header.X-Correlation-Id"] == "context.requestId"
        text = response["ResponseTemplates"]["application/json"]
        problem = json.loads(text.replace("$context.error.messageString", '"said"'))
        assert problem["correlation_id"] == "$context.requestId"
        assert ("detail" in problem) == (type != "DEFAULT_5XX"), "our own failures tell the caller nothing"
        assert "$context.error.validationErrorString" not in text, "its quotes would break the JSON"
        assert (problem.get("status"), problem["title"]) == STATUSES.get(type, (None, "$context.error.responseType"))
        assert ("gatewayresponse.header.Retry-After" in headers) == (type in ("QUOTA_EXCEEDED", "THROTTLED"))
        assert "StatusCode" not in response


def test_a_path_that_leads_nowhere_is_called_that() -> None:
    stack = new_stack()
    an_api(stack)
    (unknown,) = [
        it["Properties"]["ResponseTemplates"]["application/json"]
        for it in resources(stack, "ApiGateway::GatewayResponse").values()
        if it["Properties"]["ResponseType"] == "MISSING_AUTHENTICATION_TOKEN"
    ]
    assert json.loads(unknown)["detail"] == "no such route, or the request is not signed"


def test_a_deployment_waits_for_every_method_and_changes_with_it() -> None:
    first, second, third = new_stack(), new_stack(), new_stack()
    an_api(first)
    an_api(second)
    an_api(third, Route("GET /orders", get()), Route("GET /more", get()))
    ids = [next(iter(resources(stack, "ApiGateway::Deployment"))) for stack in (first, second, third)]
    assert ids[0] == ids[1] != ids[2]
    (deployment,) = resources(third, "ApiGateway::Deployment").values()
    assert set(resources(third, "ApiGateway::Method")) <= set(deployment["DependsOn"])


def test_two_alarms_watch_an_api_and_notify_whom_the_app_says() -> None:
    stack = new_stack()
    topic = sns.Topic(stack, "OnCall")
    Defaults.of(stack).set(alarm_actions=[cloudwatch_actions.SnsAction(topic)])
    api = an_api(stack, max_latency=SECONDS(3))
    assert sorted(api.alarms) == ["Latency", "ServerErrors"]
    latency, errors = (the(stack, "CloudWatch::Alarm", f"{name}Alarm") for name in ("Latency", "ServerErrors"))
    assert (latency["MetricName"], latency["ExtendedStatistic"], latency["Threshold"]) == ("Latency", "p99", 3000)
    assert (errors["MetricName"], errors["Statistic"], errors["Threshold"]) == ("5XXError", "Average", 0.05)
    name = the(stack, "ApiGateway::RestApi")["Name"]
    for alarm in (latency, errors):
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        (stage,) = resources(stack, "ApiGateway::Stage")
        assert dimensions == {"ApiName": name, "Stage": {"Ref": stage}}
        assert alarm["AlarmActions"] == [stack.resolve(topic.topic_arn)]
        assert alarm["TreatMissingData"] == "notBreaching"
    assert warnings(stack) == []


def test_the_critical_alarm_is_the_rate_of_errors_and_none_means_none() -> None:
    assert sorted(an_api(new_stack(), alarms="critical").alarms) == ["ServerErrors"]
    stack = new_stack()
    assert an_api(stack, alarms="none").alarms == {}
    assert warnings(stack) == []


def test_a_customer_key_encrypts_claims_logs_and_variables() -> None:
    stack = new_stack()
    key = kms.Key(stack, "Key")
    an_api(
        stack,
        Route("POST /orders", take()),
        authorizer=LambdaAuthorizer(a_handler("web:identify")),
        encryption_key=key,
    )
    arn = stack.resolve(key.key_arn)
    assert the(stack, "DynamoDB::Table")["SSESpecification"]["KMSMasterKeyId"] == arn
    assert [it["Properties"]["KmsKeyId"] for it in resources(stack, "Logs::LogGroup").values()] == [arn] * 3
    assert [it["KmsKeyArn"] for it in functions(stack).values()] == [arn] * 2


def test_a_web_acl_looks_at_every_request_of_the_stage() -> None:
    stack = new_stack()
    arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1"
    api = an_api(stack, web_acl=arn)
    assert the(stack, "WAFv2::WebACLAssociation") == {
        "ResourceArn": stack.resolve(api.stage.stage_arn),
        "WebACLArn": arn,
    }


def test_binary_types_are_told_to_the_gateway() -> None:
    stack = new_stack()
    an_api(stack, Route("PUT /pictures", get(), body=bytes), binary_media_types=["image/png"])
    assert the(stack, "ApiGateway::RestApi")["BinaryMediaTypes"] == ["image/png"]


def test_a_route_may_ask_for_an_api_key() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /a", get(), api_key_required=True), Route("GET /b", get()), usage_plans=[UsagePlan("a")])
    assert methods(stack)["GET /a"]["ApiKeyRequired"] is True
    assert "ApiKeyRequired" not in methods(stack)["GET /b"]


def test_a_longer_integration_than_aws_gives_by_itself_is_warned_about() -> None:
    stack = new_stack()
    an_api(stack, alarms="none", integration_timeout=SECONDS(30))
    assert warnings(stack) == [
        "integration_timeout is 30 seconds: above 29 the deployment fails until AWS has raised the account's quota "
        "'Maximum integration timeout in milliseconds' for regional REST APIs"
    ]


def test_provisioned_environments_are_invoked_through_an_alias() -> None:
    stack = new_stack()
    api = an_api(stack, Route("GET /orders", get(provisioned_concurrent_executions=2)))
    (alias,) = resources(stack, "Lambda::Alias")
    assert {"Ref": alias} in methods(stack)["GET /orders"]["Integration"]["Uri"]["Fn::Join"][1]
    assert the(stack, "Lambda::Permission")["FunctionName"] == {"Ref": alias}
    assert isinstance(api.function_for("GET /orders"), lambda_.Function)


def test_addresses_of_routes_are_filled_in_and_encoded() -> None:
    stack = new_stack()
    api = an_api(stack, Route("GET /orders/{order_id}/lines/{line}", get()), Route("GET /files/{path+}", get()))
    base = stack.resolve(api.url)["Fn::Join"][1]
    assert base[-1].endswith("/")
    assert stack.resolve(api.url_for("GET /orders/{order_id}/lines/{line}", order_id="a/b c", line=7))["Fn::Join"][1][
        -1
    ].endswith("/orders/a%2Fb%20c/lines/7")
    assert stack.resolve(api.url_for("GET /files/{path+}", path="a/b c"))["Fn::Join"][1][-1].endswith("/files/a/b%20c")


def test_metrics_name_the_api_and_its_stage() -> None:
    stack = new_stack()
    api = an_api(stack)
    found = [api.metric_requests(), api.metric_client_errors(), api.metric_server_errors(), api.metric_latency()]
    assert [metric.metric_name for metric in found] == ["Count", "4XXError", "5XXError", "Latency"]
    assert [metric.statistic for metric in found] == ["Sum", "Sum", "Sum", "p99"]
    for metric in found:
        assert metric.dimensions is not None
        assert {*metric.dimensions} == {"ApiName", "Stage"}


def test_a_shared_table_of_claims_is_used_as_it_is() -> None:
    stack = new_stack()
    first = an_api(stack, Route("POST /orders", take()), id="First")
    second = an_api(stack, Route("POST /orders", take()), id="Second", claims=first.claims)
    assert second.claims is first.claims
    assert len(resources(stack, "DynamoDB::Table")) == 1
    namespaces = {variables_of(stack, f"{id}WebTake")["CLAIMS_NAMESPACE"] for id in ("First", "Second")}
    assert namespaces == {"First", "Second"}


def test_no_outputs_no_custom_resources_and_nothing_for_the_whole_account() -> None:
    stack = new_stack()
    an_api(
        stack,
        Route("POST /orders", take(), body=ORDER),
        authorizer=LambdaAuthorizer(a_handler("web:identify")),
    )
    template = Template.from_stack(stack).to_json()
    assert "Outputs" not in template
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert types == {
        "AWS::ApiGateway::Authorizer",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Model",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
    }


def test_what_is_deployed_needs_no_fastjsonschema() -> None:
    """The module that is generated before deployment is imported where nothing but the runtime is."""
    stack = new_stack()
    an_api(stack, Route("POST /orders", take(), body=ORDER))
    file = asset_of(stack, "ApiWebTake") / f"{contract.SCHEMAS_MODULE}.py"
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in imported} <= {*sys.stdlib_module_names, "serverless_patterns_runtime"}


def test_the_authorizer_s_variables_are_those_of_its_contract() -> None:
    stack = new_stack()
    an_api(stack, authorizer=LambdaAuthorizer(a_handler("web:identify"), header="X-Token"))
    told = variables_of(stack, "ApiWebIdentifyAuthorizer")
    assert {*told} == {*business_function.Env._fields, *lambda_authorizer.Env._fields} | SHARED
    assert told["IDENTITY_HEADER"] == "X-Token"
    assert told["RESULTS_REMEMBERED"] == "true"
    assert functions(stack)["ApiWebIdentifyAuthorizer"]["Timeout"] == 5


@pytest.mark.parametrize(
    ("ttl", "remembered"),
    [
        (lambda _: Duration.seconds(0), "false"),
        (lambda _: Duration.minutes(0), "false"),
        (lambda _: Duration.seconds(1), "true"),
        (lambda stack: Duration.seconds(CfnParameter(stack, "Ttl", type="Number").value_as_number), "true"),
    ],
)
def test_an_authorizer_is_told_whether_its_answers_are_remembered(ttl: Any, remembered: str) -> None:
    stack = new_stack()
    an_api(stack, authorizer=LambdaAuthorizer(a_handler("web:identify"), results_cache_ttl=ttl(stack)))
    assert variables_of(stack, "ApiWebIdentifyAuthorizer")["RESULTS_REMEMBERED"] == remembered
