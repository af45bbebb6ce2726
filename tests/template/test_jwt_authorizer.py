"""What a JwtAuthorizer becomes: one function with libraries of its own, told whom it may trust."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

import serverless_patterns
from serverless_patterns import Defaults, JwtAuthorizer, LambdaAuthorizer, Route
from serverless_patterns_runtime.jwt_authorizer.contract import ALGORITHMS, HANDLER, JWKS_FILE, Env
from tests.template.apis import an_api, asset_of, functions, get, methods, the_routes, variables_of
from tests.template.stacks import a_handler, new_stack, resources, the, warnings

ROOT = Path(__file__).parents[2]
LOCK = Path(serverless_patterns.__file__).parent / "_jwt_authorizer/requirements.lock"
ISSUER = "https://issuer.example/tenant"
RSA = {"kty": "RSA", "kid": "a", "e": "AQAB", "n": "_" * 342}
EC = {"kty": "EC", "kid": "b", "crv": "P-256", "x": "x", "y": "y"}
ED = {"kty": "OKP", "kid": "c", "crv": "Ed25519", "x": "x"}
ID = "ApiJwtAuthorizer"


def jwt(**arguments: Any) -> JwtAuthorizer:
    return JwtAuthorizer(**({"issuer": ISSUER, "audience": ["shop"]} | arguments))


def stack_without_bundling(context: dict[str, Any] | None = None) -> Stack:
    """Libraries are not installed for it: as for `cdk list`."""
    return Stack(App(context={"aws:cdk:bundling-stacks": [], **(context or {})}), "Shop")


@pytest.fixture
def stack() -> Stack:
    return stack_without_bundling()


def test_the_function_is_told_whom_to_trust_and_nothing_else(stack: Stack) -> None:
    an_api(stack, authorizer=jwt())
    assert functions(stack)[ID]["Handler"] == HANDLER
    told = variables_of(stack, ID)
    assert {name: told[name] for name in Env._fields} == {
        "IDENTITY_HEADER": "Authorization",
        "ISSUER": ISSUER,
        "AUDIENCE": '["shop"]',
        "JWT_ALGORITHMS": "RS256",
        "SCOPES": "[]",
        "LEEWAY_SECONDS": "30",
        "CALLER_CLAIM": "sub",
        "KEYS": "discovered",
        "PLAIN_LOOPBACK": "false",
    }
    assert {*told} - {*Env._fields} == {
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_SERVICE_NAME",
    }


def test_the_function_is_told_all_that_can_be_said(stack: Stack) -> None:
    authorizer = jwt(
        audience=["shop", "till"],
        jwks_url="https://keys.example/set?tenant=1",
        algorithms=["ES256", "EdDSA"],
        header="X-Token",
        scopes=["orders:read", "orders:write"],
        leeway=Duration.seconds(5),
        caller_claim="client_id",
        results_cache_ttl=Duration.seconds(7),
        memory_size=256,
        timeout=Duration.seconds(9),
        runtime=lambda_.Runtime.PYTHON_3_12,
        architecture=lambda_.Architecture.X86_64,
    )
    an_api(stack, authorizer=authorizer)
    told = variables_of(stack, ID)
    assert {name: told[name] for name in Env._fields} == {
        "IDENTITY_HEADER": "X-Token",
        "ISSUER": ISSUER,
        "AUDIENCE": '["shop", "till"]',
        "JWT_ALGORITHMS": "ES256,EdDSA",
        "SCOPES": '["orders:read", "orders:write"]',
        "LEEWAY_SECONDS": "5",
        "CALLER_CLAIM": "client_id",
        "KEYS": "https://keys.example/set?tenant=1",
        "PLAIN_LOOPBACK": "false",
    }
    function = functions(stack)[ID]
    assert (function["MemorySize"], function["Timeout"], function["Runtime"]) == (256, 9, "python3.12")
    assert function["Architectures"] == ["x86_64"]
    authorizer_of_gateway = the(stack, "ApiGateway::Authorizer")
    assert authorizer_of_gateway["IdentitySource"] == "method.request.header.X-Token"
    assert authorizer_of_gateway["AuthorizerResultTtlInSeconds"] == 7


def test_the_gateway_asks_it_and_the_function_behind_is_told_what_to_find() -> None:
    stack = stack_without_bundling()
    an_api(stack, authorizer=jwt())
    assert methods(stack)["GET /orders"]["AuthorizationType"] == "CUSTOM"
    authorizer = the(stack, "ApiGateway::Authorizer")
    assert (authorizer["Type"], authorizer["AuthorizerResultTtlInSeconds"]) == ("REQUEST", 60)
    assert functions(stack)[ID]["Timeout"] == 5


def test_its_function_its_header_and_its_scheme_are_known(stack: Stack) -> None:
    api = an_api(stack, authorizer=jwt(header="X-Token"))
    assert {*api.authorizer_functions} == {"jwt"}
    (scheme,) = api.openapi()["components"]["securitySchemes"].values()
    assert scheme == {"type": "apiKey", "in": "header", "name": "X-Token"}
    said = json.dumps([*resources(stack, "ApiGateway::GatewayResponse").values()])
    assert """gatewayresponse.header.WWW-Authenticate": "'Bearer'\"""" in said


def test_it_may_write_its_logs_and_traces_and_do_nothing_else(stack: Stack) -> None:
    an_api(stack, authorizer=jwt())
    roles = {id: role for id, role in resources(stack, "IAM::Role").items() if "JwtAuthorizer" in id}
    (role,) = roles.values()
    allowed = [it for one in role["Properties"]["Policies"] for it in one["PolicyDocument"]["Statement"]]
    assert {action for one in allowed for action in _listed(one["Action"])} == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert "ManagedPolicyArns" not in role["Properties"]
    assert [one for one in resources(stack, "IAM::Policy") if "Jwt" in one] == []


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_one_object_is_one_function_and_two_are_two(stack: Stack) -> None:
    shared = jwt()
    an_api(
        stack,
        Route("GET /a", get()),
        Route("GET /b", get(memory_size=128), authorizer=shared),
        Route("GET /c", get(memory_size=256), authorizer=jwt(scopes=["orders:write"])),
        Route("GET /d", get(memory_size=512), authorizer=LambdaAuthorizer(a_handler("web:identify"))),
        authorizer=shared,
    )
    assert len(resources(stack, "ApiGateway::Authorizer")) == 3
    assert len([id for id in functions(stack) if "Jwt" in id]) == 2


def test_what_is_not_known_before_the_deployment_may_be_the_issuer_and_the_audience(stack: Stack) -> None:
    from aws_cdk import aws_cognito as cognito

    pool = cognito.UserPool(stack, "Pool")
    client = pool.add_client("Client")
    authorizer = jwt(issuer=pool.user_pool_provider_url, audience=[client.user_pool_client_id])
    an_api(stack, authorizer=authorizer)
    told = variables_of(stack, ID)
    assert "Fn::Join" in told["ISSUER"] or "Fn::GetAtt" in told["ISSUER"]
    assert "Ref" in json.dumps(told["AUDIENCE"])


def test_nothing_is_installed_without_one(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[Any] = []
    monkeypatch.setattr("serverless_patterns._code.installed", lambda *given: installed.append(given))
    an_api(new_stack(), authorizer=LambdaAuthorizer(a_handler("web:identify")))
    an_api(stack, authorizer=jwt())
    assert installed == []


def test_its_asset_holds_the_libraries_of_the_lock_and_the_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "jwt").mkdir()
    (tmp_path / "jwt/__init__.py").write_text("")
    asked: list[Any] = []

    def installed(*given: Any) -> Path:
        asked.append(given)
        return tmp_path

    monkeypatch.setattr("serverless_patterns._code.installed", installed)
    stack = new_stack()
    an_api(stack, authorizer=jwt(jwks={"keys": [RSA]}))
    folder = asset_of(stack, ID)
    ((file, target, _),) = asked
    assert (file, target.machine) == (LOCK, "aarch64")
    assert (folder / "jwt/__init__.py").is_file()
    assert the_routes(stack, "ApiWebGet")["GET /orders"]["evidence"] == "lambda"
    assert json.loads((folder / JWKS_FILE).read_text()) == {"keys": [RSA]}
    assert variables_of(stack, ID)["KEYS"] == "fixed"


def test_other_keys_are_another_asset() -> None:
    def key_of(jwks: Any) -> str:
        stack = stack_without_bundling()
        an_api(stack, authorizer=jwt(jwks=jwks))
        return json.dumps(functions(stack)[ID]["Code"])

    assert key_of({"keys": [RSA]}) == key_of({"keys": [RSA]}) != key_of({"keys": [RSA | {"kid": "z"}]})


def test_keys_that_are_changed_afterwards_are_not_those_that_were_checked() -> None:
    keys = {"keys": [dict(RSA)]}
    authorizer = jwt(jwks=keys)
    keys["keys"][0]["d"] = "private"
    assert "private" not in authorizer.files()[JWKS_FILE]
    with pytest.raises(AttributeError):
        authorizer.issuer = "x"  # type: ignore[misc]


def test_the_lock_is_the_version_that_the_tests_run_and_asks_no_machine() -> None:
    text = LOCK.read_text()
    pinned = dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))
    tested = dict(re.findall(r"^(\S+)==(\S+)", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE))
    assert {*pinned} == {"cffi", "cryptography", "pycparser", "pyjwt"}
    assert pinned == {name: tested[name] for name in pinned}
    assert ";" not in text, "pip cannot judge a marker for another machine"


def test_in_a_vpc_it_needs_a_route_and_no_endpoint(stack: Stack) -> None:
    an_api(stack, authorizer=jwt(vpc=ec2.Vpc(stack, "Net")))
    assert "VpcConfig" in functions(stack)[ID]
    assert not any("runs in a VPC" in one and "JwtAuthorizer" in one for one in warnings(stack))


@pytest.mark.parametrize(
    ("own", "warned"),
    [
        (lambda _: {}, True),
        (lambda stack: {"vpc": ec2.Vpc(stack, "Own")}, False),
        (lambda _: {"jwks": {"keys": [RSA]}}, False),
    ],
    ids=["none", "a VPC", "fixed keys"],
)
def test_a_vpc_of_defaults_may_cut_it_off_from_its_issuer(stack: Stack, own: Any, warned: bool) -> None:
    Defaults.of(stack).set(vpc=ec2.Vpc(stack, "Net"))
    an_api(stack, authorizer=jwt(**own(stack)))
    found = [one for one in warnings(stack) if "the JwtAuthorizer's function runs in the VPC of Defaults" in one]
    assert bool(found) is warned
    assert all("NAT" in one and ISSUER in one for one in found)


def test_on_the_embedded_cloud_keys_may_come_from_this_machine() -> None:
    for arguments in ({"issuer": "http://127.0.0.1:1/"}, {"jwks_url": "http://localhost:1/keys"}):
        stack = stack_without_bundling({"serverless-patterns:local": "true"})
        an_api(stack, authorizer=jwt(**arguments))
        assert variables_of(stack, ID)["PLAIN_LOOPBACK"] == "true"
        with pytest.raises(ValueError, match=r"must be an https address, got 'http://\S+': this machine is reached"):
            an_api(stack_without_bundling(), authorizer=jwt(**arguments))


def test_an_issuer_is_any_text_where_its_keys_are_said(stack: Stack) -> None:
    an_api(stack, authorizer=jwt(issuer="http://127.0.0.1/", jwks={"keys": [RSA]}))
    an_api(stack, id="Other", authorizer=jwt(issuer="accounts.example", jwks_url="https://keys.example/"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_asymmetric_algorithm_may_be_chosen(algorithm: str) -> None:
    assert jwt(algorithms=[algorithm]).algorithms == (algorithm,)


SAID = "be of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA"
MUST_NOT = "who checks a token must not be able to make one, so it has to be signed with a private key"
WRONG: list[tuple[dict[str, Any], str]] = [
    *(({"algorithms": [name]}, f"algorithms must {SAID}, got {name!r}: {MUST_NOT}") for name in (
        "none", "None", "HS256", "HS384", "HS512", "rs256", "ES256K", "", None,
    )),
    ({"algorithms": ["RS256", "HS256"]}, f"algorithms must {SAID}, got 'HS256': {MUST_NOT}"),
    ({"algorithms": []}, "algorithms must name one at least, got none: leave it out for RS256"),
    ({"algorithms": "RS256"}, "algorithms must be a list, got a value of type str: write algorithms=[...]"),
    ({"issuer": ""}, "issuer must be the text that tokens have as iss, got ''"),
    ({"issuer": f" {ISSUER}"}, "issuer must be the text that tokens have as iss"),
    ({"issuer": None}, "issuer must be the text that tokens have as iss, got None"),
    ({"issuer": "issuer.example"}, "issuer must be an https address without a query, got 'issuer.example'"),
    ({"issuer": "http://issuer.example"}, "issuer must be an https address without a query"),
    ({"issuer": f"{ISSUER}?x=1"}, "its keys are looked for below it; pass jwks_url or jwks if they are elsewhere"),
    ({"audience": []}, "audience must name this API, got none: a token that was issued for others must not open it"),
    ({"audience": "shop"}, "audience must be a list, got a value of type str: write audience=[...]"),
    ({"audience": ["shop", " "]}, "audience must be texts, got ' ': one of them must be in a token's aud"),
    ({"audience": [7]}, "audience must be texts, got 7"),
    ({"scopes": "orders:read"}, "scopes must be a list"),
    ({"scopes": ["orders:read orders:write"]}, "scopes must be words without spaces, got 'orders:read orders:write'"),
    ({"scopes": [""]}, "scopes must be words without spaces, got ''"),
    ({"leeway": 30}, "leeway must be a Duration from 0 to 300 seconds, got 30: say the unit: Duration.seconds(30)"),
    ({"leeway": Duration.minutes(6)}, "leeway must be a Duration from 0 to 300 seconds, got 360 seconds"),
    ({"caller_claim": ""}, "caller_claim must be the name of a claim, got '': leave it out for 'sub'"),
    ({"jwks_url": "http://keys.example/"}, "jwks_url must be an https address, got 'http://keys.example/'"),
    ({"jwks_url": "keys"}, "jwks_url must be an https address, got 'keys'"),
    ({"jwks_url": "https://a:b@keys.example"}, "jwks_url must be an https address"),
    ({"jwks_url": "https://keys.example", "jwks": {"keys": [RSA]}}, "jwks_url must be left out with jwks"),
    ({"jwks": [RSA]}, "jwks must be a JSON Web Key Set with a key, got a value of type list"),
    ({"jwks": {}}, "jwks must be a JSON Web Key Set with a key, got a value of type dict"),
    ({"jwks": {"keys": []}}, "copy the document that the issuer publishes, or write jwks={'keys': [key]}"),
    ({"jwks": {"keys": ["a"]}}, "jwks must be a JSON Web Key Set with a key"),
    ({"jwks": {"keys": [RSA | {"d": "c2VjcmV0"}]}}, "jwks['keys'][0] must be a public key, got one with the private d"),
    ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "must be a public key, got one with the private k"),
    ({"jwks": {"keys": [EC]}}, "jwks['keys'][0] must verify by one of RS256, got EC P-256"),
    ({"jwks": {"keys": [RSA | {"alg": "RS512"}]}}, "must verify by one of RS256, got RSA RS512"),
    ({"jwks": {"keys": [RSA | {"n": "_" * 171}]}}, "jwks['keys'][0] must have 2,048 bits or more, got 1,024"),
    ({"jwks": {"keys": [RSA, RSA]}}, "jwks must have keys of different kid, got a 2 times"),
    ({"memory_size": 64}, "memory_size must be a whole number from 128 to 10,240"),
    ({"runtime": lambda_.Runtime.PYTHON_3_10}, "runtime must be Python 3.11 or later"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), WRONG, ids=[expected[:60] for _, expected in WRONG])
def test_what_would_trust_anybody_is_refused(arguments: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=r"^JwtAuthorizer: ") as refused:
        jwt(**arguments)
    assert expected in str(refused.value)
    assert "c2VjcmV0" not in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="issuer") as refused:
        jwt(issuer="", audience=[], algorithms=["none"], scopes=["a b"], leeway=7, caller_claim="")
    assert len(str(refused.value).splitlines()) == 6


IN_AN_API: list[tuple[Callable[[], JwtAuthorizer], str]] = [
    (lambda: jwt(header="X Token"), "authorizer header must be the name of a header, got 'X Token'"),
    (lambda: jwt(results_cache_ttl=Duration.hours(2)), "authorizer results_cache_ttl must be a Duration from 0"),
    (lambda: jwt(timeout=Duration.seconds(30)), "authorizer handler timeout must be a Duration from 1 to 29 seconds"),
]


@pytest.mark.parametrize(("authorizer", "expected"), IN_AN_API, ids=[expected[:40] for _, expected in IN_AN_API])
def test_what_the_gateway_refuses_is_refused(
    stack: Stack, authorizer: Callable[[], JwtAuthorizer], expected: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        an_api(stack, authorizer=authorizer())


def test_keys_of_every_kind_may_be_fixed() -> None:
    keys = jwt(jwks={"keys": [RSA, EC, ED]}, algorithms=["RS256", "ES256", "EdDSA"]).jwks
    assert keys is not None
    assert len(keys["keys"]) == 3
